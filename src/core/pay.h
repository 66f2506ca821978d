/* pay.h -- a payment provider: it moves money, we own everything else.
 *
 * Drivers map their events and objects into facts; nothing above knows a provider's name for
 * anything. UNKNOWN is a real outcome (the wire broke after the request left): it is resolved by
 * query, never by trying again under a new key. Amounts are minor units with an ISO code on this
 * side; a driver converts. All calls block (jobs' .prepare only). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_PAY_H
#define CORE_PAY_H

#include "base/money.h"
#include "base/when.h"
#include "core/err.h"

enum pay_state {
    PAY_PENDING,         /* nothing final yet */
    PAY_ACTION_REQUIRED, /* the payer must confirm at .url */
    PAY_SUCCEEDED,
    PAY_DECLINED, /* final for this attempt; .decline says why */
    PAY_EXPIRED,  /* the hosted page was not used in time */
    PAY_UNKNOWN,  /* no answer: query later */
};
extern const char *const pay_state_names[];

enum pay_capability {
    PAY_CAN_HOSTED = 1,      /* a hosted page */
    PAY_CAN_OFF_SESSION = 2, /* charge a saved method without the payer */
    PAY_CAN_REFUND = 4,
};

struct pay_request {
    struct str key;       /* idempotency key, stored before the call: "pay_01h…:1" */
    struct str reference; /* our payment id, echoed in facts */
    struct money amount;
    struct str description;        /* shown to the payer */
    struct str payer, payer_email; /* our account id; the provider's customer is made from it */
    struct str customer;           /* the provider's, from an earlier outcome; none at first */
    struct str method;             /* saved payment method, for charge */
    struct str success_url, cancel_url;
    bool save_method; /* for later charges off session */
};

struct pay_outcome {
    enum pay_state state;
    struct str provider_ref;     /* the hosted session or the payment, for query */
    struct str url;              /* hosted page or confirmation */
    struct str customer, method; /* to keep for the next charge */
    struct str decline;          /* sentence for people: "The card has insufficient funds." */
    struct money amount;         /* what was charged */
    int64_t fee;                 /* the provider's, minor units; -1: not known yet */
    struct str reference;        /* ours, echoed */
};

struct pay;

struct pay_ops {
    const char *name;
    unsigned capabilities;
    enum err (*checkout)(struct pay *p, struct arena *a, const struct pay_request *r,
                         struct pay_outcome *o);
    enum err (*charge)(struct pay *p, struct arena *a, const struct pay_request *r,
                       struct pay_outcome *o);
    /* The present state of what provider_ref names. */
    enum err (*query)(struct pay *p, struct arena *a, struct str provider_ref,
                      struct pay_outcome *o);
    /* Is this notification genuine, and what is it about? event: its id, for the inbox;
     * provider_ref: what to query (none: nothing that concerns us). E_BAD_SIGNATURE. */
    enum err (*verify)(struct pay *p, struct arena *a, struct str body, struct str signature,
                       struct when now, struct str *event, struct str *provider_ref);
    void (*close)(struct pay *p);
};

struct pay {
    const struct pay_ops *ops;
};

#endif
