/* revisions.h -- "has anything changed that this was computed from?"
 *
 * A clock that ticks at each commit of somebody who touch()ed something, and 65,536 slots that hold
 * the tick of their last change; an id maps to one by hash. Whoever caches notes the clock *before*
 * it opens its snapshot, and the slots of what it read; what it kept is good as long as no slot
 * holds a later tick. Two ids on one slot cost a recomputation, never a stale answer.
 *
 * Why it is enough: a change is committed first, then gets its tick, then is answered. Let `since`
 * be the noted clock.
 *   tick <= since: the tick, and so the commit, came before the snapshot, which therefore shows the
 *   change.
 *   tick >  since: the slot says so, and what was kept is refused; perhaps in vain, never wrongly.
 * It does not matter when the slots become known (during the reading) or when they are looked at.
 * Between a commit and its tick an old answer may still be given, but then nobody has been told of
 * the change yet.
 *
 * Other nodes tick when they hear of it, some milliseconds later. A node that cannot hear must not
 * go on believing: where there are others, what was kept is good only while the line to them was
 * good DEAF_US ago (revisions_current). So no change is older than that where it is not seen.
 *
 * A slot only grows, though ticks may be written out of order; else the later of two changes could
 * be forgotten. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_REVISIONS_H
#define CORE_REVISIONS_H

#include "base/id.h"

enum { REVISIONS = 65536, DEAF_US = 700000 };

struct revisions {
    bool others;              /* there may be other nodes; set before there are threads */
    int64_t current_us;       /* all that they announced until then was heard; monotonic; atomic */
    uint64_t clock;           /* atomic */
    uint64_t all;             /* tick of the last change of everything; atomic */
    uint64_t slot[REVISIONS]; /* atomic */
};

static inline uint32_t revision_slot(struct id id)
{
    return (uint32_t)(((uint64_t)id.v * UINT64_C(0x9E3779B97F4A7C15)) >> 48);
}
/* What a session is kept with: its account's rights change far less often than what else is said of it. */
static inline uint32_t revision_actor_slot(struct id account)
{
    return revision_slot((struct id) { account.v ^ INT64_C(0x2545F4914F6CDD1D) });
}
/* Whether what was kept may be looked at now. */
static inline bool revisions_current(const struct revisions *r, int64_t now_us)
{
    return !r->others || now_us - __atomic_load_n(&r->current_us, __ATOMIC_SEQ_CST) < DEAF_US;
}
/* To be noted before the snapshot is opened. */
static inline uint64_t revision_now(const struct revisions *r)
{
    return __atomic_load_n(&r->clock, __ATOMIC_SEQ_CST);
}
static inline bool revision_unchanged(const struct revisions *r, uint32_t slot, uint64_t since)
{
    return __atomic_load_n(&r->slot[slot], __ATOMIC_SEQ_CST) <= since &&
           __atomic_load_n(&r->all, __ATOMIC_SEQ_CST) <= since;
}
static inline void revision_raise(uint64_t *at, uint64_t tick)
{
    uint64_t old = __atomic_load_n(at, __ATOMIC_SEQ_CST);

    while (old < tick &&
           !__atomic_compare_exchange_n(at, &old, tick, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        ;
}
/* After the commit, before its answer leaves. */
static inline void revision_bump(struct revisions *r, uint32_t slot)
{
    revision_raise(&r->slot[slot], __atomic_add_fetch(&r->clock, 1, __ATOMIC_SEQ_CST));
}
static inline void revision_bump_all(struct revisions *r)
{
    revision_raise(&r->all, __atomic_add_fetch(&r->clock, 1, __ATOMIC_SEQ_CST));
}

#endif
