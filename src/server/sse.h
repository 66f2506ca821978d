/* sse.h -- GET /v1/events: server-sent events of the one who is signed in, from the hub (core/events.h).
 *
 * A stream has a small queue between the hub's thread and the socket's loop. While it is empty the connection is suspended
 * and costs nothing; a reader who lets it fill up is dropped, and comes back with Last-Event-ID. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_SSE_H
#define SERVER_SSE_H

#include "core/env.h"

struct MHD_Connection;
struct MHD_Response;
struct server;
struct stream;
struct streams;

struct streams *streams_open(struct server *s);
/* All end; their connections close by themselves. */
void streams_end(struct streams *all);
void streams_close(struct streams *all); /* after the connections are gone */

/* The route's handler: joins the hub; the stream is in c->prepared. */
enum err streams_join(struct call *c);
extern const struct shape events_query_shape;

/* The stream's body on this connection; then stream_drop is the response's business. */
struct MHD_Response *stream_response(struct stream *s, struct MHD_Connection *connection);
/* Nobody reads it any more. */
void stream_drop(struct stream *s);

#endif
