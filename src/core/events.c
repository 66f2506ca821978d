/* events.c -- the outbox, its subscribers and the hub.
 *
 * Order: an event's place is (tx, id). On PostgreSQL ids are made before the commit and may become visible out of order;
 * readers therefore stay below the oldest running transaction (TX_HORIZON()), under which nothing can appear any more.
 * On SQLite one writer makes the ids in the order of commits: tx is the id again, and nothing stands above the reader. (A
 * constant would do for the order, but not for the index: SQLite would look through all that was ever written.) */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/events.h"
#include "base/cond.h"
#include "core/exec.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    READ_MAX = 200,
    STREAMS_MAX = 20000,
    STREAMS_EACH = 32, /* of one account: its tabs */
    BUCKETS = 4096,
    IDLE_MS = 1000,
    FAILURES_MAX = 8
};

struct place {
    int64_t tx;
    struct id id;
};

struct row {
    struct id id, audience;
    int64_t tx;
    struct str kind, payload;
};

static const struct field row_fields[] = {
    ID(row, id, ID_EVENT, "Event"),
    ID(row, audience, ID_USER, "Who sees it", .optional = true),
    INTEGER(row, tx, "Order", .max = INT64_MAX),
    TEXT(row, kind, "Kind", .max = 60),
    TEXT(row, payload, "JSON of the kind's shape", .max = 1 << 20),
};
STATIC_SHAPE(row);

typedef LIST_OF(row) row_list;

struct hub_stream {
    struct id audience;
    struct hub_stream *next;
    void (*heard)(void *context, struct str sse);
    void *context;
};

struct hub {
    struct env *env;
    pthread_mutex_t lock; /* of everything below */
    pthread_cond_t some;
    pthread_t thread;
    bool stopping, news;
    size_t streams;
    struct hub_stream *buckets[BUCKETS];
    struct place seen; /* of the streams; the hub thread's own */
};

/* --- adding ----------------------------------------------------------------------------------------------------- */

enum err event_add(struct call *c, const struct event_kind *kind, struct id audience,
                   const void *value)
{
    must(env_event_kind(c->env, str_of(kind->name)) == kind); /* declared by a module */
    must(!kind->inside || !id_some(audience));
    c->woke_events = true;
    return db_run(c,
                  "INSERT INTO event (id, tx, kind, audience, payload, created)"
                  " VALUES ($1, TX_ID($1), $2, $3, $4, $5)",
                  new_id(c), str_of(kind->name), audience, shape_json(kind->shape, value, c->arena),
                  c->now);
}

/* --- subscribers ------------------------------------------------------------------------------------------------ */

/* What one consumer does in one transaction: its next event, its handler, its cursor. */
struct step {
    const struct module *module;
    bool skip; /* the event at hand failed too often: put it aside */
    struct str error;
    bool more; /* there may be another one */
};

static enum err cursor_lock(struct call *c, struct str consumer, struct row *at)
{
    return db_one(c, row, at, "SELECT tx, id FROM event_cursor WHERE consumer = $1 FOR UPDATE",
                  consumer);
}

static enum err cursor_get(struct call *c, struct str consumer, struct place *result)
{
    struct row at;
    enum err e = cursor_lock(c, consumer, &at);

    if (e == E_NOT_FOUND) {
        TRY(db_run(
            c,
            "INSERT INTO event_cursor (consumer, tx, id) VALUES ($1, 0, 0) ON CONFLICT DO NOTHING",
            consumer));
        /* Looked at again: when another node made it in the same moment, it has gone on since. */
        e = cursor_lock(c, consumer, &at);
    }
    TRY(e);
    *result = (struct place) { at.tx, at.id };
    return E_OK;
}

static const struct subscriber *subscriber_of(const struct module *m, struct str kind)
{
    for (size_t i = 0; i < m->subscribers_n; i++)
        if (str_is(kind, m->subscribers[i].event))
            return &m->subscribers[i];
    return NULL;
}

static enum err handle(struct call *c, const struct subscriber *s, const struct row *event)
{
    const char *why = NULL;
    const struct json *j = json_parse(c->arena, event->payload, &why);
    void *in = arena_alloc(c->arena, s->in->size);

    if (j == NULL)
        return fail(c, E_BAD_JSON, "%s", why);
    TRY(shape_decode(s->in, j, c->arena, in, &c->problem));
    c->in = in;
    c->actor.account = c->who = event->audience;
    return s->run(c);
}

/* Passes over what does not concern this consumer; stops behind the first event that does. */
static enum err step(struct call *c)
{
    struct step *st = c->prepared;
    struct str consumer = str_of(st->module->name);
    const struct subscriber *s = NULL;
    struct place at;
    row_list rows;
    size_t i;

    TRY(cursor_get(c, consumer, &at));
    TRY(db_list(c, row, &rows,
                "SELECT id, audience, tx, kind, payload FROM event"
                " WHERE (tx, id) > ($1, $2) AND tx < TX_HORIZON() ORDER BY tx, id LIMIT 200",
                at.tx,
                at.id.v)); /* .v: a none id would be NULL, and NULL is greater than nothing */
    for (i = 0; i < rows.n && s == NULL; i++)
        s = subscriber_of(st->module, rows.v[i].kind);
    st->more = rows.n == READ_MAX || i < rows.n;
    if (s != NULL && !st->skip)
        TRY(handle(c, s, &rows.v[i - 1]));
    if (s != NULL && st->skip)
        TRY(db_run(c,
                   "INSERT INTO event_dead (consumer, event, error, created) VALUES ($1, $2, $3, "
                   "$4) ON CONFLICT DO NOTHING",
                   consumer, rows.v[i - 1].id, st->error, c->now));
    if (i == 0)
        return E_OK;
    return db_run(c, "UPDATE event_cursor SET tx = $2, id = $3 WHERE consumer = $1", consumer,
                  rows.v[i - 1].tx, rows.v[i - 1].id);
}

/* A read first: an idle program writes nothing. */
static bool any_for(struct env *e, const struct module *m)
{
    struct arena a = { 0 };
    struct call c;
    int64_t n = 0;

    call_begin(&c, e, &a);
    c.db = exec_reader(e->exec);
    enum err err = c.db == NULL ? E_UNAVAILABLE
                                : db_int(&c, &n,
                                         "SELECT 1 FROM event WHERE (tx, id) > (coalesce((SELECT "
                                         "tx FROM event_cursor WHERE"
                                         " consumer = $1), 0), coalesce((SELECT id FROM "
                                         "event_cursor WHERE consumer = $1), 0))"
                                         " AND tx < TX_HORIZON() LIMIT 1",
                                         str_of(m->name));
    arena_done(&a);
    return err == E_OK && n == 1;
}

static enum err run_step(struct env *e, struct step *st)
{
    struct arena a = { 0 };
    struct call c;

    call_begin(&c, e, &a);
    c.prepared = st;
    enum err err = exec_transaction(e->exec, &c, WRITE, step);
    if (err != E_OK) {
        struct str code = err_code(&a, err);
        struct str detail = c.problem.detail.p == NULL ? STR("") : c.problem.detail;
        log_warn(e->log, "event.failed", L_STR("consumer", str_of(st->module->name)),
                 L_STR("error", code), L_STR("detail", detail));
        st->error = str_of(err_sentence(err));
    }
    arena_done(&a);
    return err;
}

/* Not the event's fault: it will be taken as soon as the machine can. */
static bool passes(enum err e)
{
    return e == E_BUSY || e == E_UNAVAILABLE || e == E_NO_MEMORY || e == E_STORAGE_FULL;
}

static int consume(struct env *e, const struct module *m)
{
    struct step st = { .module = m };
    int failures = 0, steps = 0;

    if (m->subscribers_n == 0 || !any_for(e, m))
        return 0;
    do {
        st.skip = failures >= FAILURES_MAX;
        enum err err = run_step(e, &st);
        if (err == E_OK) {
            failures = 0;
            steps++;
            continue;
        }
        if (st.skip || passes(err))
            return steps; /* later: the hub looks again in a second */
        failures++;
        st.more = true;
        env_sleep_ms(e, 10L << failures);
    } while (st.more);
    return steps;
}

int events_drain(struct env *e)
{
    int steps = 0, before;

    do {
        before = steps;
        for (size_t m = 0; m < e->modules_n; m++)
            steps += consume(e, e->modules[m]);
    } while (steps > before);
    return steps;
}

/* --- browsers --------------------------------------------------------------------------------------------------- */

static struct str sse_of(struct arena *a, const struct row *r)
{
    struct str id = id_text(a, ID_EVENT, r->id);

    return str_printf(a, "id: %.*s\nevent: %.*s\ndata: %.*s\n\n", STR_FMT(id), STR_FMT(r->kind),
                      STR_FMT(r->payload));
}

static size_t bucket_of(struct id audience)
{
    return (size_t)((uint64_t)audience.v * UINT64_C(0x9E3779B97F4A7C15) >> 52) & (BUCKETS - 1);
}

static void deliver(struct hub *h, struct arena *a, const struct row *r)
{
    struct str sse = sse_of(a, r);

    pthread_mutex_lock(&h->lock);
    for (struct hub_stream *s = h->buckets[bucket_of(r->audience)]; s != NULL; s = s->next)
        if (id_is(s->audience, r->audience))
            s->heard(s->context, sse);
    pthread_mutex_unlock(&h->lock);
}

/* True when a full page was read: there may be more. */
static bool fan_out(struct hub *h)
{
    struct arena a = { 0 };
    struct call c;
    row_list rows = { 0 };

    call_begin(&c, h->env, &a);
    c.db = exec_reader(h->env->exec);
    enum err e =
        c.db == NULL
            ? E_UNAVAILABLE
            : db_list(&c, row, &rows,
                      "SELECT id, audience, tx, kind, payload FROM event"
                      " WHERE (tx, id) > ($1, $2) AND tx < TX_HORIZON() ORDER BY tx, id LIMIT 200",
                      h->seen.tx, h->seen.id.v);
    for (size_t i = 0; e == E_OK && i < rows.n; i++) {
        if (id_some(rows.v[i].audience))
            deliver(h, &a, &rows.v[i]);
        h->seen = (struct place) { rows.v[i].tx, rows.v[i].id };
    }
    arena_done(&a);
    return e == E_OK && rows.n == READ_MAX;
}

static void seen_now(struct hub *h)
{
    struct arena a = { 0 };
    struct call c;
    struct row last;

    call_begin(&c, h->env, &a);
    c.db = exec_reader(h->env->exec);
    if (c.db != NULL &&
        db_one(
            &c, row, &last,
            "SELECT tx, id FROM event WHERE tx < TX_HORIZON() ORDER BY tx DESC, id DESC LIMIT 1") ==
            E_OK)
        h->seen = (struct place) { last.tx, last.id };
    arena_done(&a);
}

static void idle_wait(struct hub *h)
{
    pthread_mutex_lock(&h->lock);
    if (!h->news && !h->stopping)
        cond_wait_us(&h->some, &h->lock, IDLE_MS * INT64_C(1000));
    h->news = false;
    pthread_mutex_unlock(&h->lock);
}

static void *hub_thread(void *arg)
{
    struct hub *h = arg;

    while (!__atomic_load_n(&h->stopping, __ATOMIC_ACQUIRE)) {
        while (fan_out(h)) {
        }
        for (size_t m = 0; m < h->env->modules_n; m++)
            consume(h->env, h->env->modules[m]);
        idle_wait(h);
    }
    return NULL;
}

struct hub *hub_start(struct env *e)
{
    struct hub *h = calloc(1, sizeof(*h));

    must(h != NULL);
    h->env = e;
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->some, NULL);
    seen_now(h);
    must(pthread_create(&h->thread, NULL, hub_thread, h) == 0);
    return h;
}

void hub_wake(struct hub *h)
{
    pthread_mutex_lock(&h->lock);
    h->news = true;
    pthread_cond_signal(&h->some);
    pthread_mutex_unlock(&h->lock);
}

void hub_stop(struct hub *h)
{
    pthread_mutex_lock(&h->lock);
    __atomic_store_n(&h->stopping, true, __ATOMIC_RELEASE);
    pthread_cond_signal(&h->some);
    pthread_mutex_unlock(&h->lock);
    pthread_join(h->thread, NULL);
}

void hub_free(struct hub *h)
{
    must(h->streams == 0);
    pthread_mutex_destroy(&h->lock);
    pthread_cond_destroy(&h->some);
    free(h);
}

static enum err missed(struct call *c, struct id audience, struct id after, row_list *rows)
{
    int64_t tx = 0;
    enum err e = db_int(c, &tx, "SELECT tx FROM event WHERE id = $1", after);

    if (e != E_OK && e != E_NOT_FOUND)
        return e;
    return db_list(c, row, rows,
                   "SELECT id, audience, tx, kind, payload FROM event WHERE audience = $1 AND (tx, "
                   "id) > ($2, $3)"
                   " AND tx < TX_HORIZON() ORDER BY tx, id LIMIT 1000",
                   audience, tx, after.v);
}

/* What the browser missed. Read after joining: an event may come twice, never not at all; the id tells. False: it cannot be
 * read now, and the browser must come again. */
static bool replay(struct hub *h, struct hub_stream *s, struct id after)
{
    struct arena a = { 0 };
    struct call c;
    row_list rows = { 0 };

    call_begin(&c, h->env, &a);
    c.db = exec_reader(h->env->exec);
    enum err e = c.db == NULL ? E_UNAVAILABLE : missed(&c, s->audience, after, &rows);
    for (size_t i = 0; i < rows.n && e == E_OK; i++)
        s->heard(s->context, sse_of(&a, &rows.v[i]));
    arena_done(&a);
    return e == E_OK;
}

/* Under the lock. */
static bool has_room(const struct hub *h, struct id audience)
{
    size_t own = 0;

    for (const struct hub_stream *s = h->buckets[bucket_of(audience)]; s != NULL; s = s->next)
        own += id_is(s->audience, audience);
    return h->streams < STREAMS_MAX && own < STREAMS_EACH && !h->stopping;
}

struct hub_stream *hub_join(struct hub *h, struct id audience, struct id after,
                            void (*heard)(void *context, struct str sse), void *context)
{
    struct hub_stream *s = calloc(1, sizeof(*s));

    must(id_some(audience));
    if (s == NULL)
        return NULL;
    *s = (struct hub_stream) { .audience = audience, .heard = heard, .context = context };
    pthread_mutex_lock(&h->lock);
    bool room = has_room(h, audience);
    if (room) {
        struct hub_stream **bucket = &h->buckets[bucket_of(audience)];
        s->next = *bucket;
        *bucket = s;
        h->streams++;
    }
    pthread_mutex_unlock(&h->lock);
    if (!room) {
        free(s);
        return NULL;
    }
    if (id_some(after) && !replay(h, s, after)) {
        hub_leave(h, s);
        return NULL;
    }
    return s;
}

void hub_leave(struct hub *h, struct hub_stream *s)
{
    pthread_mutex_lock(&h->lock);
    struct hub_stream **at = &h->buckets[bucket_of(s->audience)];
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    h->streams--;
    pthread_mutex_unlock(&h->lock);
    free(s);
}
