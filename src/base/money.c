/* money.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/money.h"
#include "base/check.h"

#include <inttypes.h>
#include <string.h>

__extension__ typedef __int128 wide;

static const struct currency_facts table[] = {
    { { "EUR" }, 2, 1, 50 },    { { "USD" }, 2, 1, 50 },   { { "GBP" }, 2, 1, 30 },
    { { "AED" }, 2, 1, 200 },   { { "AUD" }, 2, 1, 50 },   { { "BGN" }, 2, 1, 100 },
    { { "BRL" }, 2, 1, 50 },    { { "CAD" }, 2, 1, 50 },   { { "CHF" }, 2, 1, 50 },
    { { "CZK" }, 2, 1, 1500 },  { { "DKK" }, 2, 1, 250 },  { { "HKD" }, 2, 1, 400 },
    { { "HUF" }, 2, 1, 17500 }, { { "INR" }, 2, 1, 50 },   { { "JPY" }, 0, 1, 50 },
    { { "KWD" }, 3, 10, 200 },  { { "MXN" }, 2, 1, 1000 }, { { "MYR" }, 2, 1, 200 },
    { { "NOK" }, 2, 1, 300 },   { { "NZD" }, 2, 1, 50 },   { { "PLN" }, 2, 1, 200 },
    { { "RON" }, 2, 1, 200 },   { { "SEK" }, 2, 1, 300 },  { { "SGD" }, 2, 1, 50 },
};

bool currency_is(struct currency a, struct currency b)
{
    return memcmp(a.code, b.code, 3) == 0;
}

const struct currency_facts *currency_at(size_t i)
{
    return i < COUNT(table) ? &table[i] : NULL;
}

const struct currency_facts *currency_facts(struct currency c)
{
    for (size_t i = 0; i < COUNT(table); i++)
        if (currency_is(table[i].currency, c))
            return &table[i];
    return NULL;
}

bool currency_parse(struct str code, struct currency *result)
{
    struct currency c = { { 0 } };

    if (code.n != 3)
        return false;
    memcpy(c.code, code.p, 3);
    if (currency_facts(c) == NULL)
        return false;
    *result = c;
    return true;
}

struct str money_print(struct arena *a, struct money m)
{
    const struct currency_facts *f = currency_facts(m.currency);
    int64_t unit = 1;

    must(f != NULL);
    for (int i = 0; i < f->exponent; i++)
        unit *= 10;
    uint64_t size = m.minor < 0 ? (uint64_t)0 - (uint64_t)m.minor : (uint64_t)m.minor;
    const char *sign = m.minor < 0 ? "-" : "";
    if (f->exponent == 0)
        return str_printf(a, "%s%" PRIu64 " %s", sign, size, m.currency.code);
    return str_printf(a, "%s%" PRIu64 ".%0*" PRIu64 " %s", sign, size / (uint64_t)unit, f->exponent,
                      size % (uint64_t)unit, m.currency.code);
}

int64_t share_floor(int64_t amount, int64_t part, int64_t whole)
{
    must(amount >= 0 && part >= 0 && whole > 0);
    return (int64_t)((wide)amount * part / whole);
}

int64_t share_half_even(int64_t amount, int64_t part, int64_t whole)
{
    must(amount >= 0 && part >= 0 && whole > 0);
    wide product = (wide)amount * part;
    int64_t floor = (int64_t)(product / whole), rest = (int64_t)(product % whole);
    int64_t other = whole - rest;

    if (rest > other || (rest == other && floor % 2 != 0))
        floor++;
    return floor;
}
