/* map_test.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"
#include "test/unit.h"

TEST(map_finds_what_was_put_and_nothing_else)
{
    struct arena a = { 0 };
    struct map m = { .arena = &a };
    enum { N = 5000 };
    static int values[N];

    CHECK(map_get(&m, STR("x")) == NULL);
    for (int i = 0; i < N; i++)
        map_put(&m, str_printf(&a, "key-%d", i), &values[i]);
    CHECK_INT(m.n, N);
    for (int i = 0; i < N; i++)
        if (map_get(&m, str_printf(&a, "key-%d", i)) != &values[i])
            FAIL("key-%d is lost", i);
    CHECK(map_get(&m, STR("key-5000")) == NULL);
    CHECK(map_get(&m, STR("key-")) == NULL);
    arena_done(&a);
}

TEST(map_put_replaces)
{
    struct arena a = { 0 };
    struct map m = { .arena = &a };
    int one, two;

    map_put(&m, STR("x"), &one);
    map_put(&m, STR("x"), &two);
    map_put(&m, STR(""), &one); /* the empty string is a key like any other */
    CHECK_INT(m.n, 2);
    CHECK(map_get(&m, STR("x")) == &two);
    CHECK(map_get(&m, STR("")) == &one);
    arena_done(&a);
}
