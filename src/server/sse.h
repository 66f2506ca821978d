/* sse.h -- GET /v1/events: server-sent events of the one who is signed in, from the hub (core/events.h).
 *
 * A stream takes its socket over from libmicrohttpd, whose buffers would cost thirty times as much for the days that it may
 * last. The hub's thread writes straight to the socket; what that does not take waits in a small queue, and a reader who lets
 * it fill up is dropped, and comes back with Last-Event-ID. One thread looks after all of them: queues, heartbeats, readers
 * that have gone, sessions that have ended. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_SSE_H
#define SERVER_SSE_H

#include "core/env.h"

struct server;
struct stream;
struct streams;

struct streams *streams_open(struct server *s);
/* All end, and no new ones begin. */
void streams_end(struct streams *all);
void streams_close(struct streams *all); /* after the last request */

/* The route's handler: joins the hub; the stream is in c->prepared, to be begun or dropped. */
enum err streams_join(struct call *c);
extern const struct shape events_query_shape;

/* Sends the answer's head and all that follows on the socket, of which it keeps a duplicate. False: it is over already. Either
 * way the stream is no longer the caller's. */
bool stream_begin(struct stream *s, int fd, struct str head);
/* Nobody came for it. */
void stream_drop(struct stream *s);

#endif
