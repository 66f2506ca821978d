/* replies.h -- the reply cache: whole answers of routes with .cached, by session and address.
 *
 * An answer is kept with the revisions clock noted when its request began and the slots of all it was computed from, and is
 * looked through at each use (core/revisions.h says why that can never be stale on this node). The clock is noted before
 * the session is looked up, because who calls is part of what an answer is computed from. What an answer says may also end
 * at a known time (call.h: depends_until). A minute bounds what other nodes may be late with; business time that was moved
 * forgets everything. An answer may be a file; its bytes are those of hot.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_REPLIES_H
#define SERVER_REPLIES_H

#include "core/metrics.h"
#include "core/revisions.h"
#include "server/shared.h"

struct replies;

struct reply_key {
    struct id session; /* none: an anonymous one */
    struct str target; /* path and query as they came */
    int64_t offset_us; /* of the business clock */
    struct when now;   /* business time: an answer may hold until a time only */
};

struct replies *replies_open(const struct revisions *r, struct metrics *m, size_t bytes_max,
                             uint64_t seed);
void replies_close(struct replies *c);
/* One reference for the caller, or NULL. */
struct shared *replies_find(struct replies *c, const struct reply_key *k, int64_t now_us);
void replies_put(struct replies *c, const struct reply_key *k, int64_t now_us, uint64_t since,
                 const uint32_t *slots, size_t n, struct when ends, struct shared *answer);

#endif
