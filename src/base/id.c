/* id.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/id.h"
#include "base/check.h"

#include <string.h>

enum { NODE_BITS = 8, SEQUENCE_BITS = 13 };
#define EPOCH_MS INT64_C(1704067200000) /* 2024-01-01 */

static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

struct id id_make(struct id_maker *m, int64_t unix_ms)
{
    int64_t tick = (unix_ms - EPOCH_MS) << SEQUENCE_BITS;
    int64_t last = __atomic_load_n(&m->last, __ATOMIC_RELAXED), next;

    /* A full millisecond borrows from the next: order is kept, the clock is caught up at once. */
    do
        next = tick > last ? tick : last + 1;
    while (!__atomic_compare_exchange_n(&m->last, &last, next, true, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED));
    must(next > 0 && next >> (63 - NODE_BITS) == 0);
    int64_t ms = next >> SEQUENCE_BITS, sequence = next & ((1 << SEQUENCE_BITS) - 1);
    return (struct id) { (ms << (NODE_BITS + SEQUENCE_BITS)) |
                         ((int64_t)(m->node & 255) << SEQUENCE_BITS) | sequence };
}

void base32_print(char digits[ID_DIGITS], uint64_t v)
{
    for (int i = ID_DIGITS - 1; i >= 0; i--, v >>= 5)
        digits[i] = alphabet[v & 31];
}

bool base32_parse(const char digits[ID_DIGITS], uint64_t *result)
{
    uint64_t v = 0;

    for (int i = 0; i < ID_DIGITS; i++) {
        const char *at = digits[i] == 0 ? NULL : strchr(alphabet, digits[i]);
        if (at == NULL || v >> 59 != 0)
            return false;
        v = v << 5 | (uint64_t)(at - alphabet);
    }
    *result = v;
    return true;
}

size_t id_print(char text[ID_TEXT_MAX], const char *prefix, struct id id)
{
    size_t n = strlen(prefix);

    must(n + 1 + ID_DIGITS < ID_TEXT_MAX && id.v > 0);
    memcpy(text, prefix, n);
    text[n] = '_';
    base32_print(text + n + 1, (uint64_t)id.v);
    text[n + 1 + ID_DIGITS] = 0;
    return n + 1 + ID_DIGITS;
}

bool id_parse(struct str text, const char *prefix, struct id *result)
{
    size_t n = strlen(prefix);
    uint64_t v;

    if (text.n != n + 1 + ID_DIGITS || !str_starts(text, prefix) || text.p[n] != '_')
        return false;
    if (!base32_parse(text.p + n + 1, &v) || v == 0 || v > INT64_MAX)
        return false;
    result->v = (int64_t)v;
    return true;
}
