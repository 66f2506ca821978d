/* membership.c -- the life of one subscription: its states and its row.
 *
 * A row is one subscription from its first checkout to its end; joining again makes another. Price and tier are frozen in it.
 * Invariants (the schema says them too): at most one living row a (fan, creator); only a living row gives anything. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "services/subscription/parts.h"
#include "core/env.h"
#include "core/events.h"
#include "services/creator/creator.h"

const char *const subscription_states[] = { "incomplete", "active",  "past_due",
                                            "canceled",   "expired", NULL };

static const struct field subscription_changed_fields[] = {
    ID(subscription_changed, subscription, ID_SUBSCRIPTION, "Which"),
    ID(subscription_changed, creator, ID_CREATOR, "To whom"),
    ENUM(subscription_changed, state, subscription_states, "Its state now"),
};
SHAPE(subscription_changed);

const struct event_kind subscription_changed_event = {
    .name = "subscription.changed",
    .shape = &subscription_changed_shape,
    .doc = "A subscription began, ended or changed; for the fan and the creator"
};

static const struct field membership_fields[] = {
    ID(membership, id, ID_SUBSCRIPTION, "Subscription"),
    ID(membership, fan, ID_USER, "Who"),
    ID(membership, creator, ID_CREATOR, "To whom"),
    ID(membership, tier, ID_TIER, "What for"),
    MONEY(membership, price, "A month"),
    ENUM(membership, state, subscription_states, "State"),
    ID(membership, payment, ID_PAYMENT, "The newest"),
    BOOL(membership, cancel_at_period_end, "Ends with the period"),
    WHEN(membership, anchor, "First payment", .optional = true),
    INTEGER(membership, period, "Newest paid one", .max = 10000),
    WHEN(membership, period_start, "Its start", .optional = true),
    WHEN(membership, period_end, "Its end", .optional = true),
    WHEN(membership, access_until, "What it gives lapses then", .optional = true),
    INTEGER(membership, refusals, "Of the renewal under way", .max = 100),
    WHEN(membership, created, "When it was begun"),
};
SHAPE(membership);

/* --- rules ------------------------------------------------------------------------------------------------------ */

enum { NO = SUBSCRIPTION_STATE_COUNT };

bool subscription_next(enum subscription_state state, enum subscription_step step,
                       enum subscription_state *next)
{
    enum {
        INC = SUBSCRIPTION_INCOMPLETE,
        ACT = SUBSCRIPTION_ACTIVE,
        DUE = SUBSCRIPTION_PAST_DUE,
        CAN = SUBSCRIPTION_CANCELED,
        EXP = SUBSCRIPTION_EXPIRED,
    };
    static const int table[SUBSCRIPTION_STATE_COUNT][SUBSCRIPTION_STEP_COUNT] = {
        /*         paid refused lapsed left resumed finished */
        [INC] = { ACT, INC, EXP, CAN, NO, NO },  [ACT] = { ACT, DUE, EXP, ACT, ACT, CAN },
        [DUE] = { ACT, DUE, EXP, CAN, NO, CAN }, [CAN] = { ACT, NO, NO, NO, NO, NO },
        [EXP] = { ACT, NO, NO, NO, NO, NO },
    };

    must((unsigned)state < SUBSCRIPTION_STATE_COUNT && (unsigned)step < SUBSCRIPTION_STEP_COUNT);
    if (table[state][step] == NO)
        return false;
    *next = (enum subscription_state)table[state][step];
    return true;
}

bool membership_is_living(enum subscription_state s)
{
    return s == SUBSCRIPTION_INCOMPLETE || s == SUBSCRIPTION_ACTIVE || s == SUBSCRIPTION_PAST_DUE;
}

bool membership_is_over(const struct membership *r, struct when now)
{
    return r->state == SUBSCRIPTION_ACTIVE && r->cancel_at_period_end && r->period_end.us <= now.us;
}

struct when membership_access(struct call *c, const struct membership *r)
{
    int64_t hours = setting_int(c->env->settings, "subscription.grace_hours");

    return r->cancel_at_period_end ? r->period_end : when_after(r->period_end, hours * HOUR);
}

/* --- rows ------------------------------------------------------------------------------------------------------- */

enum err membership_lock(struct call *c, struct id subscription, struct membership *r)
{
    return db_one(c, membership, r, MEMBERSHIPS " FROM subscription WHERE id = $1 FOR UPDATE",
                  subscription);
}

enum err membership_living(struct call *c, struct id fan, struct id creator, struct membership *r)
{
    return db_one(c, membership, r,
                  MEMBERSHIPS " FROM subscription WHERE fan = $1 AND creator = $2"
                              " AND state IN ('incomplete', 'active', 'past_due') FOR UPDATE",
                  fan, creator);
}

enum err membership_save(struct call *c, const struct membership *r)
{
    bool living = membership_is_living(r->state);

    return db_hit(c,
                  "UPDATE subscription SET state = $2, payment = $3, cancel_at_period_end = $4,"
                  " anchor = $5, period = $6, period_start = $7, period_end = $8,"
                  " access_until = $9, refusals = $10,"
                  " ended = CASE WHEN $11 = 1 THEN NULL ELSE COALESCE(ended, $12) END"
                  " WHERE id = $1",
                  r->id, NAMED(subscription_states, r->state), r->payment, r->cancel_at_period_end,
                  r->anchor, r->period, r->period_start, r->period_end,
                  living ? r->access_until : (struct when) { 0 }, r->refusals, (int)living, c->now);
}

enum err membership_insert(struct call *c, const struct membership *r)
{
    int64_t mine;
    enum err e = db_int(c, &mine,
                        "INSERT INTO subscription (id, fan, creator, tier, price, currency, state,"
                        " payment, cancel_at_period_end, period, refusals, created)"
                        " VALUES ($1, $2, $3, $4, $5, $6, 'incomplete', $7, 0, 0, 0, $8)"
                        " ON CONFLICT (fan, creator)"
                        " WHERE state IN ('incomplete', 'active', 'past_due')"
                        " DO NOTHING RETURNING id",
                        r->id, r->fan, r->creator, r->tier, r->price.minor, r->price.currency,
                        r->payment, c->now);

    return e == E_NOT_FOUND ? E_BUSY : e;
}

/* Saves, and tells everybody whom it concerns. A creator hears nothing of checkouts. */
static enum err changed(struct call *c, const struct membership *r)
{
    struct subscription_changed told = { .subscription = r->id,
                                         .creator = r->creator,
                                         .state = r->state };

    TRY(membership_save(c, r));
    touch(c, r->fan);
    TRY(event_add(c, &subscription_changed_event, r->fan, &told));
    if (r->period == 0)
        return E_OK;
    touch(c, r->creator);
    return event_add(c, &subscription_changed_event, r->creator, &told);
}

enum err membership_step(struct call *c, struct membership *r, enum subscription_step step)
{
    if (!subscription_next(r->state, step, &r->state))
        return fail(c, E_CONFLICT, "this subscription is %s", subscription_states[r->state]);
    return changed(c, r);
}

enum err membership_payment(struct call *c, const struct membership *r, struct payment_new *result)
{
    struct creator_card *card = NULL;
    struct tier tier;
    struct id creator;

    TRY(creator_tier(c, r->tier, &tier, &creator));
    TRY(creator_cards(c, &r->creator, 1, &card));
    must(card != NULL && id_is(creator, r->creator));
    *result = (struct payment_new) { .fan = r->fan,
                                     .creator = r->creator,
                                     .subject = r->id,
                                     .purpose = PAYMENT_SUBSCRIPTION,
                                     .amount = r->price };
    result->description =
        str_printf(c->arena, "Subscription to %.*s: %.*s", STR_FMT(card->name), STR_FMT(tier.name));
    return E_OK;
}
