/* limiter_test.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/limiter.h"
#include "test/unit.h"

static const struct rate slow = { .a_minute = 60, .burst = 3 };

TEST(limiter_lets_a_burst_through_then_one_a_second)
{
    struct limiter *l = limiter_open(7);
    int64_t now = 5 * SECOND;

    for (int i = 0; i < 3; i++)
        CHECK_INT(limiter_take(l, STR("ana"), 0, slow, now), 0);
    CHECK_INT(limiter_take(l, STR("ana"), 0, slow, now), 1);
    CHECK_INT(limiter_take(l, STR("ana"), 0, slow, now + SECOND - 1), 1);
    CHECK_INT(limiter_take(l, STR("ana"), 0, slow, now + SECOND), 0);
    CHECK_INT(limiter_take(l, STR("ana"), 0, slow, now + SECOND), 1);
    for (int i = 0; i < 3; i++)
        CHECK_INT(limiter_take(l, STR("ana"), 0, slow, now + 60 * SECOND), 0);
    CHECK_INT(limiter_take(l, STR("ana"), 0, slow, now + 60 * SECOND), 1);
    limiter_close(l);
}

TEST(limiter_keeps_callers_and_things_apart)
{
    struct limiter *l = limiter_open(7);
    const struct rate one = { .a_minute = 1, .burst = 1 };

    CHECK_INT(limiter_take(l, STR("ana"), 0, one, SECOND), 0);
    CHECK_INT(limiter_take(l, STR("ana"), 0, one, SECOND), 60);
    CHECK_INT(limiter_take(l, STR("ana"), 1, one, SECOND), 0);
    CHECK_INT(limiter_take(l, STR("ben"), 0, one, SECOND), 0);
    limiter_close(l);
}

/* A flood of addresses may push out small debts, but not that of one who is far over. */
TEST(limiter_remembers_the_worst_in_a_flood)
{
    struct limiter *l = limiter_open(7);
    const struct rate burst = { .a_minute = 10, .burst = 100 };
    int64_t now = SECOND;

    for (int i = 0; i < 100; i++)
        CHECK_INT(limiter_take(l, STR("worst"), 0, burst, now), 0);
    for (uint64_t i = 0; i < 1000000; i++)
        limiter_take(l, (struct str) { (const char *)&i, sizeof(i) }, 0, burst, now);
    CHECK(limiter_take(l, STR("worst"), 0, burst, now) > 0);
    limiter_close(l);
}
