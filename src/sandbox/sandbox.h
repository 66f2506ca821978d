/* sandbox.h -- a payment provider to develop, test and show with: `stagedoor sandbox`.
 *
 * It speaks Stripe's wire format, keeps its own books in its own database, and has its own clock, magic cards, webhooks
 * and faults. The product reaches it through the same driver as Stripe itself (sys/stripe.h). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include "core/module.h"

/* Besides core's and the server's. */
extern const struct module *const sandbox_modules[];
extern const size_t sandbox_modules_n;

#endif
