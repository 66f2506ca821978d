/* idempotency.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/idempotency.h"
#include "core/env.h"

struct remembered {
    struct str request, body;
    int64_t status;
    struct id job;
    struct str job_state;
};

static const struct field remembered_fields[] = {
    TEXT(remembered, request, "Hash of the request", .max = 64),
    TEXT(remembered, body, "The answer", .max = 1 << 20, .optional = true),
    INTEGER(remembered, status, "Its status", .max = 599),
    ID(remembered, job, ID_JOB, "Awaited", .optional = true),
    TEXT(remembered, job_state, "Of that job", .max = 10, .optional = true),
};
STATIC_SHAPE(remembered);

static enum err replay(struct call *c, struct str request)
{
    struct remembered old;

    TRY(db_one(c, remembered, &old,
               "SELECT i.request, i.body, i.status, i.job, j.state AS job_state"
               " FROM idempotency i LEFT JOIN job j ON j.id = i.job"
               " WHERE i.account = $1 AND i.key = $2",
               c->who, c->idempotency_key));
    if (!str_eq(old.request, request))
        return fail_field(c, E_KEY_REUSED, "Idempotency-Key", NULL);
    if (id_some(old.job) &&
        (str_is(old.job_state, "waiting") || str_is(old.job_state, "running"))) {
        c->problem.retry_after = 1;
        return fail(c, E_KEY_IN_USE, NULL);
    }
    c->replayed = true;
    c->awaited = old.job;
    if (!id_some(old.job))
        reply_bytes(c, (int)old.status, old.body.p == NULL ? STR_NONE : STR("application/json"),
                    old.body);
    return E_OK;
}

static int success_status(const struct call *c)
{
    if (c->reply.status != 0)
        return c->reply.status;
    if (c->route->status != 0)
        return c->route->status;
    return c->reply.body.p == NULL ? 204 : 200;
}

static enum err remember(struct call *c)
{
    must(c->reply.fd < 0); /* files are not remembered */
    if (!id_some(c->awaited))
        call_encode(c);
    return db_run(
        c,
        "UPDATE idempotency SET status = $3, body = $4, job = $5 WHERE account = $1 AND key = $2",
        c->who, c->idempotency_key, success_status(c), c->reply.body, c->awaited);
}

enum err idempotency_run(struct call *c)
{
    if (c->route == NULL || c->idempotency_key.p == NULL || !id_some(c->who))
        return c->run(c);
    struct str request = hex_print(c->arena, c->request_hash.b, SHA256_BYTES);
    /* Where many write at once, this waits for another transaction with the same key to end. */
    enum err e = db_hit(c,
                        "INSERT INTO idempotency (account, key, request, status, created) VALUES "
                        "($1, $2, $3, 0, $4)"
                        " ON CONFLICT (account, key) DO NOTHING",
                        c->who, c->idempotency_key, request, env_real_now(c->env));
    if (e == E_NOT_FOUND)
        return replay(c, request);
    TRY(e);
    TRY(c->run(c));
    return remember(c);
}
