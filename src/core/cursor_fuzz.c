/* cursor_fuzz.c -- the `next` of a page (db.c): a cursor is what this list printed, to the byte, or none. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/env.h"
#include "test/fuzz.h"

#include <string.h>

static bool reads(struct env *e, const struct route *r, struct arena *a, struct str text,
                  int64_t *key)
{
    struct call c = { .env = e, .arena = a, .route = r };
    int64_t before = *key;
    enum err err = db_cursor_parse(&c, text, key);

    HOLDS(err == E_OK || (err == E_INVALID && *key == before && str_is(c.problem.field, "cursor")));
    return err == E_OK;
}

static struct str printed(struct env *e, const struct route *r, struct arena *a, int64_t key)
{
    struct call c = { .env = e, .arena = a, .route = r };

    return fuzz_exact(a, db_cursor_print(&c, key));
}

/* "key\npick\ntext": the text as a cursor, and the key's own, one byte of it changed. */
FUZZ(cursor)
{
    struct env env = { .master = "as secret as it gets in a test" },
               other = { .master = "not this" };
    struct route here = { .path = "/v1/feed" }, there = { .path = "/v1/media" };
    struct str rest = in;
    int64_t key = fuzz_number(&rest, INT64_MIN, INT64_MAX), got = 3;
    uint64_t pick = (uint64_t)fuzz_number(&rest, 0, INT64_MAX);
    struct str text = fuzz_exact(a, rest.p == NULL ? STR("") : rest);

    if (reads(&env, &here, a, text, &got)) {
        fuzz_taken();
        HOLDS(str_eq(printed(&env, &here, a, got), text));
    }
    struct str own = printed(&env, &here, a, key);
    HOLDS(reads(&env, &here, a, own, &got) && got == key);
    HOLDS(str_eq(printed(&env, &here, a, got), own));
    HOLDS(!reads(&env, &there, a, own, &got));
    HOLDS(!reads(&other, &here, a, own, &got));
    HOLDS(!reads(&env, &here, a, fuzz_flipped(a, own, pick), &got));
    HOLDS(!reads(&env, &here, a, fuzz_exact(a, str_cut(own, 0, pick % own.n)), &got));
}
