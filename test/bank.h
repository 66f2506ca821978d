/* bank.h -- the sandbox, running inside a test, with the product's own Stripe driver in front of it: real HTTP both ways.
 *
 * Its clock is the house's. Its jobs (notifications) run when the test says so. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_BANK_H
#define TEST_BANK_H

#include "test/house.h"

struct bank;
struct server;

/* Opens the house's server on a free port, for notifications, and gives the house its payment provider. */
struct bank *bank_open(struct house *h, struct server *s);
struct env *bank_env(struct bank *b);
void bank_close(struct bank *b); /* after the house's server, before the house */
/* Its jobs and the house's, until neither has any. */
void bank_jobs(struct bank *b, struct house *h);
/* Its business clock; real time is the house's. */
void bank_pass(struct bank *b, int64_t us);
/* What a payer does: fills in the form of a hosted page, or answers the bank's question ("complete", "fail"). The status,
 * and where the page leads to (none: nowhere). */
int bank_pay(struct bank *b, struct arena *a, struct str url, struct str card,
             struct str *location);
int bank_confirm(struct bank *b, struct arena *a, struct str url, struct str answer,
                 struct str *location);

/* The next requests to it go wrong: "fault=error&times=3" (src/sandbox/README.md). */
void bank_fault(struct bank *b, struct arena *a, const char *form);

#endif
