/* sim_test.c -- the simulator among the unit tests: a few seeds on both engines, the same run twice, and its own rules. Two
 * hundred seeds, the controls and what must have been reached are a part of ./dev check of their own. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "test/sim.h"
#include "test/unit.h"

#include <inttypes.h>
#include <string.h>

static void some_seeds(const char *engine, uint64_t from, uint64_t to, int steps)
{
    struct sim_plan plan = { .steps = steps, .engine = engine };
    struct sim_result r;

    if (strcmp(engine, "postgres") == 0)
        unit_postgres();
    for (plan.seed = from; plan.seed <= to; plan.seed++)
        if (!sim_try(&plan, &r))
            FAIL("./dev sim SEED=%" PRIu64 " STEPS=%d ENGINE=%s: step %d: %s: %s", plan.seed, steps,
                 engine, r.step, r.rule, r.violation);
}

TEST_SECONDS(sim_some_seeds_hold_on_sqlite, 60)
{
    some_seeds("sqlite", 301, 306, 100);
}

TEST_SECONDS(sim_a_seed_holds_on_postgres, 120)
{
    some_seeds("postgres", 301, 301, 40);
}

TEST_SLOW(sim_the_same_seed_is_the_same_run, 60)
{
    CHECK(sim_same(815, "sqlite"));
}

/* One control here, all of them in the part of its own. */
TEST_SECONDS(sim_a_period_that_nobody_paid_is_noticed, 60)
{
    struct sim_plan plan = {
        .seed = 1, .steps = 120, .engine = "sqlite", .broken = "unpaid-period"
    };
    struct sim_result r;

    CHECK(!sim_try(&plan, &r));
    CHECK_STR(r.rule, "entitlement");
    CHECK(r.step > 0 && r.lines > 0);
}
