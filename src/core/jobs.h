/* jobs.h -- durable work: a row written with the change that wants it, run after the commit.
 *
 * A job is claimed under a lease, retried with backoff (2^n seconds, jittered), and put aside as
 * dead when its tries are spent, where it is seen and can be run again. Times are real time, but
 * `at` of a business date is told by due_business. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_JOBS_H
#define CORE_JOBS_H

#include "core/env.h"

/* Adds a job of a declared kind; in is of its shape. Run at once (JOB_NOW), or when business time
 * reaches `at`. */
#define JOB_NOW ((struct when) { 0 })
enum err job_add(struct call *c, const char *kind, struct when at, const void *in,
                 struct id *result);
/* The same, unless one with this name is waiting ("subscription.renew:sub_…:3"): then nothing
 * happens. */
enum err job_add_named(struct call *c, const char *kind, struct str name, struct when at,
                       const void *in);
/* Jobs that were put aside, newest first, into c->page. Their input is not shown: it is other
 * people's. */
struct job_dead {
    struct id id;
    struct str kind, error;
    struct id account;
    struct when created, finished;
};
extern const struct shape job_dead_shape;
enum err jobs_dead(struct call *c, struct str cursor, int64_t limit);
/* Such a one runs again, with all its tries. E_NOT_FOUND; E_TAKEN when another of its name is
 * waiting. */
enum err job_again(struct call *c, struct id id);

/* From a job's .prepare: percent, shown to who may see the job. Own transaction; extends the
 * lease. */
void job_progress(struct call *c, int percent);

/* Before workers start: what this node ran when it died is free to be claimed again. Whoever awaits
 * such a job with his Idempotency-Key would else hear "still running" until the lease is over. */
enum err jobs_free_leases(struct call *c);

struct jobs;
/* workers: threads that run jobs. */
struct jobs *jobs_start(struct env *e, int workers);
void jobs_wake(struct jobs *j);
/* lets running ones end; waking it stays harmless until jobs_free */
void jobs_stop(struct jobs *j);
void jobs_free(struct jobs *j);
/* Runs everything that is due on the calling thread, until nothing is: tests and the simulator.
 * Returns how many ran. */
int jobs_drain(struct env *e);

/* For metrics: how many are in which state, and how late the latest is, in real time. */
struct jobs_figures {
    int64_t waiting, running, dead;
    int64_t oldest_due_us; /* 0: nothing waits */
};
enum err jobs_figures(struct call *c, struct jobs_figures *result);

#endif
