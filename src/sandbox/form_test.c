/* form_test.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/form.h"
#include "base/crypto.h"
#include "test/unit.h"

static void write_json(struct json_out *o, const struct json *j)
{
    if (j->kind == J_TEXT) {
        json_put_str(o, j->text);
        return;
    }
    json_open(o, j->kind == J_LIST ? '[' : '{');
    for (size_t i = 0; i < j->n; i++) {
        if (j->kind == J_OBJECT)
            json_name(o, j->names[i]);
        write_json(o, &j->items[i]);
    }
    json_close(o, j->kind == J_LIST ? ']' : '}');
}

static struct str as_json(struct arena *a, const char *form)
{
    struct str why = STR_NONE;
    const struct json *j = form_parse(a, str_of(form), &why);
    struct buf b = { .arena = a };
    struct json_out o = { .buf = &b };

    CHECK((j == NULL) == (why.p != NULL));
    if (j == NULL)
        return STR_NONE;
    write_json(&o, j);
    return buf_str(&b);
}

TEST(form_becomes_a_tree)
{
    static const char *const cases[][2] = {
        { "", "{}" },
        { "&&", "{}" },
        { "a=1&b=", "{\"a\":\"1\",\"b\":\"\"}" },
        { "a", "{\"a\":\"\"}" },
        { "a=1=2", "{\"a\":\"1=2\"}" },
        { "a=x+y%20z%26", "{\"a\":\"x y z&\"}" },
        { "a[b]=1&a[c][d]=2", "{\"a\":{\"b\":\"1\",\"c\":{\"d\":\"2\"}}}" },
        { "a%5Bb%5D=1", "{\"a\":{\"b\":\"1\"}}" },
        { "a[]=1&a[]=2", "{\"a\":[\"1\",\"2\"]}" },
        { "a[0]=1&a[1]=2", "{\"a\":[\"1\",\"2\"]}" },
        { "a[1]=2&a[0]=1", "{\"a\":[\"1\",\"2\"]}" },
        { "a[1]=2", "{\"a\":{\"1\":\"2\"}}" },
        { "a[0]=1&a[x]=2", "{\"a\":{\"0\":\"1\",\"x\":\"2\"}}" },
        { "a[00]=1", "{\"a\":{\"00\":\"1\"}}" },
        { "a[][x]=1&a[][y]=2&a[][x]=3", "{\"a\":[{\"x\":\"1\",\"y\":\"2\"},{\"x\":\"3\"}]}" },
        { "0=1", "{\"0\":\"1\"}" },
        { "line_items[0][price_data][unit_amount]=500&line_items[0][quantity]=1",
          "{\"line_items\":[{\"price_data\":{\"unit_amount\":\"500\"},\"quantity\":\"1\"}]}" },
    };
    struct arena a = { 0 };

    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_STR(as_json(&a, cases[i][0]), cases[i][1]);
    arena_done(&a);
}

TEST(form_that_is_refused)
{
    static const char *const cases[] = {
        "a=1&a=2",
        "a=1&a[b]=2",
        "a[b]=1&a=2",
        "a[b]=1&a[b]=2",
        "=1",
        "[a]=1",
        "a[=1",
        "a]=1",
        "a[b=1",
        "a[b]c=1",
        "a[b]]=1",
        "a[[b]]=1",
        "a=%",
        "a=%zz",
        "a=%ff",
        "a%00=1",
        "a[b]c[d]=1",
        "a[0]=1&a[0][x]=1",
        "a[1][2][3][4][5][6][7][8]=1",
    };
    struct arena a = { 0 };

    for (size_t i = 0; i < COUNT(cases); i++)
        if (as_json(&a, cases[i]).p != NULL)
            FAIL("taken: %s", cases[i]);
    arena_done(&a);
}

TEST(form_limits)
{
    struct arena a = { 0 };
    struct buf b = { .arena = &a };
    struct str why = STR_NONE;

    for (int i = 0; i < FORM_PAIRS_MAX; i++)
        buf_printf(&b, "a[]=%d&", i);
    CHECK(form_parse(&a, buf_str(&b), &why) != NULL);
    buf_add(&b, STR("a[]=x"));
    CHECK(form_parse(&a, buf_str(&b), &why) == NULL);
    b.n = 0;
    for (int i = 0; i < FORM_NAME_MAX + 1; i++)
        buf_char(&b, 'a');
    CHECK(form_parse(&a, buf_str(&b), &why) == NULL);
    arena_done(&a);
}

/* Random text over the characters that mean something: no crash, and what is taken can be written as JSON. */
TEST_SECONDS(form_of_noise, 60)
{
    static const char alphabet[] = "ab01[]=&%+2 5B\xC3\xA9.";
    char text[64];

    for (int round = 0; round < 100000; round++) {
        struct arena a = { 0 };
        unsigned char noise[sizeof(text)];
        random_fill(noise, sizeof(noise));
        size_t n = noise[0] % (sizeof(text) - 1);
        for (size_t i = 0; i < n; i++)
            text[i] = alphabet[noise[i + 1] % (sizeof(alphabet) - 1)];
        text[n] = 0;
        as_json(&a, text);
        arena_done(&a);
    }
}

TEST(form_paths)
{
    struct arena a = { 0 };
    struct str why;
    const struct json *j = form_parse(&a, STR("a[b][c]=x&d=y"), &why);

    CHECK_STR(form_text(j, "a.b.c"), "x");
    CHECK_STR(form_text(j, "d"), "y");
    CHECK_STR(form_text(j, "a.b"), STR_NONE);
    CHECK_STR(form_text(j, "a.x.c"), STR_NONE);
    CHECK_STR(form_text(j, "d.x"), STR_NONE);
    arena_done(&a);
}

/* It became an object with the member "1" twice. */
TEST(form_a_next_item_does_not_take_a_number_that_is_taken)
{
    struct arena a = { 0 };
    struct str why = STR_NONE;

    CHECK(form_parse(&a, STR("a[1]=x&a[]=y"), &why) == NULL);
    CHECK(why.n > 0);
    CHECK(form_parse(&a, STR("a[1][x]=1&a[2]=x&a[][x]=y"), &why) == NULL);
    CHECK(form_parse(&a, STR("a[0]=x&a[]=y"), &why) != NULL);
    arena_done(&a);
}
