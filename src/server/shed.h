/* shed.h -- turning requests away early when more come than can be served, so that those who are let in come in time.
 *
 * A loop serves sockets that have something to read, and does not see how many wait. The kernel does: a socket tells how long
 * ago its last bytes came. From that wait core/overload.h decides, before anything is worked out or looked up. Answers that cost
 * no more than a refusal are given in any case: files of the app, kept replies; and vital routes are served. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_SHED_H
#define SERVER_SHED_H

#include "server/request.h"

struct shed;

struct shed *shed_open(struct server *s);
void shed_close(struct shed *s);
/* r's route is known. True: it has its answer, 503. */
bool shed_refuses(struct request *r);
uint64_t shed_count(const struct shed *s);
/* How long ago the last bytes came that this socket has. */
int64_t shed_socket_waited_us(int fd);
/* Says in the log what was turned away, at most once a second. By one thread. */
void shed_tell(struct shed *s);

#endif
