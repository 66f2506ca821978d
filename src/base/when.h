/* when.h -- instants: microseconds since 1970, UTC. RFC 3339 on the wire. us == 0 means none. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_WHEN_H
#define BASE_WHEN_H

#include "base/str.h"

struct when {
    int64_t us;
};

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
enum { WHEN_TEXT_MAX = 32 };

static inline bool when_some(struct when w)
{
    return w.us != 0;
}
static inline struct when when_after(struct when w, int64_t us)
{
    return (struct when) { w.us + us };
}

struct civil {
    int year, month, day, hour, minute, second, us;
};

struct civil when_civil(struct when w);
struct when civil_when(struct civil c);
/* "2026-11-21T02:37:25.000001Z"; zeros of the fraction are left off. Returns the length. */
size_t when_print(char text[WHEN_TEXT_MAX], struct when w);
/* RFC 3339 with offset; years 1970..9999. */
bool when_parse(struct str text, struct when *result);
/* n months after the anchor, the day clamped to the month's last: 31 Jan -> 28 Feb -> 31 Mar.
 * Always computed from the original anchor, so that a short month does not shorten those that
 * follow. */
struct when when_months_after(struct when anchor, int months);
/* "Sat, 21 Nov 2026 02:37:25 GMT", for HTTP headers and mails. */
size_t when_print_http(char text[WHEN_TEXT_MAX], struct when w);

/* The machine's clocks. Business time comes from env; only env and drivers call these. */
struct when when_real_now(void);
int64_t monotonic_us(void);
void sleep_ms(int64_t ms);

#endif
