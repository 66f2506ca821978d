/* overload.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/overload.h"
#include "base/check.h"

enum { FEW = 8 };

static void end_interval(struct overload *o, int64_t came_us, int64_t now_us)
{
    /* Nobody came; not: somebody was there, and nobody looked. */
    bool paused = came_us - o->ends_us >= OVERLOAD_INTERVAL_US;

    o->crowd = !paused && o->n >= OVERLOAD_CROWD;
    if (!o->crowd)
        o->stands = false;
    else if (o->stands)
        o->stands = o->refused * FEW >= o->n;
    else
        o->stands = o->least_us > o->patience_us;
    o->ends_us = now_us + OVERLOAD_INTERVAL_US;
    o->least_us = INT64_MAX;
    o->n = o->refused = 0;
}

bool overload_refuses(struct overload *o, int64_t waited_us, int64_t now_us)
{
    if (o->patience_us == 0)
        return false;
    must(o->patience_max_us >= o->patience_us);
    if (now_us >= o->ends_us)
        end_interval(o, now_us - waited_us, now_us);
    o->n++;
    bool crowd = o->crowd || o->n > OVERLOAD_CROWD;
    bool refused = crowd && waited_us > (o->stands ? o->patience_us : o->patience_max_us);
    if (waited_us < o->least_us)
        o->least_us = waited_us;
    o->refused += refused;
    return refused;
}
