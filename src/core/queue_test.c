/* queue_test.c -- who gets in, and in which order; by a clock that is turned by hand. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/queue.h"
#include "test/unit.h"

#include <sched.h>

enum { MS = 1000, PATIENCE = 250 * MS, ROOM = 40, LONG = 60 * 1000 * MS };

struct people {
    struct queue queue;
    struct call calls[2 * ROOM];
    size_t n;
};

static void people_init(struct people *p, int64_t patience_us)
{
    *p = (struct people) { .n = 0 };
    queue_init(&p->queue, ROOM, patience_us);
}

static bool join(struct people *p, bool vital, int64_t now_us)
{
    struct call *c = &p->calls[p->n++];

    c->vital = vital;
    return queue_push(&p->queue, c, now_us);
}

static void people_done(struct people *p)
{
    if (queue_length(&p->queue) > 0)
        queue_pop(&p->queue, ROOM);
    queue_done(&p->queue);
}

static int joined(struct people *p, int n, int64_t now_us)
{
    int in = 0;

    for (int i = 0; i < n; i++)
        in += join(p, false, now_us);
    return in;
}

TEST(queue_is_bounded_by_number)
{
    struct people p;

    people_init(&p, PATIENCE);
    CHECK_INT(joined(&p, ROOM + 3, 0), ROOM);
    CHECK_INT(p.queue.full, 3);
    CHECK(!join(&p, true, 0)); /* for vital ones too */
    CHECK_INT(p.queue.late, 0);
    people_done(&p);
}

TEST(queue_turns_away_behind_one_who_has_waited_for_long)
{
    struct people p;

    people_init(&p, PATIENCE);
    CHECK_INT(joined(&p, QUEUE_CROWD, SECOND), QUEUE_CROWD);
    CHECK(join(&p, false, SECOND + PATIENCE));
    CHECK(!join(&p, false, SECOND + PATIENCE + 1));
    CHECK(join(&p, true, SECOND + PATIENCE + 1)); /* money, health, jobs */
    CHECK_INT(p.queue.late, 1);
    queue_pop(&p.queue, QUEUE_CROWD + 1); /* the line moves on */
    CHECK(join(&p, false, SECOND + PATIENCE + 1));
    people_done(&p);
}

/* The control of the test above. */
TEST(queue_without_patience_is_bounded_by_number_alone)
{
    struct people p;

    people_init(&p, 0);
    CHECK_INT(joined(&p, QUEUE_CROWD, SECOND), QUEUE_CROWD);
    CHECK(join(&p, false, 100 * SECOND));
    struct call *c = queue_pop(&p.queue, 1);
    CHECK(!queue_too_late(&p.queue, c, 100 * SECOND));
    people_done(&p);
}

TEST(queue_lets_a_few_wait_for_a_slow_disk)
{
    struct people p;

    people_init(&p, PATIENCE);
    CHECK_INT(joined(&p, QUEUE_CROWD - 1, SECOND), QUEUE_CROWD - 1);
    CHECK(join(&p, false, SECOND + 10 * PATIENCE));
    people_done(&p);
}

TEST(queue_serves_vital_calls_first_and_each_kind_in_order)
{
    static const size_t order[] = { 1, 4, 0, 2, 3 };
    static const bool vital[] = { false, true, false, false, true };
    struct people p;

    people_init(&p, PATIENCE);
    for (size_t i = 0; i < COUNT(vital); i++)
        REQUIRE(join(&p, vital[i], 0));
    struct call *c = queue_pop(&p.queue, ROOM);
    for (size_t i = 0; i < COUNT(order); i++, c = c->next)
        CHECK_INT(c - p.calls, order[i]);
    CHECK(c == NULL);
    people_done(&p);
}

TEST(queue_tells_who_has_waited_too_long_while_a_crowd_is_behind)
{
    struct people p;

    people_init(&p, PATIENCE);
    REQUIRE(join(&p, true, 0));
    joined(&p, 2 * QUEUE_CROWD, 0);
    struct call *money = queue_pop(&p.queue, 1), *one = queue_pop(&p.queue, 1);
    CHECK(!queue_too_late(&p.queue, one, 3 * PATIENCE));
    CHECK(queue_too_late(&p.queue, one, 3 * PATIENCE + 1));
    CHECK(!queue_too_late(&p.queue, money, 100 * PATIENCE));
    queue_pop(&p.queue, QUEUE_CROWD);
    CHECK(!queue_too_late(&p.queue, one, 100 * PATIENCE)); /* nobody would gain by it */
    CHECK_INT(p.queue.late, 1);
    people_done(&p);
}

/* --- gathering: who comes meanwhile is waited for ---------------------------------------------------------------- */

/* Its count is read before anybody comes: who came earlier would not be one of those hoped for. */
static void wait_until_gathering(struct queue *q)
{
    bool gathers = false;

    while (!gathers) {
        pthread_mutex_lock(&q->lock);
        gathers = q->wanted > 1;
        pthread_mutex_unlock(&q->lock);
        sched_yield();
    }
}

static void *come(void *arg)
{
    struct people *p = arg;

    wait_until_gathering(&p->queue);
    for (int i = 0; i < 5; i++)
        join(p, false, 0);
    return NULL;
}

/* How many are in line after a crowd of five was waited for, as long as it takes. */
static size_t gathered(size_t more, size_t most)
{
    struct people p;
    pthread_t crowd;

    people_init(&p, 0);
    join(&p, false, 0);
    REQUIRE(pthread_create(&crowd, NULL, come, &p) == 0);
    queue_gather(&p.queue, more, most, LONG, LONG);
    size_t n = queue_length(&p.queue);
    pthread_join(crowd, NULL);
    CHECK_INT(queue_length(&p.queue), 6);
    people_done(&p);
    return n;
}

TEST(queue_gathers_as_many_as_it_hopes_for)
{
    CHECK(gathered(5, ROOM) == 6);
    CHECK(gathered(2, ROOM) >= 3);
    CHECK(gathered(ROOM, 4) >= 4); /* a batch has no room for more */
}

TEST(queue_gathers_nobody_when_a_batch_is_there)
{
    struct people p;

    people_init(&p, 0);
    join(&p, false, 0);
    queue_gather(&p.queue, ROOM, 1, LONG, LONG);
    CHECK_INT(queue_length(&p.queue), 1);
    people_done(&p);
}

TEST(queue_gathers_no_longer_than_they_keep_coming)
{
    struct people p;

    people_init(&p, 0);
    queue_gather(&p.queue, 5, ROOM, MS, LONG); /* nobody comes */
    CHECK_INT(joined(&p, 3, 0), 3);
    queue_gather(&p.queue, 5, ROOM, MS, LONG); /* nobody else */
    queue_gather(&p.queue, ROOM + 1, 2 * ROOM, LONG, MS);
    CHECK_INT(queue_length(&p.queue), 3);
    people_done(&p);
}
