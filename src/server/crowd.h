/* crowd.h -- how many connections each address has, so that one client cannot take them all.
 *
 * This machine's own addresses are not limited: a proxy in front of us connects from there, for everybody; and whoever can
 * log in here does not need a socket to do harm. An IPv6 client is a /64, because it has all of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_CROWD_H
#define SERVER_CROWD_H

#include "base/str.h"

#include <sys/socket.h>

struct crowd;

struct crowd *crowd_open(unsigned max, uint64_t seed); /* max 0: no limit */
void crowd_close(struct crowd *c);
/* False: it has as many as it may. Any thread. */
bool crowd_has_room(struct crowd *c, const struct sockaddr *address);
void crowd_join(struct crowd *c, const struct sockaddr *address);
void crowd_leave(struct crowd *c, const struct sockaddr *address);

#endif
