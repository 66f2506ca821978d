/* sse.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/sse.h"
#include "core/events.h"
#include "core/exec.h"
#include "server/state.h"

#include <microhttpd.h>

enum {
    QUEUE_BYTES = 128 * 1024, /* more unread: the reader is too slow */
    BLOCK_BYTES = 1024,
    BEAT_US = 20 * SECOND, /* shorter than the patience of proxies, and of our own sockets */
    TICK_S = 1,
    RECHECK_US = 60 * SECOND,
    STREAMS_MAX = 20000,
};

struct stream {
    struct streams *all;
    struct stream *next; /* in all->list */
    struct hub_stream *hub;
    struct MHD_Connection *connection; /* NULL until the answer begins */
    pthread_mutex_t lock;              /* of what follows */
    char *queue;
    size_t n, size;
    bool suspended, ending, dropped;
    int64_t sent_us; /* when something was put into the queue last */
    /* the ticker's own */
    struct actor actor;
    uint64_t since;
    int64_t checked_us;
    char token[200];
    size_t token_n;
};

struct streams {
    struct server *server;
    pthread_mutex_t lock; /* of the list */
    struct stream *list;
    size_t n;
    pthread_t ticker;
    pthread_cond_t stop;
    bool stopping; /* atomic */
};

/* --- queue ------------------------------------------------------------------------------------------------------ */

static void wake(struct stream *s)
{
    if (s->suspended) {
        s->suspended = false;
        MHD_resume_connection(s->connection);
    }
}

static void put(struct stream *s, struct str text)
{
    if (s->n + text.n > QUEUE_BYTES) {
        if (!s->ending)
            metrics_add(s->all->server->metrics, METRIC_STREAMS_DROPPED, 1);
        s->ending = true;
        s->n = 0;
    } else {
        if (s->n + text.n > s->size) {
            s->size = s->n + text.n > 512 ? (s->n + text.n) * 2 : 512;
            s->queue = realloc(s->queue, s->size);
            must(s->queue != NULL);
        }
        memcpy(s->queue + s->n, text.p, text.n);
        s->n += text.n;
    }
    s->sent_us = monotonic_us();
    wake(s);
}

/* On the hub's thread. */
static void heard(void *context, struct str sse)
{
    struct stream *s = context;

    pthread_mutex_lock(&s->lock);
    put(s, sse);
    pthread_mutex_unlock(&s->lock);
}

/* On the connection's loop. */
static ssize_t read_some(void *context, uint64_t at, char *to, size_t max)
{
    struct stream *s = context;
    ssize_t result = 0;

    (void)at;
    pthread_mutex_lock(&s->lock);
    size_t n = s->n < max ? s->n : max;
    if (n > 0) {
        memcpy(to, s->queue, n);
        s->n -= n;
        memmove(s->queue, s->queue + n, s->n);
        result = (ssize_t)n;
    } else if (s->ending) {
        result = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        free(s->queue); /* a stream that waits keeps nothing */
        s->queue = NULL;
        s->size = 0;
        s->suspended = true;
        MHD_suspend_connection(s->connection);
    }
    pthread_mutex_unlock(&s->lock);
    return result;
}

static void response_gone(void *context)
{
    stream_drop(context);
}

struct MHD_Response *stream_response(struct stream *s, struct MHD_Connection *connection)
{
    s->connection = connection;
    struct MHD_Response *m = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES,
                                                               read_some, s, response_gone);
    must(m != NULL);
    return m;
}

/* The ticker takes it away: the hub may be in heard() just now, and must not be waited for on a loop. */
void stream_drop(struct stream *s)
{
    pthread_mutex_lock(&s->lock);
    s->ending = s->dropped = true;
    s->suspended = false;
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

    must(s != NULL);
    pthread_mutex_init(&s->lock, NULL);
    s->all = all;
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
    pthread_mutex_destroy(&s->lock);
    free(s->queue);
    free(s);
}

static bool list_add(struct streams *all, struct stream *s)
{
    pthread_mutex_lock(&all->lock);
    bool room = all->n < STREAMS_MAX && !__atomic_load_n(&all->stopping, __ATOMIC_ACQUIRE);
    if (room) {
        s->next = all->list;
        all->list = s;
        all->n++;
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
    struct stream *s = stream_new(all, r);
    metrics_add(r->server->metrics, METRIC_STREAMS, 1);
    s->hub = hub_join(c->env->hub, c->who, seen_last(c), heard, s);
    if (s->hub == NULL || !list_add(all, s)) {
        stream_free(s);
        return fail(c, E_BUSY, "There are too many streams.");
    }
    c->prepared = s;
    return E_OK;
}

/* --- the ticker ------------------------------------------------------------------------------------------------- */

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
    if (out && !s->dropped) {
        s->ending = true;
        wake(s);
    } else if (!s->ending && now_us - s->sent_us > BEAT_US) {
        put(s, STR(": still here\n\n"));
    }
    pthread_mutex_unlock(&s->lock);
}

static bool is_dropped(struct stream *s)
{
    pthread_mutex_lock(&s->lock);
    bool dropped = s->dropped;
    pthread_mutex_unlock(&s->lock);
    return dropped;
}

/* Takes the dropped ones out; the rest is only ever taken out here, so it can be walked without the lock. */
static struct stream *sweep(struct streams *all)
{
    struct stream *gone = NULL;

    pthread_mutex_lock(&all->lock);
    for (struct stream **at = &all->list; *at != NULL;) {
        struct stream *s = *at;
        if (is_dropped(s)) {
            *at = s->next;
            s->next = gone;
            gone = s;
            all->n--;
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

static void rest(struct streams *all)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_sec += TICK_S;
    pthread_mutex_lock(&all->lock);
    if (!all->stopping)
        pthread_cond_timedwait(&all->stop, &all->lock, &t);
    pthread_mutex_unlock(&all->lock);
}

static void *tick(void *arg)
{
    struct streams *all = arg;

    while (!__atomic_load_n(&all->stopping, __ATOMIC_ACQUIRE)) {
        int64_t now_us = monotonic_us();
        for (struct stream *s = sweep(all); s != NULL; s = s->next)
            tick_one(s, now_us);
        rest(all);
    }
    return NULL;
}

struct streams *streams_open(struct server *s)
{
    struct streams *all = calloc(1, sizeof(*all));

    must(all != NULL);
    all->server = s;
    pthread_mutex_init(&all->lock, NULL);
    pthread_cond_init(&all->stop, NULL);
    must(pthread_create(&all->ticker, NULL, tick, all) == 0);
    return all;
}

void streams_end(struct streams *all)
{
    pthread_mutex_lock(&all->lock);
    __atomic_store_n(&all->stopping, true, __ATOMIC_RELEASE);
    pthread_cond_signal(&all->stop);
    pthread_mutex_unlock(&all->lock);
    pthread_join(all->ticker, NULL);
    pthread_mutex_lock(&all->lock);
    for (struct stream *s = all->list; s != NULL; s = s->next) {
        pthread_mutex_lock(&s->lock);
        s->ending = true;
        if (!s->dropped)
            wake(s);
        pthread_mutex_unlock(&s->lock);
    }
    pthread_mutex_unlock(&all->lock);
}

void streams_close(struct streams *all)
{
    must(sweep(all) == NULL);
    pthread_mutex_destroy(&all->lock);
    pthread_cond_destroy(&all->stop);
    free(all);
}
