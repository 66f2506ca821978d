/* revisions.h -- "has anything changed that this was computed from?"
 *
 * 65,536 counters; an id maps to one by hash. A commit that touch()ed ids bumps theirs before its answer leaves. Whoever
 * caches notes the counters it depends on *before* reading, and compares them at each use: a change is seen within one
 * commit; two ids on one counter cost a recomputation, never a stale answer. Other nodes bump through announce/listen. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_REVISIONS_H
#define CORE_REVISIONS_H

#include "base/id.h"

enum { REVISIONS = 65536 };

struct revisions {
    uint64_t counter[REVISIONS]; /* atomic */
};

static inline uint32_t revision_slot(struct id id)
{
    return (uint32_t)(((uint64_t)id.v * UINT64_C(0x9E3779B97F4A7C15)) >> 48);
}
static inline uint64_t revision_at(const struct revisions *r, uint32_t slot)
{
    return __atomic_load_n(&r->counter[slot], __ATOMIC_ACQUIRE);
}
static inline void revision_bump(struct revisions *r, uint32_t slot)
{
    __atomic_add_fetch(&r->counter[slot], 1, __ATOMIC_ACQ_REL);
}

#endif
