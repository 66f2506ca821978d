/* sessions.h -- who a token belongs to, remembered for a minute.
 *
 * An entry is good as long as neither its session nor the actor of its account was touched (core/revisions.h), so that a revoked session
 * is refused at the next request on this node; the minute bounds what may be late from other nodes, and lets the account
 * service see now and then that the session is in use. Tokens are known by their SHA-256 only. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_SESSIONS_H
#define SERVER_SESSIONS_H

#include "core/call.h"
#include "core/revisions.h"

struct sessions;

struct sessions *sessions_open(const struct revisions *r);
void sessions_close(struct sessions *s);
bool sessions_find(struct sessions *s, const struct sha256 *token, int64_t now_us,
                   struct actor *result);
/* since: the revisions' clock before the database was asked. */
void sessions_put(struct sessions *s, const struct sha256 *token, int64_t now_us, uint64_t since,
                  const struct actor *actor);
/* Would sessions_find still believe what was found with this since? For streams. */
bool sessions_unchanged(const struct sessions *s, const struct actor *actor, uint64_t since);

#endif
