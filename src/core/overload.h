/* overload.h -- whom to turn away when more come than can be served: decided by how long somebody has waited.
 *
 * A queue takes up bursts, and is good as long as it empties now and then. One that never does makes everybody late and helps
 * nobody. So: who waits too long is turned away early, while others still come in time; and what too long is depends on whether
 * the queue stands (after CoDel, RFC 8289, in its form for servers: "Fail at Scale", ACM Queue 2015).
 *
 *   it stands  when nobody has waited less than patience_us for a tenth of a second; until, for a tenth of a second, fewer
 *              than one in eight had to be turned away. Too long is: longer than patience_us
 *   else       it takes up a burst. Too long is: longer than patience_max_us
 *
 * Nobody is turned away where there is no crowd.
 *
 * The end is not, as in CoDel, the first one who waits for less: with one left in time and all others turned away, that would
 * let the whole crowd in again each time, and everybody would wait for as long as the crowd takes.
 *
 * Pure: the caller has the clock. One for each queue that is emptied by one thread. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_OVERLOAD_H
#define CORE_OVERLOAD_H

#include "base/when.h"

enum {
    OVERLOAD_INTERVAL_US = 100000,
    OVERLOAD_CROWD =
        10, /* so few in an interval are no crowd, however late they are: the machine is slow, not the queue long */
};

struct overload {
    int64_t patience_us;     /* 0: nobody is turned away */
    int64_t patience_max_us; /* at least patience_us */
    int64_t ends_us;         /* of the present interval */
    int64_t least_us;        /* that anybody has waited in it */
    int64_t n, refused;      /* how many came in it, and were turned away */
    bool crowd;              /* in the interval before */
    bool stands;
};

/* Somebody's turn has come, after this wait. True: tell him to come again. */
bool overload_refuses(struct overload *o, int64_t waited_us, int64_t now_us);

#endif
