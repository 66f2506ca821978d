/* connection.h -- a socket's state beside libmicrohttpd's, and the two threads that look after all of them.
 *
 * The watch cuts who sends too slowly and gives up on requests that wait too long. `phase` says whose turn it is; the watch
 * acts only by winning a compare-and-swap, so a loop that enters a handler finds out. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_CONNECTION_H
#define SERVER_CONNECTION_H

#include "server/request.h"

#include <pthread.h>

struct MHD_Connection;
struct MHD_Daemon;

enum phase {
    PHASE_IDLE,   /* between requests */
    PHASE_BODY,   /* the body is coming */
    PHASE_BUSY,   /* a loop works on it, or sends */
    PHASE_PARKED, /* suspended; the runner works on it */
    PHASE_GIVING, /* ... and the watch looks whether to give it up; then PARKED or BUSY */
    PHASE_CUT,    /* the watch has ended it */
};

enum want { WANT_HEAD, WANT_BODY, WANT_SWALLOW, WANT_ANSWER };

/* A thread of the library's, with its connections. Those that can go on are collected, and one of them is resumed, which wakes
 * the thread; it resumes the others itself. Woken for each, it would take the processor from whoever wakes it, and send each
 * answer of a commit alone. */
struct loop {
    struct MHD_Daemon *daemon;
    pthread_mutex_t lock;
    struct connection *woken; /* can go on; the library does not know it yet */
    bool coming;              /* one that was resumed brings the others */
};

struct connection {
    struct http *http;
    struct loop *loop;
    struct connection *woken_next;
    struct connection *next, *before; /* in http->all */
    struct MHD_Connection *mhd;
    int fd;
    char peer[64];
    size_t peer_n;
    int phase;                    /* atomic, enum phase */
    int64_t since_us;             /* of the phase; atomic */
    int64_t came;                 /* bytes of the body; atomic */
    bool whole;                   /* the body has a time limit, not a least speed; atomic */
    int64_t deadline_us;          /* of PHASE_PARKED; atomic */
    int64_t paced_us, paced_came; /* when the watch last looked how fast its body comes */
    int64_t looked_since_us,
        looked_handed; /* when the watch last looked whether the client has closed */
    struct request *request;
    enum want want;
    bool waiting;     /* suspended for the runner */
    bool abandoned;   /* ... in vain; request is gone */
    bool brings;      /* those of the loop that can go on too */
    bool unread;      /* closed before its body was read: the rest must be swallowed */
    bool handed_over; /* a stream has the socket now */
    bool counted;     /* among those in flight */
    struct front front;
    int64_t taken; /* requests, of those that the front has handed on */
};

enum { LOOPS_MAX = 64 };

struct http {
    struct server *server;
    struct MHD_Daemon *daemon;
    struct loop loops[LOOPS_MAX];
    size_t loops_n;            /* guarded by lock; grows as they get their first connection */
    struct acceptor *acceptor; /* NULL: no newcomers any more */
    struct crowd *crowd;
    int port;
    int64_t in_flight; /* atomic */
    int64_t open;      /* connections, also those that the library has yet to tell of; atomic */
    pthread_mutex_t lock;
    struct connection *all;
    bool quiet, closing, stopping; /* atomic */
    pthread_cond_t stop;
    pthread_t watch;
    struct lingerer *lingerers; /* the watch's, guarded by lock */
    size_t lingering;
};

enum { IDLE_S = 30 };

/* To be used by the loops. */
void connection_phase(struct connection *c, enum phase p);
/* False: the watch was faster. */
bool connection_enter(struct connection *c);
/* Suspends until request_go can go on. */
void connection_park(struct connection *c);
/* It goes on, or has ended: so do those that it brings. */
void connection_bring(struct connection *c);
/* Sends an answer past the library, where it takes none: in the middle of a body, or before a request. */
void connection_say(struct connection *c, enum err e, struct request *r);

/* Wakes the loops that have somebody who can go on. On any thread. */
void loops_wake(struct http *h);

void connection_link(struct connection *c);
void connection_unlink(struct connection *c);
/* Keeps the socket open for a few seconds and swallows what still comes: the client would else lose the answer, because closing
 * with unread bytes resets the connection. */
void linger(struct http *h, int fd);

/* No longer; when nothing else runs. */
void linger_end(struct http *h);

void watch_start(struct http *h);
void watch_stop(struct http *h);

#endif
