/* when.c -- civil dates by Howard Hinnant's days-from-civil rule (proleptic Gregorian). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/when.h"
#include "base/check.h"

#include <stdio.h>
#include <time.h>

static int64_t days_from_civil(int64_t y, int64_t m, int64_t d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400, yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;

    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

struct civil when_civil(struct when w)
{
    int64_t days = w.us / DAY, rest = w.us % DAY;

    if (rest < 0) {
        rest += DAY;
        days--;
    }
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    int month = (int)(mp < 10 ? mp + 3 : mp - 9);
    return (struct civil) {
        .year = (int)(yoe + era * 400 + (month <= 2)),
        .month = month,
        .day = (int)(doy - (153 * mp + 2) / 5 + 1),
        .hour = (int)(rest / HOUR),
        .minute = (int)(rest / MINUTE % 60),
        .second = (int)(rest / SECOND % 60),
        .us = (int)(rest % SECOND),
    };
}

struct when civil_when(struct civil c)
{
    return (struct when) { days_from_civil(c.year, c.month, c.day) * DAY + c.hour * HOUR +
                           c.minute * MINUTE + c.second * SECOND + c.us };
}

static char *put(char *to, int n, int width)
{
    for (int i = width - 1; i >= 0; i--, n /= 10)
        to[i] = (char)('0' + n % 10);
    return to + width;
}

static char *put_after(char *to, char mark, int n, int width)
{
    *to = mark;
    return put(to + 1, n, width);
}

size_t when_print(char text[WHEN_TEXT_MAX], struct when w)
{
    struct civil c = when_civil(w);
    char *to = put(text, c.year % 10000, 4);

    to = put_after(to, '-', c.month, 2);
    to = put_after(to, '-', c.day, 2);
    to = put_after(to, 'T', c.hour, 2);
    to = put_after(to, ':', c.minute, 2);
    to = put_after(to, ':', c.second, 2);
    if (c.us != 0)
        to = put_after(to, '.', c.us, 6);
    while (c.us != 0 && to[-1] == '0')
        to--;
    *to++ = 'Z';
    *to = 0;
    return (size_t)(to - text);
}

static bool digits(struct str *s, size_t n, int *result)
{
    int v = 0;

    if (s->n < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return false;
        v = v * 10 + (s->p[i] - '0');
    }
    *s = str_cut(*s, n, s->n);
    *result = v;
    return true;
}

static bool one_of(struct str *s, const char *set)
{
    for (; *set != 0; set++)
        if (s->n > 0 && s->p[0] == *set) {
            *s = str_cut(*s, 1, s->n);
            return true;
        }
    return false;
}

static int month_days(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

static bool parse_fraction(struct str *s, int *us)
{
    int scale = 100000, digit, n = 0;

    *us = 0;
    if (!one_of(s, "."))
        return true;
    for (; n < 9 && digits(s, 1, &digit); n++, scale /= 10)
        *us += digit * scale;
    return n > 0;
}

static bool parse_offset(struct str s, int64_t *us)
{
    int hour, minute;
    bool minus = s.n > 0 && s.p[0] == '-';

    *us = 0;
    if (one_of(&s, "Zz"))
        return s.n == 0;
    if (!one_of(&s, "+-") || !digits(&s, 2, &hour) || !one_of(&s, ":") || !digits(&s, 2, &minute))
        return false;
    *us = (hour * HOUR + minute * MINUTE) * (minus ? -1 : 1);
    return s.n == 0 && hour < 24 && minute < 60;
}

bool when_parse(struct str s, struct when *result)
{
    struct civil c = { 0 };
    int64_t offset;

    if (!digits(&s, 4, &c.year) || !one_of(&s, "-") || !digits(&s, 2, &c.month) ||
        !one_of(&s, "-") || !digits(&s, 2, &c.day) || !one_of(&s, "Tt ") ||
        !digits(&s, 2, &c.hour) || !one_of(&s, ":") || !digits(&s, 2, &c.minute) ||
        !one_of(&s, ":") || !digits(&s, 2, &c.second) || !parse_fraction(&s, &c.us) ||
        !parse_offset(s, &offset))
        return false;
    if (c.year < 1970 || c.month < 1 || c.month > 12 || c.day < 1 ||
        c.day > month_days(c.year, c.month) || c.hour > 23 || c.minute > 59 || c.second > 59)
        return false;
    struct when w = { civil_when(c).us - offset };
    /* The offset may lead out of the years that can be written, or to 0, which is none. */
    if (!when_some(w) || w.us < 0 || when_civil(w).year > 9999)
        return false;
    *result = w;
    return true;
}

struct when when_months_after(struct when anchor, int months)
{
    struct civil c = when_civil(anchor);
    int month = c.year * 12 + c.month - 1 + months;

    must(months >= 0 && months < 12000);
    c.year = month / 12;
    c.month = month % 12 + 1;
    if (c.day > month_days(c.year, c.month))
        c.day = month_days(c.year, c.month);
    return civil_when(c);
}

size_t when_print_http(char text[WHEN_TEXT_MAX], struct when w)
{
    static const char *const days[] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    struct civil c = when_civil(w);
    int n =
        snprintf(text, WHEN_TEXT_MAX, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[w.us / DAY % 7],
                 c.day, months[c.month - 1], c.year % 10000, c.hour, c.minute, c.second);

    must(n > 0 && n < WHEN_TEXT_MAX);
    return (size_t)n;
}

struct when when_real_now(void)
{
    struct timespec t;

    must(clock_gettime(CLOCK_REALTIME, &t) == 0);
    return (struct when) { t.tv_sec * SECOND + t.tv_nsec / 1000 };
}

int64_t monotonic_us(void)
{
    struct timespec t;

    must(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
    return t.tv_sec * SECOND + t.tv_nsec / 1000;
}

void sleep_ms(int64_t ms)
{
    nanosleep(&(struct timespec) { ms / 1000, ms % 1000 * 1000000 }, NULL);
}
