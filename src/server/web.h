/* web.h -- the web app's files, answered from memory: each variant is a response made once at start. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_WEB_H
#define SERVER_WEB_H

#include "core/module.h"
#include "server/shared.h"

struct server;
struct web;

struct web *web_open(struct server *s);
void web_close(struct web *w);
/* The file of that path ("/assets/index-3f9c.js"), in the best encoding that the client takes; NULL: no such file. */
struct shared *web_find(const struct web *w, struct str path, struct str accept_encoding);
/* The app's page for paths that only it knows; NULL when the program was built without the app. */
struct shared *web_index(const struct web *w, struct str accept_encoding);
/* Whether the app has a page there, beside those that routes answer (/@{handle}, /p/{post}). */
bool web_has_page(struct str path);
/* ... with the head that a route made. None when built without the app. */
struct str web_page(const struct web *w, struct arena *a, const struct page_head *head,
                    struct str public_url, struct str path);

enum encoding { IDENTITY, GZIP, BROTLI, ENCODINGS };
enum encoding encoding_wanted(struct str accept_encoding);
struct str html_escape(struct arena *a, struct str text);

#endif
