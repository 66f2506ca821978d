/* answer.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/answer.h"
#include "server/file.h"
#include "server/state.h"

#include <inttypes.h>
#include <microhttpd.h>

/* --- headers ---------------------------------------------------------------------------------------------------- */

void answer_header(struct request *r, const char *name, struct str value)
{
    struct answer *a = &r->answer;

    must(a->headers_n < ANSWER_HEADERS);
    a->headers[a->headers_n++] = (struct header) { name, value };
}

#define CSP_DATA "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; sandbox"
#define POWERS                                                                                     \
    "accelerometer=(), camera=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()"

size_t answer_guards(const struct server *s, enum guards kind, struct header *h)
{
    size_t n = 0;

    h[n++] = (struct header) { "Content-Security-Policy",
                               kind == GUARDS_DATA ? STR(CSP_DATA) : s->csp_page };
    h[n++] = (struct header) { "X-Content-Type-Options", STR("nosniff") };
    h[n++] = (struct header) { "Cross-Origin-Resource-Policy", STR("same-origin") };
    h[n++] = (struct header) { "Referrer-Policy", STR("strict-origin-when-cross-origin") };
    if (kind == GUARDS_PAGE) {
        h[n++] = (struct header) { "Cross-Origin-Opener-Policy", STR("same-origin") };
        h[n++] = (struct header) { "Permissions-Policy", STR(POWERS) };
    }
    if (s->https)
        h[n++] = (struct header) { "Strict-Transport-Security",
                                   STR("max-age=31536000; includeSubDomains") };
    must(n <= GUARDS_MAX);
    return n;
}

static bool replied(const struct request *r, const char *name)
{
    for (size_t i = 0; i < r->call.reply.headers_n; i++)
        if (strcasecmp(r->call.reply.headers[i].name, name) == 0)
            return true;
    return false;
}

/* A handler that makes pages of its own may know better. */
void answer_guarded(struct request *r, enum guards kind)
{
    struct header h[GUARDS_MAX];
    size_t n = answer_guards(r->server, kind, h);

    for (size_t i = 0; i < n; i++)
        if (!replied(r, h[i].name))
            answer_header(r, h[i].name, h[i].value);
}

static bool listed(struct str list, struct str etag, bool weakly)
{
    struct str one;

    if (etag.p == NULL)
        return false;
    while (list.n > 0) {
        list = str_split(list, ',', &one);
        one = str_trim(one);
        if (weakly && str_starts(one, "W/"))
            one = str_cut(one, 2, one.n);
        if (str_eq(one, etag) || str_is(one, "*"))
            return true;
    }
    return false;
}

bool etag_listed(struct str list, struct str etag)
{
    return listed(list, etag, true);
}

bool answer_unmatched(struct request *r, struct str etag)
{
    struct str wanted = r->known[KNOWN_IF_MATCH];

    if (wanted.p == NULL || etag.p == NULL || listed(wanted, etag, false))
        return false;
    fail_field(&r->call, E_PRECONDITION_FAILED, "If-Match", NULL);
    answer_problem(r, E_PRECONDITION_FAILED);
    return true;
}

void answer_shared(struct request *r, struct shared *s)
{
    if (s->status == 200 && answer_unmatched(r, s->etag)) {
        shared_drop(s);
        return;
    }
    r->answer.status = s->status;
    r->answer.shared = s;
    if (s->status == 200 && etag_listed(r->known[KNOWN_IF_NONE_MATCH], s->etag))
        r->answer.status = 304;
}

void answer_options(struct request *r, unsigned allow)
{
    r->answer.status = 204;
    answer_header(r, "Allow", routes_allow(&r->arena, allow));
    answer_guarded(r, GUARDS_DATA);
}

struct str answer_head(const struct request *r)
{
    const struct answer *a = &r->answer;
    struct buf b = { .arena = r->call.arena };
    char date[WHEN_TEXT_MAX];

    when_print_http(date, env_real_now(r->server->env));
    buf_printf(&b, "HTTP/1.1 %d %s\r\nDate: %s\r\n", a->status,
               MHD_get_reason_phrase_for((unsigned)a->status), date);
    for (size_t i = 0; i < a->headers_n; i++)
        buf_printf(&b, "%s: %.*s\r\n", a->headers[i].name, STR_FMT(a->headers[i].value));
    if (a->stream == NULL)
        buf_printf(&b, "Content-Length: %zu\r\n", a->body.n);
    buf_add(&b, STR("Connection: close\r\n\r\n"));
    return buf_str(&b);
}

/* --- problems --------------------------------------------------------------------------------------------------- */

bool answer_index(struct request *r, int status)
{
    /* Only the answer made at start says how its bytes are compressed. */
    struct shared *page =
        web_index(r->server->web, status == 200 ? r->known[KNOWN_ACCEPT_ENCODING] : STR_NONE);

    if (page == NULL)
        return false;
    if (status == 200) {
        answer_shared(r, page);
        return true;
    }
    r->answer.status = status;
    r->answer.body = str_copy(&r->arena, page->body);
    shared_drop(page);
    answer_header(r, "Content-Type", STR("text/html; charset=utf-8"));
    answer_header(r, "Cache-Control", STR("no-store"));
    answer_guarded(r, GUARDS_PAGE);
    return true;
}

static struct str problem_json(struct request *r, const struct problem *p)
{
    struct buf b = { .arena = &r->arena };
    struct json_out o = { .buf = &b };
    struct str code = err_code(&r->arena, p->code);

    json_open(&o, '{');
    json_str(&o, "type", str_printf(&r->arena, "/docs#error-%.*s", STR_FMT(code)));
    json_str(&o, "title", str_of(err_sentence(p->code)));
    json_int(&o, "status", err_status(p->code));
    json_str(&o, "code", code);
    if (p->detail.p != NULL)
        json_str(&o, "detail", p->detail);
    if (p->field.p != NULL)
        json_str(&o, "field", p->field);
    json_str(&o, "request", str_of(r->request_id));
    json_close(&o, '}');
    return buf_str(&b);
}

static void problem_headers(struct request *r, const struct problem *p)
{
    answer_header(r, "Content-Type", STR("application/problem+json"));
    answer_header(r, "Cache-Control", STR("no-store"));
    if (p->code == E_METHOD_NOT_ALLOWED)
        answer_header(r, "Allow", routes_allow(&r->arena, r->match.allow));
    if (err_status(p->code) == 401)
        answer_header(r, "WWW-Authenticate", STR("Bearer"));
    if (p->retry_after > 0)
        answer_header(r, "Retry-After", str_printf(&r->arena, "%" PRId64, p->retry_after));
    answer_guarded(r, GUARDS_DATA);
}

struct shared *answer_busy(struct server *s, int retry_after_s, const char *detail)
{
    struct header h[ANSWER_HEADERS];
    struct str body = str_printf(&s->arena,
                                 "{\"type\":\"/docs#error-busy\",\"title\":\"%s\",\"status\":503,"
                                 "\"code\":\"busy\",\"detail\":\"%s\"}",
                                 err_sentence(E_BUSY), detail);
    size_t n = 0;

    h[n++] = (struct header) { "Content-Type", STR("application/problem+json") };
    h[n++] = (struct header) { "Cache-Control", STR("no-store") };
    h[n++] = (struct header) { "Retry-After", str_printf(&s->arena, "%d", retry_after_s) };
    n += answer_guards(s, GUARDS_DATA, h + n);
    return shared_make(503, h, n, body, true);
}

void answer_problem(struct request *r, enum err e)
{
    struct problem p = r->call.problem;

    if (p.code != e)
        p = (struct problem) { .code = e };
    if ((e == E_BUSY || e == E_UNAVAILABLE || e == E_NO_MEMORY) && p.retry_after == 0)
        p.retry_after = 1;
    r->answer = (struct answer) { .fd = -1 };
    if (r->route != NULL && r->route->wire == WIRE_PAGE && answer_index(r, err_status(e))) {
        if (p.retry_after > 0)
            answer_header(r, "Retry-After", str_printf(&r->arena, "%" PRId64, p.retry_after));
        return;
    }
    r->answer.status = err_status(e);
    r->answer.body = problem_json(r, &p);
    problem_headers(r, &p);
}

/* --- success ---------------------------------------------------------------------------------------------------- */

static struct str etag_of(struct request *r, struct str body)
{
    struct sha256 h = sha256_of(body);
    struct str hex = hex_print(&r->arena, h.b, 16);

    return str_printf(&r->arena, "\"%.*s\"", STR_FMT(hex));
}

static void reply_headers(struct request *r)
{
    const struct reply *reply = &r->call.reply;

    for (size_t i = 0; i < reply->headers_n; i++)
        answer_header(r, reply->headers[i].name, reply->headers[i].value);
    if (r->call.replayed)
        answer_header(r, "Idempotent-Replayed", STR("true"));
    answer_header(r, "Request-Id", str_of(r->request_id));
}

/* JSON differs by who asks; so a shared cache may not keep it, and the browser must ask again each time. */
static struct str cache_default(const struct request *r, bool tagged)
{
    if (r->route->wire == WIRE_PAGE)
        return STR("no-cache");
    return tagged ? STR("private, no-cache") : STR("private, no-store");
}

/* Who asked is part of what the answer was computed from, so it hangs on his session and account too. */
bool answer_keep(struct request *r, struct shared *s)
{
    struct call *c = &r->call;
    struct reply_key key = { c->actor.session, r->target,
                             __atomic_load_n(&c->env->clock.offset_us, __ATOMIC_ACQUIRE), c->now };

    if (s == NULL || r->arena.starved) { /* what it depends on may be incomplete */
        shared_drop(s);
        return false;
    }
    if (id_some(c->who)) {
        depends(c, c->actor.session);
        depends(c, c->actor.account);
    }
    replies_put(r->server->replies, &key, r->began_us, r->since, c->depends, c->depends_n,
                c->depends_until, s);
    answer_shared(r, s);
    return true;
}

static bool keep_bytes(struct request *r)
{
    const struct answer *a = &r->answer;

    return answer_keep(r, shared_make(a->status, a->headers, a->headers_n, a->body, false));
}

/* A read of an address is asked for again and again: it has a tag, and may be answered by "as you have it". */
static void answer_bytes(struct request *r, int status, struct str type, struct str body)
{
    const struct reply *reply = &r->call.reply;
    bool tagged = r->method == GET && status == 200 &&
                  (reply->cache.p == NULL || !str_is(reply->cache, "no-store"));
    struct str etag = STR_NONE;

    r->answer.status = status;
    r->answer.body = body;
    if (type.p != NULL)
        answer_header(r, "Content-Type", type);
    if (tagged) {
        etag = reply->etag.p != NULL ? str_printf(&r->arena, "\"%.*s\"", STR_FMT(reply->etag))
                                     : etag_of(r, body);
        if (answer_unmatched(r, etag))
            return;
        answer_header(r, "ETag", etag);
        answer_header(r, "Vary", STR("Authorization, Cookie"));
    }
    answer_header(r, "Cache-Control",
                  reply->cache.p != NULL ? reply->cache : cache_default(r, tagged));
    answer_guarded(r, type.p != NULL && str_starts(type, "text/html") ? GUARDS_PAGE : GUARDS_DATA);
    if (r->route->cached && status == 200 && reply->headers_n == 0 && keep_bytes(r))
        return;
    reply_headers(r);
    if (tagged && etag_listed(r->known[KNOWN_IF_NONE_MATCH], etag))
        r->answer.status = 304; /* the carrier leaves off the body, but tells its length */
}

/* The handler (sse.c) has opened it. */
static void answer_stream(struct request *r)
{
    r->answer.status = 200;
    r->answer.stream = r->call.prepared;
    r->call.prepared = NULL;
    answer_header(r, "Content-Type", STR("text/event-stream"));
    answer_header(r, "Cache-Control", STR("no-store"));
    answer_header(r, "X-Accel-Buffering", STR("no")); /* nginx in front must not collect */
    answer_guarded(r, GUARDS_DATA);
}

static void answer_page(struct request *r)
{
    const struct page_head *head = r->call.out;

    must(head != NULL);
    struct str page =
        web_page(r->server->web, &r->arena, head, r->server->env->public_url, r->path);
    if (page.p == NULL)
        answer_bytes(r, 404, STR("text/plain; charset=utf-8"),
                     STR("This program was built without its web app.\n"));
    else
        answer_bytes(r, (int)head->status, STR("text/html; charset=utf-8"), page);
}

void answer_success(struct request *r)
{
    struct call *c = &r->call;
    int status = c->reply.status != 0 ? c->reply.status : r->route->status;

    if (c->reply.fd >= 0) {
        answer_file(r, status);
        return;
    }
    if (r->route->wire == WIRE_STREAM && c->prepared != NULL) {
        answer_stream(r);
        return;
    }
    if (r->route->wire == WIRE_PAGE && c->reply.body.p == NULL) {
        answer_page(r);
        return;
    }
    call_encode(c);
    if (c->reply.body.p == NULL) {
        r->answer.status = status != 0 ? status : 204;
        answer_header(r, "Cache-Control", STR("private, no-store"));
        answer_guarded(r, GUARDS_DATA);
        reply_headers(r);
        return;
    }
    answer_bytes(r, status != 0 ? status : 200,
                 c->reply.type.p != NULL ? c->reply.type : STR("application/json"), c->reply.body);
}
