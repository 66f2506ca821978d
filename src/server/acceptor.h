/* acceptor.h -- takes new connections, on a thread of its own.
 *
 * libmicrohttpd accepts eleven each time that a loop has gone round all its sockets. When many come at once the rounds get
 * longer, and newcomers waited for seconds where those who were inside waited for milliseconds; nor could they be told to come
 * again. So the library opens the socket, we take it over, and the loops are handed what was accepted. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_ACCEPTOR_H
#define SERVER_ACCEPTOR_H

#include "base/str.h"

struct MHD_Daemon;
struct acceptor;

/* open: how many connections there are; counted up here, and down by whoever is told that one is closed. Beyond max others wait
 * in the kernel. The library's own limit must not be reached: libmicrohttpd 0.9.75, given a connection too many, keeps a lock
 * for ever. */
struct acceptor *acceptor_start(struct MHD_Daemon *daemon, int64_t *open, int64_t max);
/* No new connections from here on: the port is free. NULL is allowed. */
void acceptor_stop(struct acceptor *a);

#endif
