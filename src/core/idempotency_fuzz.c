/* idempotency_fuzz.c -- the answer to a key is given again as it was, to the same request of the same account and to no other.
 *
 * An input is a line each: how the handler answers, its status, the key, what stands for the request; and the body. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/idempotency.h"
#include "core/start.h"
#include "test/engine.h"
#include "test/fuzz.h"

#include <stdlib.h>
#include <unistd.h>

enum answers {
    WITH_NOTHING,
    WITH_JSON,
    WITH_A_SHAPE,
    WITH_A_PAGE,
    WITH_A_JOB,
    WITH_AN_ERROR,
    ANSWERS
};

struct said {
    struct str text;
};
static const struct field said_fields[] = {
    TEXT(said, text, "What was said", .max = 100000),
};
STATIC_SHAPE(said);

/* What the handler is to do; it has no other way to learn it. */
struct plan {
    enum answers answers;
    int status;
    struct str body;
    int runs;
};

static enum err answer(struct call *c)
{
    struct plan *p = c->prepared;

    p->runs++;
    switch (p->answers) {
    case WITH_JSON:
        reply_bytes(c, p->status, STR("application/json"), p->body);
        break;
    case WITH_A_SHAPE:
        OUT(c, said)->text = p->body;
        break;
    case WITH_A_PAGE:
        c->page = (struct page) { &p->body, 1, p->body };
        break;
    case WITH_A_JOB:
        c->awaited = (struct id) { 4711 };
        break;
    case WITH_AN_ERROR:
        return fail(c, E_CONFLICT, NULL);
    case WITH_NOTHING:
    case ANSWERS:
        break;
    }
    return E_OK;
}

static const struct route plain = {
    .method = POST, .path = "/plain", .run = answer, .out = &said_shape
};
static const struct route paged = {
    .method = POST, .path = "/paged", .run = answer, .items = &said_shape
};

/* --- a database ----------------------------------------------------------------------------------------------------- */

static struct db *database(struct env *e)
{
    static const struct module *const list[] = { &core_module };
    static struct bed *bed;

    if (bed == NULL) {
        bed = bed_open("sqlite");
        must(db_migrate(bed->env.engine, bed->log, list, COUNT(list)) == E_OK);
    }
    *e = bed->env;
    return bed->db;
}

struct asked {
    enum err e;
    struct call call;
    int status;
};

static struct asked ask(struct env *e, struct db *db, struct arena *a, struct plan *p,
                        struct str key, struct str request, int64_t who)
{
    struct asked q = { .call = { .env = e,
                                 .arena = a,
                                 .db = db,
                                 .who = { who },
                                 .run = answer,
                                 .idempotency_key = key,
                                 .request_hash = sha256_of(request),
                                 .prepared = p,
                                 .reply = { .fd = -1 } } };

    q.call.route = p->answers == WITH_A_PAGE ? &paged : &plain;
    q.e = idempotency_run(&q.call);
    if (q.e == E_OK && !q.call.replayed)
        call_encode(&q.call); /* as the server does; of a replay the body stands there */
    q.status = q.call.reply.status != 0      ? q.call.reply.status
               : q.call.reply.body.p == NULL ? 204
                                             : 200;
    return q;
}

static enum err job_is(struct env *e, struct db *db, struct arena *a, const char *state)
{
    struct call c = { .env = e, .arena = a, .db = db };

    TRY(db_run(&c, "DELETE FROM job WHERE id = 4711"));
    return db_run(&c,
                  "INSERT INTO job (id, kind, lane, payload, state, due, due_business, lease_ms,"
                  " leased_until, attempt, tries, progress, created)"
                  " VALUES (4711, 'x', 0, '{}', $1, 0, 0, 0, 0, 0, 1, 0, 0)",
                  str_of(state));
}

/* --- claims --------------------------------------------------------------------------------------------------------- */

static void check_job(struct env *e, struct db *db, struct arena *a, struct plan *p, struct str key,
                      struct str request)
{
    static const char *const states[] = { "waiting", "running", "done", "dead" };

    for (size_t i = 0; i < COUNT(states); i++) {
        must(job_is(e, db, a, states[i]) == E_OK);
        struct asked again = ask(e, db, a, p, key, request, 7);
        HOLDS(i < 2 ? again.e == E_KEY_IN_USE && again.call.problem.retry_after > 0
                    : again.e == E_OK && again.call.replayed && again.call.awaited.v == 4711);
    }
}

static void check_again(struct env *e, struct db *db, struct arena *a, struct plan *p,
                        struct str key, struct str request, const struct asked *first)
{
    struct asked again = ask(e, db, a, p, key, request, 7);

    HOLDS(again.e == E_OK && again.call.replayed);
    HOLDS(again.status == first->status);
    HOLDS(str_eq(again.call.reply.body, first->call.reply.body));
    HOLDS((again.call.reply.body.p == NULL) == (first->call.reply.body.p == NULL));
    HOLDS(str_eq(again.call.reply.type, first->call.reply.type));
}

static void check_one(struct env *e, struct db *db, struct arena *a, struct plan *p, struct str key,
                      struct str request)
{
    struct asked first = ask(e, db, a, p, key, request, 7);

    HOLDS(p->runs == 1);
    if (p->answers == WITH_AN_ERROR) { /* the runner rolls back: nothing may be left to be found */
        HOLDS(first.e == E_CONFLICT);
        return;
    }
    HOLDS(first.e == E_OK && !first.call.replayed);
    fuzz_taken();
    if (p->answers == WITH_A_JOB)
        check_job(e, db, a, p, key, request);
    else
        check_again(e, db, a, p, key, request, &first);
    HOLDS(p->runs == 1);
    struct str other = str_printf(a, "%.*s.", STR_FMT(request));
    HOLDS(ask(e, db, a, p, key, other, 7).e == E_KEY_REUSED && p->runs == 1);
    HOLDS(ask(e, db, a, p, key, request, 8).e == E_OK && p->runs == 2);
    struct str longer = str_printf(a, "%.*s.", STR_FMT(key));
    HOLDS(ask(e, db, a, p, longer, request, 7).e == E_OK && p->runs == 3);
    HOLDS(ask(e, db, a, p, STR_NONE, request, 7).e == E_OK && p->runs == 4);
}

/* The guard lets no other keys in. */
static bool is_key(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
            return false;
    return s.n >= 1 && s.n <= 254;
}

FUZZ(idempotency)
{
    struct str rest = in;
    struct plan p = { .answers = (enum answers)fuzz_number(&rest, 0, ANSWERS - 1) };
    struct env env;
    struct db *db = database(&env);

    p.status = (int)fuzz_number(&rest, 200, 299);
    struct str key = fuzz_line(&rest, a), request = fuzz_line(&rest, a);
    p.body = fuzz_exact(a, rest.p == NULL ? STR("") : rest);
    if (!is_key(key) || !str_is_utf8(p.body))
        return;
    must(db->ops->begin(db, true) == E_OK);
    check_one(&env, db, a, &p, key, request);
    db->ops->rollback(db);
}
