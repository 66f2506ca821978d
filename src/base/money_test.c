/* money_test.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/money.h"
#include "test/unit.h"

#include <string.h>

__extension__ typedef __int128 wide;

static struct currency currency(const char *code)
{
    struct currency c = { { 0 } };

    must(currency_parse(str_of(code), &c));
    return c;
}

TEST(currency_table_is_sound)
{
    size_t n = 0;

    for (const struct currency_facts *f; (f = currency_at(n)) != NULL; n++) {
        const char *code = f->currency.code;
        if (strlen(code) != 3 || strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3)
            FAIL("row %zu has no proper code", n);
        if (f->exponent < 0 || f->exponent > 3 || f->step < 1 || f->minimum < f->step ||
            f->minimum % f->step != 0 || f->minimum > MONEY_MAX)
            FAIL("%s: exponent, step and minimum contradict each other", code);
        if (currency_facts(f->currency) != f)
            FAIL("%s stands twice", code);
    }
    CHECK(n >= 20);
}

TEST(currency_is_only_what_the_table_knows)
{
    struct currency c = { "XYZ" };

    CHECK(!currency_parse(STR("eur"), &c));
    CHECK(!currency_parse(STR("EURO"), &c));
    CHECK(!currency_parse(STR("EU"), &c));
    CHECK(!currency_parse(STR(""), &c));
    CHECK(!currency_parse(STR_NONE, &c));
    CHECK(!currency_parse(STR("XXX"), &c));
    CHECK(!currency_parse(STR("\0\0\0"), &c));
    CHECK_STR(c.code, "XYZ");
    CHECK(currency_parse(STR("EUR"), &c));
    CHECK_STR(c.code, "EUR");
    CHECK(!money_some((struct money) { 0 }));
    CHECK(money_some((struct money) { 0, c }));
}

TEST(money_prints_with_its_own_number_of_digits)
{
    struct arena a = { 0 };

    CHECK_STR(money_print(&a, (struct money) { 1210, currency("EUR") }), "12.10 EUR");
    CHECK_STR(money_print(&a, (struct money) { 5, currency("EUR") }), "0.05 EUR");
    CHECK_STR(money_print(&a, (struct money) { -5, currency("EUR") }), "-0.05 EUR");
    CHECK_STR(money_print(&a, (struct money) { 0, currency("EUR") }), "0.00 EUR");
    CHECK_STR(money_print(&a, (struct money) { 500, currency("JPY") }), "500 JPY");
    CHECK_STR(money_print(&a, (struct money) { -12345, currency("KWD") }), "-12.345 KWD");
    CHECK_STR(money_print(&a, (struct money) { INT64_MIN, currency("EUR") }),
              "-92233720368547758.08 EUR");
    arena_done(&a);
}

/* Half to even by the definition: the nearest multiple; of two that are as near, the even one. */
static int64_t reference(int64_t amount, int64_t part, int64_t whole)
{
    wide exact = (wide)amount * part * 2, best = -1, distance_best = 0;
    wide guess = (wide)amount * part / whole;

    for (wide k = guess > 1 ? guess - 2 : 0; k <= guess + 2; k++) {
        wide distance = exact - k * 2 * whole;
        distance = distance < 0 ? -distance : distance;
        if (best < 0 || distance < distance_best || (distance == distance_best && k % 2 == 0)) {
            best = k;
            distance_best = distance;
        }
    }
    return (int64_t)best;
}

TEST_SECONDS(share_half_even_agrees_with_its_definition, 60)
{
    for (int64_t amount = 0; amount <= 400; amount++)
        for (int64_t whole = 1; whole <= 64; whole++)
            for (int64_t part = 0; part <= whole + 2; part++)
                if (share_half_even(amount, part, whole) != reference(amount, part, whole))
                    FAIL("%d * %d / %d", (int)amount, (int)part, (int)whole);
}

TEST(share_half_even_of_every_amount_at_the_fee_of_20_percent)
{
    for (int64_t amount = 0; amount < 100000; amount++)
        if (share_half_even(amount, 2000, 10000) != reference(amount, 2000, 10000))
            FAIL("20 %% of %d", (int)amount);
}

TEST(share_half_even_is_exact_where_64_bits_are_not_enough)
{
    static const int64_t large[] = { INT64_MAX,
                                     INT64_MAX - 1,
                                     INT64_MAX / 2,
                                     INT64_MAX / 3,
                                     INT64_C(1) << 62,
                                     MONEY_MAX,
                                     1,
                                     INT64_C(0x5555555555555) };

    for (size_t i = 0; i < COUNT(large); i++)
        for (size_t j = 0; j < COUNT(large); j++)
            for (int64_t part = large[j]; part > 0; part /= 7)
                if (share_half_even(large[i], part, large[j]) !=
                        reference(large[i], part, large[j]) ||
                    share_floor(large[i], part, large[j]) !=
                        (int64_t)((wide)large[i] * part / large[j]))
                    FAIL("large[%zu] * %lld / large[%zu]", i, (long long)part, j);
}

TEST(share_ties_go_to_the_even_side)
{
    CHECK_INT(share_half_even(5, 1, 10), 0);
    CHECK_INT(share_half_even(15, 1, 10), 2);
    CHECK_INT(share_half_even(25, 1, 10), 2);
    CHECK_INT(share_half_even(35, 1, 10), 4);
    CHECK_INT(share_floor(35, 1, 10), 3);
    CHECK_INT(share_half_even(1, 1, 1), 1);
}
