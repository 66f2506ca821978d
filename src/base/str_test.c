/* str_test.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "test/unit.h"

#include <string.h>

TEST(str_compares_by_bytes_then_by_length)
{
    CHECK(str_eq(STR("a"), STR("a")));
    CHECK(!str_eq(STR("a"), STR("b")));
    CHECK(str_eq(STR_NONE, STR("")));
    CHECK(str_is(STR("tip"), "tip"));
    CHECK(str_cmp(STR("a"), STR("ab")) < 0);
    CHECK(str_cmp(STR("b"), STR("ab")) > 0);
    CHECK(str_cmp(STR("\xff"), STR("a")) > 0);
    CHECK_INT(str_cmp(STR("x"), STR("x")), 0);
}

TEST(str_of_nothing_is_nothing)
{
    struct str head;

    CHECK(str_of(NULL).p == NULL);
    CHECK(!str_starts(STR_NONE, "a"));
    CHECK(str_starts(STR_NONE, ""));
    CHECK(str_ends(STR_NONE, ""));
    CHECK_INT(str_trim(STR_NONE).n, 0);
    CHECK_INT(str_cut(STR_NONE, 3, 4).n, 0);
    CHECK(str_split(STR_NONE, ',', &head).p == NULL);
    CHECK(str_is_utf8(STR_NONE));
}

TEST(str_cut_stays_inside)
{
    CHECK_STR(str_cut(STR("tips"), 1, 2), "ip");
    CHECK_STR(str_cut(STR("tips"), 1, SIZE_MAX), "ips");
    CHECK_STR(str_cut(STR("tips"), 9, 2), "");
    CHECK_STR(str_trim(STR(" \t a b\r\n")), "a b");
    CHECK_STR(str_trim(STR("  ")), "");
    CHECK(str_starts(STR("pst_1"), "pst_"));
    CHECK(!str_starts(STR("ps"), "pst_"));
    CHECK(str_ends(STR("a.webp"), ".webp"));
    CHECK(!str_ends(STR("webp"), ".webp"));
}

TEST(str_head_cuts_no_character_in_two)
{
    struct str s = STR("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z"); /* 1, 2, 3, 4 and 1 bytes */
    static const size_t want[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11 };

    for (size_t i = 0; i < COUNT(want); i++)
        CHECK_INT(str_head(s, i).n, want[i]);
    CHECK_STR(str_head(STR_NONE, 5), STR_NONE);
}

TEST(str_split_gives_empty_parts_and_then_none)
{
    struct str rest = STR("a,,b"), head;

    rest = str_split(rest, ',', &head);
    CHECK_STR(head, "a");
    rest = str_split(rest, ',', &head);
    CHECK_STR(head, "");
    rest = str_split(rest, ',', &head);
    CHECK_STR(head, "b");
    CHECK(rest.p == NULL);
    /* "a," has two parts: the second is empty, not none. */
    rest = str_split(STR("a,"), ',', &head);
    CHECK_STR(rest, "");
}

TEST(str_int_takes_exactly_the_integers_of_63_bits)
{
    static const struct {
        const char *text;
        int64_t n;
    } good[] = { { "0", 0 },
                 { "7", 7 },
                 { "-1", -1 },
                 { "9223372036854775807", INT64_MAX },
                 { "-9223372036854775808", INT64_MIN } };
    static const char *const bad[] = { "",
                                       "-",
                                       "-0",
                                       "00",
                                       "01",
                                       "-01",
                                       "+1",
                                       " 1",
                                       "1 ",
                                       "1.0",
                                       "1e3",
                                       "0x1",
                                       "--1",
                                       "12a",
                                       "9223372036854775808",
                                       "-9223372036854775809",
                                       "18446744073709551617",
                                       "99999999999999999999" };

    for (size_t i = 0; i < COUNT(good); i++) {
        int64_t n = 42;
        if (!str_int(str_of(good[i].text), &n) || n != good[i].n)
            FAIL("%s was not read as itself", good[i].text);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        int64_t n = 42;
        if (str_int(str_of(bad[i]), &n) || n != 42)
            FAIL("\"%s\" was taken, or the result was touched", bad[i]);
    }
}

/* One by one, what RFC 3629 allows. */
static bool utf8_allows(uint32_t c)
{
    return c > 0 && c <= 0x10ffff && !(c >= 0xd800 && c <= 0xdfff);
}

static size_t utf8_write(char *p, uint32_t c, size_t n)
{
    static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        p[i] = (char)(0x80 | (c & 0x3f));
    p[0] = (char)(lead[n] | c);
    return n;
}

TEST(str_is_utf8_knows_every_code_point_and_its_overlong_forms)
{
    static const uint32_t limit[] = { 0, 0x80, 0x800, 0x10000, 0x200000 };

    for (uint32_t c = 0; c < 0x1fffff; c++)
        for (size_t n = 1; n <= 4; n++) {
            char p[4];
            if (c >= limit[n])
                continue;
            struct str s = { p, utf8_write(p, c, n) };
            bool shortest = c >= limit[n - 1];
            if (str_is_utf8(s) != (utf8_allows(c) && shortest))
                FAIL("U+%04X in %zu bytes", (unsigned)c, n);
        }
    CHECK(!str_is_utf8(STR("\x80")));
    CHECK(!str_is_utf8(STR("ab\xc3")));
    CHECK(!str_is_utf8(STR("\xe2\x82")));
    CHECK(!str_is_utf8(STR("\xff")));
    CHECK_INT(str_characters(STR("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")), 4);
}

TEST(str_copies_end_in_nul)
{
    struct arena a = { 0 };

    struct str s = str_copy(&a, str_cut(STR("tipsy"), 0, 3));
    CHECK_STR(s.p, "tip");
    CHECK(str_copy(&a, STR_NONE).p == NULL);
    CHECK_STR(str_copy(&a, STR("")), "");
    CHECK_STR(str_lower(&a, STR("AbZ[@`{\xc3\x89")), "abz[@`{\xc3\x89");
    CHECK_STR(str_printf(&a, "%d %s", 7, "x"), "7 x");
    arena_done(&a);
}

TEST(buf_grows_and_keeps_what_it_has)
{
    struct arena a = { 0 };
    struct buf b = { .arena = &a };

    CHECK_STR(buf_str(&b), "");
    for (int i = 0; i < 10000; i++)
        buf_char(&b, (char)('a' + i % 26));
    struct str s = buf_str(&b);
    CHECK_INT(s.n, 10000);
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != (char)('a' + i % 26))
            FAIL("byte %zu", i);
    CHECK_INT(s.p[s.n], 0);
    arena_done(&a);
}

TEST(buf_writes_integers_to_their_ends)
{
    struct arena a = { 0 };
    struct buf b = { .arena = &a };

    buf_int(&b, INT64_MIN);
    buf_char(&b, ' ');
    buf_int(&b, INT64_MAX);
    buf_char(&b, ' ');
    buf_int(&b, 0);
    buf_printf(&b, " %s", "end");
    buf_add(&b, STR_NONE);
    CHECK_STR(buf_str(&b), "-9223372036854775808 9223372036854775807 0 end");
    arena_done(&a);
}

TEST(buf_printf_at_every_fill)
{
    struct arena a = { 0 };

    /* The room must be exact where the text just fits, and where it just does not. */
    for (size_t fill = 240; fill < 260; fill++) {
        struct buf b = { .arena = &a };
        for (size_t i = 0; i < fill; i++)
            buf_char(&b, 'x');
        buf_printf(&b, "%s", "0123456789");
        CHECK_STR(str_cut(buf_str(&b), fill, 99), "0123456789");
    }
    arena_done(&a);
}
