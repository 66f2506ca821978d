/* money_fuzz.c -- currencies, amounts as people read them, shares: beside arithmetic in 128 bits. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/money.h"
#include "test/fuzz.h"

#include <string.h>

__extension__ typedef __int128 wide;

static void check_code(struct str in)
{
    struct currency c = { "???" };
    size_t known = 0;

    for (size_t i = 0; currency_at(i) != NULL; i++)
        known += str_is(in, currency_at(i)->currency.code);
    if (!currency_parse(in, &c)) {
        HOLDS(strcmp(c.code, "???") == 0 && known == 0);
        return;
    }
    fuzz_taken();
    HOLDS(known == 1 && str_is(in, c.code));
    HOLDS(currency_is(currency_facts(c)->currency, c));
}

/* "-12.10 EUR": the sign, digits, exactly the exponent's digits behind a point, a space and the code. */
static void check_print(struct arena *a, struct money m)
{
    struct str text = money_print(a, m), amount;
    int exponent = currency_facts(m.currency)->exponent;
    struct str code = str_split(text, ' ', &amount);
    size_t digits = 0, point = SIZE_MAX;
    wide v = 0;

    for (size_t i = m.minor < 0; i < amount.n; i++) {
        if (amount.p[i] == '.' && point == SIZE_MAX) {
            point = i;
            continue;
        }
        HOLDS(amount.p[i] >= '0' && amount.p[i] <= '9');
        v = v * 10 + (amount.p[i] - '0');
        digits++;
    }
    HOLDS(str_is(code, m.currency.code));
    HOLDS((amount.p[0] == '-') == (m.minor < 0));
    HOLDS((m.minor < 0 ? -v : v) == m.minor);
    HOLDS(exponent == 0 ? point == SIZE_MAX : amount.n - point == (size_t)exponent + 1);
    HOLDS(digits > (size_t)exponent);
}

/* Of a whole at most the whole: shares of more are nobody's. */
static void check_shares(int64_t amount, int64_t part, int64_t whole)
{
    int64_t floor = share_floor(amount, part, whole), even = share_half_even(amount, part, whole);
    wide exact = (wide)amount * part, twice = (exact - (wide)even * whole) * 2;

    HOLDS(floor >= 0 && floor <= amount);
    HOLDS((wide)floor * whole <= exact && exact < ((wide)floor + 1) * whole);
    HOLDS(twice <= whole && twice >= -(wide)whole);
    HOLDS((twice != whole && twice != -(wide)whole) || even % 2 == 0);
    /* What is not his is the other's: nothing is made or lost. */
    HOLDS(share_floor(amount, part, whole) + (amount - floor) == amount);
}

FUZZ(money)
{
    struct str rest = in;
    struct str code = fuzz_line(&rest, a);
    int64_t minor = fuzz_number(&rest, INT64_MIN, INT64_MAX);
    int64_t amount = fuzz_number(&rest, 0, INT64_MAX), whole = fuzz_number(&rest, 1, INT64_MAX);
    int64_t part = fuzz_number(&rest, 0, whole);
    size_t known = 0;

    check_code(code);
    while (currency_at(known) != NULL)
        known++;
    check_print(a, (struct money) { minor, currency_at((uint64_t)amount % known)->currency });
    check_shares(amount, part, whole);
}
