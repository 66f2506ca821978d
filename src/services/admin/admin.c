/* admin.c -- what operators do: roles, jobs put aside; and the development clock.
 *
 * Business time only ever goes forwards: renewals and publishing that happened cannot un-happen. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "services/admin/admin.h"
#include "services/account/account.h"
#include "services/audit/audit.h"
#include "core/db.h"
#include "core/env.h"
#include "core/events.h"
#include "core/exec.h"
#include "core/jobs.h"

#include <inttypes.h>

/* Ten years at once, a hundred in all: dates stay within what RFC 3339 and civil arithmetic know. */
#define ADVANCE_MAX (INT64_C(10) * 366 * 86400)
#define OFFSET_MAX  (INT64_C(100) * 366 * DAY)

struct clock_state {
    struct when now, real;
    int64_t offset_s;
};

static const struct field clock_state_fields[] = {
    WHEN(clock_state, now, "Business time"),
    WHEN(clock_state, real, "Real time"),
    INTEGER(clock_state, offset_s, "How far business time is ahead, in seconds"),
};
STATIC_SHAPE(clock_state);

struct clock_advance {
    int64_t advance_s;
};

static const struct field clock_advance_fields[] = {
    INTEGER(clock_advance, advance_s, "Seconds to go forwards", .min = 1, .max = ADVANCE_MAX),
};
STATIC_SHAPE(clock_advance);

struct role_set {
    enum role role;
};

static const struct field role_set_fields[] = {
    ENUM(role_set, role, role_names, "What the account may do from now on"),
};
STATIC_SHAPE(role_set);

struct account_ref {
    struct id account;
};

static const struct field account_ref_fields[] = {
    ID(account_ref, account, ID_USER, "Account"),
};
STATIC_SHAPE(account_ref);

struct job_ref {
    struct id job;
};

static const struct field job_ref_fields[] = {
    ID(job_ref, job, ID_JOB, "Job"),
};
STATIC_SHAPE(job_ref);

/* --- the clock -------------------------------------------------------------------------------------------------- */

static enum err clock_get(struct call *c)
{
    struct when real = env_real_now(c->env);
    /* Not from two looks at the clock, between which it goes on. */
    int64_t offset_us = __atomic_load_n(&c->env->clock.offset_us, __ATOMIC_ACQUIRE);

    *OUT(c, clock_state) =
        (struct clock_state) { when_after(real, offset_us), real, offset_us / SECOND };
    return E_OK;
}

struct clock_step {
    int64_t by_us, offset_us;
};

static enum err clock_keep(struct call *c)
{
    struct clock_step *step = c->prepared;

    TRY(db_int(c, &step->offset_us,
               "INSERT INTO admin_clock (id, offset_us) VALUES (1, $1)"
               " ON CONFLICT (id) DO UPDATE SET offset_us = admin_clock.offset_us + $1"
               " RETURNING offset_us",
               step->by_us));
    if (step->offset_us > OFFSET_MAX)
        return fail_field(c, E_INVALID, "advance_s", "the clock is a hundred years ahead already");
    return audit_add(c, "clock.advanced", ID_NONE, STR_NONE);
}

/* Several may be on their way: the furthest wins. */
static void clock_set(struct env *e, int64_t offset_us)
{
    int64_t old = __atomic_load_n(&e->clock.offset_us, __ATOMIC_ACQUIRE);

    while (old < offset_us &&
           !__atomic_compare_exchange_n(&e->clock.offset_us, &old, offset_us, false,
                                        __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
    }
}

/* Kept first, in a transaction of its own; only then does time move, and once. */
static enum err clock_prepare(struct call *c)
{
    struct clock_step step = { .by_us = IN(c, clock_advance)->advance_s * SECOND };
    struct call own;

    call_begin(&own, c->env, c->arena);
    own.actor = c->actor;
    own.who = c->who;
    own.address = c->address;
    own.prepared = &step;
    enum err e = exec_transaction(c->env->exec, &own, WRITE, clock_keep);
    c->problem = own.problem;
    TRY(e);
    clock_set(c->env, step.offset_us);
    /* Much may be due now. */
    struct jobs *jobs = __atomic_load_n(&c->env->jobs, __ATOMIC_ACQUIRE);
    struct hub *hub = __atomic_load_n(&c->env->hub, __ATOMIC_ACQUIRE);
    if (jobs != NULL)
        jobs_wake(jobs);
    if (hub != NULL)
        hub_wake(hub);
    return E_OK;
}

static enum err clock_start(struct call *c)
{
    int64_t offset_us = 0;
    enum err e = db_int(c, &offset_us, "SELECT offset_us FROM admin_clock WHERE id = 1");

    if (e == E_OK && c->env->development)
        clock_set(c->env, offset_us);
    return e == E_NOT_FOUND ? E_OK : e;
}

/* --- roles ------------------------------------------------------------------------------------------------------ */

static enum err role_put(struct call *c)
{
    struct id account = PARAMS(c, account_ref)->account;

    if (id_is(account, c->who)) /* the last admin stays one */
        return fail(c, E_CONFLICT, "Nobody changes the own role. Ask another admin.");
    return account_set_role(c, account, IN(c, role_set)->role);
}

/* --- jobs ------------------------------------------------------------------------------------------------------- */

static enum err job_list(struct call *c)
{
    const struct page_query *q = QUERY(c, page_query);

    return jobs_dead(c, q->cursor, q->limit);
}

static enum err job_run(struct call *c)
{
    struct id job = PARAMS(c, job_ref)->job;

    TRY(job_again(c, job));
    return audit_add(c, "job.run_again", job, STR_NONE);
}

static const struct route routes[] = {
    { GET, "/v1/development/clock", clock_get, "Business and real time", .out = &clock_state_shape,
      .auth = DEVELOPMENT, .tx = NONE },
    { POST, "/v1/development/clock", clock_get, "Move business time forwards",
      .in = &clock_advance_shape, .out = &clock_state_shape, .auth = DEVELOPMENT, .tx = NONE,
      .prepare = clock_prepare },
    { PUT, "/v1/admin/accounts/{account}/role", role_put, "Give an account a role",
      .params = &account_ref_shape, .in = &role_set_shape, .auth = ADMIN, .tx = WRITE,
      .fails = { E_CONFLICT } },
    { GET, "/v1/admin/jobs/dead", job_list, "Jobs whose tries are spent, newest first",
      .query = &page_query_shape, .items = &job_dead_shape, .auth = ADMIN, .tx = READ },
    { POST, "/v1/admin/jobs/{job}/run", job_run, "Try such a job again", .params = &job_ref_shape,
      .auth = ADMIN, .tx = WRITE, .fails = { E_TAKEN } },
};

const struct module admin_module = { "admin", MODULE_ROUTES(routes), .start = clock_start };
