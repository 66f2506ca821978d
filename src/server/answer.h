/* answer.h -- what goes back: bodies, problems, files, and the headers on all of them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_ANSWER_H
#define SERVER_ANSWER_H

#include "server/request.h"

enum guards {
    GUARDS_PAGE,  /* HTML */
    GUARDS_ASSET, /* what HTML loads */
    GUARDS_DATA,  /* JSON, text, media: nothing in it may ever run */
};
enum { GUARDS_MAX = 8 };
/* The security headers of such an answer, into h[GUARDS_MAX]; how many. */
size_t answer_guards(const struct server *s, enum guards kind, struct header *h);

/* ... onto r's answer, but for those that the handler set itself. */
void answer_guarded(struct request *r, enum guards kind);

/* r->call ended well: encodes what it left. */
void answer_success(struct request *r);
/* ... or in e: problem+json, or the app's page for a route of the web. */
void answer_problem(struct request *r, enum err e);
/* 503 problem+json that needs no request. */
struct shared *answer_busy(struct server *s, int retry_after_s, const char *detail);
/* Takes over one reference. */
void answer_shared(struct request *r, struct shared *s);
/* The route is .cached: s is r's answer, and kept for whoever asks next. False: there is no memory to keep it, s is gone. */
bool answer_keep(struct request *r, struct shared *s);
/* Status line and headers as text, for what is written past the library; the connection ends with this answer. */
struct str answer_head(const struct request *r);
/* 204 for OPTIONS. */
void answer_options(struct request *r, unsigned allow);
/* The client has this one already? list: If-None-Match; etag: quoted. */
bool etag_listed(struct str list, struct str etag);
/* True when If-Match asked for another: then that is the answer. What has no tag is not asked. */
bool answer_unmatched(struct request *r, struct str etag);
/* The app's page, for a path that only it knows. False: built without the app. */
bool answer_index(struct request *r, int status);

#endif
