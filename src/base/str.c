/* str.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "base/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct str str_of(const char *z)
{
    return z == NULL ? STR_NONE : (struct str) { z, strlen(z) };
}

bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_is(struct str a, const char *z)
{
    return str_eq(a, str_of(z));
}

bool str_starts(struct str s, const char *prefix)
{
    size_t n = strlen(prefix);

    return str_eq(str_cut(s, 0, n), (struct str) { prefix, n });
}

bool str_ends(struct str s, const char *suffix)
{
    size_t n = strlen(suffix);

    return s.n >= n && str_eq(str_cut(s, s.n - n, n), (struct str) { suffix, n });
}

int str_cmp(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

    if (c != 0)
        return c;
    return a.n < b.n ? -1 : a.n > b.n;
}

struct str str_cut(struct str s, size_t from, size_t n)
{
    if (from > s.n)
        from = s.n;
    if (n > s.n - from)
        n = s.n - from;
    /* Nothing may be added to NULL, not even 0. */
    return s.p == NULL ? s : (struct str) { s.p + from, n };
}

struct str str_head(struct str s, size_t n)
{
    if (n < s.n)
        while (n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80)
            n--;
    return str_cut(s, 0, n);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct str str_trim(struct str s)
{
    while (s.n > 0 && is_space(s.p[0]))
        s = (struct str) { s.p + 1, s.n - 1 };
    while (s.n > 0 && is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

struct str str_split(struct str s, char c, struct str *head)
{
    const char *at = s.n == 0 ? NULL : memchr(s.p, c, s.n);

    if (at == NULL) {
        *head = s;
        return STR_NONE;
    }
    *head = (struct str) { s.p, (size_t)(at - s.p) };
    return (struct str) { at + 1, s.n - head->n - 1 };
}

bool str_int(struct str s, int64_t *result)
{
    bool negative = s.n > 0 && s.p[0] == '-';
    int64_t n = 0;

    if (negative)
        s = str_cut(s, 1, s.n);
    if (s.n == 0 || s.n > 19 || (s.p[0] == '0' && s.n > 1))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_sub_overflow(n, s.p[i] - '0', &n))
            return false;
    }
    /* Counted downwards, because INT64_MIN has no positive twin. One number, one spelling: no "-0". */
    if (negative ? n == 0 : n == INT64_MIN)
        return false;
    *result = negative ? n : -n;
    return true;
}

/* Length of the well-formed UTF-8 sequence at p, 0 when there is none. */
static size_t utf8_length(const unsigned char *p, size_t left)
{
    unsigned char c = p[0];
    size_t n = c < 0x80 ? 1 : c < 0xC2 ? 0 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 0;

    if (n == 0 || n > left || c == 0)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    if ((c == 0xE0 && p[1] < 0xA0) || (c == 0xED && p[1] > 0x9F) || (c == 0xF0 && p[1] < 0x90) ||
        (c == 0xF4 && p[1] > 0x8F))
        return 0;
    return n;
}

bool str_is_utf8(struct str s)
{
    for (size_t i = 0; i < s.n;) {
        size_t n = utf8_length((const unsigned char *)s.p + i, s.n - i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

size_t str_characters(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    return n;
}

struct str str_copy(struct arena *a, struct str s)
{
    if (s.p == NULL)
        return STR_NONE;
    char *p = arena_alloc(a, s.n + 1);
    if (s.n > 0)
        memcpy(p, s.p, s.n);
    return (struct str) { p, s.n };
}

struct str str_lower(struct arena *a, struct str s)
{
    if (s.p == NULL)
        return STR_NONE;
    char *p = arena_alloc(a, s.n + 1);
    for (size_t i = 0; i < s.n; i++)
        p[i] = (char)(s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] + ('a' - 'A') : s.p[i]);
    return (struct str) { p, s.n };
}

struct str str_join(struct arena *a, const struct str *parts, size_t n)
{
    size_t all = 0;

    for (size_t i = 0; i < n; i++)
        all += parts[i].n;
    char *p = arena_alloc(a, all + 1), *to = p;
    for (size_t i = 0; i < n; i++) {
        if (parts[i].n > 0)
            memcpy(to, parts[i].p, parts[i].n);
        to += parts[i].n;
    }
    return (struct str) { p, all };
}

struct str str_vprintf(struct arena *a, const char *format, va_list args)
{
    va_list again;

    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    must(n >= 0);
    char *p = arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, format, args);
    return (struct str) { p, (size_t)n };
}

struct str str_printf(struct arena *a, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    struct str s = str_vprintf(a, format, args);
    va_end(args);
    return s;
}

uint64_t str_hash(struct str s)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3u;
    return h ^ (h >> 32);
}

char *buf_room(struct buf *b, size_t n)
{
    must(n < ARENA_MAX && b->n < ARENA_MAX && (b->p != NULL || b->n == 0));
    if (b->size - b->n < n + 1 || b->p == NULL) {
        size_t size = b->size < 256 ? 256 : b->size * 2;
        while (size < b->n + n + 1)
            size *= 2;
        char *p = arena_alloc(b->arena, size);
        if (b->n > 0)
            memcpy(p, b->p, b->n);
        b->p = p;
        b->size = size;
    }
    return b->p + b->n;
}

void buf_add(struct buf *b, struct str s)
{
    char *to = buf_room(b, s.n);

    if (s.n > 0)
        memcpy(to, s.p, s.n);
    b->n += s.n;
}

void buf_char(struct buf *b, char c)
{
    *buf_room(b, 1) = c;
    b->n++;
}

void buf_int(struct buf *b, int64_t n)
{
    char digits[21];
    char *end = digits + sizeof(digits), *p = end;
    uint64_t u = n < 0 ? (uint64_t)0 - (uint64_t)n : (uint64_t)n;

    do {
        *--p = (char)('0' + u % 10);
        u /= 10;
    } while (u > 0);
    if (n < 0)
        *--p = '-';
    buf_add(b, (struct str) { p, (size_t)(end - p) });
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    must(n >= 0);
    vsnprintf(buf_room(b, (size_t)n), (size_t)n + 1, format, args);
    va_end(args);
    b->n += (size_t)n;
}

struct str buf_str(struct buf *b)
{
    *buf_room(b, 0) = 0;
    return (struct str) { b->p, b->n };
}
