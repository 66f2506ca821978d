/* id.h -- 63-bit, time-ordered identifiers.
 *
 * In SQL an INTEGER; on the wire a prefix and 13 characters of Crockford base32 ("pst_01h4…", lower
 * case). The number: 42 bits of milliseconds since 2024-01-01, 8 bits of node, 13 bits of sequence.
 * An id is never a secret and never a right. v == 0 means none. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ID_H
#define BASE_ID_H

#include "base/str.h"

struct id {
    int64_t v;
};

#define ID_NONE ((struct id) { 0 })
enum { ID_DIGITS = 13, ID_TEXT_MAX = 24 };

static inline bool id_is(struct id a, struct id b)
{
    return a.v == b.v;
}
static inline bool id_some(struct id a)
{
    return a.v != 0;
}

/* Makes ids; thread-safe. ms is the wall clock at the call; ids of one maker only grow. */
struct id_maker {
    int64_t last;  /* guarded by atomics */
    unsigned node; /* 0..255 */
};
struct id id_make(struct id_maker *m, int64_t unix_ms);

/* "pst" + v -> text of 17 bytes, NUL-terminated; returns its length. */
size_t id_print(char text[ID_TEXT_MAX], const char *prefix, struct id id);
/* False when the prefix differs, or the digits are not exactly 13 of the alphabet, or overflow 63
 * bits, or are 0. */
bool id_parse(struct str text, const char *prefix, struct id *result);

/* The 13 digits alone, used by cursors too. */
void base32_print(char digits[ID_DIGITS], uint64_t v);
bool base32_parse(const char digits[ID_DIGITS], uint64_t *result);

#endif
