/* overload_test.c -- by a clock that is turned by hand. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/overload.h"
#include "test/unit.h"

enum { MS = 1000, CALM = 20 * MS, MOST = 500 * MS };

/* One a millisecond for a while, each after the same wait; how many were turned away. */
static int come(struct overload *o, int64_t *now_us, int for_ms, int64_t waited_us)
{
    int refused = 0;

    for (int i = 0; i < for_ms; i++, *now_us += MS)
        refused += overload_refuses(o, waited_us, *now_us);
    return refused;
}

static struct overload fresh(void)
{
    return (struct overload) { .patience_us = CALM, .patience_max_us = MOST };
}

TEST(overload_lets_a_short_queue_be)
{
    struct overload o = fresh();
    int64_t now_us = SECOND;

    CHECK_INT(come(&o, &now_us, 1000, 0), 0);
    CHECK_INT(come(&o, &now_us, 1000, CALM), 0);
}

TEST(overload_turns_away_when_the_queue_stands_and_not_before)
{
    struct overload o = fresh();
    int64_t now_us = SECOND;

    CHECK_INT(come(&o, &now_us, 100, 2 * CALM), 0);   /* one interval, to find out */
    CHECK_INT(come(&o, &now_us, 100, 2 * CALM), 100); /* and the next */
    CHECK(!overload_refuses(&o, CALM, now_us)); /* those who have not waited long are served */
}

TEST(overload_takes_up_a_burst)
{
    struct overload o = fresh();
    int64_t now_us = SECOND;

    for (int i = 0; i < 20; i++) { /* 90 ms late, then nobody waits for a moment */
        CHECK_INT(come(&o, &now_us, 90, 4 * CALM), 0);
        CHECK_INT(come(&o, &now_us, 10, 0), 0);
    }
}

/* One in ten is in time: to let the crowd in again because of him would make everybody late. */
TEST(overload_lasts_while_many_are_turned_away)
{
    struct overload o = fresh();
    int64_t now_us = SECOND;

    come(&o, &now_us, 200, 2 * CALM);
    for (int i = 0; i < 100; i++) {
        CHECK_INT(come(&o, &now_us, 9, 2 * CALM), 9);
        CHECK_INT(come(&o, &now_us, 1, 0), 0);
    }
}

TEST(overload_ends_when_few_are_turned_away)
{
    struct overload o = fresh();
    int64_t now_us = SECOND;

    come(&o, &now_us, 200, 2 * CALM);
    for (int i = 0; i < 10; i++) { /* a tenth of a second, and one in ten is late */
        CHECK_INT(come(&o, &now_us, 1, 2 * CALM), 1);
        CHECK_INT(come(&o, &now_us, 9, 0), 0);
    }
    CHECK_INT(come(&o, &now_us, 100, 2 * CALM), 0);
}

TEST(overload_is_forgotten_after_a_pause)
{
    struct overload o = fresh();
    int64_t now_us = SECOND;

    come(&o, &now_us, 200, 2 * CALM);
    now_us += SECOND;
    CHECK(!overload_refuses(&o, 2 * CALM, now_us));
    CHECK(!o.stands);
}

/* The loop was held up by something else, and nobody was asked for; those who come to their turn then have waited for it. */
TEST(overload_sees_who_waited_while_nobody_looked)
{
    struct overload o = fresh();
    int64_t now_us = SECOND;

    come(&o, &now_us, 100, 2 * CALM);
    now_us += 300 * MS;
    CHECK(overload_refuses(&o, 250 * MS, now_us));
}

/* On a slow machine a few are late although there is no queue; to turn them away would help nobody. */
TEST(overload_needs_a_crowd)
{
    struct overload o = fresh();
    int64_t now_us = SECOND;

    for (int i = 0; i < 100; i++, now_us += 25 * MS)
        CHECK(!overload_refuses(&o, 2 * MOST, now_us));
}

TEST(overload_has_an_end_of_all_patience)
{
    struct overload o = fresh();

    int64_t now_us = SECOND;

    CHECK_INT(come(&o, &now_us, OVERLOAD_CROWD, MOST + 1), 0);
    CHECK(!overload_refuses(&o, MOST, now_us));
    CHECK(overload_refuses(&o, MOST + 1, now_us));
}

/* The control: what the tests above expect is this setting's doing. */
TEST(overload_can_be_turned_off)
{
    struct overload o = { .patience_us = 0 };
    int64_t now_us = SECOND;

    CHECK_INT(come(&o, &now_us, 1000, 100 * MOST), 0);
}
