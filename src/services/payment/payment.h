/* payment.h -- a fan's payment, from the wish to its end, whatever the provider and the wire do on the way.
 *
 * A payment is made in the caller's transaction; a job speaks with the provider after the commit; the end is told by the
 * event "payment.settled". Nothing above this service knows a provider. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVICES_PAYMENT_PAYMENT_H
#define SERVICES_PAYMENT_PAYMENT_H

#include "core/module.h"
#include "core/pay.h"

enum payment_purpose { PAYMENT_SUBSCRIPTION, PAYMENT_PURPOSE_COUNT };
extern const char *const payment_purposes[]; /* "subscription", … */

enum payment_state {
    PAYMENT_CREATED,         /* the provider has not answered yet */
    PAYMENT_REQUIRES_ACTION, /* the fan has to act at checkout_url */
    PAYMENT_PROCESSING,      /* the provider works on it */
    PAYMENT_UNKNOWN,         /* the wire broke: being found out */
    PAYMENT_SUCCEEDED,
    PAYMENT_DECLINED, /* may be tried again: payment_retry */
    PAYMENT_EXPIRED,  /* the page was not used in time */
    PAYMENT_STATE_COUNT,
};
extern const char *const payment_states[];
/* Settled: nothing more happens by itself. */
bool payment_is_settled(enum payment_state state);
/* The state machine: what a payment becomes when the provider says `said`. The same state: nothing changes. Money that has
 * moved is always believed: every state may become SUCCEEDED, and that one never changes. */
enum payment_state payment_next(enum payment_state state, enum pay_state said);

struct payment_new {
    /* subject: of the service that `purpose` names, told back in the event */
    struct id fan, creator, subject;
    enum payment_purpose purpose;
    struct money amount;
    struct str description; /* for the receipt, the hosted page and the creator's statement */
    struct str return_path; /* page of ours that the hosted page returns to: "/checkout/return?…" */
    bool save_method;       /* for later payment_charge */
};
/* By a hosted page: adds a job "payment.checkout" (routes may .await it); then payment_get has a checkout_url. */
enum err payment_checkout(struct call *c, const struct payment_new *n, struct id *payment);
/* With the saved method, without the fan: adds a job "payment.charge". Settles as declined when there is no method. */
enum err payment_charge(struct call *c, const struct payment_new *n, struct id *payment);
/* Another attempt of a payment made by payment_charge that was declined. E_CONFLICT in any other state. */
enum err payment_retry(struct call *c, struct id payment);

struct payment {
    struct id id;
    enum payment_purpose kind;
    struct money amount;
    enum payment_state state;
    struct str description;
    struct str decline;      /* why the last try was refused, a sentence for people; none */
    struct str checkout_url; /* where the fan acts; none once settled */
    struct when created;
};
extern const struct shape payment_shape;
/* E_NOT_FOUND. */
enum err payment_get(struct call *c, struct id payment, struct payment *result);
/* In a `.then`: what the payment was for whose job the answer waited for. E_NOT_FOUND. */
enum err payment_awaited(struct call *c, struct id *subject);
/* Many at once, in the order of ids; NULL for one that is not there. */
enum err payments_get(struct call *c, const struct id *ids, size_t n, struct payment **result);

/* Events "payment.settled" (succeeded, declined, expired) and "payment.action_required" (a charge off session that the fan
 * has to confirm at the payment's checkout_url). */
struct payment_settled {
    struct id payment, subject;
    enum payment_purpose purpose;
    enum payment_state state;
    struct str decline;
};
extern const struct shape payment_settled_shape;

extern const struct module payment_module;

#endif
