/* power_test.c -- the power goes at any moment of the pay path: what was acknowledged is there, and the books are balanced.
 *
 * The people of payers.h pay through the whole program on a disk that is recorded (power.h); then the database is looked
 * at as it would stand after the power went, at random moments. The same with synchronous=NORMAL, which the driver does
 * not use, must lose something, and with OFF something must be corrupt: else this could not find anything.
 *
 * STAGEDOOR_POWER=2000 is how many images there are; STAGEDOOR_SEED repeats their choice. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "test/payers.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RUNS = 4, PLACES = 6, LIVES = 3, FEW = 40 };

struct tally {
    const char *what;
    int images, lossy, corrupt, wrong;
    int64_t wanted, lost, told, operations;
    int fates[FATE_COUNT];
    bool quiet; /* a control: what it finds is no failure */
};

static void tell(const struct tally *t)
{
    const int *f = t->fates;

    NOTE("%s: %d images of %" PRId64 " operations; %" PRId64 " acknowledged, looked for %" PRId64
         " times, %" PRId64 " lost in %d images; %d corrupt; %d disagree; unsynced writes were"
         " lost %d, kept %d, torn %d, reordered %d, shredded %d",
         t->what, t->images, t->operations, t->told, t->wanted, t->lost, t->lossy, t->corrupt,
         t->wrong, f[FATE_LOST], f[FATE_KEPT], f[FATE_TORN], f[FATE_REORDERED], f[FATE_SHREDDED]);
}

static void count(struct tally *t, const struct verdict *v, enum fate fate, size_t at)
{
    bool wrong = v->wrong != NULL && v->whole;

    t->images++;
    t->fates[fate]++;
    t->wanted += (int64_t)v->wanted;
    t->lost += (int64_t)v->lost;
    t->lossy += v->lost > 0;
    t->corrupt += !v->whole;
    t->wrong += wrong;
    if (!t->quiet && (v->lost > 0 || !v->whole || wrong))
        FAIL("image at %zu, unsynced writes %s: %s, %zu lost (%s), %s", at, fate_names[fate],
             !v->opened  ? "does not open"
             : !v->whole ? "corrupt"
                         : "whole",
             v->lost, v->first, v->wrong == NULL ? "agrees" : v->wrong);
}

static int ascending(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;

    return x < y ? -1 : x > y;
}

static void judge(struct power *power, struct images *images, const struct payers *people, int n,
                  struct tally *t)
{
    struct told_map told = { 0 };
    size_t *points = calloc((size_t)n, sizeof(*points));

    must(points != NULL);
    told_map_open(&told, people);
    for (int i = 0; i < n; i++)
        points[i] = (size_t)images_chance(images, power_now(power) + 1);
    qsort(points, (size_t)n, sizeof(points[0]), ascending);
    for (int i = 0; i < n; i++) {
        images_forward(images, points[i]);
        enum fate fate = image_write(images, image_folder());
        struct verdict v = payers_judge(&told, image_folder(), points[i]);
        count(t, &v, fate, points[i]);
    }
    t->told += (int64_t)people->told_n;
    t->operations += (int64_t)power_now(power);
    free(points);
    arena_done(&told.arena);
}

/* --- runs -------------------------------------------------------------------------------------------------------- */

static void every_rule_notices(void)
{
    for (size_t i = 0; i < payers_rules_n; i++)
        if (!payers_rule_notices(unit_dir(), &payers_rules[i]))
            FAIL("the rule does not notice its tampering: %s", payers_rules[i].name);
}

/* A new disk, some people, and n images of it. `checkpoints`: the WAL is put back after each 100 pages instead of 4,000, so
 * that the power often goes in the middle of it. */
static void run(const char *synchronous, bool checkpoints, int n, uint64_t seed, struct tally *t)
{
    struct power *power = power_open();
    char db[300];

    snprintf(db, sizeof(db), "%s/test.db", unit_dir());
    unlink(db);
    if (synchronous != NULL)
        power_pragma(power, "synchronous", synchronous);
    if (checkpoints)
        power_pragma(power, "wal_autocheckpoint", "100");
    struct payers *people = payers_new(power);
    payers_begin(people, 0);
    payers_live(people, PLACES, LIVES);
    payers_end(people);
    power_record(power, false);
    struct images *images = images_open(power, seed);
    judge(power, images, people, n, t);
    every_rule_notices();
    images_close(images);
    payers_free(people);
    power_close(power);
}

TEST_SECONDS(power_may_go_at_any_moment, 300)
{
    int images = (int)unit_setting("STAGEDOOR_POWER", FEW);
    struct tally t = { .what = "synchronous=FULL" };
    uint64_t seed = unit_seed();

    for (int i = 0; i < RUNS; i++)
        run(NULL, i > 0, (images + i) / RUNS, seed + (uint64_t)i, &t);
    tell(&t);
    CHECK_INT(t.images, images);
    CHECK(t.wanted > 0);
}

/* A commit that does not wait for the disk: what was acknowledged is lost. (Once, one image of 500 was corrupt too.) */
TEST_SLOW(power_control_normal_loses, 300)
{
    int images = (int)unit_setting("STAGEDOOR_POWER", FEW) / RUNS;
    struct tally t = { .what = "control, synchronous=NORMAL", .quiet = true };

    run("1", false, images < FEW ? FEW : images, unit_seed(), &t);
    tell(&t);
    CHECK(t.lost > 0 && t.lossy > 0);
}

/* Nothing is waited for: the oracle of corruption sees it. */
TEST_SLOW(power_control_off_corrupts, 300)
{
    struct tally t = { .what = "control, synchronous=OFF", .quiet = true };

    run("0", true, 3 * FEW, unit_seed(), &t);
    tell(&t);
    CHECK(t.corrupt > 0);
}
