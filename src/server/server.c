/* server.c -- what a server is made of, and the routes of the program itself. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/server.h"
#include "core/exec.h"
#include "server/answer.h"
#include "server/health.h"
#include "server/http.h"
#include "server/shed.h"
#include "server/sse.h"
#include "server/state.h"

#include <time.h>

/* --- routes of the program itself ------------------------------------------------------------------------------- */

static enum err openapi(struct call *c)
{
    reply_bytes(c, 200, STR("application/json"),
                server_openapi(c->arena, c->env->modules, c->env->modules_n));
    c->reply.cache = STR("no-cache");
    return E_OK;
}

static const struct route routes[] = {
    { .method = GET,
      .path = "/livez",
      .run = health_live,
      .summary = "Is the program running?",
      .auth = ANYONE,
      .tx = NONE,
      .wire = WIRE_RAW,
      .vital = true,
      .rate = { 6000, 600 } },
    { .method = GET,
      .path = "/readyz",
      .run = health_ready,
      .summary = "Can it serve? It writes to its database to find out.",
      .auth = ANYONE,
      .tx = NONE,
      .wire = WIRE_RAW,
      .vital = true,
      .rate = { 6000, 600 } },
    { .method = GET,
      .path = "/metrics",
      .run = health_metrics,
      .summary = "Figures for Prometheus, for this machine only",
      .auth = ANYONE,
      .tx = READ,
      .wire = WIRE_RAW,
      .vital = true,
      .rate = { 6000, 600 } },
};

static const struct route platform_routes[] = {
    { .method = GET,
      .path = "/openapi.json",
      .run = openapi,
      .summary = "This document",
      .auth = ANYONE,
      .tx = NONE,
      .wire = WIRE_RAW,
      .rate = { 60, 20 } },
    { .method = GET,
      .path = "/v1/events",
      .run = streams_join,
      .summary = "Events of the signed-in account, as they happen (server-sent events)",
      .query = &events_query_shape,
      .auth = FAN,
      .tx = READ,
      .wire = WIRE_STREAM },
};

static const struct setting settings[] = {
    { "http.address", SETTING_TEXT, "127.0.0.1", "IPv4 or IPv6 address to listen on; :: is all", 0,
      0 },
    { "http.port", SETTING_INT, "8080", "Port to listen on; 0: any that is free", 0, 65535 },
    { "http.threads", SETTING_INT, "0", "Loops that serve sockets; 0: one a core", 0, 64 },
    { "http.connections", SETTING_INT, "12000", "Connections at once", 16, 100000 },
    { "http.per_address", SETTING_INT, "100",
      "Connections from one address at once; 0: no limit. This machine's own are not limited", 0,
      100000 },
    { "http.proxies", SETTING_TEXT, "",
      "Addresses of proxies in front, with commas: their X-Forwarded-For is believed", 0, 0 },
    { "http.rates", SETTING_BOOL, "true", "Limit how often a caller may call", 0, 0 },
    { "http.patience_ms", SETTING_INT, "30",
      "Who has waited longer for a loop, while nobody waits less, is told to come again; 0: nobody "
      "is",
      0, 60000 },
    { "http.patience_max_ms", SETTING_INT, "400", "... and who has waited so long, in any case", 0,
      60000 },
    { "http.cache_mb", SETTING_INT, "64", "Memory for answers that are kept; 0: none", 0, 65536 },
    { "http.hot_mb", SETTING_INT, "64", "Memory for pictures that are asked for often; 0: none", 0,
      65536 },
    { "http.log", SETTING_WORD, "none writes all",
      "Requests that get a line in the log: none, writes or all; failures of ours always do", 0,
      0 },
    { "http.metrics", SETTING_WORD, "local all",
      "Who may read /metrics: local (this machine) or all", 0, 0 },
};

const struct module server_module = { .name = "server",
                                      MODULE_ROUTES(routes),
                                      MODULE_SETTINGS(settings) };
const struct module platform_module = { .name = "platform", MODULE_ROUTES(platform_routes) };

/* --- up and down ------------------------------------------------------------------------------------------------ */

static struct metrics *metrics_of(struct server *s)
{
    const char **templates = arena_array(&s->arena, const char *, s->routes.n + 1);

    for (size_t i = 0; i < s->routes.n; i++)
        templates[i] = s->routes.patterns[i].path;
    return metrics_open(templates, s->routes.n);
}

/* HTTP/1.1 pages load everything from here; a page elsewhere loads nothing of ours and frames nothing. */
#define CSP_PAGE                                                                                   \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "        \
    "font-src 'self'; connect-src 'self'; media-src 'self' blob:; manifest-src 'self'; "           \
    "worker-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "             \
    "object-src 'none'"

static enum request_log log_of(struct str name)
{
    static const char *const names[] = { "none", "writes", "all", NULL };
    int value = enum_value(names, name);

    return value < 0 ? LOG_NONE : (enum request_log)value;
}

struct server *server_open(struct env *e)
{
    struct server *s = calloc(1, sizeof(*s));
    uint64_t seed[2];

    must(s != NULL);
    s->env = e;
    e->random(seed, sizeof(seed));
    pthread_mutex_init(&s->free_lock, NULL);
    routes_build(&s->routes, &s->arena, e->modules, e->modules_n);
    s->https = str_starts(e->public_url, "https://");
    s->limit_rates = setting_bool(e->settings, "http.rates");
    s->log = log_of(setting_text(e->settings, "http.log"));
    s->cookie = s->https ? STR("__Host-sid=") : STR("sid=");
    s->csp_page = STR(CSP_PAGE);
    s->proxies = setting_text(e->settings, "http.proxies");
    s->metrics = e->metrics = metrics_of(s);
    s->sessions = sessions_open(e->revisions);
    s->limiter = e->limiter = limiter_open(seed[0]);
    s->replies = replies_open(e->revisions, s->metrics,
                              (size_t)setting_int(e->settings, "http.cache_mb") << 20, seed[1]);
    s->hot = hot_open((size_t)setting_int(e->settings, "http.hot_mb") << 20, s->metrics);
    s->web = web_open(s);
    s->streams = streams_open(s);
    /* Theirs is still in the runner's hands, or nothing could be made for them. */
    s->sorry = answer_busy(s, 2,
                           "It took too long, or memory ran out. It may still be done: ask again "
                           "with the same Idempotency-Key.");
    must(s->sorry != NULL);
    s->shed = shed_open(s);
    return s;
}

bool server_listen(struct server *s, struct arena *a, struct str *why)
{
    return http_open(s, a, why);
}

int server_port(const struct server *s)
{
    return s->http == NULL ? 0 : http_port(s->http);
}

void server_drain(struct server *s)
{
    __atomic_store_n(&s->draining, true, __ATOMIC_RELEASE);
}

static int64_t running(struct server *s)
{
    return http_in_flight(s->http) + __atomic_load_n(&s->abandoned, __ATOMIC_ACQUIRE);
}

static bool wait_for_all(struct server *s, int64_t until_us)
{
    while (running(s) > 0 && monotonic_us() < until_us)
        sleep_ms(5);
    return running(s) == 0;
}

static bool close_sockets(struct server *s, int limit_s)
{
    int64_t until_us = monotonic_us() + limit_s * SECOND;

    http_quiesce(s->http);
    streams_end(s->streams);
    if (!wait_for_all(s, until_us))
        return false;
    http_refuse(s->http);
    if (!wait_for_all(s, until_us)) /* one may have come in between */
        return false;
    http_close(s->http);
    return true;
}

static void free_requests(struct server *s)
{
    while (s->free_requests != NULL) {
        struct request *r = s->free_requests;
        s->free_requests = r->next;
        arena_done(&r->arena);
        free(r);
    }
    pthread_mutex_destroy(&s->free_lock);
}

bool server_close(struct server *s, int limit_s)
{
    server_drain(s);
    if (s->http != NULL && !close_sockets(s, limit_s))
        return false;
    if (s->http == NULL)
        streams_end(s->streams);
    streams_close(s->streams);
    shed_close(s->shed);
    shared_drop(s->sorry);
    web_close(s->web);
    replies_close(s->replies);
    hot_close(s->hot);
    s->env->limiter = NULL;
    limiter_close(s->limiter);
    sessions_close(s->sessions);
    s->env->metrics = NULL;
    metrics_close(s->metrics);
    free_requests(s);
    arena_done(&s->arena);
    free(s);
    return true;
}

/* --- one request by a function call ----------------------------------------------------------------------------- */

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool over;
};

static void wake(struct request *r)
{
    struct waiter *w = r->carrier;

    pthread_mutex_lock(&w->lock);
    w->over = true;
    pthread_cond_signal(&w->woken);
    pthread_mutex_unlock(&w->lock);
}

static void wait_for(struct request *r)
{
    struct waiter w = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false };

    r->carrier = &w;
    r->wake = wake;
    if (!request_park(r))
        return;
    pthread_mutex_lock(&w.lock);
    while (!w.over)
        pthread_cond_wait(&w.woken, &w.lock);
    pthread_mutex_unlock(&w.lock);
}

void server_watch(struct server *s, server_watcher *watcher, void *context)
{
    s->watching = context;
    s->watcher = watcher;
}

static struct str file_text(struct arena *a, const struct answer *answer)
{
    char *p = arena_alloc(a, (size_t)answer->length + 1);
    ssize_t n = pread(answer->fd, p, (size_t)answer->length, answer->from);

    must(n == answer->length);
    return (struct str) { p, (size_t)n };
}

static void take_shared(struct arena *a, struct http_call *h, const struct shared *s)
{
    if (h->status != 304)
        h->reply = str_copy(a, s->body);
    h->reply_headers_n = shared_headers(s, a, h->reply_headers, COUNT(h->reply_headers));
    h->reply_type = http_call_header(h, "Content-Type");
}

static void take_answer(struct arena *a, struct http_call *h, const struct request *r)
{
    const struct answer *answer = &r->answer;

    h->status = answer->status;
    if (answer->shared != NULL) {
        take_shared(a, h, answer->shared);
        return;
    }
    if (answer->status != 304 && !r->head)
        h->reply = answer->fd >= 0 ? file_text(a, answer) : str_copy(a, answer->body);
    h->reply_headers_n = answer->headers_n;
    for (size_t i = 0; i < answer->headers_n; i++)
        h->reply_headers[i] =
            (struct header) { answer->headers[i].name, str_copy(a, answer->headers[i].value) };
    h->reply_type = http_call_header(h, "Content-Type");
}

void server_seen(struct request *r, const char *method, int status)
{
    struct http_call h = { .method = method, .target = r->target };
    struct request plain = *r;

    if (r->body.n > 0)
        h.body = buf_str(&r->body);
    plain.answer.fd = -1; /* what is a file is not read again */
    if (r->answer.length > 0)
        plain.answer.body = STR_NONE;
    take_answer(&r->arena, &h, &plain);
    h.status = status;
    r->server->watcher(r->server->watching, &h, r->route);
}

static void give_lines(struct request *r, struct arena *a, const struct http_call *h)
{
    struct str type = h->type.p != NULL ? h->type : STR("application/json");

    request_line(r, STR("Host"), STR("localhost"));
    if (h->token.p != NULL)
        request_line(r, STR("Authorization"), str_printf(a, "Bearer %.*s", STR_FMT(h->token)));
    if (h->body.n > 0) {
        request_line(r, STR("Content-Type"), type);
        request_line(r, STR("Content-Length"), str_printf(a, "%zu", h->body.n));
    }
    for (size_t i = 0; i < h->headers_n; i++)
        request_line(r, str_of(h->headers[i].name), h->headers[i].value);
}

void server_call(struct server *s, struct arena *a, struct http_call *h)
{
    struct request *r = request_new(s, h->target, STR("127.0.0.1"));
    enum step step;

    h->status = 0; /* no memory for it: a connection would be closed without a word */
    if (r == NULL)
        return;
    give_lines(r, a, h);
    request_begin(r, str_of(h->method));
    while ((step = request_go(r)) != STEP_ANSWER)
        if (step == STEP_WAIT)
            wait_for(r);
        else if (request_body(r, h->body.p, h->body.n))
            request_body_end(r);
    take_answer(a, h, r);
    request_sent(r, h->status);
    request_free(r);
}

struct str http_call_header(const struct http_call *h, const char *name)
{
    for (size_t i = 0; i < h->reply_headers_n; i++)
        if (strcasecmp(h->reply_headers[i].name, name) == 0)
            return h->reply_headers[i].value;
    return STR_NONE;
}
