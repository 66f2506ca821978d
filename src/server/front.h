/* front.h -- stands between a socket and libmicrohttpd, and hands on only HTTP/1.1 that is beyond doubt.
 *
 * It follows the bytes of a connection as RFC 9112 lays them out: heads, bodies, chunks, trailers. A head is handed on when
 * it is whole and well-formed; chunks without their extensions, trailers not at all. What breaks a rule is replaced by an
 * end in good form: a bad head by a request of our own, a bad chunk by the last one. The handler of that request finds the
 * fault here and says it in problem+json; nothing after it is read as HTTP.
 *
 * What the library would make something of by itself is handed on under a name that no client can send: it would keep each
 * parameter and each cookie in memory that has a bound, and fail badly behind it; and it would stop after "100 Continue" to
 * a request without a body. And while an answer is awaited it does not hear that the client has no more to say: it would
 * take that for the end of both.
 *
 * It is reached by standing in recv(2)'s place (doc/decisions/2026-11-21-front-of-libmicrohttpd.md). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_FRONT_H
#define SERVER_FRONT_H

#include "base/str.h"
#include "core/err.h"

#include <sys/types.h>

enum {
    TARGET_BYTES = 8192,   /* 414 beyond */
    HEADERS_BYTES = 32768, /* 431 beyond */
    HEADERS_MAX = 100,     /* 431 beyond */
};

/* Each '?' of a target that is handed on, and the last letter of Cookie and of Expect. */
enum { FRONT_HIDES = '"' };

struct fault {
    enum err code; /* E_OK: none */
    const char *field, *detail;
};

/* All zeros is a connection that begins. Only the thread that receives touches it, but for what is atomic. */
struct front {
    int stage;
    /* Bytes that are not handed on yet: [at, ready) may be, [ready, n) wait for the end of their line or head. */
    char *held;
    size_t at, ready, n, size;
    struct str tail; /* what ends a broken message in good form */
    /* of the line or head that is being read; offsets from its beginning */
    size_t line, looked, fields, lines; /* fields: where the first line ends, 0: it has not */
    bool old;                           /* HTTP/1.0 */
    bool head;                          /* asked with HEAD, in the head that came last; atomic */
    bool host, length, coding;
    size_t expect;      /* the last letter of its name; 0: there is none */
    uint64_t left;      /* bytes of the body or chunk that are to come */
    int64_t requests;   /* heads that were handed on */
    int64_t answered;   /* of them, as its owner says */
    int64_t handed;     /* bytes that were handed on; atomic */
    struct fault fault; /* of the last of them */
    char named[40];     /* the field of the fault, when it is the client's own word */
    int64_t
        head_since_us; /* when the first byte of an unfinished head came, 0: there is none; atomic */
};

/* From now on recv(fd) of this program and its libraries, without flags, is front_recv. */
void front_open(struct front *f, int fd);
void front_close(struct front *f, int fd);

/* Like recv(2). After a fault, too, there is no more; and of the end it tells only when all that was asked is answered, or
 * cannot become whole any more. */
ssize_t front_recv(struct front *f, int fd, char *p, size_t size);

/* As the client sent it: the target that was handed on, in place; the name of a field. */
void front_show_target(char *target, size_t n);
struct str front_shown_name(struct str name);

#endif
