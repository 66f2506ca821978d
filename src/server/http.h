/* http.h -- requests over sockets: libmicrohttpd, one epoll loop a core. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_HTTP_H
#define SERVER_HTTP_H

#include "server/request.h"

struct http;

/* Settings http.*; sets s->http. False, with a sentence in *why, when the port cannot be had. */
bool http_open(struct server *s, struct arena *a, struct str *why);
int http_port(const struct http *h);
/* No new connections. */
void http_quiesce(struct http *h);
/* Requests that are not answered yet. */
int64_t http_in_flight(const struct http *h);
/* From here on no request begins: its connection is closed. */
void http_refuse(struct http *h);
/* Only when nothing is in flight. */
void http_close(struct http *h);

#endif
