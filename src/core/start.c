/* start.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/start.h"
#include "core/events.h"
#include "core/exec.h"
#include "core/jobs.h"
#include "core/revisions.h"

#include <stdlib.h>

/* --- sweeping: what is kept for a while only ------------------------------------------------------------------- */

struct sweep {
    int64_t days;
};

static const struct field sweep_fields[] = {
    INTEGER(sweep, days, "Age of what goes", .min = 1, .max = 3650),
};
STATIC_SHAPE(sweep);

/* The reserve is enough for a thousand requests at once that find no memory; it costs none until then. */
enum { KEEP_DAYS = 7, SWEEP_ROWS = 5000, RESERVE_BYTES = 16 << 20 };

static enum err sweep_again(struct call *c)
{
    struct sweep next = { KEEP_DAYS };

    return job_add_named(c, "core.sweep", STR("core.sweep"), when_after(c->now, HOUR), &next);
}

/* Bounded, so that a sweep after a long pause does not hold the writer. An event stays until each consumer has read it:
 * after a week without power, or a leap of the business clock, the unread ones are the old ones. */
static enum err sweep_run(struct call *c)
{
    struct when before = when_after(c->now, -IN(c, sweep)->days * DAY);
    struct when real = when_after(env_real_now(c->env), -IN(c, sweep)->days * DAY);

    TRY(db_run(
        c,
        "DELETE FROM idempotency WHERE (account, key) IN"
        " (SELECT account, key FROM idempotency WHERE created < $1 ORDER BY created LIMIT $2)",
        real, SWEEP_ROWS));
    TRY(db_run(
        c,
        "DELETE FROM job WHERE id IN"
        " (SELECT id FROM job WHERE state = 'done' AND finished < $1 ORDER BY finished LIMIT $2)",
        real, SWEEP_ROWS));
    TRY(db_run(c,
               "DELETE FROM event WHERE id IN (SELECT id FROM event e WHERE created < $1"
               " AND NOT EXISTS (SELECT 1 FROM event_cursor c WHERE (c.tx, c.id) < (e.tx, e.id))"
               " ORDER BY created LIMIT $2)",
               before, SWEEP_ROWS));
    return sweep_again(c);
}

static enum err core_start(struct call *c)
{
    TRY(jobs_free_leases(c));
    return sweep_again(c);
}

static const struct job_kind jobs[] = {
    { "core.sweep", sweep_run, .in = &sweep_shape, .tx = WRITE, .lease_ms = 60000, .tries = 1000 },
};

static const struct setting settings[] = {
    { "database.url", SETTING_SECRET, "",
      "postgres://… for PostgreSQL; empty: SQLite in the data folder", 0, 0 },
    { "database.workers", SETTING_INT, "8", "Connections that run transactions, on PostgreSQL", 1,
      48 },
    { "core.slow_workers", SETTING_INT, "2",
      "Threads for password hashing and the like; each may take 64 MiB", 1, 8 },
    { "core.queue", SETTING_INT, "4096",
      "Calls that may wait for the database; one more is told to come again", 16, 1000000 },
    { "core.queue_ms", SETTING_INT, "250",
      "When the first of a crowd of them has waited so long, others are told to come again; after "
      "three times as long it is itself. 0: no limit",
      0, 60000 },
    { "core.slow_queue", SETTING_INT, "64", "The same for password hashing and the like", 1,
      1000000 },
    { "core.slow_queue_ms", SETTING_INT, "700", "The same for password hashing and the like", 0,
      60000 },
    { "core.node", SETTING_INT, "0", "Number of this node, another for each that shares a database",
      0, 255 },
    { "jobs.workers", SETTING_INT, "4", "Jobs that run at once; 0: this node runs none", 0, 32 },
};

const struct module core_module = { "core", MODULE_JOBS(jobs), MODULE_SETTINGS(settings),
                                    .start = core_start };

/* --- up and down ------------------------------------------------------------------------------------------------ */

static enum err start_modules(struct env *e)
{
    struct arena a = { 0 };
    struct call c;
    enum err result = E_OK;

    for (size_t m = 0; m < e->modules_n && result == E_OK; m++) {
        if (e->modules[m]->start == NULL)
            continue;
        call_begin(&c, e, &a);
        result = exec_transaction(e->exec, &c, WRITE, e->modules[m]->start);
        arena_reset(&a);
    }
    arena_done(&a);
    return result;
}

enum err env_start(struct env *e, int job_workers)
{
    module_check(e->modules, e->modules_n);
    TRY(db_migrate(e->engine, e->log, e->modules, e->modules_n));
    e->reserve = e->engine->reserve = reserve_open(RESERVE_BYTES);
    must(e->reserve != NULL);
    e->ids.node = (unsigned)setting_int(e->settings, "core.node");
    e->revisions = calloc(1, sizeof(*e->revisions));
    must(e->revisions != NULL);
    e->revisions->others = !e->engine->ops->single_writer;
    e->exec = exec_start(e);
    enum err err = start_modules(e);
    if (err != E_OK) {
        env_stop(e);
        return err;
    }
    if (e->step == NULL)
        __atomic_store_n(&e->hub, hub_start(e), __ATOMIC_RELEASE);
    if (job_workers > 0)
        __atomic_store_n(&e->jobs, jobs_start(e, job_workers), __ATOMIC_RELEASE);
    return E_OK;
}

/* All threads end before anything goes: each may still wake another on its way out. */
void env_stop(struct env *e)
{
    if (e->jobs != NULL)
        jobs_stop(e->jobs);
    if (e->hub != NULL)
        hub_stop(e->hub);
    exec_stop(e->exec);
    if (e->jobs != NULL)
        jobs_free(e->jobs);
    if (e->hub != NULL)
        hub_free(e->hub);
    e->jobs = NULL;
    e->hub = NULL;
    e->exec = NULL;
    free(e->revisions);
    e->revisions = NULL;
    e->engine->reserve = NULL;
    reserve_close(e->reserve);
    e->reserve = NULL;
}
