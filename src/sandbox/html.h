/* html.h -- pages made by the server: text escaped, one frame around all of them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SANDBOX_HTML_H
#define SANDBOX_HTML_H

#include "core/call.h"

/* Text and attribute values; none adds nothing. */
void html_text(struct buf *b, struct str s);
/* "€5.00": for the eye; minor units as Stripe counts them. */
struct str html_money(struct arena *a, int64_t amount, struct str currency);

/* Begins a document; content is added to the result, then html_reply ends and sends it. */
struct buf html_begin(struct call *c, const char *title);
/* goes_to: addresses that the page's forms may lead on to, besides our own (either may be none). */
void html_reply(struct call *c, struct buf *b, int status, struct str goes_to, struct str or_to);
/* 303; the browser gets it by GET. */
void html_redirect(struct call *c, struct str url);

/* The stylesheet, rule by rule; ends in NULL. */
extern const char *const html_style[];

#endif
