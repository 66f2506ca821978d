/* limiter.h -- how often a caller may do a thing: token buckets in bounded memory.
 *
 * A bucket is one number, the time at which it will be full again (GCRA): no timer refills
 * anything. The table has a fixed size; where a set of eight is full, the bucket nearest to full
 * gives way, so an attacker with many addresses pushes out strangers' small debts, never his own
 * large one. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_LIMITER_H
#define CORE_LIMITER_H

#include "core/module.h"

struct limiter;

struct limiter *limiter_open(uint64_t seed);
void limiter_close(struct limiter *l);
/* Takes one token of `who` (an id or an address, as bytes) for `what` (a constant, or 0 for what
 * all routes share). 0, or the seconds (at least 1) until there is one again; then nothing was
 * taken. now_us: monotonic. */
int64_t limiter_take(struct limiter *l, struct str who, uint64_t what, struct rate rate,
                     int64_t now_us);

#endif
