/* api.c -- see api.h for the order in which things happen. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/api.h"
#include "base/check.h"
#include "base/crypto.h"
#include "core/exec.h"
#include "sandbox/fault.h"
#include "sandbox/form.h"
#include "sandbox/params.h"

#include <string.h>
#include <strings.h>

enum { KEY_MAX = 255, KEY_LEASE_MS = 90000 };

/* --- answers ------------------------------------------------------------------------------------- */

static struct str error_json(struct call *c, const struct api_error *e)
{
    struct buf b = { .arena = c->arena };
    struct json_out o = { .buf = &b };

    json_open(&o, '{');
    json_name(&o, STR("error"));
    json_open(&o, '{');
    if (e->advice_code.p != NULL)
        json_str(&o, "advice_code", e->advice_code);
    if (e->charge.p != NULL)
        json_str(&o, "charge", e->charge);
    if (e->code != NULL)
        json_str(&o, "code", str_of(e->code));
    if (e->decline_code.p != NULL)
        json_str(&o, "decline_code", e->decline_code);
    json_str(&o, "message", e->message);
    if (e->param.p != NULL)
        json_str(&o, "param", e->param);
    if (e->object_name != NULL) {
        json_name(&o, str_of(e->object_name));
        json_put_raw(&o, e->object);
    }
    json_str(&o, "type", str_of(e->type));
    json_close(&o, '}');
    json_close(&o, '}');
    return buf_str(&b);
}

static void reply_error(struct call *c, const struct api_error *e)
{
    reply_bytes(c, e->status, STR("application/json"), error_json(c, e));
}

enum err refuse_with(struct call *c, const struct api_error *e)
{
    api_of(c)->error = *e;
    return E_INVALID;
}

enum err refuse(struct call *c, const char *code, const char *param, const char *message, ...)
{
    struct api_error e = {
        .status = 400, .type = "invalid_request_error", .code = code, .param = str_of(param)
    };
    va_list args;

    va_start(args, message);
    e.message = str_vprintf(c->arena, message, args);
    va_end(args);
    return refuse_with(c, &e);
}

enum err missing(struct call *c, const char *what, const char *param, struct str id)
{
    return refuse_with(c,
                       &(struct api_error) {
                           .status = param == NULL ? 404 : 400,
                           .type = "invalid_request_error",
                           .code = "resource_missing",
                           .param = param == NULL ? STR("id") : str_of(param),
                           .message = str_printf(c->arena, "No such %s: '%.*s'", what, STR_FMT(id)),
                       });
}

enum err or_missing(struct call *c, enum err e, const char *what, const char *param, struct str id)
{
    return e == E_NOT_FOUND ? missing(c, what, param, id) : e;
}

enum err card_refused(struct call *c, const struct api_error *e)
{
    reply_error(c, e);
    return E_OK;
}

void api_reply(struct call *c, struct str json)
{
    reply_bytes(c, 200, STR("application/json"), json);
}

/* What a handler ended in, as an answer. */
static void reply_failure(struct call *c, enum err e)
{
    struct api *p = api_of(c);
    struct api_error own = { .status = 500,
                             .type = "api_error",
                             .message = STR("An unexpected error occurred in the sandbox.") };

    if (e == E_INVALID && p->error.status != 0)
        own = p->error;
    else if (e == E_BUSY || e == E_UNAVAILABLE)
        own.status = 503;
    reply_error(c, &own);
}

static void reply_heads(struct call *c)
{
    struct api *p = api_of(c);

    c->reply.cache = STR("no-store");
    reply_header(c, "Stripe-Version", STR(API_VERSION));
    if (p->key.p != NULL)
        reply_header(c, "Idempotency-Key", p->key);
    if (p->replayed)
        reply_header(c, "Idempotent-Replayed", STR("true"));
}

/* --- the request --------------------------------------------------------------------------------- */

static struct str header_of(const struct call *c, const char *name)
{
    return c->header == NULL ? STR_NONE : c->header(c, name);
}

/* The path with its {id}. */
static struct str url_of(struct call *c, struct str id)
{
    struct str rest = str_of(c->route->path), head;
    struct str tail = str_split(rest, '{', &head);

    if (tail.p == NULL)
        return rest;
    tail = str_split(tail, '}', &rest);
    return str_printf(c->arena, "%.*s%.*s%.*s", STR_FMT(head), STR_FMT(id), STR_FMT(tail));
}

static struct api *begin(struct call *c)
{
    struct api *p = arena_new(c->arena, struct api);

    c->prepared = p;
    if (c->route->params != NULL)
        p->id = PARAMS(c, row_id)->id;
    p->url = url_of(c, p->id);
    p->request = c->request_id; /* the server tells it too, as Request-Id */
    return p;
}

/* As Stripe takes it: "Bearer KEY", or HTTP Basic with the key for a name, which is what "curl -u KEY:" sends. */
static struct str key_of(struct call *c)
{
    struct str header = header_of(c, "Authorization"), scheme, key = STR_NONE;
    struct str rest = str_trim(str_split(header, ' ', &scheme));

    if (scheme.n == 6 && strncasecmp(scheme.p, "bearer", 6) == 0)
        key = rest;
    else if (scheme.n == 5 && strncasecmp(scheme.p, "basic", 5) == 0)
        str_split(base64_parse(c->arena, rest), ':', &key);
    return key.n == 0 ? STR_NONE : key;
}

static enum err authorise(struct call *c)
{
    struct str key = key_of(c);
    struct str want = setting_text(c->env->settings, "sandbox.key");
    struct api_error e = { .status = 401, .type = "invalid_request_error" };

    if (key.p == NULL) {
        e.message = STR("You did not provide an API key. You need to provide your API key in the "
                        "Authorization header, using Bearer auth (e.g. 'Authorization: Bearer "
                        "YOUR_SECRET_KEY') or as the name of HTTP Basic auth.");
        return refuse_with(c, &e);
    }
    if (key.n == want.n && bytes_equal(key.p, want.p, want.n))
        return E_OK;
    e.message =
        str_printf(c->arena, "Invalid API Key provided: %.*s****", STR_FMT(str_head(key, 8)));
    return refuse_with(c, &e);
}

static enum err read_form(struct call *c)
{
    struct str why, form = c->route->method == POST ? c->body : c->query_text;
    const struct json *j = form_parse(c->arena, form, &why);
    struct json in;

    if (j == NULL)
        return refuse(c, NULL, NULL, "Invalid request: %.*s.", STR_FMT(why));
    in = *j;
    return params_check(c, sandbox_endpoint(c->route)->params,
                        arena_copy(c->arena, &in, sizeof(in)));
}

static enum err read_key(struct call *c)
{
    struct str key = c->route->method == POST ? header_of(c, "Idempotency-Key") : STR_NONE;

    if (key.n > KEY_MAX)
        return refuse(c, NULL, NULL, "Idempotency keys can be up to %d characters long.", KEY_MAX);
    if (key.n > 0)
        api_of(c)->key = str_copy(c->arena, key);
    return E_OK;
}

static enum err ready(struct call *c)
{
    TRY(authorise(c));
    TRY(read_form(c));
    return read_key(c);
}

enum err api_read(struct call *c)
{
    begin(c);
    enum err e = ready(c);
    if (e == E_OK)
        e = sandbox_endpoint(c->route)->run(c);
    if (e == E_BUSY)
        return e; /* the runner tries again */
    if (e != E_OK)
        reply_failure(c, e);
    reply_heads(c);
    return E_OK;
}

/* --- idempotency --------------------------------------------------------------------------------- */

struct remembered {
    struct str hash, state, body;
    int64_t status;
    struct when leased_until;
};

static const struct field remembered_fields[] = {
    COL(remembered, hash),   COL(remembered, state),       COL(remembered, body),
    NUM(remembered, status), AT(remembered, leased_until),
};
STATIC_SHAPE(remembered);

static struct str hash_of(struct call *c)
{
    struct sha256 h =
        sha256_of(str_printf(c->arena, "%.*s\n%.*s", STR_FMT(api_of(c)->url), STR_FMT(c->body)));

    return hex_print(c->arena, h.b, sizeof(h.b));
}

static enum err in_use(struct call *c)
{
    return refuse_with(
        c, &(struct api_error) {
               .status = 409,
               .type = "idempotency_error",
               .code = "idempotency_key_in_use",
               .message = STR("There is currently another in-progress request using this "
                              "Idempotent Key. Please try again later.") });
}

/* A key that is there: another request's, one that still runs, or a result to give again. */
static enum err remembered_answer(struct call *c, const struct remembered *old)
{
    struct api *p = api_of(c);

    if (!str_eq(old->hash, p->hash))
        return refuse_with(
            c, &(struct api_error) {
                   .status = 400,
                   .type = "idempotency_error",
                   .message = STR("Keys for idempotent requests can only be used with the same "
                                  "parameters they were first used with. Try using a key other "
                                  "than the one you meant, if you meant to execute a different "
                                  "request.") });
    if (str_is(old->state, "running"))
        return in_use(c);
    p->replayed = true;
    reply_bytes(c, (int)old->status, STR("application/json"), old->body);
    return E_OK;
}

/* Own transaction: from here on others with this key are told to wait. Keys live for a day; a claim whose request died
 * with the program is free again at the next start, or when its lease ends. */
static enum err key_claim(struct call *c)
{
    struct api *p = api_of(c);
    struct when real = env_real_now(c->env);
    struct remembered old;
    int64_t mine;

    p->claimed = false;
    TRY(db_run(c,
               "DELETE FROM sandbox_key WHERE key = $1"
               " AND (created < $2 OR (state = 'running' AND leased_until < $3))",
               p->key, when_after(c->now, -DAY), real));
    enum err e = db_one(c, remembered, &old,
                        "SELECT hash, state, body, status, leased_until"
                        " FROM sandbox_key WHERE key = $1",
                        p->key);
    if (e == E_OK)
        return remembered_answer(c, &old);
    if (e != E_NOT_FOUND)
        return e;
    e = db_int(c, &mine,
               "INSERT INTO sandbox_key (key, hash, state, status, leased_until, created)"
               " VALUES ($1, $2, 'running', 0, $3, $4) ON CONFLICT (key) DO NOTHING RETURNING 1",
               p->key, p->hash, when_after(real, KEY_LEASE_MS * INT64_C(1000)), c->now);
    p->claimed = e == E_OK;
    return e == E_NOT_FOUND ? in_use(c)
                            : e; /* another was faster, on an engine with many writers */
}

static enum err key_release(struct call *c)
{
    return db_run(c, "DELETE FROM sandbox_key WHERE key = $1 AND state = 'running'",
                  api_of(c)->key);
}

static enum err key_remember(struct call *c)
{
    return db_hit(c, "UPDATE sandbox_key SET state = 'done', status = $2, body = $3 WHERE key = $1",
                  api_of(c)->key, c->reply.status, c->reply.body);
}

/* --- writing ------------------------------------------------------------------------------------- */

/* The request's own call belongs to the server: a transaction needs one to itself. */
static enum err transaction(struct call *c, handler *run)
{
    struct api *p = api_of(c);
    struct call own;

    call_begin(&own, c->env, c->arena);
    own.prepared = p;
    own.request_id = c->request_id;
    enum err e = exec_transaction(c->env->exec, &own, WRITE, run);
    c->reply = own.reply;
    return e;
}

/* The work and its remembered answer are one transaction. */
static enum err work(struct call *c)
{
    struct api *p = api_of(c);

    TRY(p->run(c));
    must(c->reply.status != 0);
    if (p->fault.kind == FAULT_ERROR_AFTER)
        reply_failure(c, E_INTERNAL);
    return p->claimed ? key_remember(c) : E_OK;
}

static enum err write_claimed(struct call *c)
{
    struct api *p = api_of(c);

    if (p->fault.kind == FAULT_SLOW)
        fault_hold(p->fault.ms);
    enum err e = transaction(c, work);
    if (e != E_OK && p->claimed)
        transaction(c,
                    key_release); /* a refusal is not remembered; if this fails, the lease ends */
    if (p->fault.kind == FAULT_LOST)
        fault_hold(p->fault.ms);
    return e;
}

static enum err write_request(struct call *c)
{
    struct api *p = api_of(c);

    TRY(ready(c));
    TRY(fault_of(c, header_of(c, "Sandbox-Fault"), &p->fault));
    TRY(fault_before(c, &p->fault));
    p->run = sandbox_endpoint(c->route)->run;
    p->hash = hash_of(c);
    if (p->key.p != NULL)
        TRY(transaction(c, key_claim));
    return p->replayed ? E_OK : write_claimed(c);
}

enum err api_write(struct call *c)
{
    struct api *p = begin(c);
    enum err e = write_request(c);

    if (e != E_OK)
        reply_failure(c, e);
    p->reply = c->reply;
    return E_OK;
}

enum err api_written(struct call *c)
{
    c->reply = api_of(c)->reply;
    reply_heads(c);
    return E_OK;
}
