/* json_test.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "test/unit.h"

#include <string.h>

static const struct json *parse(struct arena *a, const char *text)
{
    const char *why = NULL;

    return json_parse(a, str_of(text), &why);
}

TEST(json_reads_each_kind)
{
    struct arena a = { 0 };
    const struct json *j =
        parse(&a, " {\"t\":\"x\\u00e9\\n\",\"i\":-9223372036854775808,\"b\":true,\"n\":null,"
                  "\"l\":[1,[]],\"r\":1.5,\"o\":{}} ");

    REQUIRE(j != NULL && j->kind == J_OBJECT);
    CHECK_INT(j->n, 7);
    CHECK_STR(json_text(j, "t"), "x\xc3\xa9\n");
    CHECK(json_number(j, "i", 0) == INT64_MIN);
    CHECK(json_get(j, "b")->kind == J_BOOL && json_get(j, "b")->boolean);
    CHECK(json_get(j, "n")->kind == J_NULL);
    CHECK(json_get(j, "l")->kind == J_LIST && json_get(j, "l")->n == 2);
    CHECK(json_get(j, "r")->kind == J_REAL);
    CHECK(json_get(j, "o")->n == 0);
    CHECK(json_get(j, "absent") == NULL);
    /* Of another kind is as good as absent. */
    CHECK(json_text(j, "i").p == NULL);
    CHECK_INT(json_number(j, "t", 7), 7);
    CHECK(json_get(json_get(j, "t"), "x") == NULL);
    CHECK(json_get(NULL, "x") == NULL);
    arena_done(&a);
}

TEST(json_refuses_what_is_no_json_and_says_why)
{
    static const char *const bad[] = {
        "",
        " ",
        "{",
        "{\"a\":1,}",
        "[1,]",
        "{a:1}",
        "{'a':1}",
        "01",
        "+1",
        "1.",
        ".5",
        "0x10",
        "NaN",
        "Infinity",
        "tru",
        "\"\t\"",
        "\"\\x\"",
        "\"\\ud800\"",
        "{} {}",
        "1 2",
        "/**/1",
        "\xef\xbb\xbf{}",
        "\"\xff\"",
        "\"\xc0\xaf\"",
        "\"\xed\xa0\x80\"",
        "\"\\u0000\"",
        "{\"a\\u0000\":1}",
        "{\"a\":1,\"a\":2}",
        "{\"a\":1,\"\\u0061\":2}",
        "9223372036854775808",
        "-9223372036854775809",
        "1e999",
    };
    struct arena a = { 0 };

    for (size_t i = 0; i < COUNT(bad); i++) {
        const char *why = NULL;
        if (json_parse(&a, str_of(bad[i]), &why) != NULL)
            FAIL("%s was taken", bad[i]);
        else if (why == NULL || why[0] == 0)
            FAIL("%s was refused without a word", bad[i]);
    }
    const char *why = NULL;
    CHECK(json_parse(&a, STR("[1]\0"), &why) == NULL);
    CHECK(json_parse(&a, STR_NONE, &why) == NULL);
    arena_done(&a);
}

TEST(json_depth_ends_at_its_limit)
{
    struct arena a = { 0 };
    struct buf b = { .arena = &a };
    const char *why;

    for (int depth = 1; depth <= 3000; depth = depth < 40 ? depth + 1 : depth * 5) {
        b.n = 0;
        for (int i = 0; i < depth; i++)
            buf_add(&b, i % 2 ? STR("{\"a\":") : STR("["));
        buf_add(&b, STR("\"[[{{\\\"[[\""));
        for (int i = depth - 1; i >= 0; i--)
            buf_char(&b, i % 2 ? '}' : ']');
        bool taken = json_parse(&a, buf_str(&b), &why) != NULL;
        if (taken != (depth <= JSON_DEPTH_MAX))
            FAIL("%d levels", depth);
    }
    /* A megabyte of brackets costs nothing. */
    b.n = 0;
    for (int i = 0; i < 1 << 20; i++)
        buf_char(&b, '[');
    CHECK(json_parse(&a, buf_str(&b), &why) == NULL);
    arena_done(&a);
}

TEST(json_is_written_as_it_is_read)
{
    struct arena a = { 0 };
    struct buf b = { .arena = &a };
    struct json_out o = { .buf = &b };
    char every[129] = { 0 };

    for (int i = 1; i < 129; i++)
        every[i - 1] = (char)(i < 128 ? i : 0);
    json_open(&o, '{');
    json_str(&o, "every", str_of(every));
    json_str(&o, "none", STR_NONE);
    json_int(&o, "least", INT64_MIN);
    json_bool(&o, "yes", true);
    json_name(&o, STR("list"));
    json_open(&o, '[');
    json_put_int(&o, 1);
    json_open(&o, '{');
    json_close(&o, '}');
    json_put_null(&o);
    json_put_raw(&o, STR("[2]"));
    json_close(&o, ']');
    json_str(&o, "q\"<", STR("\xe2\x82\xac"));
    json_close(&o, '}');

    struct str text = buf_str(&b);
    const char *why = NULL;
    const struct json *j = json_parse(&a, text, &why);
    REQUIRE(j != NULL);
    CHECK_STR(json_text(j, "every"), every);
    CHECK(json_get(j, "none")->kind == J_NULL);
    CHECK(json_number(j, "least", 0) == INT64_MIN);
    CHECK_INT(json_get(j, "list")->n, 4);
    CHECK_STR(json_text(j, "q\"<"), "\xe2\x82\xac");
    /* Safe inside an HTML page, and on one line of a log. */
    CHECK(memchr(text.p, '<', text.n) == NULL);
    CHECK(memchr(text.p, '\n', text.n) == NULL);
    arena_done(&a);
}

TEST(json_writer_puts_commas_where_they_belong)
{
    struct arena a = { 0 };
    struct buf b = { .arena = &a };
    struct json_out o = { .buf = &b };

    json_open(&o, '[');
    json_open(&o, '[');
    json_close(&o, ']');
    json_open(&o, '{');
    json_int(&o, "a", 1);
    json_int(&o, "b", 2);
    json_close(&o, '}');
    json_put_str(&o, STR(""));
    json_put_bool(&o, false);
    json_close(&o, ']');
    CHECK_STR(buf_str(&b), "[[],{\"a\":1,\"b\":2},\"\",false]");
    arena_done(&a);
}

TEST(json_names_who_is_to_blame)
{
    static const struct {
        const char *text, *member;
        int line, column;
    } rows[] = {
        { "{\"a\":1,\n \"price\":99999999999999999999}", "price", 2, 0 },
        { "{\"a\":1,\"price\" : 1e999 }", "price", 1, 0 },
        { "{\"name\":1,\"b\":2,\"name\":3}", "name", 1, 0 },
        { "{\"l\":[1,99999999999999999999]}", NULL, 1, 0 },
        { "[99999999999999999999]", NULL, 1, 0 },
        { "99999999999999999999", NULL, 1, 0 },
        { "{\"a\\\"b\":1,\"a\\\"b\":1}", NULL, 1, 0 },
        { "{\n\"a\" 1}", NULL, 2, 5 },
        { "{\n\"a\":\"b\xff\"}", NULL, 2, 7 },
        { "{\"\xe2\x82\xac\xe2\x82\":1}", NULL, 1, 6 },
        { "\xc0\xaf", NULL, 1, 1 },
    };
    struct arena a = { 0 };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json_fault f = { 0 };
        CHECK(json_read(&a, str_of(rows[i].text), &f) == NULL);
        if (rows[i].member == NULL)
            CHECK(f.member.p == NULL);
        else
            CHECK_STR(f.member, rows[i].member);
        CHECK_INT(f.line, rows[i].line);
        if (rows[i].column != 0)
            CHECK_INT(f.column, rows[i].column);
    }
    arena_done(&a);
}

/* Text is looked at in blocks: what must be escaped may stand at any place of one, before, at and behind its border. */
TEST(what_must_be_escaped_is_found_at_every_place)
{
    static const char odd[] = { '"', '\\', '<', '\n', 0x1f, 0x7f, 1 };
    struct arena a = { 0 };

    for (size_t k = 0; k < sizeof(odd); k++)
        for (size_t n = 1; n < 40; n++)
            for (size_t at = 0; at < n; at++) {
                char text[41] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
                struct buf b = { .arena = &a };
                struct json_out o = { .buf = &b };
                text[at] = odd[k];
                text[n] = 0;
                json_open(&o, '{');
                json_str(&o, "t", str_of(text));
                json_close(&o, '}');
                struct str written = buf_str(&b);
                /* `{"t":"` stands before, one byte became two or six. */
                CHECK(written.p[6 + at] == '\\' && written.n > n + 8);
                CHECK_STR(json_text(parse(&a, written.p), "t"), text);
                arena_reset(&a);
            }
    arena_done(&a);
}

/* In a string, behind a number, between two values. */
TEST(json_with_a_nul_byte_is_refused)
{
    static const struct str bad[] = { { "1\0", 2 },
                                      { "[1\0,2]", 6 },
                                      { "{\"a\":1\0}", 8 },
                                      { "\"a\0b\"", 5 },
                                      { "\0{}", 3 },
                                      { "{}\0", 3 },
                                      { "tru\0e", 5 },
                                      { "1\0"
                                        "2",
                                        3 } };
    struct arena a = { 0 };

    for (size_t i = 0; i < COUNT(bad); i++) {
        struct json_fault fault = { 0 };
        if (json_read(&a, bad[i], &fault) != NULL)
            FAIL("text %zu was taken", i);
        CHECK(fault.why != NULL);
    }
    arena_done(&a);
}
