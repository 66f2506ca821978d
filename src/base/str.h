/* str.h -- strings that carry their length, and a builder.
 *
 * A str does not own its bytes and need not end in NUL; those made here (str_copy, buf_str) do, one
 * past the end, so that they can be handed to a C library. p == NULL means "none" (SQL NULL, absent
 * in JSON); the empty string is not none. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/arena.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
    const char *p;
    size_t n;
};

/* Bytes that are not text; another type, so that SQL and JSON cannot mix them up. */
struct bytes {
    const unsigned char *p;
    size_t n;
};

#define STR(literal)   ((struct str) { "" literal, sizeof(literal) - 1 })
#define STR_FMT(s)     (int)(s).n, (s).p
#define STR_NONE       ((struct str) { NULL, 0 })
#define FORMAT(at, to) __attribute__((format(printf, at, to)))

struct str str_of(const char *z); /* NULL gives none */
bool str_eq(struct str a, struct str b);
bool str_is(struct str a, const char *z);
bool str_starts(struct str s, const char *prefix);
bool str_ends(struct str s, const char *suffix);
int str_cmp(struct str a, struct str b);
struct str str_cut(struct str s, size_t from, size_t n); /* clamped to s */
/* At most n bytes from its beginning, with no character cut in two. */
struct str str_head(struct str s, size_t n);
struct str str_trim(struct str s); /* ASCII white space off both ends */
/* Splits at the first c: *head gets what stands before, the rest is returned (none when c is
 * absent). */
struct str str_split(struct str s, char c, struct str *head);
/* Strict decimal: no sign but '-', no leading zeros beyond "0", no overflow. */
bool str_int(struct str s, int64_t *result);
bool str_is_utf8(struct str s); /* well formed, no surrogates, no NUL */
size_t str_characters(struct str s);
struct str str_copy(struct arena *a, struct str s);
struct str str_lower(struct arena *a, struct str s); /* ASCII only */
struct str str_printf(struct arena *a, const char *format, ...) FORMAT(2, 3);
/* One behind the other; several times as fast as a format. STR_JOIN(a, prefix, STR("/full.webp")) */
#define STR_JOIN(a, ...)                                                                           \
    str_join((a), (const struct str[]) { __VA_ARGS__ },                                            \
             sizeof((const struct str[]) { __VA_ARGS__ }) / sizeof(struct str))
struct str str_join(struct arena *a, const struct str *parts, size_t n);
struct str str_vprintf(struct arena *a, const char *format, va_list args) FORMAT(2, 0);
uint64_t str_hash(struct str s); /* for tables inside the process only */

/* A growing string in an arena. */
struct buf {
    struct arena *arena;
    char *p;
    size_t n, size;
};

void buf_add(struct buf *b, struct str s);
void buf_char(struct buf *b, char c);
void buf_int(struct buf *b, int64_t n);
void buf_printf(struct buf *b, const char *format, ...) FORMAT(2, 3);
/* Room for n more bytes; the caller writes them at b->p + b->n and advances n. */
char *buf_room(struct buf *b, size_t n);
struct str buf_str(struct buf *b); /* NUL-terminated; valid as long as the arena */

#endif
