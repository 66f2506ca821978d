/* hot_test.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/hot.h"
#include "base/when.h"
#include "test/unit.h"

#include <fcntl.h>
#include <sys/mman.h>

enum { BIG = 1000, ROOM = 10 * BIG };

/* BIG bytes that only a file of this number has. */
static int file_of(int number)
{
    int fd = memfd_create("hot", MFD_CLOEXEC);
    char bytes[BIG];

    memset(bytes, number, sizeof(bytes));
    REQUIRE(fd >= 0 && write(fd, bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes));
    return fd;
}

/* Whether it came from memory or into it; then it is the right one. */
static bool ask(struct hot *h, int number, int64_t now_us)
{
    char name[20];
    int fd = file_of(number);

    snprintf(name, sizeof(name), "file %d", number);
    struct hot_file *f = hot_ask(h, str_of(name), fd, BIG, now_us);
    bool is_hot = f != NULL;
    if (is_hot)
        CHECK(f->n == BIG && f->bytes[0] == (char)number && f->bytes[BIG - 1] == (char)number);
    hot_drop(f);
    close(fd);
    return is_hot;
}

static struct hot *open_hot(struct metrics **m)
{
    *m = metrics_open(NULL, 0);
    return hot_open(ROOM, *m);
}

TEST(a_file_is_hot_when_it_is_asked_for_again_soon)
{
    struct metrics *m;
    struct hot *h = open_hot(&m);

    CHECK(!ask(h, 1, SECOND));
    CHECK(ask(h, 1, 2 * SECOND));
    CHECK(ask(h, 1, HOUR)); /* it is in; how long ago does not matter */
    CHECK(!ask(h, 2, SECOND));
    CHECK(!ask(h, 2, 2 * MINUTE)); /* too long ago */
    CHECK(ask(h, 2, 2 * MINUTE + SECOND));
    hot_close(h);
    metrics_close(m);
}

TEST(hot_files_take_no_more_room_than_there_is)
{
    enum { FILES = 40 };
    struct metrics *m;
    struct hot *h = open_hot(&m);
    int kept = 0;

    for (int i = 1; i <= FILES; i++) {
        ask(h, i, SECOND);
        CHECK(ask(h, i, SECOND));
        CHECK(metrics_get(m, METRIC_CACHE_BYTES) <= ROOM);
    }
    CHECK_INT(metrics_get(m, METRIC_CACHE_BYTES), ROOM);
    for (int i = 1; i <= FILES; i++)
        kept += ask(h, i, HOUR); /* so late that a first time counts for nothing */
    CHECK_INT(kept, ROOM / BIG);
    hot_close(h);
    CHECK_INT(metrics_get(m, METRIC_CACHE_BYTES), 0);
    metrics_close(m);
}

TEST(a_file_that_many_ask_for_outlasts_those_that_few_do)
{
    struct metrics *m;
    struct hot *h = open_hot(&m);

    ask(h, 1, SECOND);
    CHECK(ask(h, 1, SECOND));
    for (int i = 2; i < 60; i++) {
        ask(h, i, SECOND);
        ask(h, i, SECOND);
        CHECK(ask(h, 1, HOUR));
    }
    hot_close(h);
    metrics_close(m);
}

/* Else they would be counted no more, and be there all the same. */
TEST(hot_files_that_are_held_keep_their_room)
{
    enum { HELD = ROOM / BIG - 1 };
    struct metrics *m;
    struct hot *h = open_hot(&m);
    struct hot_file *held[HELD];

    for (int i = 0; i < HELD; i++) {
        char name[20];
        int fd = file_of(i + 1);
        snprintf(name, sizeof(name), "file %d", i + 1);
        hot_ask(h, str_of(name), fd, BIG, SECOND);
        held[i] = hot_ask(h, str_of(name), fd, BIG, SECOND);
        REQUIRE(held[i] != NULL);
        close(fd);
    }
    for (int i = 100; i < 120; i++) { /* one place is left for all of these */
        ask(h, i, SECOND);
        ask(h, i, SECOND);
        CHECK(metrics_get(m, METRIC_CACHE_BYTES) <= ROOM);
    }
    for (int i = 0; i < HELD; i++)
        CHECK(ask(h, i + 1, HOUR));
    ask(h, 200, SECOND);
    CHECK(ask(h, 200, SECOND));
    int fd = file_of(200);
    struct hot_file *last = hot_ask(h, STR("file 200"), fd, BIG, SECOND);
    close(fd);
    REQUIRE(last != NULL);
    ask(h, 201, SECOND);
    CHECK(!ask(h, 201, SECOND)); /* all is held */
    hot_drop(last);
    CHECK(ask(h, 201, 2 * SECOND));
    for (int i = 0; i < HELD; i++)
        hot_drop(held[i]);
    hot_close(h);
    metrics_close(m);
}

TEST(a_file_lives_as_long_as_somebody_sends_it)
{
    struct metrics *m;
    struct hot *h = open_hot(&m);
    int fd = file_of(7);

    hot_ask(h, STR("seven"), fd, BIG, SECOND);
    struct hot_file *f = hot_ask(h, STR("seven"), fd, BIG, SECOND);
    close(fd);
    hot_close(h);
    REQUIRE(f != NULL);
    CHECK(f->bytes[BIG - 1] == 7);
    hot_drop(f);
    metrics_close(m);
}

TEST(what_is_no_file_of_that_size_is_not_hot)
{
    struct metrics *m;
    struct hot *h = open_hot(&m);
    int fd = file_of(1);

    for (int i = 0; i < 3; i++) {
        CHECK(hot_ask(h, STR("cut"), fd, BIG + 1, SECOND) == NULL);    /* it ends early */
        CHECK(hot_ask(h, STR("large"), fd, ROOM + 1, SECOND) == NULL); /* more than all room */
        CHECK(hot_ask(h, STR("huge"), fd, HOT_FILE_MAX + 1, SECOND) == NULL);
    }
    close(fd);
    hot_close(h);
    metrics_close(m);
}
