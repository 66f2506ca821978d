/* jobs.c -- one thread claims, workers run.
 *
 * Claiming, running and finishing are transactions through the runner like any other, so that a job obeys the same rules
 * on both engines. A crash between the effect (.prepare) and the record (run) runs the effect again: its key makes it one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/jobs.h"
#include "base/cond.h"
#include "core/exec.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WORKERS_MAX = 32, IDLE_MS = 1000, BACKOFF_S_MAX = 3600, RECORD_AGAIN_MS = 200 };

struct claimed {
    struct id id, account;
    struct str kind, payload;
    int64_t attempt, tries;
};

static const struct field claimed_fields[] = {
    ID(claimed, id, ID_JOB, "Job"),
    ID(claimed, account, ID_USER, "For whom", .optional = true),
    TEXT(claimed, kind, "Kind", .max = 60),
    TEXT(claimed, payload, "JSON of the kind's shape", .max = 1 << 20),
    INTEGER(claimed, attempt, "This one", .max = 1000),
    INTEGER(claimed, tries, "How many there are", .max = 1000),
};
STATIC_SHAPE(claimed);

struct jobs {
    struct env *env;
    pthread_mutex_t lock;
    pthread_cond_t some;   /* for workers: something to run */
    pthread_cond_t wanted; /* for the claimer: a free worker, or news */
    pthread_t claimer, workers[WORKERS_MAX];
    const struct job_kind *running[WORKERS_MAX]; /* NULL: free */
    int workers_n, idle;
    bool stopping, news;
    struct claimed *ready; /* one at a time, handed over under the lock */
    struct arena *ready_arena;
};

/* What claim() is told and finds. */
struct claiming {
    struct id busy[WORKERS_MAX]; /* lanes that are at their limit */
    size_t busy_n;
    struct claimed *result;
};

static struct id lane_of(struct str kind)
{
    return (struct id) { (int64_t)(str_hash(kind) >> 33) + 1 };
}

/* --- adding ----------------------------------------------------------------------------------------------------- */

static enum err insert(struct call *c, const struct job_kind *k, struct str name, struct when at,
                       struct str payload, struct id id)
{
    return db_run(c,
                  "INSERT INTO job (id, kind, lane, name, account, payload, state, due, "
                  "due_business, lease_ms,"
                  " leased_until, attempt, tries, progress, created)"
                  " VALUES ($1, $2, $3, $4, $5, $6, 'waiting', $7, $8, $9, 0, 0, $10, 0, $7)"
                  " ON CONFLICT (name) WHERE state = 'waiting' DO NOTHING",
                  id, str_of(k->name), lane_of(str_of(k->name)), name, c->who, payload,
                  env_real_now(c->env), at.us, k->lease_ms, k->tries);
}

static enum err add(struct call *c, const char *kind, struct str name, struct when at,
                    const void *in, struct id id)
{
    const struct job_kind *k = env_job_kind(c->env, str_of(kind));

    must(k != NULL);
    TRY(insert(c, k, name, at, shape_json(k->in, in, c->arena), id));
    c->woke_jobs = true;
    if (c->route != NULL && c->route->await != NULL && strcmp(c->route->await, kind) == 0)
        c->awaited = id;
    return E_OK;
}

enum err job_add(struct call *c, const char *kind, struct when at, const void *in,
                 struct id *result)
{
    struct id id = new_id(c);

    TRY(add(c, kind, STR_NONE, at, in, id));
    if (result != NULL)
        *result = id;
    return E_OK;
}

enum err job_add_named(struct call *c, const char *kind, struct str name, struct when at,
                       const void *in)
{
    must(name.p != NULL);
    return add(c, kind, name, at, in, new_id(c));
}

/* --- those put aside -------------------------------------------------------------------------------------------- */

static const struct field job_dead_fields[] = {
    ID(job_dead, id, ID_JOB, "Job"),
    TEXT(job_dead, kind, "What it does", .max = 60),
    TEXT(job_dead, error, "Why its last try failed", .max = 2000),
    ID(job_dead, account, ID_USER, "For whom", .optional = true),
    WHEN(job_dead, created, "When it was wanted"),
    WHEN(job_dead, finished, "When it was put aside"),
};
SHAPE(job_dead);

enum err jobs_dead(struct call *c, struct str cursor, int64_t limit)
{
    return db_page(c, job_dead, cursor, limit,
                   "SELECT id, kind, error, account, created, finished FROM job"
                   " WHERE state = 'dead' AND id < $cursor"
                   " ORDER BY id DESC");
}

enum err job_again(struct call *c, struct id id)
{
    c->woke_jobs = true;
    return db_hit(c,
                  "UPDATE job SET state = 'waiting', attempt = 0, due = $2, finished = NULL"
                  " WHERE id = $1 AND state = 'dead'",
                  id, env_real_now(c->env));
}

/* --- claiming --------------------------------------------------------------------------------------------------- */

/* One that was left by its runner, else the next that waits: JOB_NOW ones first (somebody may be waiting for them), then
 * by date. */
static enum err claim(struct call *c)
{
    const struct claiming *k = c->prepared;
    struct when real = env_real_now(c->env);

    return db_one(c, claimed, k->result,
                  "UPDATE job SET state = 'running', attempt = attempt + 1, node = $4,"
                  " leased_until = $1 + lease_ms * 1000"
                  " WHERE id = coalesce("
                  "(SELECT id FROM job WHERE state = 'running' AND leased_until < $1"
                  " AND NOT (lane IN_LIST($3))"
                  " ORDER BY leased_until LIMIT 1 FOR UPDATE SKIP LOCKED),"
                  " (SELECT id FROM job WHERE state = 'waiting' AND due_business <= $2"
                  " AND due <= $1 AND NOT (lane IN_LIST($3))"
                  " ORDER BY due_business, due LIMIT 1 FOR UPDATE SKIP LOCKED))"
                  " RETURNING id, account, kind, payload, attempt, tries",
                  real, c->now, db_ids(c, k->busy, k->busy_n), (int64_t)c->env->ids.node);
}

enum err jobs_free_leases(struct call *c)
{
    return db_run(c, "UPDATE job SET leased_until = 0 WHERE state = 'running' AND node = $1",
                  (int64_t)c->env->ids.node);
}

/* Is there anything to claim? A read, so that an idle program writes nothing. */
static bool any_due(struct env *e)
{
    struct arena a = { 0 };
    struct call c;
    int64_t n = 0;

    call_begin(&c, e, &a);
    c.db = exec_reader(e->exec);
    enum err err =
        c.db == NULL
            ? E_UNAVAILABLE
            : db_int(
                  &c, &n,
                  "SELECT 1 FROM job WHERE (state = 'waiting' AND due <= $1 AND due_business <= $2)"
                  " OR (state = 'running' AND leased_until < $1) LIMIT 1",
                  env_real_now(e), c.now);
    arena_done(&a);
    return err == E_OK && n == 1;
}

static bool claim_one(struct env *e, struct arena *a, struct claiming *k)
{
    struct call c;

    if (!any_due(e))
        return false;
    call_begin(&c, e, a);
    c.prepared = k;
    return exec_transaction(e->exec, &c, WRITE, claim) == E_OK;
}

/* --- running ---------------------------------------------------------------------------------------------------- */

static enum err record_done(struct call *c)
{
    if (c->job_kind->tx == WRITE)
        TRY(c->job_kind->run(c));
    return db_hit(
        c,
        "UPDATE job SET state = 'done', progress = 100, error = NULL, finished = $2 WHERE id = $1",
        c->job, env_real_now(c->env));
}

static struct str problem_text(const struct call *c, enum err e, struct arena *a)
{
    struct str code = err_code(a, e);
    struct str detail = c->problem.detail.p != NULL ? c->problem.detail : str_of(err_sentence(e));

    return str_printf(a, "%.*s: %.*s", STR_FMT(code), STR_FMT(detail));
}

static enum err record_failure(struct call *c)
{
    struct str error = *(const struct str *)c->prepared;
    int64_t wait_s = INT64_C(1) << (c->job_attempt < 12 ? c->job_attempt : 12);
    unsigned char jitter;

    if (c->job_attempt >= c->job_tries) {
        if (c->job_kind->gave_up != NULL)
            TRY(c->job_kind->gave_up(c));
        return db_hit(c, "UPDATE job SET state = 'dead', error = $2, finished = $3 WHERE id = $1",
                      c->job, error, env_real_now(c->env));
    }
    c->env->random(&jitter, 1);
    if (wait_s > BACKOFF_S_MAX)
        wait_s = BACKOFF_S_MAX;
    int64_t due = env_real_now(c->env).us + wait_s * SECOND / 2 + wait_s * SECOND * jitter / 255;
    return db_hit(
        c,
        "UPDATE job SET state = CASE WHEN name IS NOT NULL AND EXISTS"
        " (SELECT 1 FROM job other WHERE other.name = job.name AND other.state = 'waiting')"
        " THEN 'done' ELSE 'waiting' END, error = $2, due = $3, finished = $4 WHERE id = $1",
        c->job, error, due, env_real_now(c->env));
}

static bool is_running(struct env *e)
{
    struct jobs *j = __atomic_load_n(&e->jobs, __ATOMIC_ACQUIRE);

    return j != NULL && !__atomic_load_n(&j->stopping, __ATOMIC_ACQUIRE);
}

/* The effect has been: what came of it is not given up because the disk is full, or the database away, for a moment. It is
 * written as long as the lease lasts; a job that is left "running" would wait for the end of it. */
static enum err record(struct call *c, handler *run)
{
    struct env *e = c->env;
    enum err err = exec_transaction(e->exec, c, WRITE, run);

    for (int64_t ms = 0; ms < c->job_kind->lease_ms; ms += RECORD_AGAIN_MS) {
        if ((err != E_STORAGE_FULL && err != E_UNAVAILABLE && err != E_BUSY) || !is_running(e))
            break;
        env_sleep_ms(e, RECORD_AGAIN_MS);
        call_reset(c);
        err = exec_transaction(e->exec, c, WRITE, run);
    }
    return err;
}

static enum err effect(struct call *c)
{
    struct env *e = c->env;

    if (c->job_kind->prepare != NULL) {
        c->db = exec_reader(e->exec);
        enum err err = c->db == NULL ? E_UNAVAILABLE : c->job_kind->prepare(c);
        c->db = NULL;
        TRY(err);
    }
    if (c->job_kind->tx == NONE)
        TRY(c->job_kind->run(c));
    return record(c, record_done);
}

static bool decode(struct call *c, const struct claimed *job)
{
    const char *why = NULL;
    const struct json *j = json_parse(c->arena, job->payload, &why);
    void *in;

    if (j == NULL || c->job_kind == NULL)
        return false;
    in = arena_alloc(c->arena, c->job_kind->in->size);
    c->in = in;
    return shape_decode(c->job_kind->in, j, c->arena, in, &c->problem) == E_OK;
}

static void begin(struct call *c, struct env *e, struct arena *a, const struct claimed *job)
{
    call_begin(c, e, a);
    c->job = job->id;
    c->job_attempt = (int)job->attempt;
    c->job_tries = (int)job->tries;
    c->job_kind = env_job_kind(e, job->kind);
    c->actor.account = c->who = job->account;
    c->request_id = id_text(a, ID_JOB, job->id);
}

/* In memory of its own: the job's may be what failed. */
static void run_failed(struct env *e, const struct claimed *job, struct str error)
{
    struct arena a = { 0 };
    struct call c;

    begin(&c, e, &a, job);
    if (c.job_kind == NULL || !decode(&c, job)) {
        arena_done(&a);
        return; /* a kind of a newer program: its lease runs out, another node may know it */
    }
    c.prepared = &error;
    enum err err = record(&c, record_failure);
    log_warn(e->log, err == E_OK ? "job.failed" : "job.stuck", L_STR("job", c.request_id),
             L_STR("kind", job->kind), L_INT("attempt", job->attempt), L_STR("error", error));
    arena_done(&a);
}

static void run_job(struct env *e, struct arena *a, const struct claimed *job)
{
    struct call c;

    begin(&c, e, a, job);
    enum err err = decode(&c, job) ? effect(&c) : E_INVALID;
    if (err != E_OK)
        run_failed(e, job, problem_text(&c, err, a));
    exec_job_ended(e->exec, job->id);
}

struct progress {
    int percent;
};

static enum err record_progress(struct call *c)
{
    const struct progress *p = c->prepared;

    return db_run(c,
                  "UPDATE job SET progress = $2, leased_until = $3 + lease_ms * 1000 WHERE id = $1 "
                  "AND state = 'running'",
                  c->job, p->percent, env_real_now(c->env));
}

void job_progress(struct call *c, int percent)
{
    struct arena a = { 0 };
    struct progress p = { percent };
    struct call own;

    call_begin(&own, c->env, &a);
    own.job = c->job;
    own.prepared = &p;
    exec_transaction(c->env->exec, &own, WRITE, record_progress); /* a lost percent is no harm */
    arena_done(&a);
}

int jobs_drain(struct env *e)
{
    struct claimed job;
    struct claiming k = { .result = &job };
    int n = 0;

    for (;;) {
        struct arena a = { 0 };
        bool some = claim_one(e, &a, &k);
        if (some)
            run_job(e, &a, &job);
        arena_done(&a);
        if (!some)
            return n;
        n++;
    }
}

/* --- threads ---------------------------------------------------------------------------------------------------- */

/* Whose turn this worker is: its own place among the running ones. Called with the lock held. */
static const struct job_kind **place_take(struct jobs *j, const struct job_kind *kind)
{
    int i = 0;

    while (j->running[i] != NULL)
        i++;
    must(i < j->workers_n);
    j->running[i] = kind;
    return &j->running[i];
}

/* The lanes of kinds that run as often as they may. Called with the lock held. */
static void busy_find(const struct jobs *j, struct claiming *k)
{
    for (int i = 0; i < j->workers_n; i++) {
        const struct job_kind *kind = j->running[i];
        int same = 0;
        for (int other = 0; other <= i; other++)
            same += kind != NULL && j->running[other] == kind;
        if (kind != NULL && kind->at_once > 0 && same == kind->at_once)
            k->busy[k->busy_n++] = lane_of(str_of(kind->name));
    }
}

static void *worker(void *arg)
{
    struct jobs *j = arg;

    pthread_mutex_lock(&j->lock);
    for (;;) {
        j->idle++;
        pthread_cond_signal(&j->wanted);
        while (j->ready == NULL && !j->stopping)
            pthread_cond_wait(&j->some, &j->lock);
        j->idle--;
        if (j->ready == NULL)
            break;
        struct claimed job = *j->ready;
        struct arena *a = j->ready_arena;
        const struct job_kind *kind = env_job_kind(j->env, job.kind);
        const struct job_kind **place = kind == NULL ? NULL : place_take(j, kind);
        j->ready = NULL;
        pthread_cond_signal(&j->wanted);
        pthread_mutex_unlock(&j->lock);
        run_job(j->env, a, &job);
        arena_done(a);
        free(a);
        pthread_mutex_lock(&j->lock);
        if (place != NULL)
            *place = NULL;
    }
    pthread_mutex_unlock(&j->lock);
    return NULL;
}

static void idle_wait(struct jobs *j)
{
    if (!j->news && !j->stopping)
        cond_wait_us(&j->wanted, &j->lock, IDLE_MS * INT64_C(1000));
    j->news = false;
}

/* Hands one claimed job to a worker; false when there was none to claim. Called and returns with the lock held. */
static bool hand_over(struct jobs *j)
{
    struct arena *a = calloc(1, sizeof(*a));
    struct claimed job;
    struct claiming k = { .result = &job };

    if (a == NULL)
        return false;
    busy_find(j, &k);
    pthread_mutex_unlock(&j->lock);
    bool some = claim_one(j->env, a, &k);
    pthread_mutex_lock(&j->lock);
    if (!some) {
        arena_done(a);
        free(a);
        return false;
    }
    j->ready = arena_copy(a, &job, sizeof(job));
    j->ready_arena = a;
    pthread_cond_signal(&j->some);
    while (j->ready != NULL)
        pthread_cond_wait(&j->wanted, &j->lock);
    return true;
}

static void *claimer(void *arg)
{
    struct jobs *j = arg;

    pthread_mutex_lock(&j->lock);
    while (!j->stopping) {
        while (j->idle == 0 && !j->stopping)
            pthread_cond_wait(&j->wanted, &j->lock);
        j->news = false;
        if (!j->stopping && !hand_over(j))
            idle_wait(j);
    }
    pthread_mutex_unlock(&j->lock);
    return NULL;
}

struct jobs *jobs_start(struct env *e, int workers)
{
    struct jobs *j = calloc(1, sizeof(*j));

    must(j != NULL && workers > 0 && workers <= WORKERS_MAX);
    j->env = e;
    pthread_mutex_init(&j->lock, NULL);
    pthread_cond_init(&j->some, NULL);
    pthread_cond_init(&j->wanted, NULL);
    for (; j->workers_n < workers; j->workers_n++)
        must(pthread_create(&j->workers[j->workers_n], NULL, worker, j) == 0);
    must(pthread_create(&j->claimer, NULL, claimer, j) == 0);
    return j;
}

void jobs_wake(struct jobs *j)
{
    pthread_mutex_lock(&j->lock);
    j->news = true;
    pthread_cond_broadcast(&j->wanted);
    pthread_mutex_unlock(&j->lock);
}

void jobs_stop(struct jobs *j)
{
    pthread_mutex_lock(&j->lock);
    __atomic_store_n(&j->stopping, true, __ATOMIC_RELEASE);
    pthread_cond_broadcast(&j->wanted);
    pthread_mutex_unlock(&j->lock);
    pthread_join(j->claimer, NULL);
    pthread_mutex_lock(&j->lock);
    pthread_cond_broadcast(&j->some);
    pthread_mutex_unlock(&j->lock);
    for (int i = 0; i < j->workers_n; i++)
        pthread_join(j->workers[i], NULL);
}

void jobs_free(struct jobs *j)
{
    pthread_mutex_destroy(&j->lock);
    pthread_cond_destroy(&j->some);
    pthread_cond_destroy(&j->wanted);
    free(j);
}

enum err jobs_figures(struct call *c, struct jobs_figures *result)
{
    struct jobs_figures f = { 0 };

    TRY(db_int(c, &f.waiting, "SELECT count(*) FROM job WHERE state = 'waiting'"));
    TRY(db_int(c, &f.running, "SELECT count(*) FROM job WHERE state = 'running'"));
    TRY(db_int(c, &f.dead, "SELECT count(*) FROM job WHERE state = 'dead'"));
    TRY(db_int(c, &f.oldest_due_us, "SELECT min(due) FROM job WHERE state = 'waiting'"));
    *result = f;
    return E_OK;
}
