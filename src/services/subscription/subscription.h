/* subscription.h -- a fan's monthly subscription to a creator's tier.
 *
 * We own periods, renewals and their retries; the payment service moves the money. What a subscription gives is asked here
 * at the moment of use: it lapses by time, without a job having to run. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVICES_SUBSCRIPTION_SUBSCRIPTION_H
#define SERVICES_SUBSCRIPTION_SUBSCRIPTION_H

#include "core/module.h"

enum subscription_state {
    SUBSCRIPTION_INCOMPLETE, /* not paid yet */
    SUBSCRIPTION_ACTIVE,
    SUBSCRIPTION_PAST_DUE, /* a renewal failed and is being tried again */
    SUBSCRIPTION_CANCELED, /* ended by the fan */
    SUBSCRIPTION_EXPIRED,  /* ended because it was not paid */
    SUBSCRIPTION_STATE_COUNT,
};
extern const char *const subscription_states[];

enum subscription_step {
    SUBSCRIPTION_PAID,     /* the first payment or a renewal succeeded */
    SUBSCRIPTION_REFUSED,  /* ... was declined, or the fan has to confirm it */
    SUBSCRIPTION_LAPSED,   /* never paid in time; retries are spent */
    SUBSCRIPTION_LEFT,     /* the fan cancels */
    SUBSCRIPTION_RESUMED,  /* ... and takes it back */
    SUBSCRIPTION_FINISHED, /* a period ended that was to be the last */
    SUBSCRIPTION_STEP_COUNT,
};
/* The state machine. False when the step is not possible in that state (*next is then untouched). */
bool subscription_next(enum subscription_state state, enum subscription_step step,
                       enum subscription_state *next);

/* What a fan may see of a creator, until when. */
struct entitlement {
    struct id creator, tier;
    struct when until;
};
extern const struct shape entitlement_shape;
struct entitlement_list {
    struct entitlement *v;
    size_t n;
};
/* All that hold at c->now, ordered by creator. */
enum err subscription_entitlements(struct call *c, struct id fan, struct entitlement_list *result);
/* The one for this creator; E_NOT_FOUND when none holds at c->now. */
enum err subscription_entitled(struct call *c, struct id fan, struct id creator,
                               struct entitlement *result);

/* Event "subscription.changed", for the fan's and the creator's browsers. */
struct subscription_changed {
    struct id subscription, creator;
    enum subscription_state state;
};
extern const struct shape subscription_changed_shape;

extern const struct module subscription_module;

#endif
