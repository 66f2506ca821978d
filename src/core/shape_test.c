/* shape_test.c -- corners of shapes that no route of today shows. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/shape.h"
#include "test/unit.h"

struct bill {
    struct money price, tip;
};
static const struct field bill_fields[] = {
    MONEY(bill, price, "An amount", .optional = true),
    MONEY(bill, tip, "Another, or none", .optional = true, .nullable = true),
};
STATIC_SHAPE(bill);

static enum err decode(struct arena *a, const char *text, struct bill *result)
{
    const char *why = NULL;
    struct problem p = { 0 };

    *result = (struct bill) { .price = { 0 } };
    return shape_decode(&bill_shape, json_parse(a, str_of(text), &why), a, result, &p);
}

/* It was 0 of the currency beside it, and without one it was refused. */
TEST(shape_an_amount_that_is_null_is_none)
{
    struct arena a = { 0 };
    struct bill b;

    CHECK_OK(decode(&a, "{\"tip\":null}", &b));
    CHECK(!money_some(b.tip));
    CHECK_OK(decode(&a, "{\"price\":500,\"tip\":null,\"currency\":\"EUR\"}", &b));
    CHECK(money_some(b.price) && !money_some(b.tip));
    CHECK_STR(shape_json(&bill_shape, &b, &a), "{\"price\":500,\"tip\":null,\"currency\":\"EUR\"}");
    CHECK_INT(decode(&a, "{\"price\":500,\"tip\":null}", &b), E_INVALID);
    CHECK_OK(decode(&a, "{\"tip\":0,\"currency\":\"EUR\"}", &b));
    CHECK(money_some(b.tip));
    arena_done(&a);
}

/* Cut in the middle of a character, the problem was no UTF-8 and so no JSON. */
TEST(shape_names_a_long_member_in_whole_characters)
{
    struct arena a = { 0 };
    struct buf b = { .arena = &a };
    struct problem p = { 0 };
    struct bill bill = { .price = { 0 } };
    const char *why = NULL;

    buf_add(&b, STR("{\"x"));
    for (int i = 0; i < 40; i++)
        buf_add(&b, STR("\xc3\xa9"));
    buf_add(&b, STR("\":1}"));
    CHECK_INT(shape_decode(&bill_shape, json_parse(&a, buf_str(&b), &why), &a, &bill, &p),
              E_UNKNOWN_MEMBER);
    CHECK_INT(p.field.n, 59);
    CHECK(str_is_utf8(p.field));
    arena_done(&a);
}
