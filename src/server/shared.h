/* shared.h -- an answer made once and sent many times: files of the web app, cached replies, pictures.
 *
 * Counted references; the libmicrohttpd responses inside are shared by all threads. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_SHARED_H
#define SERVER_SHARED_H

#include "core/call.h"
#include "server/hot.h"

struct MHD_Response;

struct shared {
    int refs; /* atomic */
    int status;
    struct str body; /* its own copy, unless it was static or is a file's */
    bool is_file;
    struct str etag; /* quoted; none when it has none */
    struct MHD_Response *response;
};

/* The header "ETag" becomes etag. One reference, the caller's. body is copied unless it lives for ever. */
struct shared *shared_make(int status, const struct header *headers, size_t n, struct str body,
                           bool body_lives);
/* Takes the reference over, also when it fails. */
struct shared *shared_make_file(int status, const struct header *headers, size_t n,
                                struct hot_file *file);
/* Copies of its headers, at most max; how many. */
size_t shared_headers(const struct shared *s, struct arena *a, struct header *result, size_t max);
struct shared *shared_hold(struct shared *s);
void shared_drop(struct shared *s); /* NULL is allowed */

#endif
