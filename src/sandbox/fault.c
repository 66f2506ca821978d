/* fault.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/fault.h"
#include "sandbox/api.h"
#include "core/exec.h"

#include <errno.h>
#include <time.h>

enum { HOLD_MS_MAX = 60000, TIMES_MAX = 1000000 };

static const char *const kinds[] = {
    "none", "error", "error_after", "limit", "slow", "lost", NULL
};

bool fault_parse(struct str text, struct fault *result)
{
    struct str word, ms = str_split(str_trim(text), ' ', &word);
    struct fault f = { .kind = FAULT_NONE };
    int kind = text.n == 0 ? 0 : enum_value(kinds, word);

    if (kind < 0 || (ms.p != NULL && !str_int(ms, &f.ms)) || f.ms < 0 || f.ms > HOLD_MS_MAX)
        return false;
    f.kind = (enum fault_kind)kind;
    *result = f;
    return true;
}

void fault_hold(int64_t ms)
{
    struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        ;
}

/* --- stored ones ---------------------------------------------------------------------------------- */

struct taken {
    struct str fault;
};
static const struct field taken_fields[] = { COL(taken, fault) };
STATIC_SHAPE(taken);

struct taking {
    struct str path;
    struct taken result;
};

static enum err take(struct call *c)
{
    struct taking *t = c->prepared;

    return db_one(c, taken, &t->result,
                  "UPDATE sandbox_fault SET times = times - 1 WHERE id ="
                  " (SELECT id FROM sandbox_fault WHERE times > 0 AND (path = '' OR path = $1)"
                  " ORDER BY id LIMIT 1) RETURNING fault",
                  t->path);
}

/* A read first: without faults a request writes nothing here. */
static enum err stored(struct call *c, struct str path, struct str *result)
{
    struct taking t = { .path = path };
    struct call own;
    int64_t n;

    enum err e = db_int(c, &n,
                        "SELECT 1 FROM sandbox_fault WHERE times > 0"
                        " AND (path = '' OR path = $1) LIMIT 1",
                        path);
    if (e == E_OK) {
        call_begin(&own, c->env, c->arena);
        own.prepared = &t;
        e = exec_transaction(c->env->exec, &own, WRITE, take);
    }
    *result = t.result.fault;
    return e == E_NOT_FOUND ? E_OK : e;
}

enum err fault_of(struct call *c, struct str header, struct fault *result)
{
    struct str text = header;

    if (text.p == NULL)
        TRY(stored(c, api_of(c)->url, &text));
    if (text.p == NULL)
        text = setting_text(c->env->settings, "sandbox.fault");
    if (!fault_parse(text, result))
        return refuse(c, NULL, NULL, "There is no such fault: %.*s", STR_FMT(text));
    return E_OK;
}

enum err fault_before(struct call *c, const struct fault *f)
{
    struct api_error e = { .type = "api_error", .message = STR("A fault that was asked for.") };

    if (f->kind == FAULT_ERROR)
        e.status = 500;
    if (f->kind == FAULT_LIMIT) {
        e.status = 429;
        e.type = "invalid_request_error";
        e.code = "rate_limit";
    }
    return e.status == 0 ? E_OK : refuse_with(c, &e);
}

/* --- asked for by request ------------------------------------------------------------------------- */

TAKES(fault_create, { .path = "fault", .kind = P_TEXT, .required = true, .max = 40 },
      { .path = "path", .kind = P_TEXT, .max = 200 },
      { .path = "times", .kind = P_INT, .min = 1, .max = TIMES_MAX });

enum err fault_create(struct call *c)
{
    struct str text = in_text(c, "fault"), path = in_text(c, "path");
    struct fault f;

    if (!fault_parse(text, &f))
        return refuse(c, NULL, "fault", "There is no such fault: %.*s", STR_FMT(text));
    TRY(db_run(c, "INSERT INTO sandbox_fault (id, path, fault, times) VALUES ($1, $2, $3, $4)",
               new_id(c), path.p == NULL ? STR("") : path, text, in_int(c, "times", 1)));
    api_reply(c, STR("{\"object\":\"sandbox.fault\"}"));
    return E_OK;
}

TAKES_NOTHING(fault_clear);

enum err fault_clear(struct call *c)
{
    TRY(db_run(c, "DELETE FROM sandbox_fault"));
    api_reply(c, STR("{\"object\":\"sandbox.fault\",\"deleted\":true}"));
    return E_OK;
}
