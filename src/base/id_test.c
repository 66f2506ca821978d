/* id_test.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/id.h"
#include "test/unit.h"

#include <pthread.h>
#include <string.h>

#define NOW_MS INT64_C(1795228645000) /* 2026-11-21 */

TEST(id_survives_print_and_parse)
{
    static const int64_t some[] = { 1, 31, 32, 1 << 20, INT64_C(0x0123456789abcdef), INT64_MAX };
    char text[ID_TEXT_MAX];
    struct id back;

    for (size_t i = 0; i < COUNT(some); i++) {
        size_t n = id_print(text, "pst", (struct id) { some[i] });
        CHECK_INT(n, 17);
        CHECK_INT(strlen(text), n);
        REQUIRE(id_parse(str_of(text), "pst", &back));
        CHECK_INT(back.v, some[i]);
    }
}

TEST(id_parse_refuses_all_but_the_one_spelling)
{
    static const char *const bad[] = {
        "",
        "pst_",
        "pst_0000000000000", /* 0 is none */
        "pst_000000000001",
        "pst_00000000000001",
        "usr_0000000000001",
        "pst-0000000000001",
        "PST_0000000000001",
        "pst_000000000000A", /* upper case */
        "pst_000000000000i",
        "pst_000000000000l",
        "pst_000000000000o",
        "pst_000000000000u", /* not Crockford's */
        "pst_8000000000000",
        "pst_zzzzzzzzzzzzz", /* over 63 bits, over 64 bits */
        " pst_000000000001",
        "pst_000000000001 ",
    };
    struct id id = { 42 };

    for (size_t i = 0; i < COUNT(bad); i++)
        if (id_parse(str_of(bad[i]), "pst", &id) || id.v != 42)
            FAIL("\"%s\" was taken", bad[i]);
    CHECK(!id_parse(STR("pst_00000\0000001"), "pst", &id));
    CHECK(!id_parse(STR_NONE, "pst", &id));
    CHECK(id_parse(STR("pst_7zzzzzzzzzzzz"), "pst", &id));
    CHECK_INT(id.v, INT64_MAX);
}

TEST(ids_sort_as_text_as_they_sort_as_numbers)
{
    uint64_t v = 1;
    char last[ID_DIGITS + 1] = "", text[ID_DIGITS + 1] = "";

    for (int i = 0; i < 62; i++, v = v * 2 + (uint64_t)(i & 1)) {
        base32_print(text, v);
        CHECK(strcmp(text, last) > 0);
        memcpy(last, text, sizeof(last));
    }
}

TEST(ids_only_grow_though_the_clock_goes_back)
{
    struct id_maker m = { .node = 255 };
    struct id last = ID_NONE;

    for (int i = 0; i < 100000; i++) {
        struct id id = id_make(&m, NOW_MS - i % 7 * 1000);
        if (id.v <= last.v)
            FAIL("id %d is not larger than the one before", i);
        CHECK_INT(id.v >> 13 & 255, 255);
        last = id;
    }
}

TEST(id_carries_its_millisecond_and_node)
{
    struct id_maker m = { .node = 3 };
    struct id id = id_make(&m, NOW_MS);

    CHECK_INT((id.v >> 21) + INT64_C(1704067200000), NOW_MS);
    CHECK_INT(id.v >> 13 & 255, 3);
    CHECK(id_some(id) && !id_some(ID_NONE));
    CHECK(id_is(id, id) && !id_is(id, ID_NONE));
}

TEST(ids_last_a_century)
{
    struct id_maker m = { .node = 255 };

    CHECK(id_make(&m, INT64_C(4859740800000)).v > 0); /* 2124-01-01 */
}

enum { THREADS = 4, EACH = 20000 };

struct making {
    struct id_maker *maker;
    int64_t made[EACH];
};

static void *make_many(void *p)
{
    struct making *k = p;

    for (int i = 0; i < EACH; i++)
        k->made[i] = id_make(k->maker, NOW_MS).v;
    return NULL;
}

TEST(ids_of_many_threads_are_distinct)
{
    static struct making each[THREADS];
    static bool seen[THREADS * EACH];
    struct id_maker m = { 0 };
    pthread_t threads[THREADS];
    int64_t first = INT64_MAX;

    for (int t = 0; t < THREADS; t++) {
        each[t].maker = &m;
        REQUIRE(pthread_create(&threads[t], NULL, make_many, &each[t]) == 0);
    }
    for (int t = 0; t < THREADS; t++) {
        pthread_join(threads[t], NULL);
        first = each[t].made[0] < first ? each[t].made[0] : first;
    }
    for (int t = 0; t < THREADS; t++)
        for (int i = 0; i < EACH; i++) {
            /* Sequence and node apart, the numbers must be consecutive: none twice, none lost. */
            int64_t v = each[t].made[i];
            int64_t at = ((v >> 21) - (first >> 21)) * 8192 + (v & 8191) - (first & 8191);
            REQUIRE(at >= 0 && at < THREADS * EACH && !seen[at]);
            seen[at] = true;
        }
}
