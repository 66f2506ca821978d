/* http.c -- libmicrohttpd on one side, requests on the other.
 *
 * libmicrohttpd 0.9.75 calls the handler once when the headers are there, then for each piece of the body, then once at the
 * end. An answer queued at the first call closes the connection, and in the middle of a body none can be queued. So: a
 * request without body is worked on at the second call; an early refusal swallows a small body first, so that the connection
 * lives on, closes (and lingers) before a large one, and is written past the library in the middle of one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/http.h"
#include "core/exec.h"
#include "server/acceptor.h"
#include "server/answer.h"
#include "server/connection.h"
#include "server/crowd.h"
#include "server/shed.h"
#include "server/sse.h"
#include "server/state.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum {
    SWALLOW_BYTES = 256 * 1024, /* rather than close the connection */
    /* A connection's headers and buffers: more than the largest head that the front hands on. */
    POOL_BYTES = 64 * 1024,
};

/* --- the head of a request -------------------------------------------------------------------------------------- */

static enum MHD_Result take_line(void *context, enum MHD_ValueKind kind, const char *name,
                                 size_t name_n, const char *value, size_t value_n)
{
    (void)kind;
    return request_line(context, front_shown_name((struct str) { name, name_n }),
                        (struct str) { value, value_n })
               ? MHD_YES
               : MHD_NO;
}

/* What the front found in the request that we are at, when it had to make an end of it. */
static const struct fault *fault_of(const struct connection *c)
{
    bool here = c->front.fault.code != E_OK && c->taken == c->front.requests;

    return here ? &c->front.fault : NULL;
}

static void refuse_fault(struct connection *c, const struct fault *f)
{
    struct request *r = c->request;
    const char *detail = f->detail;

    if (f->code == E_INVALID)
        detail = str_printf(&r->arena, "Malformed HTTP: %s.", f->detail).p;
    if (f->code == E_HEADERS_TOO_LARGE)
        detail = str_printf(&r->arena, "At most %d header lines with %d bytes.", HEADERS_MAX,
                            HEADERS_BYTES)
                     .p;
    if (f->code == E_URI_TOO_LONG)
        detail = str_printf(&r->arena, "At most %d bytes.", TARGET_BYTES).p;
    request_refuse(r, f->code, f->field, detail);
    metrics_add(c->http->server->metrics, METRIC_MALFORMED, 1);
    c->unread = true;
}

static int64_t waited_us(const struct request *r)
{
    const struct connection *c = r->carrier;

    return shed_socket_waited_us(c->fd);
}

static void take_head(struct connection *c, const char *method)
{
    struct request *r = c->request;
    const struct fault *fault = fault_of(c);

    must(r != NULL); /* handle() has refused it otherwise */
    r->carrier = c;
    r->waited_us = waited_us;
    if (fault != NULL)
        refuse_fault(c, fault);
    else
        MHD_get_connection_values_n(c->mhd, MHD_HEADER_KIND, take_line, r);
    request_begin(r, str_of(method));
}

/* --- the answer ------------------------------------------------------------------------------------------------- */

static struct MHD_Response *body_of(struct answer *a)
{
    union {
        const char *in;
        void *out; /* not written to */
    } p = { .in = a->body.n == 0 ? "" : a->body.p };
    if (a->fd < 0)
        return MHD_create_response_from_buffer(a->body.n, p.out, MHD_RESPMEM_PERSISTENT);
    struct MHD_Response *m =
        MHD_create_response_from_fd_at_offset64((uint64_t)a->length, a->fd, (uint64_t)a->from);
    if (m != NULL)
        a->fd = -1; /* the library closes it */
    return m;
}

/* One that was made at the start: nothing can be made now, or not in time. */
static enum MHD_Result queue_sorry(struct connection *c)
{
    struct shared *sorry = c->http->server->sorry;

    c->want = WANT_ANSWER;
    return MHD_queue_response(c->mhd, (unsigned)sorry->status, sorry->response);
}

static enum MHD_Result queue_own(struct connection *c)
{
    struct request *r = c->request;
    struct answer *a = &r->answer;
    struct MHD_Response *m = body_of(a);
    bool good = m != NULL;

    for (size_t i = 0; i < a->headers_n && good; i++)
        good = MHD_add_response_header(m, a->headers[i].name,
                                       str_copy(&r->arena, a->headers[i].value).p) == MHD_YES;
    if (!good) {
        if (m != NULL)
            MHD_destroy_response(m);
        return queue_sorry(c);
    }
    if (c->unread || __atomic_load_n(&c->http->quiet, __ATOMIC_RELAXED))
        MHD_add_response_header(m, "Connection", "close");
    enum MHD_Result result = MHD_queue_response(c->mhd, (unsigned)a->status, m);
    MHD_destroy_response(m);
    return result;
}

/* The stream goes on with a duplicate of the socket; the library closes its own, which ends nothing: MHD_USE_TURBO leaves
 * off the shutdown(). */
static enum MHD_Result hand_over(struct connection *c)
{
    struct request *r = c->request;
    struct str head = answer_head(r);
    struct stream *stream = r->answer.stream;

    r->answer.stream = NULL;
    c->handed_over = true;
    stream_begin(stream, c->fd, head);
    return MHD_NO;
}

/* What a stream would begin with. It has no length, and the library would tell one. */
static enum MHD_Result send_head(struct connection *c)
{
    connection_say(c, E_OK, c->request);
    return MHD_NO;
}

static enum MHD_Result queue_answer(struct connection *c)
{
    struct answer *a = &c->request->answer;

    c->want = WANT_ANSWER;
    if (a->stream != NULL)
        return c->request->head ? send_head(c) : hand_over(c);
    if (a->shared == NULL)
        return queue_own(c);
    return MHD_queue_response(c->mhd, (unsigned)a->status, a->shared->response);
}

/* The runner did not answer in time, and still has the request. */
static enum MHD_Result queue_too_late(struct connection *c)
{
    c->abandoned = false;
    return queue_sorry(c);
}

/* --- the handler ------------------------------------------------------------------------------------------------ */

/* An answer although the body has not been read. */
static enum MHD_Result answer_early(struct connection *c)
{
    struct request *r = c->request;
    bool asks =
        r->known[KNOWN_EXPECT].p != NULL; /* "Expect: 100-continue": nothing is on its way yet */

    if (!asks && r->framed && (r->chunked || r->length <= SWALLOW_BYTES)) {
        c->want = WANT_SWALLOW;
        return MHD_YES;
    }
    c->unread = true;
    return queue_answer(c);
}

static enum MHD_Result go(struct connection *c, bool body_open)
{
    switch (request_go(c->request)) {
    case STEP_WAIT:
        connection_park(c);
        return MHD_YES;
    case STEP_BODY:
        c->want = WANT_BODY;
        return MHD_YES;
    case STEP_ANSWER:
        break;
    }
    return body_open ? answer_early(c) : queue_answer(c);
}

/* In the middle of a body nothing can be queued: say it, and close. */
static enum MHD_Result break_off(struct connection *c)
{
    c->unread = true;
    connection_say(c, E_TOO_LARGE, c->request);
    return MHD_NO;
}

static enum MHD_Result take_piece(struct connection *c, const char *p, size_t *n)
{
    int64_t came = __atomic_add_fetch(&c->came, (int64_t)*n, __ATOMIC_RELAXED);
    bool good = c->want == WANT_BODY ? request_body(c->request, p, *n) : came <= SWALLOW_BYTES;

    *n = 0;
    if (good)
        return MHD_YES;
    if (c->want == WANT_BODY && came < SWALLOW_BYTES && c->request->length <= SWALLOW_BYTES) {
        c->want = WANT_SWALLOW;
        return MHD_YES;
    }
    return break_off(c);
}

static enum MHD_Result first_call(struct connection *c, const char *method)
{
    const struct request *r = c->request;

    take_head(c, method);
    struct str length = r->known[KNOWN_CONTENT_LENGTH];
    bool body = r->known[KNOWN_TRANSFER_ENCODING].p != NULL ||
                (length.p != NULL && !str_is(length, "0")) || r->call.problem.code != E_OK;

    __atomic_store_n(&c->came, 0, __ATOMIC_RELAXED);
    c->want = WANT_ANSWER;
    return body ? go(c, true) : MHD_YES;
}

/* Or what the front made of it. */
static enum MHD_Result end_of_body(struct connection *c)
{
    const struct fault *fault = fault_of(c);

    if (fault != NULL) {
        refuse_fault(c, fault);
        if (c->want == WANT_BODY)
            request_body_broken(c->request);
    }
    if (c->want == WANT_BODY)
        request_body_end(c->request);
    return c->want == WANT_SWALLOW ? queue_answer(c) : go(c, false);
}

static enum MHD_Result next_call(struct connection *c, const char *piece, size_t *n)
{
    bool waited = c->waiting;

    c->waiting = false;
    connection_bring(c);
    if (c->abandoned)
        return queue_too_late(c);
    if (waited)
        return go(c, !c->request->body_complete && request_has_body(c->request));
    if (*n > 0)
        return take_piece(c, piece, n);
    return end_of_body(c);
}

/* What the watch must know while the library waits for more. */
static void leave(struct connection *c)
{
    if (c->waiting || (c->want != WANT_BODY && c->want != WANT_SWALLOW))
        return;
    if (__atomic_load_n(&c->came, __ATOMIC_RELAXED) > 0) {
        __atomic_store_n(&c->phase, PHASE_BODY, __ATOMIC_RELEASE);
        return;
    }
    const struct request *r = c->request;
    __atomic_store_n(&c->whole, r->route == NULL || r->route->wire != WIRE_FILE, __ATOMIC_RELAXED);
    connection_phase(c, PHASE_BODY);
}

static enum MHD_Result handle(void *context, struct MHD_Connection *mhd, const char *url,
                              const char *method, const char *version, const char *piece, size_t *n,
                              void **mine)
{
    struct connection *c = *mine;
    enum MHD_Result result;

    (void)context, (void)mhd, (void)url, (void)version;
    if (c == NULL || !connection_enter(c))
        return MHD_NO;
    if (c->want == WANT_HEAD && __atomic_load_n(&c->http->closing, __ATOMIC_SEQ_CST))
        return MHD_NO;
    if (c->request == NULL && !c->abandoned)
        return MHD_NO; /* no memory for it: refused by closing */
    if (c->want == WANT_HEAD)
        result = first_call(c, method);
    else
        result = next_call(c, piece, n);
    leave(c);
    return result;
}

/* --- connections ------------------------------------------------------------------------------------------------ */

static void take_peer(struct connection *c, const struct sockaddr *address)
{
    const char *done = NULL;

    if (address->sa_family == AF_INET)
        done = inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr,
                         c->peer, sizeof(c->peer));
    if (address->sa_family == AF_INET6)
        done = inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr,
                         c->peer, sizeof(c->peer));
    c->peer_n = done == NULL ? 0 : strlen(c->peer);
    if (c->peer_n > 7 && strncmp(c->peer, "::ffff:", 7) == 0) { /* IPv4 on a socket for both */
        c->peer_n -= 7;
        memmove(c->peer, c->peer + 7, c->peer_n + 1);
    }
}

static const struct sockaddr *address_of(struct MHD_Connection *mhd)
{
    return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
}

static enum MHD_Result may_connect(void *context, const struct sockaddr *address, socklen_t n)
{
    struct http *h = context;

    (void)n;
    return crowd_has_room(h->crowd, address) ? MHD_YES : MHD_NO;
}

static struct connection *connection_new(struct http *h, struct MHD_Connection *mhd)
{
    struct connection *c = calloc(1, sizeof(*c));

    if (c == NULL)
        return NULL; /* its first request is refused by closing */
    c->http = h;
    c->mhd = mhd;
    c->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    front_open(&c->front, c->fd);
    take_peer(c, address_of(mhd));
    connection_phase(c, PHASE_IDLE);
    connection_link(c);
    crowd_join(h->crowd, address_of(mhd));
    metrics_add(h->server->metrics, METRIC_CONNECTIONS, 1);
    return c;
}

static bool more_came(int fd)
{
    int n = 0;

    return ioctl(fd, FIONREAD, &n) == 0 && n > 0;
}

/* The client shall find its answer, and then the end: a socket that is closed with bytes unread is reset, which takes what was
 * not read yet from the other side too. */
static void part(const struct connection *c)
{
    if (c->unread || (!c->handed_over && more_came(c->fd)))
        linger(c->http, c->fd);
    else if (!c->handed_over)
        shutdown(c->fd, SHUT_WR);
}

/* Whether it has a request that has not ended. */
static void count(struct connection *c, bool in_flight)
{
    int step = (int)in_flight - (int)c->counted;

    c->counted = in_flight;
    __atomic_add_fetch(&c->http->in_flight, step, __ATOMIC_ACQ_REL);
    metrics_add(c->http->server->metrics, METRIC_IN_FLIGHT, step);
}

static void connection_gone(struct connection *c)
{
    count(c, false); /* should the library not have told of its end */
    connection_unlink(c);
    front_close(&c->front, c->fd);
    part(c);
    if (c->request != NULL)
        request_free(c->request);
    crowd_leave(c->http->crowd, address_of(c->mhd));
    metrics_add(c->http->server->metrics, METRIC_CONNECTIONS, -1);
    free(c);
}

static void on_connection(void *context, struct MHD_Connection *mhd, void **mine,
                          enum MHD_ConnectionNotificationCode what)
{
    struct http *h = context;

    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        *mine = connection_new(h, mhd);
        return;
    }
    if (*mine != NULL)
        connection_gone(*mine);
    __atomic_sub_fetch(&h->open, 1, __ATOMIC_ACQ_REL);
}

/* The request line is there; what this returns is the handler's *mine. */
static void *on_target(void *context, const char *target, struct MHD_Connection *mhd)
{
    struct http *h = context;
    struct connection *c =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    char shown[TARGET_BYTES];
    size_t n = strlen(target);

    if (c == NULL)
        return NULL;
    must(c->request == NULL && n <= sizeof(shown));
    /* A request that the front has not seen would be one that nobody has checked. */
    must(c->taken < c->front.requests);
    c->taken++;
    memcpy(shown, target, n);
    front_show_target(shown, n);
    c->request =
        request_new(h->server, (struct str) { shown, n }, (struct str) { c->peer, c->peer_n });
    c->want = WANT_HEAD;
    c->waiting = c->abandoned = false;
    connection_enter(c); /* the handler notices whether the watch was faster */
    count(c, true);
    return c;
}

static void on_end(void *context, struct MHD_Connection *mhd, void **mine,
                   enum MHD_RequestTerminationCode how)
{
    struct connection *c = *mine;

    (void)context, (void)mhd;
    if (c == NULL)
        return;
    *mine = NULL;
    connection_bring(c);
    if (how != MHD_REQUEST_TERMINATED_COMPLETED_OK && !c->handed_over)
        c->unread = true;
    if (c->request != NULL) {
        if (c->request->answer.status != 0)
            request_sent(c->request, c->request->answer.status);
        request_free(c->request);
        c->request = NULL;
    }
    c->front.answered++;
    count(c, false);
    if (connection_enter(c))
        connection_phase(c, PHASE_IDLE);
}

/* Paths are decoded once, by us, after they were cut into segments. */
static size_t leave_encoded(void *context, struct MHD_Connection *mhd, char *text)
{
    (void)context, (void)mhd;
    return strlen(text);
}

/* --- up and down ------------------------------------------------------------------------------------------------ */

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } at;
    unsigned flags;
};

static bool take_address(const char *text, uint16_t port, struct address *result)
{
    *result = (struct address) { .flags = 0 };
    result->at.four = (struct sockaddr_in) { .sin_family = AF_INET, .sin_port = htons(port) };
    if (inet_pton(AF_INET, text, &result->at.four.sin_addr) == 1)
        return true;
    result->at.six = (struct sockaddr_in6) { .sin6_family = AF_INET6, .sin6_port = htons(port) };
    result->flags = strcmp(text, "::") == 0 ? MHD_USE_DUAL_STACK : MHD_USE_IPv6;
    return inet_pton(AF_INET6, text, &result->at.six.sin6_addr) == 1;
}

_Noreturn static void panic(void *context, const char *file, unsigned line, const char *why)
{
    (void)context;
    must_failed(why == NULL ? "libmicrohttpd" : why, file, (int)line);
}

static unsigned threads_wanted(const struct server *s)
{
    int64_t n = setting_int(s->env->settings, "http.threads");
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (n == 0)
        n = cores < 1 ? 1 : cores;
    return (unsigned)(n > LOOPS_MAX ? LOOPS_MAX : n);
}

static struct MHD_Daemon *daemon_start(struct http *h, const struct address *address)
{
    const struct settings *settings = h->server->env->settings;
    unsigned threads = threads_wanted(h->server);
    struct MHD_OptionItem pool[] = { { threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END,
                                       (intptr_t)threads, NULL },
                                     { MHD_OPTION_END, 0, NULL } };
    unsigned flags =
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO | address->flags;

    return MHD_start_daemon(
        flags, 0, may_connect, h, handle, h, MHD_OPTION_SOCK_ADDR, &address->at.any,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, h, MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
        MHD_OPTION_NOTIFY_COMPLETED, on_end, h, MHD_OPTION_UNESCAPE_CALLBACK, leave_encoded, h,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)POOL_BYTES, MHD_OPTION_CONNECTION_LIMIT,
        2 * threads * (unsigned)setting_int(settings, "http.connections"), MHD_OPTION_ARRAY, pool,
        MHD_OPTION_END);
}

static void http_free(struct http *h)
{
    crowd_close(h->crowd);
    for (size_t i = 0; i < h->loops_n; i++)
        pthread_mutex_destroy(&h->loops[i].lock);
    pthread_mutex_destroy(&h->lock);
    pthread_cond_destroy(&h->stop);
    free(h);
}

static void told(void *http)
{
    loops_wake(http);
}

bool http_open(struct server *s, struct arena *a, struct str *why)
{
    struct str text = setting_text(s->env->settings, "http.address");
    int64_t port = setting_int(s->env->settings, "http.port");
    struct address address;
    uint64_t seed;
    struct http *h = calloc(1, sizeof(*h));

    must(h != NULL);
    MHD_set_panic_func(panic, NULL);
    h->server = s;
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->stop, NULL);
    s->env->random(&seed, sizeof(seed));
    h->crowd = crowd_open((unsigned)setting_int(s->env->settings, "http.per_address"), seed);
    errno = EADDRNOTAVAIL;
    s->http = h; /* before the first request, which asks for it */
    exec_when_told(s->env->exec, told, h);
    if (take_address(str_copy(a, text).p, (uint16_t)port, &address))
        h->daemon = daemon_start(h, &address);
    if (h->daemon == NULL) {
        *why = str_printf(a, "cannot listen on %.*s port %d: %s", STR_FMT(text), (int)port,
                          strerror(errno));
        s->http = NULL;
        exec_when_told(s->env->exec, NULL, NULL);
        http_free(h);
        return false;
    }
    h->port = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    h->acceptor =
        acceptor_start(h->daemon, &h->open, setting_int(s->env->settings, "http.connections"));
    watch_start(h);
    return true;
}

int http_port(const struct http *h)
{
    return h->port;
}

void http_quiesce(struct http *h)
{
    if (__atomic_exchange_n(&h->quiet, true, __ATOMIC_ACQ_REL))
        return;
    acceptor_stop(h->acceptor);
    h->acceptor = NULL;
}

void http_refuse(struct http *h)
{
    __atomic_store_n(&h->closing, true, __ATOMIC_SEQ_CST);
}

int64_t http_in_flight(const struct http *h)
{
    return __atomic_load_n(&h->in_flight, __ATOMIC_ACQUIRE);
}

void http_close(struct http *h)
{
    http_quiesce(h);
    watch_stop(h);
    exec_when_told(h->server->env->exec, NULL, NULL);
    MHD_stop_daemon(h->daemon);
    linger_end(h);
    http_free(h);
}
