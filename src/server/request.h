/* request.h -- one HTTP request, without its socket.
 *
 *   begin   route, limits, static files         (an error goes straight to the answer)
 *   know    who calls: the session of a cookie or token, from memory or the database
 *   guard   same site, the route's auth, rate, Idempotency-Key, the reply cache
 *   body    asked for piece by piece            (the carrier gives it with request_body)
 *   decode  parameters, query and body by shape
 *   run     the handler, in the runner
 *   answer  encoded; the carrier sends it
 *
 * The carrier calls request_go until it says STEP_ANSWER. STEP_WAIT: park, then request_park; the request wakes the
 * carrier when it can go on. Everything but request_park's other side happens on the carrier's thread. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_REQUEST_H
#define SERVER_REQUEST_H

#include "core/env.h"
#include "server/front.h"
#include "server/routes.h"
#include "server/shared.h"

enum {
    BODY_BYTES = 65536, /* of a route that says nothing else */
    ANSWER_HEADERS = 32,
};

enum known {
    KNOWN_ACCEPT,
    KNOWN_ACCEPT_ENCODING,
    KNOWN_AUTHORIZATION,
    KNOWN_CONTENT_ENCODING,
    KNOWN_CONTENT_LENGTH,
    KNOWN_CONTENT_TYPE,
    KNOWN_COOKIE,
    KNOWN_EXPECT,
    KNOWN_FORWARDED_FOR,
    KNOWN_HOST,
    KNOWN_IDEMPOTENCY_KEY,
    KNOWN_IF_MATCH,
    KNOWN_IF_NONE_MATCH,
    KNOWN_IF_RANGE,
    KNOWN_LAST_EVENT_ID,
    KNOWN_ORIGIN,
    KNOWN_RANGE,
    KNOWN_SEC_FETCH_SITE,
    KNOWN_TRANSFER_ENCODING,
    KNOWN_USER_AGENT,
    KNOWN_COUNT,
};

struct line {
    struct str name, value;
};

struct stream;

struct answer {
    int status;
    struct shared *shared; /* sent instead of all below; one reference is the answer's */
    struct stream *stream; /* server-sent events follow, to be begun or dropped */
    struct str body;
    int fd; /* >= 0: length bytes from `from` on, instead of body */
    int64_t from, length;
    size_t headers_n;
    struct header headers[ANSWER_HEADERS];
};

enum step { STEP_WAIT, STEP_BODY, STEP_ANSWER };
enum stage { BEGIN, KNOW, GUARD, BODY, DECODE, RUN, ANSWER };

struct request {
    struct server *server;
    struct arena arena;
    void (*wake)(struct request *r); /* on any thread, when a parked request can go on */
    void *carrier;
    /* How long it waited until somebody looked at it; NULL: not at all. */
    int64_t (*waited_us)(const struct request *r);
    struct request *next; /* in a list of free ones */

    /* as it came; the lines point into the carrier's memory until they are kept */
    struct str method_text, target, peer; /* peer: address of the socket's other end */
    size_t lines_n, lines_bytes, joined;
    struct str known[KNOWN_COUNT];

    struct str path, query;
    enum method method;
    bool head; /* HEAD, run as GET */
    bool options;
    bool chunked;
    bool framed;    /* where it ends is beyond doubt */
    int64_t length; /* of the body; -1: none, or unknown because it is chunked */
    struct match match;
    const struct route *route;

    enum stage stage;
    int state;      /* atomic: see request.c */
    uint64_t since; /* the revisions' clock when it began */
    int64_t began_us, deadline_us;
    bool by_bearer, lines_kept;
    struct str token; /* of the session; none when none was sent */
    struct sha256 token_hash;

    struct buf body;
    struct intake *intake; /* of WIRE_FILE: see intake.h */
    bool body_complete;
    int64_t body_max;

    struct call auth, call;
    struct answer answer;
    char request_id[ID_TEXT_MAX];
    struct line lines[HEADERS_MAX]; /* last, because it is not cleared */
};

/* target, peer: copied. NULL: no memory. */
struct request *request_new(struct server *s, struct str target, struct str peer);
void request_free(struct request *r);

/* A header line; false when there are too many, or one that must be single comes twice. */
bool request_line(struct request *r, struct str name, struct str value);
/* After the lines. Then request_go. */
void request_begin(struct request *r, struct str method);
enum step request_go(struct request *r);
/* A piece of the body; only after STEP_BODY. False: too large or no room; go on with request_go, and give no more. */
bool request_body(struct request *r, const char *p, size_t n);
void request_body_end(struct request *r);
/* The body has no end in good form: request_refuse has said why; go on with request_go. */
void request_body_broken(struct request *r);
/* Is there a body to come? */
bool request_has_body(const struct request *r);
/* Refused by the carrier itself. */
void request_refuse(struct request *r, enum err e, const char *field, const char *detail);
/* After STEP_WAIT, when the carrier is ready to be woken. False: it is over already; go on at once. */
bool request_park(struct request *r);
/* The carrier gives up on a parked request, and must not touch it again. False: too late, it was woken. */
bool request_abandon(struct request *r);
/* After the answer was sent, for log, metrics and whoever watches. */
void request_sent(struct request *r, int status);

/* Tells the server's watcher (server.c). */
void server_seen(struct request *r, const char *method, int status);

struct str request_header(const struct request *r, const char *name);
void answer_header(struct request *r, const char *name, struct str value);

#endif
