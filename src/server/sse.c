/* sse.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/sse.h"
#include "core/events.h"
#include "core/exec.h"
#include "server/state.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

enum {
    QUEUE_BYTES = 128 * 1024, /* more unread: the reader is too slow */
    BEAT_US = 20 * SECOND,    /* shorter than the patience of proxies */
    TICK_MS = 1000,
    RECHECK_US = 60 * SECOND,
    TOKEN_BYTES = 64, /* ours have 43 */
    EVENTS = 256,
};

struct stream {
    struct streams *all;
    struct stream *next; /* in all->list */
    struct hub_stream *hub;
    pthread_mutex_t lock; /* of what follows */
    int fd;               /* -1 until the answer begins */
    char *queue;          /* what the socket does not take yet; NULL: nothing */
    size_t n, size;
    bool held;       /* by a request, which has yet to begin or drop it */
    bool ending;     /* to be freed as soon as nobody holds it */
    int64_t sent_us; /* when something was said last */
    /* the looker-after's own */
    struct actor actor;
    uint64_t since;
    int64_t checked_us;
    size_t token_n;
    char token[TOKEN_BYTES];
};

struct streams {
    struct server *server;
    pthread_mutex_t lock; /* of the list */
    struct stream *list;
    int poll, bell; /* epoll; an eventfd in it */
    pthread_t thread;
    bool stopping; /* atomic */
};

/* --- saying ----------------------------------------------------------------------------------------------------- */

static void end(struct stream *s)
{
    uint64_t one = 1;

    if (s->ending)
        return;
    s->ending = true;
    ssize_t rung = write(s->all->bell, &one, sizeof(one));
    (void)rung; /* the tick comes anyway */
}

static void watch_for_room(struct stream *s, bool on)
{
    struct epoll_event e = { .events = EPOLLIN | EPOLLRDHUP | (on ? (uint32_t)EPOLLOUT : 0),
                             .data.ptr = s };

    epoll_ctl(s->all->poll, EPOLL_CTL_MOD, s->fd, &e);
}

static void keep(struct stream *s, struct str text)
{
    if (s->n + text.n > QUEUE_BYTES) {
        metrics_add(s->all->server->metrics, METRIC_STREAMS_DROPPED, 1);
        end(s);
        return;
    }
    if (s->n + text.n > s->size) {
        size_t size = (s->n + text.n) * 2;
        char *queue = realloc(s->queue, size);
        if (queue == NULL) {
            metrics_add(s->all->server->metrics, METRIC_STREAMS_DROPPED, 1);
            end(s); /* the browser comes again, and is told what it missed */
            return;
        }
        s->queue = queue;
        s->size = size;
    }
    memcpy(s->queue + s->n, text.p, text.n);
    s->n += text.n;
}

/* What the socket takes of it. */
static size_t send_some(struct stream *s, struct str text)
{
    ssize_t n = s->fd < 0 ? 0 : send(s->fd, text.p, text.n, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (n < 0 && errno != EAGAIN && errno != EINTR)
        end(s);
    return n < 0 ? 0 : (size_t)n;
}

/* Past the queue when that is empty: a stream that keeps up costs no memory. */
static void put(struct stream *s, struct str text)
{
    s->sent_us = monotonic_us();
    if (s->ending)
        return;
    size_t sent = s->n == 0 ? send_some(s, text) : 0;
    if (sent == text.n)
        return;
    bool first = s->n == 0;
    keep(s, str_cut(text, sent, text.n));
    if (first && s->fd >= 0)
        watch_for_room(s, true);
}

static void flush(struct stream *s)
{
    size_t sent = s->n == 0 ? 0 : send_some(s, (struct str) { s->queue, s->n });

    s->n -= sent;
    memmove(s->queue, s->queue + sent, s->n);
    if (s->n > 0)
        return;
    free(s->queue);
    s->queue = NULL;
    s->size = 0;
    watch_for_room(s, false);
}

/* On the hub's thread. */
static void heard(void *context, struct str sse)
{
    struct stream *s = context;

    pthread_mutex_lock(&s->lock);
    put(s, sse);
    pthread_mutex_unlock(&s->lock);
}

bool stream_begin(struct stream *s, int fd, struct str head)
{
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    struct epoll_event e = { .events = EPOLLIN | EPOLLRDHUP | EPOLLOUT, .data.ptr = s };
    bool good =
        own >= 0 && send(own, head.p, head.n, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)head.n;

    pthread_mutex_lock(&s->lock);
    if (good) {
        s->fd = own;
        good = epoll_ctl(s->all->poll, EPOLL_CTL_ADD, own, &e) == 0;
    } else if (own >= 0) {
        close(own);
    }
    if (!good)
        end(s);
    s->held = false;
    pthread_mutex_unlock(&s->lock);
    return good;
}

void stream_drop(struct stream *s)
{
    pthread_mutex_lock(&s->lock);
    s->held = false;
    end(s);
    pthread_mutex_unlock(&s->lock);
}

/* --- opening ---------------------------------------------------------------------------------------------------- */

struct events_query {
    struct id after;
};
static const struct field events_query_fields[] = {
    ID(events_query, after, ID_EVENT, "The last event seen, where Last-Event-ID cannot be sent",
       .optional = true),
};
SHAPE(events_query);

/* Last-Event-ID is what the browser saw last; a strange one is as good as none. */
static struct id seen_last(struct call *c)
{
    struct id after = QUERY(c, events_query)->after;
    struct str last = c->header(c, "Last-Event-ID");

    if (last.p != NULL && !id_parse(last, id_prefix(ID_EVENT), &after))
        after = ID_NONE;
    return after;
}

static struct stream *stream_new(struct streams *all, struct request *r)
{
    struct stream *s = calloc(1, sizeof(*s));
    struct str token = r->token;

    if (s == NULL)
        return NULL;
    pthread_mutex_init(&s->lock, NULL);
    s->all = all;
    s->fd = -1;
    s->held = true;
    s->actor = r->call.actor;
    s->since = r->since;
    s->checked_us = monotonic_us();
    s->token_n = token.n < sizeof(s->token) ? token.n : 0;
    memcpy(s->token, token.n == 0 ? "" : token.p, s->token_n);
    put(s, STR("retry: 3000\n\n"));
    return s;
}

static void stream_free(struct stream *s)
{
    metrics_add(s->all->server->metrics, METRIC_STREAMS, -1);
    if (s->hub != NULL)
        hub_leave(s->all->server->env->hub, s->hub);
    if (s->fd >= 0) {
        /* Closing alone does not do it while another descriptor has the socket too: libmicrohttpd's, a child's. */
        epoll_ctl(s->all->poll, EPOLL_CTL_DEL, s->fd, NULL);
        close(s->fd);
    }
    pthread_mutex_destroy(&s->lock);
    free(s->queue);
    free(s);
}

static bool list_add(struct streams *all, struct stream *s)
{
    pthread_mutex_lock(&all->lock);
    bool room = !all->stopping;
    if (room) {
        s->next = all->list;
        all->list = s;
    }
    pthread_mutex_unlock(&all->lock);
    return room;
}

enum err streams_join(struct call *c)
{
    struct request *r = c->server;
    struct streams *all = r->server->streams;

    if (c->env->hub == NULL || r->server->http == NULL)
        return fail(c, E_BUSY, "Events are not served here.");
    if (c->prepared != NULL)
        return E_OK; /* run again: it is open already */
    struct stream *s = stream_new(all, r);
    if (s == NULL)
        return E_NO_MEMORY;
    metrics_add(r->server->metrics, METRIC_STREAMS, 1);
    s->hub = hub_join(c->env->hub, c->who, seen_last(c), heard, s);
    if (s->hub == NULL || !list_add(all, s)) {
        stream_free(s);
        return fail(c, E_BUSY, "There are too many streams.");
    }
    c->prepared = s;
    return E_OK;
}

/* --- looking after them ----------------------------------------------------------------------------------------- */

static enum err authenticate(struct call *c)
{
    return c->env->authenticate(c, c->body, &c->actor);
}
static const struct route authenticating = {
    .method = GET, .path = "/v1/events", .run = authenticate, .auth = ANYONE, .tx = READ
};

/* Whether the session still stands. When the database is away it is believed until the next tick. */
static bool still_signed_in(struct stream *s, int64_t now_us)
{
    struct server *server = s->all->server;
    struct arena a = { 0 };
    struct call c;

    if (s->token_n == 0 || (sessions_unchanged(server->sessions, &s->actor, s->since) &&
                            now_us - s->checked_us < RECHECK_US))
        return true;
    uint64_t since = revision_now(server->env->revisions);
    call_begin(&c, server->env, &a);
    c.route = &authenticating;
    c.body = (struct str) { s->token, s->token_n };
    enum err e = exec_run_wait(server->env->exec, &c);
    if (e == E_OK) {
        s->since = since;
        s->checked_us = now_us;
    }
    arena_done(&a);
    return e != E_SIGNED_OUT;
}

static void tick_one(struct stream *s, int64_t now_us)
{
    bool out = !still_signed_in(s, now_us);

    pthread_mutex_lock(&s->lock);
    if (out)
        end(s);
    else if (s->fd >= 0 && now_us - s->sent_us > BEAT_US)
        put(s, STR(": still here\n\n"));
    pthread_mutex_unlock(&s->lock);
}

static bool is_over(struct stream *s)
{
    pthread_mutex_lock(&s->lock);
    bool over = s->ending && !s->held;
    pthread_mutex_unlock(&s->lock);
    return over;
}

/* Takes out those that end. Nobody else takes any out, so the rest can be walked without the lock. */
static struct stream *sweep(struct streams *all)
{
    struct stream *gone = NULL;

    pthread_mutex_lock(&all->lock);
    for (struct stream **at = &all->list; *at != NULL;) {
        struct stream *s = *at;
        if (is_over(s)) {
            *at = s->next;
            s->next = gone;
            gone = s;
        } else {
            at = &s->next;
        }
    }
    struct stream *list = all->list;
    pthread_mutex_unlock(&all->lock);
    while (gone != NULL) {
        struct stream *next = gone->next;
        stream_free(gone);
        gone = next;
    }
    return list;
}

/* The socket has room, or the reader is gone. What he sends is not for us. */
static void look_at(struct stream *s, uint32_t what)
{
    char waste[512];

    pthread_mutex_lock(&s->lock);
    if ((what & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0 ||
        ((what & EPOLLIN) != 0 && recv(s->fd, waste, sizeof(waste), MSG_DONTWAIT) == 0))
        end(s);
    else if ((what & EPOLLOUT) != 0)
        flush(s);
    pthread_mutex_unlock(&s->lock);
}

static void look_at_events(struct streams *all)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(all->poll, events, EVENTS, TICK_MS);
    uint64_t rings;

    for (int i = 0; i < n; i++)
        if (events[i].data.ptr != NULL)
            look_at(events[i].data.ptr, events[i].events);
        else if (read(all->bell, &rings, sizeof(rings)) < 0)
            continue;
}

static void *look_after(void *arg)
{
    struct streams *all = arg;
    int64_t ticked_us = 0;

    while (!__atomic_load_n(&all->stopping, __ATOMIC_ACQUIRE)) {
        look_at_events(all);
        int64_t now_us = monotonic_us();
        struct stream *s = sweep(all);
        if (now_us - ticked_us < TICK_MS * INT64_C(1000))
            continue;
        ticked_us = now_us;
        for (; s != NULL; s = s->next)
            tick_one(s, now_us);
    }
    return NULL;
}

struct streams *streams_open(struct server *s)
{
    struct streams *all = calloc(1, sizeof(*all));
    struct epoll_event e = { .events = EPOLLIN };

    must(all != NULL);
    all->server = s;
    pthread_mutex_init(&all->lock, NULL);
    all->poll = epoll_create1(EPOLL_CLOEXEC);
    all->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    must(all->poll >= 0 && all->bell >= 0);
    must(epoll_ctl(all->poll, EPOLL_CTL_ADD, all->bell, &e) == 0);
    must(pthread_create(&all->thread, NULL, look_after, all) == 0);
    return all;
}

void streams_end(struct streams *all)
{
    uint64_t one = 1;

    pthread_mutex_lock(&all->lock);
    __atomic_store_n(&all->stopping, true, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&all->lock);
    must(write(all->bell, &one, sizeof(one)) == sizeof(one));
    pthread_join(all->thread, NULL);
    for (struct stream *s = all->list; s != NULL; s = s->next) {
        pthread_mutex_lock(&s->lock);
        end(s);
        pthread_mutex_unlock(&s->lock);
    }
    sweep(all);
}

void streams_close(struct streams *all)
{
    sweep(all); /* what began while we ended */
    must(all->list == NULL);
    close(all->poll);
    close(all->bell);
    pthread_mutex_destroy(&all->lock);
    free(all);
}
