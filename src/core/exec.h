/* exec.h -- the runner: gives a call its transaction, its retries and its idempotency, then tells
 * who waits.
 *
 *   .prepare            a slow worker first, no transaction
 *   NONE                at once, on the calling thread
 *   READ,  one writer   at once, on the calling thread, with that thread's own read connection
 *   WRITE, one writer   queue to the writer thread: a savepoint a call, many calls a commit;
 *                       answered after the commit
 *   READ, WRITE, else   a pool of workers with a connection each; E_BUSY is retried up to 5 times
 *                       with jitter
 *
 * After the commit: revisions are bumped, jobs and the hub are woken, an awaited job is waited for
 * (parked, no thread held). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_EXEC_H
#define CORE_EXEC_H

#include "core/env.h"

struct exec;

struct exec *exec_start(struct env *e);
/* Lets what was accepted end, then stops the threads. */
void exec_stop(struct exec *x);

/* Runs c->route (or, for jobs and events, handler run under tx) to its end; then c->result is set
 * and c->done(c) is called, on any thread, perhaps before this returns. E_BUSY at once when the
 * queues are full or slow (queue.h). */
void exec_run(struct exec *x, struct call *c);
/* The same, but waits here: jobs, events, tests. */
enum err exec_run_wait(struct exec *x, struct call *c);
/* One handler in a transaction of its own, waiting: for .prepare and tools. The call's in, out etc.
 * are the caller's. */
enum err exec_transaction(struct exec *x, struct call *c, enum tx tx, handler *run);
/* This thread's read connection (opened at first use, closed with the thread). NULL when the
 * database is away. */
struct db *exec_reader(struct exec *x);
/* A call that is no request: business time, an arena and this env; for tools, jobs, tests. */
void call_begin(struct call *c, struct env *e, struct arena *a);

/* Calls that end together, as those of one commit do, are told one after the other; then, on the same thread, this. So whoever
 * waits for many of them can be woken once. NULL: nobody; when this returns, it is not called any more. */
void exec_when_told(struct exec *x, void (*told)(void *context), void *context);

/* A job ended, on this node: calls that await it go on. */
void exec_job_ended(struct exec *x, struct id job);

struct exec_figures {
    uint64_t batches, batched; /* commits of the writer, and calls in them */
    int64_t queue;             /* calls waiting now */
    uint64_t retries;
    /* turned away: by the line for the database, by the one for slow work; because of its length, of the time it takes */
    uint64_t work_full, work_late, slow_full, slow_late;
};
struct exec_figures exec_figures(struct exec *x);

#endif
