/* exec.c -- see exec.h for who runs where. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/exec.h"
#include "base/cond.h"
#include "core/events.h"
#include "core/idempotency.h"
#include "core/jobs.h"
#include "core/queue.h"
#include "core/revisions.h"
#include "core/start.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    BATCH_MAX = 128,  /* calls in one commit */
    GATHER_LEAST = 8, /* a batch of so many means a crowd, which is likely to come back at once */
    GATHER_GAP_US = 1000, /* a loop sends all answers of a commit before it looks for what is new */
    GATHER_ALL_US = 2000,
    ATTEMPTS = 5,        /* of a transaction that the engine asks to repeat */
    AWAIT_MS = 10000,    /* then 202 */
    AWAIT_POLL_MS = 250, /* how often a job that runs on another node is looked at */
    THREADS_MAX = 64,
};

struct exec {
    struct env *env;
    bool single_writer;
    struct queue work; /* the writer's, or the pool's */
    struct queue slow;
    pthread_t threads[THREADS_MAX];
    size_t threads_n;
    pthread_key_t reader;
    struct db *here; /* the writing connection, where there are no threads (env.step) */
    /* calls that await a job */
    pthread_mutex_t park_lock;
    pthread_cond_t park_some;
    struct call *parked;
    bool job_ended, stopping;
    pthread_mutex_t told_lock;
    void (*told)(void *context);
    void *told_context;
    /* figures, atomic */
    uint64_t batches, batched, retries;
};

/* --- small parts ------------------------------------------------------------------------------------------------ */

void call_begin(struct call *c, struct env *e, struct arena *a)
{
    a->reserve = e->reserve;
    *c = (struct call) { .env = e, .arena = a, .now = env_now(e), .reply = { .fd = -1 } };
}

static void reader_close(void *db)
{
    db_close(db);
}

struct db *exec_reader(struct exec *x)
{
    struct db *db = pthread_getspecific(x->reader);
    struct engine *e = x->env->engine;

    if (db == NULL) {
        if (e->ops->open(e, false, &db) != E_OK)
            return NULL;
        if (pthread_setspecific(x->reader, db) != 0) {
            db_close(db);
            return NULL;
        }
    }
    return db;
}

/* What a commit changed is stale from here on, before anybody is answered. */
static void bump(struct exec *x, const struct call *c)
{
    struct revisions *r = x->env->revisions;

    if (c->touched_n > CALL_TOUCHED_MAX)
        revision_bump_all(r);
    else
        for (size_t i = 0; i < c->touched_n; i++)
            revision_bump(r, c->touched[i]);
    struct jobs *jobs = __atomic_load_n(&x->env->jobs, __ATOMIC_ACQUIRE);
    struct hub *hub = __atomic_load_n(&x->env->hub, __ATOMIC_ACQUIRE);
    if (c->woke_jobs && jobs != NULL)
        jobs_wake(jobs);
    if (c->woke_events && hub != NULL)
        hub_wake(hub);
}

static void park(struct exec *x, struct call *c);

/* The last step of every call. */
static void finish(struct exec *x, struct call *c, enum err e)
{
    c->db = NULL;
    c->result = e;
    if (e == E_OK && c->tx == WRITE) {
        bump(x, c);
        if (id_some(c->awaited)) {
            park(x, c);
            return;
        }
    }
    c->done(c);
}

/* Those who have ended so far know it. */
static void all_told(struct exec *x)
{
    pthread_mutex_lock(&x->told_lock);
    if (x->told != NULL)
        x->told(x->told_context);
    pthread_mutex_unlock(&x->told_lock);
}

void exec_when_told(struct exec *x, void (*told)(void *context), void *context)
{
    pthread_mutex_lock(&x->told_lock);
    x->told = told;
    x->told_context = context;
    pthread_mutex_unlock(&x->told_lock);
}

static enum err busy(struct call *c)
{
    c->problem = (struct problem) { .code = E_BUSY, .retry_after = 1 };
    return E_BUSY;
}

/* --- one transaction -------------------------------------------------------------------------------------------- */

/* "t 17 4711 j e": slots, and whether jobs or events were added. More than fit: "*", everything. */
static enum err announce(struct call *c)
{
    struct buf b = { .arena = c->arena };

    if (c->touched_n == 0 && !c->woke_jobs && !c->woke_events)
        return E_OK;
    buf_char(&b, c->touched_n > CALL_TOUCHED_MAX ? '*' : 't');
    for (size_t i = 0; i < c->touched_n && i < CALL_TOUCHED_MAX; i++)
        buf_printf(&b, " %" PRIu32, c->touched[i]);
    if (c->woke_jobs)
        buf_add(&b, STR(" j"));
    if (c->woke_events)
        buf_add(&b, STR(" e"));
    return c->db->ops->announce(c->db, buf_str(&b));
}

/* Whoever had to take from the reserve does not go on: it is for ending in order, not for working. */
static enum err fed(const struct call *c, enum err e)
{
    return e == E_OK && c->arena->starved ? E_NO_MEMORY : e;
}

/* The answer is made before the commit: once something is done, nothing may fail. */
static enum err run_write(struct call *c)
{
    TRY(idempotency_run(c));
    if (c->route != NULL && !id_some(c->awaited))
        call_encode(c);
    return fed(c, E_OK);
}

static enum err run_once(struct call *c, struct db *db)
{
    bool write = c->tx == WRITE;

    c->db = db;
    TRY(fed(c, E_OK));
    TRY(db->ops->begin(db, write));
    enum err e = write ? run_write(c) : fed(c, c->run(c));
    if (e == E_OK && write)
        e = announce(c);
    if (e != E_OK) {
        db->ops->rollback(db);
        return e;
    }
    return db->ops->commit(db);
}

static enum err run_retried(struct exec *x, struct call *c, struct db *db)
{
    enum err e = E_BUSY;

    for (long i = 0; i < ATTEMPTS && e == E_BUSY; i++) {
        if (i > 0) {
            unsigned char jitter;
            x->env->random(&jitter, 1);
            __atomic_add_fetch(&x->retries, 1, __ATOMIC_RELAXED);
            env_sleep_ms(x->env, (1 << i) + jitter % (1 << (i + 1)));
            call_reset(c);
        }
        e = run_once(c, db);
    }
    return e == E_BUSY ? busy(c) : e;
}

/* --- threads ---------------------------------------------------------------------------------------------------- */

/* An error that may have ended the whole transaction, not only the savepoint. */
static bool breaks_batch(enum err e)
{
    return e == E_STORAGE_FULL || e == E_UNAVAILABLE || e == E_INTERNAL || e == E_BUSY ||
           e == E_NO_MEMORY;
}

static enum err run_savepoint(struct call *c, struct db *db)
{
    c->db = db;
    TRY(fed(c, E_OK));
    TRY(db->ops->savepoint(db));
    enum err e = run_write(c);
    if (e == E_OK)
        return db->ops->release(db);
    if (!breaks_batch(e))
        db->ops->rollback_to(db);
    return e;
}

/* Runs the calls inside one transaction. False when it broke: nothing of it was committed. */
static bool run_batch(struct exec *x, struct db *db, struct call *const *calls, size_t n)
{
    if (db->ops->begin(db, true) != E_OK)
        return false;
    for (size_t i = 0; i < n; i++) {
        calls[i]->result = run_savepoint(calls[i], db);
        if (breaks_batch(calls[i]->result)) {
            db->ops->rollback(db);
            return false;
        }
    }
    if (db->ops->commit(db) != E_OK)
        return false;
    __atomic_add_fetch(&x->batches, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&x->batched, n, __ATOMIC_RELAXED);
    return true;
}

/* A batch that broke is run again one by one, so that only the guilty call fails. */
static void write_calls(struct exec *x, struct db *db, struct call *const *calls, size_t n)
{
    if (run_batch(x, db, calls, n)) {
        for (size_t i = 0; i < n; i++)
            finish(x, calls[i], calls[i]->result);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        call_reset(calls[i]);
        finish(x, calls[i], run_retried(x, calls[i], db));
        all_told(x);
    }
}

static void turn_away(struct exec *x, struct call *c)
{
    c->turned_away = true;
    finish(x, c, busy(c));
}

/* What is left of a list when those who have waited too long are gone. */
static size_t in_time(struct exec *x, struct queue *q, struct call *list, struct call **calls)
{
    int64_t now_us = monotonic_us();
    struct call *next;
    size_t n = 0, had = 0;

    for (struct call *c = list; c != NULL; c = next) {
        next = c->next;
        had++;
        if (queue_too_late(q, c, now_us))
            turn_away(x, c);
        else
            calls[n++] = c;
    }
    if (n < had)
        all_told(x);
    return n;
}

static void *writer(void *arg)
{
    struct exec *x = arg;
    struct engine *engine = x->env->engine;
    struct call *calls[BATCH_MAX], *list;
    struct db *db = NULL;

    while ((list = queue_pop(&x->work, BATCH_MAX)) != NULL) {
        size_t n = in_time(x, &x->work, list, calls);
        if (db == NULL && engine->ops->open(engine, true, &db) != E_OK)
            db = NULL;
        if (db != NULL && n > 0)
            write_calls(x, db, calls, n);
        for (size_t i = 0; db == NULL && i < n; i++)
            finish(x, calls[i], E_UNAVAILABLE);
        all_told(x);
        /* Those who were just answered ask again in a moment. To begin with the few that have waited would be a commit for a
         * part of the crowd, and would fight with the loops for the processor while they send our answers. */
        if (n >= GATHER_LEAST)
            queue_gather(&x->work, n, BATCH_MAX, GATHER_GAP_US, GATHER_ALL_US);
    }
    db_close(db);
    return NULL;
}

static void *pool_worker(void *arg)
{
    struct exec *x = arg;
    struct engine *engine = x->env->engine;
    struct db *db = NULL;
    struct call *c;

    while ((c = queue_pop(&x->work, 1)) != NULL) {
        if (in_time(x, &x->work, c, &c) == 0)
            continue;
        if (db == NULL && engine->ops->open(engine, true, &db) != E_OK)
            db = NULL;
        finish(x, c, db == NULL ? E_UNAVAILABLE : run_retried(x, c, db));
        all_told(x);
    }
    db_close(db);
    return NULL;
}

static void run_transaction(struct exec *x, struct call *c);

static void run_slow(struct exec *x, struct call *c)
{
    c->db = exec_reader(x);
    enum err e = c->db == NULL ? E_UNAVAILABLE : c->route->prepare(c);
    c->db = NULL;
    if (e != E_OK)
        finish(x, c, e);
    else
        run_transaction(x, c);
}

static void *slow_worker(void *arg)
{
    struct exec *x = arg;
    struct call *c;

    while ((c = queue_pop(&x->slow, 1)) != NULL) {
        if (in_time(x, &x->slow, c, &c) > 0)
            run_slow(x, c);
        all_told(x);
    }
    return NULL;
}

/* Without threads: a batch of one. */
static void write_here(struct exec *x, struct call *c)
{
    struct engine *engine = x->env->engine;

    if (x->here == NULL && engine->ops->open(engine, true, &x->here) != E_OK)
        x->here = NULL;
    if (x->here == NULL)
        finish(x, c, E_UNAVAILABLE);
    else if (x->single_writer)
        write_calls(x, x->here, &c, 1);
    else
        finish(x, c, run_retried(x, c, x->here));
}

/* --- awaiting a job --------------------------------------------------------------------------------------------- */

static bool job_is_over(struct call *c);
static void await_end(struct exec *x, struct call *c, bool over);

/* Without threads: the world is moved on until the job has ended or the patience is over. */
static void await_here(struct exec *x, struct call *c)
{
    bool over = false, more = true;

    c->db = exec_reader(x);
    if (c->db == NULL) {
        finish(x, c, E_UNAVAILABLE);
        return;
    }
    while (!over && more) {
        over = job_is_over(c);
        more = !over && x->env->step(x->env);
    }
    await_end(x, c, over);
}

static void park(struct exec *x, struct call *c)
{
    if (x->env->step != NULL) {
        await_here(x, c);
        return;
    }
    c->began_us = monotonic_us();
    pthread_mutex_lock(&x->park_lock);
    c->next = x->parked;
    x->parked = c;
    x->job_ended = true; /* look at once: it may have ended already */
    pthread_cond_signal(&x->park_some);
    pthread_mutex_unlock(&x->park_lock);
}

void exec_job_ended(struct exec *x, struct id job)
{
    (void)job; /* all parked calls look: they are few */
    pthread_mutex_lock(&x->park_lock);
    if (x->parked != NULL) {
        x->job_ended = true;
        pthread_cond_signal(&x->park_some);
    }
    pthread_mutex_unlock(&x->park_lock);
}

static bool job_is_over(struct call *c)
{
    int64_t open = 0;
    enum err e = db_int(
        c, &open, "SELECT count(*) FROM job WHERE id = $1 AND state IN ('waiting', 'running')",
        c->awaited);

    return e == E_OK && open == 0;
}

/* What was asked for is committed: an answer that says "nothing was changed" would lie. */
static void await_failed(struct exec *x, struct call *c)
{
    call_reset(c);
    c->problem = (struct problem) {
        .code = E_BUSY,
        .detail = STR("It is done or under way. Ask again with the same Idempotency-Key."),
        .retry_after = 1,
    };
    finish(x, c, E_BUSY);
}

/* The answer of a call whose job has ended, or whose patience has. */
static void await_end(struct exec *x, struct call *c, bool over)
{
    c->tx = READ;
    c->run = c->route->then;
    enum err e = run_retried(x, c, c->db);
    if (breaks_batch(e)) {
        await_failed(x, c);
        return;
    }
    if (e == E_OK && !over)
        c->reply.status = 202;
    finish(x, c, e);
}

/* Takes the call out of the list when it can be answered; true then. */
static bool await_look(struct exec *x, struct call *c)
{
    c->db = exec_reader(x);
    if (c->db == NULL) {
        await_failed(x, c);
        return true;
    }
    bool over = job_is_over(c);
    if (!over && !x->stopping && monotonic_us() - c->began_us < AWAIT_MS * INT64_C(1000))
        return false;
    await_end(x, c, over);
    return true;
}

static void wait_for_news(struct exec *x)
{
    while (x->parked == NULL && !x->stopping)
        pthread_cond_wait(&x->park_some, &x->park_lock);
    if (!x->job_ended && !x->stopping)
        cond_wait_us(&x->park_some, &x->park_lock, AWAIT_POLL_MS * INT64_C(1000));
    x->job_ended = false;
}

static void *parker(void *arg)
{
    struct exec *x = arg;

    pthread_mutex_lock(&x->park_lock);
    while (!x->stopping || x->parked != NULL) {
        wait_for_news(x);
        struct call *look = x->parked, *keep = NULL, *next;
        x->parked = NULL;
        pthread_mutex_unlock(&x->park_lock);
        for (; look != NULL; look = next) {
            next = look->next;
            if (await_look(x, look)) {
                all_told(x);
            } else {
                look->next = keep;
                keep = look;
            }
        }
        pthread_mutex_lock(&x->park_lock);
        while (keep != NULL) {
            next = keep->next;
            keep->next = x->parked;
            x->parked = keep;
            keep = next;
        }
    }
    pthread_mutex_unlock(&x->park_lock);
    return NULL;
}

/* --- news of other nodes ---------------------------------------------------------------------------------------- */

static void heard(void *context, struct str text)
{
    struct exec *x = context;
    struct call news = { .touched_n = 0 };
    struct str word;
    int64_t slot;

    /* None: the line was cut, and anything may have happened meanwhile. */
    if (text.p == NULL || str_starts(text, "*"))
        news.touched_n = CALL_TOUCHED_MAX + 1;
    news.woke_jobs = news.woke_events = text.p == NULL;
    while (text.n > 0) {
        text = str_split(text, ' ', &word);
        news.woke_jobs |= str_is(word, "j");
        news.woke_events |= str_is(word, "e");
        if (str_int(word, &slot) && slot >= 0 && slot < REVISIONS &&
            news.touched_n < CALL_TOUCHED_MAX)
            news.touched[news.touched_n++] = (uint32_t)slot;
    }
    bump(x, &news);
}

static void heard_until(void *context, int64_t at_us)
{
    struct exec *x = context;

    __atomic_store_n(&x->env->revisions->current_us, at_us, __ATOMIC_SEQ_CST);
}

static void *listener(void *arg)
{
    struct exec *x = arg;
    struct db_listener l = { heard, heard_until, x, &x->stopping };

    x->env->engine->ops->listen(x->env->engine, &l);
    return NULL;
}

/* --- in and out ------------------------------------------------------------------------------------------------- */

static void run_transaction(struct exec *x, struct call *c)
{
    bool threads = x->env->step == NULL;
    bool here = c->tx == NONE || (c->tx == READ && (x->single_writer || !threads));

    if (!here && !threads) {
        write_here(x, c);
        return;
    }
    if (!here) {
        if (!queue_push(&x->work, c, monotonic_us()))
            turn_away(x, c);
        return;
    }
    struct db *db = c->tx == NONE ? NULL : exec_reader(x);
    if (c->tx == NONE)
        finish(x, c, c->run(c));
    else
        finish(x, c, db == NULL ? E_UNAVAILABLE : run_retried(x, c, db));
}

void exec_run(struct exec *x, struct call *c)
{
    must(c->route != NULL && c->done != NULL);
    c->run = c->route->run;
    c->tx = c->route->tx;
    c->vital |= c->route->vital;
    if (c->route->prepare == NULL)
        run_transaction(x, c);
    else if (x->env->step != NULL)
        run_slow(x, c);
    else if (!queue_push(&x->slow, c, monotonic_us()))
        turn_away(x, c);
}

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t over;
    bool done;
};

static void wake_waiter(struct call *c)
{
    struct waiter *w = c->server;

    pthread_mutex_lock(&w->lock);
    w->done = true;
    pthread_cond_signal(&w->over);
    pthread_mutex_unlock(&w->lock);
}

static enum err wait_for(struct exec *x, struct call *c,
                         void (*begin)(struct exec *x, struct call *c))
{
    struct waiter w = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false };

    c->server = &w;
    c->done = wake_waiter;
    begin(x, c);
    pthread_mutex_lock(&w.lock);
    while (!w.done)
        pthread_cond_wait(&w.over, &w.lock);
    pthread_mutex_unlock(&w.lock);
    return c->result;
}

enum err exec_run_wait(struct exec *x, struct call *c)
{
    return wait_for(x, c, exec_run);
}

enum err exec_transaction(struct exec *x, struct call *c, enum tx tx, handler *run)
{
    c->run = run;
    c->tx = tx;
    c->vital = true;
    return wait_for(x, c, run_transaction);
}

static void thread_add(struct exec *x, void *(*run)(void *))
{
    must(x->threads_n < THREADS_MAX);
    must(pthread_create(&x->threads[x->threads_n++], NULL, run, x) == 0);
}

struct exec *exec_start(struct env *e)
{
    struct exec *x = calloc(1, sizeof(*x));

    must(x != NULL);
    x->env = e;
    x->single_writer = e->engine->ops->single_writer;
    queue_init(&x->work, (size_t)setting_int(e->settings, "core.queue"),
               setting_int(e->settings, "core.queue_ms") * 1000);
    queue_init(&x->slow, (size_t)setting_int(e->settings, "core.slow_queue"),
               setting_int(e->settings, "core.slow_queue_ms") * 1000);
    pthread_mutex_init(&x->park_lock, NULL);
    pthread_mutex_init(&x->told_lock, NULL);
    pthread_cond_init(&x->park_some, NULL);
    must(pthread_key_create(&x->reader, reader_close) == 0);
    if (e->step != NULL)
        return x;
    for (int64_t i = 0; i < setting_int(e->settings, "core.slow_workers"); i++)
        thread_add(x, slow_worker);
    if (x->single_writer)
        thread_add(x, writer);
    for (int64_t i = 0; !x->single_writer && i < setting_int(e->settings, "database.workers"); i++)
        thread_add(x, pool_worker);
    if (!x->single_writer)
        thread_add(x, listener);
    thread_add(x, parker);
    return x;
}

void exec_stop(struct exec *x)
{
    queue_stop(&x->slow);
    queue_stop(&x->work);
    pthread_mutex_lock(&x->park_lock);
    __atomic_store_n(&x->stopping, true, __ATOMIC_RELEASE);
    pthread_cond_broadcast(&x->park_some);
    pthread_mutex_unlock(&x->park_lock);
    for (size_t i = 0; i < x->threads_n; i++)
        pthread_join(x->threads[i], NULL);
    db_close(pthread_getspecific(x->reader)); /* the stopping thread's own */
    db_close(x->here);
    pthread_key_delete(x->reader);
    queue_done(&x->work);
    queue_done(&x->slow);
    free(x);
}

struct exec_figures exec_figures(struct exec *x)
{
    return (struct exec_figures) {
        .batches = __atomic_load_n(&x->batches, __ATOMIC_RELAXED),
        .batched = __atomic_load_n(&x->batched, __ATOMIC_RELAXED),
        .retries = __atomic_load_n(&x->retries, __ATOMIC_RELAXED),
        .queue = (int64_t)queue_length(&x->work),
        .work_full = __atomic_load_n(&x->work.full, __ATOMIC_RELAXED),
        .work_late = __atomic_load_n(&x->work.late, __ATOMIC_RELAXED),
        .slow_full = __atomic_load_n(&x->slow.full, __ATOMIC_RELAXED),
        .slow_late = __atomic_load_n(&x->slow.late, __ATOMIC_RELAXED),
    };
}
