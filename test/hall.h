/* hall.h -- a server in a test: accounts, the server's own routes, and a few that show what the server does.
 *
 *   GET  /t/cached/{n}   a number that grows each time it is made; depends on the object n
 *   POST /t/touch/{n}    changes the object n            GET /t/file      ten digits, with a tag
 *   POST /t/slow         holds the writer for 3 s        POST /t/echo     {"text":…} -> the same, 201
 *   GET  /t/page         a page of the web app           POST /t/pay      like echo, but a key is required
 *   POST /t/shout        an event hall.shout for the caller
 *   GET  /t/hold         holds the loop until the test, which made the FIFO "hold" in its folder, has opened and closed it */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_HALL_H
#define TEST_HALL_H

#include "server/server.h"
#include "test/house.h"

struct hall {
    struct house *house;
    struct server *server;
    struct arena *arena;
    struct str token, session; /* of one who is signed in */
    struct http_call call;     /* the last one */
};

/* setting: "--name=value", several with spaces between, or NULL. */
struct hall *hall_open(const char *engine, const char *setting);
void hall_close(struct hall *h);

/* One request by server_call: the status. headers: "Name: value" pairs, ends in NULL; may be NULL. */
int hall_ask(struct hall *h, struct str token, const char *method, const char *target,
             const char *body, const char *const *headers);
struct str hall_member(struct hall *h, const char *name);
struct str hall_header(struct hall *h, const char *name);

#endif
