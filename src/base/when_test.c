/* when_test.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/when.h"
#include "test/unit.h"

#include <string.h>

/* A calendar that only counts: one day after the other, by the rule as a child learns it. */
struct day {
    int year, month, day;
};

static bool is_leap(int year)
{
    return year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);
}

static int days_of(int year, int month)
{
    if (month == 2)
        return is_leap(year) ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

static void tomorrow(struct day *d)
{
    if (++d->day <= days_of(d->year, d->month))
        return;
    d->day = 1;
    if (++d->month <= 12)
        return;
    d->month = 1;
    d->year++;
}

static struct when at(int year, int month, int day)
{
    return civil_when((struct civil) { .year = year, .month = month, .day = day });
}

TEST(when_agrees_with_counting_days_for_800_years)
{
    struct day d = { 1970, 1, 1 };

    for (int64_t n = 0; d.year < 2770; n++, tomorrow(&d)) {
        struct civil c = when_civil((struct when) { n * DAY });
        if (c.year != d.year || c.month != d.month || c.day != d.day)
            FAIL("day %d is %d-%d-%d, should be %d-%d-%d", (int)n, c.year, c.month, c.day, d.year,
                 d.month, d.day);
        if (at(d.year, d.month, d.day).us != n * DAY)
            FAIL("%d-%d-%d back to day %d", d.year, d.month, d.day, (int)n);
        /* One microsecond before midnight is still the day before. */
        c = when_civil((struct when) { (n + 1) * DAY - 1 });
        if (c.day != d.day || c.hour != 23 || c.minute != 59 || c.second != 59 || c.us != 999999)
            FAIL("the end of day %d", (int)n);
    }
}

TEST(when_before_1970_is_civil_too)
{
    struct civil c = when_civil((struct when) { -1 });

    CHECK_INT(c.year, 1969);
    CHECK_INT(c.month, 12);
    CHECK_INT(c.day, 31);
    CHECK_INT(c.us, 999999);
    CHECK_INT(civil_when(c).us, -1);
}

TEST(when_months_agree_with_counting_for_30_years)
{
    struct day from = { 2023, 1, 1 };

    /* Every anchor of five years, leap day included, and every month of the next 30 years. */
    for (; from.year < 2028; tomorrow(&from)) {
        struct when anchor = when_after(at(from.year, from.month, from.day), 13 * HOUR + 7);
        int year = from.year, month = from.month;
        for (int n = 0; n <= 360; n++) {
            int last = days_of(year, month), day = from.day < last ? from.day : last;
            struct when want = when_after(at(year, month, day), 13 * HOUR + 7);
            if (when_months_after(anchor, n).us != want.us)
                FAIL("%d months after %d-%d-%d", n, from.year, from.month, from.day);
            if (++month == 13) {
                month = 1;
                year++;
            }
        }
    }
}

TEST(when_31st_comes_back_after_a_short_month)
{
    struct when anchor = at(2027, 1, 31);

    CHECK_INT(when_months_after(anchor, 1).us, at(2027, 2, 28).us);
    CHECK_INT(when_months_after(anchor, 2).us, at(2027, 3, 31).us);
    CHECK_INT(when_months_after(anchor, 13).us, at(2028, 2, 29).us);
    CHECK_INT(when_months_after(at(2028, 2, 29), 12).us, at(2029, 2, 28).us);
    CHECK_INT(when_months_after(at(2028, 2, 29), 48).us, at(2032, 2, 29).us);
    CHECK_INT(when_months_after(at(2100, 1, 29), 1).us, at(2100, 2, 28).us);
}

static void check_print(int64_t us, const char *want)
{
    char text[WHEN_TEXT_MAX];
    struct when back = { 0 };
    size_t n = when_print(text, (struct when) { us });

    CHECK_STR(text, want);
    CHECK_INT(n, strlen(want));
    CHECK(when_parse(str_of(text), &back));
    CHECK_INT(back.us, us);
}

TEST(when_prints_no_more_of_the_fraction_than_there_is)
{
    int64_t base = at(2026, 11, 21).us + 2 * HOUR + 37 * MINUTE + 25 * SECOND;

    check_print(base, "2026-11-21T02:37:25Z");
    check_print(base + 1, "2026-11-21T02:37:25.000001Z");
    check_print(base + 100000, "2026-11-21T02:37:25.1Z");
    check_print(base + 120000, "2026-11-21T02:37:25.12Z");
    check_print(base + 999999, "2026-11-21T02:37:25.999999Z");
    check_print(at(2026, 1, 1).us, "2026-01-01T00:00:00Z");
    check_print(at(9999, 12, 31).us + DAY - 1, "9999-12-31T23:59:59.999999Z");
    check_print(1, "1970-01-01T00:00:00.000001Z");
}

TEST(when_parses_offsets_and_lower_case)
{
    struct when w;
    int64_t noon = at(2026, 11, 21).us + 12 * HOUR;

    CHECK(when_parse(STR("2026-11-21T13:00:00+01:00"), &w) && w.us == noon);
    CHECK(when_parse(STR("2026-11-21T06:30:00-05:30"), &w) && w.us == noon);
    CHECK(when_parse(STR("2026-11-22T11:59:00+23:59"), &w) && w.us == noon);
    CHECK(when_parse(STR("2026-11-21t12:00:00z"), &w) && w.us == noon);
    CHECK(when_parse(STR("2026-11-21 12:00:00Z"), &w) && w.us == noon);
    CHECK(when_parse(STR("2026-11-21T12:00:00.123456789Z"), &w) && w.us == noon + 123456);
    CHECK(when_parse(STR("2028-02-29T00:00:00Z"), &w) && w.us == at(2028, 2, 29).us);
}

TEST(when_parse_refuses_what_is_no_instant)
{
    static const char *const bad[] = {
        "",
        "2026-11-21",
        "2026-11-21T12:00:00",
        "2026-11-21T12:00Z",
        "2026-1-21T12:00:00Z",
        "2026-13-21T12:00:00Z",
        "2026-00-21T12:00:00Z",
        "2026-11-31T12:00:00Z",
        "2026-11-00T12:00:00Z",
        "2027-02-29T12:00:00Z",
        "2100-02-29T12:00:00Z",
        "2026-11-21T24:00:00Z",
        "2026-11-21T12:60:00Z",
        "2026-11-21T12:00:60Z",
        "2026-11-21T12:00:00.Z",
        "2026-11-21T12:00:00,5Z",
        "2026-11-21T12:00:00.1234567891Z",
        "2026-11-21T12:00:00Zx",
        "2026-11-21T12:00:00+24:00",
        "2026-11-21T12:00:00+01:60",
        "2026-11-21T12:00:00+0100",
        "2026-11-21T12:00:00+",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00Z", /* 0 is none */
        "1970-01-01T00:30:00+01:00",
        "9999-12-31T23:59:59-00:01", /* year 10000 cannot be written */
        "-026-11-21T12:00:00Z",
        " 2026-11-21T12:00:00Z",
    };

    for (size_t i = 0; i < COUNT(bad); i++) {
        struct when w = { 42 };
        if (when_parse(str_of(bad[i]), &w) || w.us != 42)
            FAIL("\"%s\" was taken, or the result was touched", bad[i]);
    }
}

TEST(when_prints_for_http)
{
    char text[WHEN_TEXT_MAX];

    when_print_http(text,
                    (struct when) { at(1994, 11, 6).us + 8 * HOUR + 49 * MINUTE + 37 * SECOND });
    CHECK_STR(text, "Sun, 06 Nov 1994 08:49:37 GMT"); /* the example of RFC 9110 */
    when_print_http(text, at(2028, 2, 29));
    CHECK_STR(text, "Tue, 29 Feb 2028 00:00:00 GMT");
}

TEST(when_clocks_run)
{
    int64_t a = monotonic_us(), b = monotonic_us();

    CHECK(b >= a);
    CHECK(when_real_now().us > at(2026, 1, 1).us);
}
