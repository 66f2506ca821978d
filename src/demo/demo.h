/* demo.h -- fills an empty installation with a believable site, through the program's own API.
 *
 * Twelve creators with drawn pictures, two hundred fans, six weeks of posts, follows, subscriptions and payments. Business
 * time is moved back and then lived through, so that periods, renewals and statements are real. Payments go to the sandbox. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEMO_DEMO_H
#define DEMO_DEMO_H

#include "core/env.h"
#include "server/server.h"

/* e runs, with jobs; s listens where the sandbox's webhooks arrive. say gets a line of progress now and then. False, with
 * a sentence in *why, when it could not be filled; what was made stays. */
bool demo_fill(struct env *e, struct server *s, struct arena *a, void (*say)(const char *line),
               struct str *why);
/* Is there any creator already? */
bool demo_is_filled(struct server *s);

/* e->mailer of such a run: keeps mails, so that everybody confirms the address. */
struct mailer *demo_mailer(void);

#define DEMO_PASSWORD "velvet-curtain-7"
#define DEMO_CREATOR  "ana@example.org"
#define DEMO_FAN      "maya@example.org"
#define DEMO_ADMIN    "admin@example.org"

#endif
