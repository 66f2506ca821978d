/* stripe.h -- the driver of core/pay.h for Stripe, and for everything that speaks its wire format (stagedoor sandbox).
 *
 * provider_ref is "cs_…" (hosted session), "pi_…" (payment), or, when the answer to a creation was lost, "find:session:…" or
 * "find:payment:…" with the customer and our reference: query then looks for what was made under our reference. It ends in
 * E_NOT_FOUND when the provider never got it: the same call may then be made again under the same key.
 *
 * Notifications about one payment may name the session or the payment: join by .reference, not by provider_ref.
 *
 * One call takes at most .patience_ms, tries and pauses included: the lease of a job that calls it must be longer. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SYS_STRIPE_H
#define SYS_STRIPE_H

#include "base/log.h"
#include "core/pay.h"

/* Pinned: objects keep this shape until we say otherwise. */
#define STRIPE_VERSION "2026-10-28.endive"

struct stripe_options {
    struct str url;             /* "https://api.stripe.com", no slash at the end */
    struct str key;             /* "sk_…" */
    struct str webhook_secrets; /* "whsec_…"; several with commas, while one replaces another */
    struct str
        statement; /* follows the account's name on the payer's bank statement; none or empty: nothing */
    struct log *log;
    void (*random)(void *p, size_t n); /* for the jitter of pauses */
    int tries;                         /* of one call; 0: 3 */
    int timeout_ms;                    /* of one try; 0: 20 s */
    int patience_ms;                   /* of everything; 0: 45 s */
};

struct pay *stripe_open(const struct stripe_options *o);

#endif
