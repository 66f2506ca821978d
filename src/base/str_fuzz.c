/* str_fuzz.c -- the text forms below everything: whole numbers, UTF-8, hex, base64; cutting and splitting. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crypto.h"
#include "test/fuzz.h"

#include <string.h>

__extension__ typedef __int128 wide;

/* RFC 3629 by code points: decoded, in range, no surrogate, the shortest form; and no NUL, which is our own rule. */
static bool naive_utf8(struct str s)
{
    static const uint32_t least[] = { 0, 1, 0x80, 0x800, 0x10000 };

    for (size_t i = 0; i < s.n;) {
        unsigned char c = (unsigned char)s.p[i];
        size_t n = c < 0x80 ? 1 : c >> 5 == 6 ? 2 : c >> 4 == 14 ? 3 : c >> 3 == 30 ? 4 : 0;
        if (n == 0 || n > s.n - i)
            return false;
        uint32_t v = n == 1 ? c : c & (0x7FU >> n);
        for (size_t k = 1; k < n; k++) {
            unsigned char d = (unsigned char)s.p[i + k];
            if (d >> 6 != 2)
                return false;
            v = v << 6 | (d & 63);
        }
        if (v < least[n] || v > 0x10FFFF || (v >= 0xD800 && v <= 0xDFFF))
            return false;
        i += n;
    }
    return true;
}

static void check_int(struct str s, struct arena *a)
{
    struct buf b = { .arena = a };
    int64_t n = 7;
    wide v = 0;
    size_t from = s.n > 0 && s.p[0] == '-';
    bool good = s.n > from && s.n < 30 && (s.p[from] != '0' || s.n == 1);

    for (size_t i = from; good && i < s.n; i++) {
        good = s.p[i] >= '0' && s.p[i] <= '9';
        v = v * 10 + (s.p[i] - '0');
    }
    v = from ? -v : v;
    good = good && v >= INT64_MIN && v <= INT64_MAX;
    HOLDS(str_int(s, &n) == good);
    HOLDS(n == (good ? (int64_t)v : 7));
    if (!good)
        return;
    fuzz_taken();
    buf_int(&b, n);
    HOLDS(str_eq(buf_str(&b), s));
}

static void check_hex(struct str s, struct arena *a)
{
    unsigned char *bytes = arena_alloc(a, s.n / 2 + 1);

    if (!hex_parse(s, bytes, s.n / 2)) {
        HOLDS(s.n % 2 != 0 || strspn(str_copy(a, s).p, "0123456789abcdefABCDEF") < s.n);
        return;
    }
    HOLDS(str_eq(hex_print(a, bytes, s.n / 2), str_lower(a, s)));
}

static void check_base64(struct str s, struct arena *a)
{
    size_t n = s.n / 4 * 3 + (s.n % 4 == 3 ? 2 : s.n % 4 == 2);
    unsigned char *bytes = arena_alloc(a, n + 1);

    if (base64url_parse(s, bytes, n))
        HOLDS(str_eq(base64url_print(a, bytes, n), s));
    /* One text a value: no byte of it can change and mean the same. */
    struct str printed = base64url_print(a, s.p, s.n);
    unsigned char *again = arena_alloc(a, s.n + 1);
    HOLDS(base64url_parse(printed, again, s.n) && memcmp(again, s.p, s.n) == 0);
    struct str usual = base64_parse(a, s);
    HOLDS(usual.p == NULL || (s.n % 4 == 0 && usual.n <= s.n / 4 * 3));
}

static void check_pieces(struct str s, struct arena *a)
{
    struct str head, rest = s, trimmed = str_trim(s);
    struct buf b = { .arena = a };
    size_t characters = 0;

    while (rest.p != NULL) {
        rest = str_split(rest, ',', &head);
        buf_add(&b, head);
        if (rest.p != NULL)
            buf_char(&b, ',');
    }
    HOLDS(str_eq(buf_str(&b), s));
    HOLDS(trimmed.n <= s.n && str_eq(str_trim(trimmed), trimmed));
    HOLDS(str_is_utf8(s) == (naive_utf8(s) && (s.n == 0 || memchr(s.p, 0, s.n) == NULL)));
    for (size_t i = 0; i < s.n; i++)
        characters += ((unsigned char)s.p[i] >> 6) != 2;
    HOLDS(str_characters(s) == characters);
    for (size_t i = 0; i < 4; i++) {
        struct str cut = str_cut(s, s.n * i / 2, s.n / 2 + i);
        HOLDS(cut.n <= s.n && cut.p >= s.p && cut.p + cut.n <= s.p + s.n);
    }
    for (size_t i = 0; i <= s.n && i < 6; i++)
        HOLDS(str_head(s, i).n <= i && (!str_is_utf8(s) || str_is_utf8(str_head(s, i))));
    HOLDS(str_eq(str_head(s, s.n), s));
    HOLDS(str_cmp(s, trimmed) == -str_cmp(trimmed, s));
}

FUZZ(str)
{
    check_int(in, a);
    check_hex(in, a);
    check_base64(in, a);
    check_pieces(in, a);
}
