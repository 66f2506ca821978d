/* server.h -- HTTP in front of the modules' routes.
 *
 * The inside, without sockets (request.h), decides everything: which route, who calls, whether he may, what is answered.
 * http.c carries it over libmicrohttpd; server_call carries it over a function call, for tests. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "core/env.h"

struct server;

/* Settings http.*, health and metrics: of every program that serves. */
extern const struct module server_module;
/* The platform's own: events, the API's description, the clock of development. */
extern const struct module platform_module;

/* After env_start. Answers server_call only; no socket is opened. */
struct server *server_open(struct env *e);
/* Opens the port (setting http.port; 0: any). False, with a sentence in *why, when it cannot. */
bool server_listen(struct server *s, struct arena *a, struct str *why);
int server_port(const struct server *s);
/* /readyz says no from now on, so that balancers look elsewhere; requests are still answered. */
void server_drain(struct server *s);
/* No new connections; what runs may end within limit_s seconds. False when something did not: then the threads still run
 * and the process should exit without further ado. Otherwise everything is freed. Before env_stop. */
bool server_close(struct server *s, int limit_s);

/* One request by a function call. */
enum { HTTP_CALL_HEADERS = 16 };
struct http_call {
    const char *method;
    struct str target; /* "/v1/feed?limit=2" */
    struct str token;  /* Authorization: Bearer; none: nobody */
    struct str type;   /* Content-Type; none: application/json when there is a body */
    struct str body;
    size_t headers_n;
    struct header headers[HTTP_CALL_HEADERS]; /* further ones */
    /* the answer; lives in the arena given */
    int status;
    struct str reply_type, reply;
    size_t reply_headers_n;
    struct header reply_headers[32];
};
/* Status 0: refused without an answer, because there is no memory for one. */
void server_call(struct server *s, struct arena *a, struct http_call *h);
/* For tests: told of each answer, by call or by socket, on the thread that gave it. h has the request's body where it was JSON
 * or raw, and no bytes of files. r: NULL when there is none. */
typedef void server_watcher(void *context, const struct http_call *h, const struct route *r);
void server_watch(struct server *s, server_watcher *watcher, void *context);
struct str http_call_header(const struct http_call *h, const char *name);

/* What the tables say, printed: the same input gives the same bytes. */
struct str server_openapi(struct arena *a, const struct module *const *modules, size_t n);
struct str server_typescript(struct arena *a, const struct module *const *modules, size_t n);
struct str server_audit(struct arena *a, const struct module *const *modules, size_t n);
struct str server_route_list(struct arena *a, const struct module *const *modules, size_t n);

#endif
