/* events.h -- facts for other modules and for browsers: a transactional outbox.
 *
 * An event is a row written with the change it tells of. Subscribers (other modules) get each event
 * once, in order, in a transaction of their own together with their cursor. Browsers get those of
 * their audience over GET /v1/events, and resume from any event they have seen. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_EVENTS_H
#define CORE_EVENTS_H

#include "core/env.h"

/* audience: the account whose browsers see it; none: no browser. value is of kind->shape. */
enum err event_add(struct call *c, const struct event_kind *kind, struct id audience,
                   const void *value);

/* The hub: reads new rows and hands them out; one thread. */
struct hub;
struct hub *hub_start(struct env *e);
void hub_wake(struct hub *h);
void hub_stop(struct hub *h); /* waking it stays harmless until hub_free */
void hub_free(struct hub *h);
/* Subscribers' work on the calling thread until nothing is left: tests and the simulator. */
int events_drain(struct env *e);

/* A browser's stream. heard is called on the hub's thread with the SSE text of one or more events.
 * after: the last seen event, none for "from now on". Returns NULL when there are too many
 * streams, of this account or in all. */
struct hub_stream;
struct hub_stream *hub_join(struct hub *h, struct id audience, struct id after,
                            void (*heard)(void *context, struct str sse), void *context);
/* After it returns, heard is not called again. */
void hub_leave(struct hub *h, struct hub_stream *s);

#endif
