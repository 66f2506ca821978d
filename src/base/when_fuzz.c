/* when_fuzz.c -- RFC 3339 beside its grammar as a regular expression and a count of days year by year; calendar rules. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/when.h"
#include "test/fuzz.h"

#include <regex.h>
#include <string.h>

/* Of the fraction nine digits at most, of which six count; no leap seconds. */
#define GRAMMAR                                                                                    \
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}" \
    ":[0-9]{2})$"
#define LAST INT64_C(253402300799999999) /* of the year 9999 */

static bool fits_grammar(struct arena *a, struct str s)
{
    static regex_t grammar;
    static bool made;

    if (!made)
        must(regcomp(&grammar, GRAMMAR, REG_EXTENDED | REG_NOSUB) == 0);
    made = true;
    return s.n < 64 && memchr(s.p, 0, s.n) == NULL &&
           regexec(&grammar, str_copy(a, s).p, 0, NULL, 0) == 0;
}

static int at(struct str s, size_t from, size_t n)
{
    int v = 0;

    for (size_t i = from; i < from + n; i++)
        v = v * 10 + (s.p[i] - '0');
    return v;
}

static bool is_leap(int year)
{
    return year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);
}

static int days_in(int year, int month)
{
    return month == 2                                              ? 28 + is_leap(year)
           : month == 4 || month == 6 || month == 9 || month == 11 ? 30
                                                                   : 31;
}

/* Microseconds of what fits the grammar; -1 when there is no such day or time, or it lies outside of 1970..9999. */
static int64_t naive(struct str s)
{
    int year = at(s, 0, 4), month = at(s, 5, 2), day = at(s, 8, 2);
    int hour = at(s, 11, 2), minute = at(s, 14, 2), second = at(s, 17, 2);
    int64_t days = day - 1, us = 0, scale = 100000, offset = 0;
    size_t i = 19;

    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in(year, month) ||
        hour > 23 || minute > 59 || second > 59)
        return -1;
    for (int y = 1970; y < year; y++)
        days += 365 + is_leap(y);
    for (int m = 1; m < month; m++)
        days += days_in(year, m);
    if (s.p[i] == '.')
        for (i++; s.p[i] >= '0' && s.p[i] <= '9'; i++, scale /= 10)
            us += (s.p[i] - '0') * scale;
    if (s.n - i == 6) {
        if (at(s, i + 1, 2) > 23 || at(s, i + 4, 2) > 59)
            return -1;
        offset = (at(s, i + 1, 2) * 60 + at(s, i + 4, 2)) * (s.p[i] == '-' ? -60 : 60);
    }
    us += ((days * 24 + hour) * 3600 + minute * 60 + second - offset) * 1000000;
    return us <= 0 || us > LAST ? -1 : us;
}

static void check_text(struct str in, struct arena *a)
{
    struct when w = { -7 };
    char text[WHEN_TEXT_MAX];
    struct when again = { 0 };
    int64_t wanted = fits_grammar(a, in) ? naive(in) : -1;

    if (!when_parse(in, &w)) {
        HOLDS(w.us == -7);
        HOLDS(wanted == -1);
        return;
    }
    fuzz_taken();
    HOLDS(w.us == wanted);
    size_t n = when_print(text, w);
    HOLDS(n == strlen(text) && when_parse((struct str) { text, n }, &again) && again.us == w.us);
    HOLDS(fits_grammar(a, (struct str) { text, n }));
}

static void check_instant(struct when w, int months)
{
    struct civil c = when_civil(w), later;
    char text[WHEN_TEXT_MAX];

    HOLDS(civil_when(c).us == w.us);
    HOLDS(c.month >= 1 && c.month <= 12 && c.day >= 1 && c.day <= days_in(c.year, c.month));
    HOLDS(c.hour >= 0 && c.hour < 24 && c.minute >= 0 && c.minute < 60 && c.second >= 0 &&
          c.second < 60 && c.us >= 0 && c.us < 1000000);
    HOLDS(when_print_http(text, w) == 29 && strlen(text) == 29);
    later = when_civil(when_months_after(w, months));
    HOLDS(later.year * 12 + later.month == c.year * 12 + c.month + months);
    HOLDS(later.day == c.day ||
          (later.day < c.day && later.day == days_in(later.year, later.month)));
    HOLDS(later.hour == c.hour && later.minute == c.minute && later.second == c.second &&
          later.us == c.us);
}

FUZZ(when)
{
    uint64_t n[2] = { 0 };

    check_text(in, a);
    if (in.n > 0)
        memcpy(n, in.p, in.n < sizeof(n) ? in.n : sizeof(n));
    check_instant((struct when) { (int64_t)(n[0] % (uint64_t)LAST) }, (int)(n[1] % 1200));
}
