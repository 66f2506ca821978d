/* parts.h -- what the files of the subscription service share with each other, and nobody else. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVICES_SUBSCRIPTION_PARTS_H
#define SERVICES_SUBSCRIPTION_PARTS_H

#include "services/payment/payment.h"
#include "services/subscription/subscription.h"

/* --- membership.c ----------------------------------------------------------------------------------------------- */

/* A row of the table subscription. */
struct membership {
    struct id id, fan, creator, tier;
    struct money price;
    enum subscription_state state;
    struct id payment;
    bool cancel_at_period_end;
    struct when anchor;
    int64_t period;
    struct when period_start, period_end, access_until;
    int64_t refusals;
    struct when created;
};
extern const struct shape membership_shape;
extern const struct event_kind subscription_changed_event;
#define MEMBERSHIPS                                                                                \
    "SELECT id, fan, creator, tier, price, currency, state, payment, cancel_at_period_end,"        \
    " anchor, period, period_start, period_end, access_until, refusals, created"

bool membership_is_living(enum subscription_state s);
/* Cancelled, and the last paid period has passed; the job that says so may still be on its way. */
bool membership_is_over(const struct membership *r, struct when now);
/* A renewal may be late by the grace: nobody loses access because a bank takes its time. */
struct when membership_access(struct call *c, const struct membership *r);

/* E_NOT_FOUND. */
enum err membership_lock(struct call *c, struct id subscription, struct membership *r);
/* The one living row of a fan and a creator. E_NOT_FOUND. */
enum err membership_living(struct call *c, struct id fan, struct id creator, struct membership *r);
/* E_BUSY when another request of the same fan was faster: run again, and find its row. */
enum err membership_insert(struct call *c, const struct membership *r);
/* Writes what may change. The row is locked by this transaction. */
enum err membership_save(struct call *c, const struct membership *r);
/* Takes the step, saves the row and tells everybody whom it concerns. E_CONFLICT when it is not possible in this state. */
enum err membership_step(struct call *c, struct membership *r, enum subscription_step step);
/* A month of it, as a payment to be made. */
enum err membership_payment(struct call *c, const struct membership *r, struct payment_new *result);

/* --- renewal.c -------------------------------------------------------------------------------------------------- */

/* What a job is about. */
struct subscription_work {
    struct id subscription, payment;
    int64_t period, step;
};
extern const struct shape subscription_work_shape;

handler renewal_due;     /* job: a paid period ends */
handler renewal_retry;   /* job: days after a renewal that did not succeed */
handler renewal_settled; /* event: what became of a payment */
handler renewal_confirm; /* event: the fan has to confirm a renewal with her bank */

#endif
