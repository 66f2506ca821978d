/* guard.h -- who calls, and whether he may. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_GUARD_H
#define SERVER_GUARD_H

#include "server/request.h"

/* r->token and its hash, from Authorization or the cookie. */
void guard_token(struct request *r);
/* Everything that can be refused before the body is read. r->call has its actor. */
enum err guard(struct request *r);
/* The address that limits and sessions go by: the client's, told by a proxy of ours or by the socket. */
struct str guard_address(const struct request *r);
/* What a limit is counted on: the /64 of an IPv6 address, an IPv4 address whole. */
struct str guard_network(struct arena *a, struct str address);

#endif
