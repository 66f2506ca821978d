/* request.c -- the way of a request through its stages.
 *
 * `state` is where two threads meet: the carrier's, and the one on which the runner ends a call.
 *
 *   RUNNING -> OVER                 it ended before anybody waited: the carrier goes on without a pause
 *   RUNNING -> PARKED -> OVER       the carrier waits; who ends it wakes the carrier
 *   PARKED -> ABANDONED             the carrier has given up and forgotten it; who ends it frees it */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/request.h"
#include "core/exec.h"
#include "server/answer.h"
#include "server/guard.h"
#include "server/health.h"
#include "server/intake.h"
#include "server/shed.h"
#include "server/sse.h"
#include "server/state.h"

#include <inttypes.h>

enum state { RUNNING, PARKED, OVER, ABANDONED };
enum { FREE_MAX = 256, WAIT_US = 30 * SECOND };
enum { JOINS_MAX = 16, JOINED_BYTES = 4096 }; /* of lists in several header lines */

/* --- from the cradle to the grave ------------------------------------------------------------------------------- */

struct request *request_new(struct server *s, struct str target, struct str peer)
{
    pthread_mutex_lock(&s->free_lock);
    struct request *r = s->free_requests;
    if (r != NULL) {
        s->free_requests = r->next;
        s->free_n--;
    }
    pthread_mutex_unlock(&s->free_lock);
    struct arena arena = r != NULL ? r->arena : (struct arena) { .reserve = s->env->reserve };
    if (r == NULL && !reserve_is_low(s->env->reserve))
        r = malloc(sizeof(*r));
    if (r == NULL)
        return NULL;
    memset(r, 0, offsetof(struct request, lines));
    r->arena = arena;
    r->server = s;
    r->length = -1;
    r->answer.fd = r->call.reply.fd = r->auth.reply.fd = -1;
    r->target = str_copy(&r->arena, target);
    r->peer = str_copy(&r->arena, peer);
    return r;
}

void request_free(struct request *r)
{
    struct server *s = r->server;

    shared_drop(r->answer.shared);
    if (r->answer.fd >= 0)
        close(r->answer.fd);
    if (r->call.reply.fd >= 0)
        close(r->call.reply.fd);
    if (r->route != NULL && r->route->wire == WIRE_STREAM && r->call.prepared != NULL)
        stream_drop(r->call.prepared); /* opened, but nobody came for it */
    if (r->answer.stream != NULL)
        stream_drop(r->answer.stream);
    intake_drop(r->intake);
    arena_reset(&r->arena);
    pthread_mutex_lock(&s->free_lock);
    bool keep = s->free_n < FREE_MAX;
    if (keep) {
        r->next = s->free_requests;
        s->free_requests = r;
        s->free_n++;
    }
    pthread_mutex_unlock(&s->free_lock);
    if (!keep) {
        arena_done(&r->arena);
        free(r);
    }
}

/* --- headers ---------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    bool list; /* may come several times: one list, in the order of its lines (RFC 9110, 5.3) */
} known_headers[KNOWN_COUNT] = {
    [KNOWN_ACCEPT] = { "accept", true },
    [KNOWN_ACCEPT_ENCODING] = { "accept-encoding", true },
    [KNOWN_AUTHORIZATION] = { "authorization", false },
    [KNOWN_CONTENT_ENCODING] = { "content-encoding", true },
    [KNOWN_CONTENT_LENGTH] = { "content-length", false },
    [KNOWN_CONTENT_TYPE] = { "content-type", false },
    [KNOWN_COOKIE] = { "cookie", false },
    [KNOWN_EXPECT] = { "expect", false },
    [KNOWN_FORWARDED_FOR] = { "x-forwarded-for", true },
    [KNOWN_HOST] = { "host", false },
    [KNOWN_IDEMPOTENCY_KEY] = { "idempotency-key", false },
    [KNOWN_IF_MATCH] = { "if-match", true },
    [KNOWN_IF_NONE_MATCH] = { "if-none-match", true },
    [KNOWN_IF_RANGE] = { "if-range", false },
    [KNOWN_LAST_EVENT_ID] = { "last-event-id", false },
    [KNOWN_ORIGIN] = { "origin", false },
    [KNOWN_RANGE] = { "range", false },
    [KNOWN_SEC_FETCH_SITE] = { "sec-fetch-site", false },
    [KNOWN_TRANSFER_ENCODING] = { "transfer-encoding", false },
    [KNOWN_USER_AGENT] = { "user-agent", true },
};

static bool same_name(struct str a, const char *b)
{
    return strncasecmp(a.p, b, a.n) == 0 && b[a.n] == 0;
}

static enum err line_problem(struct request *r, const char *field, const char *detail)
{
    return fail_field(&r->call, E_INVALID, field, "Malformed HTTP: %s.", detail);
}

/* Each time the whole list is copied: so it is short. */
static enum err join(struct request *r, struct str *list, struct str value)
{
    if (r->joined++ == JOINS_MAX || list->n + value.n > JOINED_BYTES)
        return fail(&r->call, E_HEADERS_TOO_LARGE,
                    "At most %d lines go on with a list, which has at most %d bytes.", JOINS_MAX,
                    JOINED_BYTES);
    *list = str_printf(&r->arena, "%.*s, %.*s", STR_FMT(*list), STR_FMT(value));
    return E_OK;
}

static enum err take_line(struct request *r, struct str name, struct str value)
{
    r->lines_bytes += name.n + value.n + 4;
    if (r->lines_n == HEADERS_MAX || r->lines_bytes > HEADERS_BYTES)
        return fail(&r->call, E_HEADERS_TOO_LARGE, "At most %d header lines with %d bytes.",
                    HEADERS_MAX, HEADERS_BYTES);
    r->lines[r->lines_n++] = (struct line) { name, value };
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        if (!same_name(name, known_headers[i].name))
            continue;
        if (r->known[i].p != NULL && known_headers[i].list)
            return join(r, &r->known[i], value);
        if (r->known[i].p != NULL)
            return line_problem(r, known_headers[i].name, "this header came twice");
        r->known[i] = value;
        break;
    }
    return E_OK;
}

bool request_line(struct request *r, struct str name, struct str value)
{
    r->call.arena = &r->arena;
    if (r->call.problem.code == E_OK)
        take_line(r, name, str_trim(value));
    return r->call.problem.code == E_OK;
}

struct str request_header(const struct request *r, const char *name)
{
    for (size_t i = 0; i < r->lines_n; i++)
        if (same_name(r->lines[i].name, name))
            return r->lines[i].value;
    return STR_NONE;
}

static struct str header_of_call(const struct call *c, const char *name)
{
    return request_header(c->server, name);
}

/* --- begin ------------------------------------------------------------------------------------------------------ */

void request_refuse(struct request *r, enum err e, const char *field, const char *detail)
{
    r->call.arena = &r->arena;
    if (r->call.problem.code == E_OK)
        fail_field(&r->call, e, field, detail == NULL ? NULL : "%s", detail);
}

static void name_it(struct request *r)
{
    struct env *e = r->server->env;
    size_t n = id_print(r->request_id, "req", id_make(&e->ids, env_real_now(e).us / 1000));

    r->call.request_id = (struct str) { r->request_id, n };
}

static bool take_method(struct request *r)
{
    r->head = str_is(r->method_text, "HEAD");
    r->options = str_is(r->method_text, "OPTIONS");
    int m = enum_value(method_names, r->method_text);
    r->method = m >= 0 ? (enum method)m : GET;
    return m >= 0 || r->head || r->options;
}

/* "GET http://here/path" is what a proxy gets; a server must take it too, and believe it rather than the Host header. */
static void without_origin(struct request *r)
{
    struct str target = r->target;
    const char *slashes = target.n > 0 && target.p[0] != '/' ? strstr(target.p, "://") : NULL;

    if (slashes == NULL)
        return;
    size_t from = (size_t)(slashes - target.p) + 3, end = from;
    while (end < target.n && target.p[end] != '/' && target.p[end] != '?')
        end++;
    r->known[KNOWN_HOST] = str_cut(target, from, end - from);
    r->target = str_cut(target, end, target.n);
    if (r->target.n == 0 || r->target.p[0] == '?')
        r->target = str_printf(&r->arena, "/%.*s", STR_FMT(r->target));
}

/* RFC 9110, 7.4: what is meant for a line that is safe has no answer on one that is not. */
static enum err take_target(struct request *r)
{
    bool safe = r->target.n > 5 && strncasecmp(r->target.p, "https", 5) == 0;

    without_origin(r);
    if (r->options && str_is(r->target, "*"))
        r->target = STR("/");
    r->query = str_split(r->target, '?', &r->path);
    if (safe && !r->server->https)
        return fail(&r->call, E_INVALID, "This server is asked by http, and not by https.");
    return E_OK;
}

/* The front has seen to it that this is beyond doubt. */
static void take_framing(struct request *r)
{
    r->chunked = r->known[KNOWN_TRANSFER_ENCODING].p != NULL;
    str_int(r->known[KNOWN_CONTENT_LENGTH], &r->length);
    r->framed = true;
}

static bool accepts(const struct request *r, const char *type)
{
    struct str accept = r->known[KNOWN_ACCEPT];

    return accept.p != NULL && memmem(accept.p, accept.n, type, strlen(type)) != NULL;
}

/* A page of the app for whoever takes one: a browser, but also curl and what makes previews of links, which say "anything"
 * or nothing. Where there is no page, only a browser is shown the app, which tells it so. */
static void page_or_missing(struct request *r, enum err *e)
{
    bool browser = accepts(r, "text/html");
    bool anything = r->known[KNOWN_ACCEPT].p == NULL || accepts(r, "*/*") || accepts(r, "text/*");
    bool data = str_starts(r->path, "/v1/") || str_starts(r->path, "/m/") ||
                str_starts(r->path, "/media/") || memchr(r->path.p, '.', r->path.n) != NULL;

    if (r->method == GET && web_has_page(r->path) && (browser || anything))
        *e = answer_index(r, 200) ? E_OK : E_NOT_FOUND;
    else if (r->method != GET || data || !browser || !answer_index(r, 404))
        *e = E_NOT_FOUND;
}

/* No route has this path. */
static enum err not_a_route(struct request *r)
{
    enum err e = E_OK;

    if (r->server->env->authenticate == NULL) /* a program without accounts has no app */
        return E_NOT_FOUND;
    struct shared *file = r->method == GET && !r->options
                              ? web_find(r->server->web, r->path, r->known[KNOWN_ACCEPT_ENCODING])
                              : NULL;

    if (file != NULL)
        answer_shared(r, file);
    else if (r->options)
        answer_options(r, 1U << GET);
    else
        page_or_missing(r, &e);
    if (e == E_OK)
        r->stage = ANSWER;
    return e;
}

static enum err begin(struct request *r)
{
    struct call *c = &r->call;

    bool known = take_method(r);

    TRY(c->problem.code);
    TRY(take_target(r));
    take_framing(r);
    if (r->head) /* RFC 9110, 14.2: there are no parts of what has no body */
        r->known[KNOWN_RANGE] = STR_NONE;
    if (!known)
        return fail(c, E_NOT_IMPLEMENTED, "Nothing here takes this method.");
    if (r->method == GET && request_has_body(r))
        return fail(c, E_INVALID, "A request of this method has no body here.");
    routes_match(&r->server->routes, r->method, r->path, &r->match);
    if (r->match.pattern == NULL)
        return not_a_route(r);
    if (r->options) {
        answer_options(r, r->match.allow);
        r->stage = ANSWER;
        return E_OK;
    }
    if (r->match.route == NULL)
        return E_METHOD_NOT_ALLOWED;
    r->route = c->route = r->match.route;
    c->vital = r->route->vital;
    /* Those that may have a kept answer are asked for it first. */
    if (!r->route->cached && shed_refuses(r)) {
        r->stage = ANSWER;
        return E_OK;
    }
    r->body_max = r->route->body_max != 0 ? r->route->body_max : BODY_BYTES;
    return E_OK;
}

void request_begin(struct request *r, struct str method)
{
    struct call *c = &r->call;
    struct problem early = c->problem;

    call_begin(c, r->server->env, &r->arena);
    c->problem = early;
    c->server = r;
    c->header = header_of_call;
    r->method_text = str_copy(&r->arena, method);
    r->began_us = env_monotonic_us(r->server->env);
    r->since = revision_now(r->server->env->revisions);
    name_it(r);
}

/* --- know: who calls? ------------------------------------------------------------------------------------------- */

static void call_over(struct call *c)
{
    struct request *r = c->server;
    int had = __atomic_exchange_n(&r->state, OVER, __ATOMIC_ACQ_REL);

    if (had == PARKED)
        r->wake(r);
    else if (had == ABANDONED) {
        int64_t *abandoned = &r->server->abandoned;
        request_free(r);
        __atomic_sub_fetch(abandoned, 1, __ATOMIC_ACQ_REL); /* the server may go now */
    }
}

/* True when it is over already. */
static bool run_call(struct request *r, struct call *c, int64_t limit_us)
{
    r->state = RUNNING;
    r->deadline_us = env_monotonic_us(r->server->env) + limit_us;
    c->server = r;
    c->done = call_over;
    exec_run(r->server->env->exec, c);
    return __atomic_load_n(&r->state, __ATOMIC_ACQUIRE) == OVER;
}

bool request_park(struct request *r)
{
    int had = RUNNING;

    return __atomic_compare_exchange_n(&r->state, &had, PARKED, false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}

bool request_abandon(struct request *r)
{
    int64_t *abandoned = &r->server->abandoned;
    int had = PARKED;

    __atomic_add_fetch(abandoned, 1, __ATOMIC_ACQ_REL); /* first: it may be freed at once */
    bool done = __atomic_compare_exchange_n(&r->state, &had, ABANDONED, false, __ATOMIC_ACQ_REL,
                                            __ATOMIC_ACQUIRE);
    if (!done)
        __atomic_sub_fetch(abandoned, 1, __ATOMIC_ACQ_REL);
    return done;
}

static enum err authenticate(struct call *c)
{
    struct request *r = c->server;

    return c->env->authenticate(c, r->token, &r->call.actor);
}

/* Run like a route's handler, so that it has a connection wherever the runner has one. */
static const struct route authenticating = {
    .method = GET, .path = "", .run = authenticate, .auth = ANYONE, .tx = READ
};

/* What the handler may ask for must outlive the carrier's memory, should it give up on us. */
static void keep_lines(struct request *r)
{
    struct call *c = &r->call;

    if (r->lines_kept)
        return;
    r->lines_kept = true;
    for (size_t i = 0; i < r->lines_n; i++) {
        struct line kept = { str_copy(&r->arena, r->lines[i].name),
                             str_copy(&r->arena, r->lines[i].value) };
        for (size_t k = 0; k < KNOWN_COUNT; k++)
            if (r->known[k].p == r->lines[i].value.p)
                r->known[k] = kept.value;
        r->lines[i] = kept;
    }
    c->agent = r->known[KNOWN_USER_AGENT];
    c->origin = r->known[KNOWN_ORIGIN];
    c->address = str_copy(&r->arena, guard_address(r));
}

static enum err known(struct request *r)
{
    struct call *c = &r->call;
    enum err e = r->auth.result;

    if (r->auth.env != NULL) { /* the database was asked */
        if (e == E_OK)
            sessions_put(r->server->sessions, &r->token_hash, r->began_us, r->since, &c->actor);
        else if (e != E_SIGNED_OUT)
            return e;
        else
            metrics_add(r->server->metrics, METRIC_AUTH_FAILURES, 1);
    }
    if (e != E_OK)
        c->actor = (struct actor) { .by_cookie = false };
    c->actor.by_cookie = id_some(c->actor.account) && !r->by_bearer;
    c->who = c->actor.account;
    return E_OK;
}

/* A token that is not valid (any more) makes its bearer nobody; the route decides what nobody may. */
static enum err know(struct request *r, bool *wait)
{
    struct server *s = r->server;

    if (s->env->authenticate != NULL)
        guard_token(r);
    if (r->token.p == NULL ||
        sessions_find(s->sessions, &r->token_hash, r->began_us, &r->call.actor))
        return E_OK;
    keep_lines(r);
    call_begin(&r->auth, s->env, &r->arena);
    r->auth.route = &authenticating;
    r->auth.vital = r->call.vital;
    r->auth.request_id = r->call.request_id;
    r->auth.address = r->call.address;
    r->auth.agent = r->call.agent;
    *wait = !run_call(r, &r->auth, WAIT_US);
    return E_OK;
}

/* --- guard, and the reply cache --------------------------------------------------------------------------------- */

/* What is kept costs as little as to turn somebody away, but for a file, which is long. A part of one is not kept. */
static void answer_kept_or_shed(struct request *r, const struct reply_key *key)
{
    bool part = r->known[KNOWN_RANGE].p != NULL && r->route->wire == WIRE_RAW;
    struct shared *kept =
        part ? NULL : replies_find(r->server->replies, key, env_monotonic_us(r->server->env));
    bool cheap = kept != NULL && !kept->is_file;

    if (!cheap && shed_refuses(r))
        shared_drop(kept);
    else if (kept != NULL)
        answer_shared(r, kept);
}

static enum err guarded(struct request *r)
{
    TRY(known(r));
    TRY(guard(r));
    if (r->route->cached) {
        struct reply_key key = { r->call.actor.session, r->target,
                                 __atomic_load_n(&r->server->env->clock.offset_us,
                                                 __ATOMIC_ACQUIRE),
                                 env_now(r->server->env) };
        answer_kept_or_shed(r, &key);
        if (r->answer.status != 0) {
            r->stage = ANSWER;
            return E_OK;
        }
        r->call.depends_on = true;
    }
    keep_lines(r);
    return E_OK;
}

/* --- body ------------------------------------------------------------------------------------------------------- */

bool request_has_body(const struct request *r)
{
    return r->chunked || r->length > 0;
}

static enum err body_refused(struct request *r)
{
    return fail(&r->call, E_TOO_LARGE, "This route takes at most %" PRId64 " bytes.", r->body_max);
}

static enum err take_body(struct request *r, const char *p, size_t n)
{
    enum err e = E_OK;

    if (r->route->wire != WIRE_FILE) {
        if ((int64_t)(r->body.n + n) > r->body_max)
            return body_refused(r);
        r->body.arena = &r->arena;
        buf_add(&r->body, (struct str) { p, n });
        return r->arena.starved ? E_NO_MEMORY : E_OK;
    }
    if (r->intake == NULL)
        r->intake = intake_open(r->server->env, &r->arena, &e);
    if (r->intake == NULL)
        return e;
    if (intake_size(r->intake) + (int64_t)n > r->body_max)
        return body_refused(r);
    return intake_add(r->intake, p, n);
}

bool request_body(struct request *r, const char *p, size_t n)
{
    enum err e = take_body(r, p, n);

    if (e == E_OK)
        return true;
    answer_problem(r, e);
    r->stage = ANSWER;
    return false;
}

void request_body_end(struct request *r)
{
    r->body_complete = true;
}

void request_body_broken(struct request *r)
{
    answer_problem(r, r->call.problem.code);
    r->stage = ANSWER;
}

/* --- decode ----------------------------------------------------------------------------------------------------- */

static enum err decode_params(struct request *r)
{
    const struct shape *s = r->route->params;
    struct call *c = &r->call;
    size_t n = 0;

    if (s == NULL)
        return E_OK;
    void *params = arena_alloc(&r->arena, s->size);
    for (size_t i = 0; i < r->match.pattern->n; i++) {
        const struct segment *segment = &r->match.pattern->segments[i];
        if (segment->name.p == NULL)
            continue;
        const struct field *f = shape_field(s, segment->name);
        struct str text = url_decode(&r->arena, r->match.values[n++], false);
        /* A word that no such thing can be called is the name of nothing. */
        if (text.p == NULL ||
            field_decode_text(f, text, &r->arena, (char *)params + f->offset, &c->problem) != E_OK)
            return fail_field(c, E_NOT_FOUND, f->name, NULL);
    }
    c->params = params;
    return E_OK;
}

static enum err decode_query(struct request *r)
{
    const struct shape *s = r->route->query;
    struct call *c = &r->call;
    struct str first;

    if (s == NULL) {
        c->query_text = r->query;
        if (r->query.n == 0 || r->route->wire != WIRE_JSON)
            return E_OK;
        str_split(r->query, '=', &first);
        return fail_field(c, E_INVALID, str_copy(&r->arena, str_cut(first, 0, 60)).p,
                          "This route takes no parameters.");
    }
    void *query = arena_alloc(&r->arena, s->size);
    TRY(shape_decode_query(s, r->query.p == NULL ? STR("") : r->query, &r->arena, query,
                           &c->problem));
    c->query = query;
    return E_OK;
}

static enum err refuse_json(struct request *r, const struct json_fault *f)
{
    const char *member =
        f->member.p == NULL ? NULL : str_copy(&r->arena, str_head(f->member, 60)).p;

    if (f->line == 0)
        return fail(&r->call, E_BAD_JSON, "%s", f->why);
    return fail_field(&r->call, E_BAD_JSON, member, "%s: line %d, column %d", f->why, f->line,
                      f->column);
}

static enum err decode_json(struct request *r, struct str text)
{
    const struct shape *s = r->route->in;
    struct call *c = &r->call;
    struct json_fault fault;
    const struct json *j = json_read(&r->arena, text.n == 0 ? STR("{}") : text, &fault);

    if (j == NULL)
        return refuse_json(r, &fault);
    if (s == NULL && j->kind != J_OBJECT)
        return fail(c, E_BAD_JSON, "This route takes no body, or {}.");
    if (s == NULL)
        return j->n == 0 ? E_OK
                         : fail_field(c, E_UNKNOWN_MEMBER,
                                      str_copy(&r->arena, str_head(j->names[0], 60)).p,
                                      "This route takes no members.");
    void *in = arena_alloc(&r->arena, s->size);
    TRY(shape_decode(s, j, &r->arena, in, &c->problem));
    c->in = in;
    return E_OK;
}

/* Method, address and body: what an Idempotency-Key stands for. */
static struct sha256 fingerprint(struct request *r, struct str body)
{
    struct sha256_stream h;

    sha256_begin(&h);
    sha256_add(&h, r->method_text.p, r->method_text.n);
    sha256_add(&h, " ", 1);
    sha256_add(&h, r->target.p, r->target.n);
    sha256_add(&h, "\n", 1);
    if (body.n > 0)
        sha256_add(&h, body.p, body.n);
    return sha256_end(&h);
}

static enum err decode_file(struct request *r)
{
    struct upload *u = &r->call.upload;
    enum err e = E_OK;

    if (r->intake == NULL) /* no byte came */
        return fail_field(&r->call, E_INVALID, "body", "The body is empty; send the file's bytes.");
    TRY(e);
    TRY(intake_end(r->intake, u));
    r->call.body = str_copy(&r->arena, (struct str) { (const char *)u->hash.b, SHA256_BYTES });
    return E_OK;
}

static enum err decode(struct request *r)
{
    struct call *c = &r->call;

    TRY(decode_params(r));
    TRY(decode_query(r));
    c->body = r->body.n == 0 ? STR("") : buf_str(&r->body);
    if (r->route->wire == WIRE_FILE)
        TRY(decode_file(r));
    else if (r->route->wire == WIRE_JSON && r->method != GET)
        TRY(decode_json(r, c->body));
    if (c->idempotency_key.p != NULL) {
        c->idempotency_key = r->known[KNOWN_IDEMPOTENCY_KEY]; /* the kept one */
        c->request_hash = fingerprint(r, c->body);
    }
    return E_OK;
}

/* --- the stages ------------------------------------------------------------------------------------------------- */

static void report(struct request *r, enum err e)
{
    struct call *c = &r->call;

    metrics_add(r->server->metrics, METRIC_DATABASE_ERRORS, e == E_UNAVAILABLE || e == E_INTERNAL);
    if (err_status(e) < 500 || e == E_NOT_IMPLEMENTED ||
        e == E_HTTP_VERSION) /* no failure of ours */
        return;
    if (c->turned_away) /* those are counted, and told together */
        return;
    log_error(c->env->log, "http.failed", L_STR("request", c->request_id),
              L_STR("method", r->method_text),
              L_STR("route", str_of(r->route == NULL ? "" : r->route->path)),
              L_STR("error", err_code(&r->arena, e)),
              L_STR("detail", c->problem.detail.p == NULL ? STR("") : c->problem.detail));
}

static void finish(struct request *r)
{
    enum err e = r->call.result;

    if (e != E_OK)
        e = health_without_database(&r->call, e);
    metrics_add(r->server->metrics, METRIC_REPLAYS, r->call.replayed);
    if (e == E_OK)
        answer_success(r);
    else {
        report(r, e);
        answer_problem(r, e);
    }
}

static bool run_handler(struct request *r)
{
    int64_t limit_us = WAIT_US;

    r->call.route = health_runs(r->route, &limit_us);
    return run_call(r, &r->call, limit_us);
}

/* One stage; true when the carrier must be asked: *step says for what. */
static bool one_stage(struct request *r, enum step *step)
{
    enum err e = E_OK;
    bool wait = false;

    *step = STEP_WAIT;
    switch (r->stage++) {
    case BEGIN:
        e = begin(r);
        break;
    case KNOW:
        e = know(r, &wait);
        break;
    case GUARD:
        e = guarded(r);
        break;
    case BODY:
        if (request_has_body(r) && !r->body_complete) {
            r->stage = BODY;
            *step = STEP_BODY;
            return true;
        }
        break;
    case DECODE:
        e = decode(r);
        break;
    case RUN:
        return !run_handler(r); /* and then finish */
    case ANSWER:
        break;
    }
    if (r->arena.starved && r->stage != ANSWER)
        e = E_NO_MEMORY; /* whatever it looks like: nothing new is begun on the reserve */
    if (e != E_OK) {
        report(r, e);
        answer_problem(r, e);
        r->stage = ANSWER;
    }
    return wait;
}

enum step request_go(struct request *r)
{
    enum step step;

    while (r->stage != ANSWER)
        if (one_stage(r, &step))
            return step;
    if (r->answer.status == 0)
        finish(r);
    return STEP_ANSWER;
}

/* By template, never by path: what stands in paths and queries is nobody's business. */
static void log_request(struct request *r, const char *method, int status, int64_t took_us)
{
    struct str who = id_text(&r->arena, ID_USER, r->call.who);

    log_info(r->server->env->log, "http.request", L_STR("request", str_of(r->request_id)),
             L_STR("method", str_of(method)),
             L_STR("route", str_of(r->match.pattern == NULL ? "" : r->match.pattern->path)),
             L_INT("status", status), L_INT("took_us", took_us),
             L_STR("account", who.p == NULL ? STR("") : who));
}

void request_sent(struct request *r, int status)
{
    const char *method = r->head ? "HEAD" : r->options ? "OPTIONS" : method_names[r->method];
    int64_t took_us = env_monotonic_us(r->server->env) - r->began_us;

    metrics_request(r->server->metrics,
                    r->match.pattern == NULL ? SIZE_MAX : r->match.pattern->number, method, status,
                    took_us);
    if (r->server->watcher != NULL)
        server_seen(r, method, status);
    if (r->server->log == LOG_ALL || (r->server->log == LOG_WRITES && r->method != GET))
        log_request(r, method, status, took_us);
}
