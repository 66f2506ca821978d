/* money.h -- integer minor units and a currency.
 *
 * The table knows each currency's exponent (digits after the point), step (amounts are multiples of
 * it) and minimum charge. No floats, and nowhere a "times 100". Source of the minima: Stripe's
 * published list, as used by large merchants; exponents: ISO 4217. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_MONEY_H
#define BASE_MONEY_H

#include "base/str.h"

struct currency {
    char code[4]; /* upper case, NUL-terminated; empty means none */
};

struct money {
    int64_t minor;
    struct currency currency;
};

struct currency_facts {
    struct currency currency;
    int exponent;    /* EUR 2, JPY 0, KWD 3 */
    int64_t step;    /* minor units */
    int64_t minimum; /* least charge, minor units */
};

/* The largest amount of one payment, in minor units, any currency (eight digits, as the providers
 * have it). */
#define MONEY_MAX INT64_C(99999999)

const struct currency_facts *currency_facts(struct currency c); /* NULL when unknown */
const struct currency_facts *currency_at(size_t i);             /* NULL past the end */
/* "EUR"; false for anything the table does not know. */
bool currency_parse(struct str code, struct currency *result);
bool currency_is(struct currency a, struct currency b);
static inline bool money_some(struct money m)
{
    return m.currency.code[0] != 0;
}
/* "12.10 EUR", "500 JPY". */
struct str money_print(struct arena *a, struct money m);

/* part/whole of amount, rounded half to even. whole > 0; amount, part >= 0; exact in 128 bits. */
int64_t share_half_even(int64_t amount, int64_t part, int64_t whole);
/* ... rounded down. */
int64_t share_floor(int64_t amount, int64_t part, int64_t whole);

#endif
