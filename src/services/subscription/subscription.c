/* subscription.c -- monthly subscriptions: joining, leaving, and what they give.
 *
 * The life of a row stands in membership.c, its renewals in renewal.c. What it gives is told by access_until and the clock, so
 * that a job which is late never gives too much. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "services/subscription/parts.h"
#include "core/jobs.h"
#include "services/account/account.h"
#include "services/creator/creator.h"

#include <string.h>

/* A checkout that nobody finishes is forgotten; providers close the page after a day. */
enum { ABANDONED_HOURS = 23 };
/* --- shapes ----------------------------------------------------------------------------------------------------- */

static const struct field entitlement_fields[] = {
    ID(entitlement, creator, ID_CREATOR, "Whose"),
    ID(entitlement, tier, ID_TIER, "Which tier"),
    WHEN(entitlement, until, "When it lapses"),
};
SHAPE(entitlement);

struct subscription_new {
    struct id tier;
    struct str return_path;
};
static const struct field subscription_new_fields[] = {
    ID(subscription_new, tier, ID_TIER, "What to subscribe to"),
    URL(subscription_new, return_path,
        "Page of ours that the payment page returns to; `subscription` is added to its query",
        .optional = true, .sample = "/checkout/return"),
};
STATIC_SHAPE(subscription_new);

struct subscription {
    struct id id;
    struct creator_card *creator;
    struct tier *tier;
    struct money price;
    enum subscription_state state;
    bool cancel_at_period_end;
    struct when period_start, period_end;
    struct str checkout_url, decline;
    struct when created;
};
static const struct field subscription_fields[] = {
    ID(subscription, id, ID_SUBSCRIPTION, "Subscription"),
    NEST(subscription, creator, creator_card, "To whom"),
    NEST(subscription, tier, tier, "What for"),
    MONEY(subscription, price, "A month; stays as it was agreed"),
    ENUM(subscription, state, subscription_states, "How it stands"),
    BOOL(subscription, cancel_at_period_end, "It ends when the paid period does"),
    WHEN(subscription, period_start, "Of the newest paid period", .optional = true),
    WHEN(subscription, period_end, "When it renews or ends", .optional = true),
    URL(subscription, checkout_url, "Where to pay or confirm", .optional = true),
    TEXT(subscription, decline, "Why the last try to pay was refused", .max = 500,
         .optional = true),
    WHEN(subscription, created, "When it was begun"),
};
STATIC_SHAPE(subscription);

struct subscription_started {
    struct subscription *subscription;
    struct str checkout_url;
};
static const struct field subscription_started_fields[] = {
    NEST(subscription_started, subscription, subscription, "Incomplete until it is paid"),
    URL(subscription_started, checkout_url,
        "Where to pay; absent while the provider has not answered", .optional = true),
};
STATIC_SHAPE(subscription_started);

struct studio_subscriber {
    struct id id;
    struct account_card *fan;
    struct tier *tier;
    enum subscription_state state;
    struct money price;
    bool cancel_at_period_end;
    struct when since, period_end;
};
static const struct field studio_subscriber_fields[] = {
    ID(studio_subscriber, id, ID_SUBSCRIPTION, "Subscription"),
    NEST(studio_subscriber, fan, account_card, "Who"),
    NEST(studio_subscriber, tier, tier, "What for"),
    ENUM(studio_subscriber, state, subscription_states, "How it stands"),
    MONEY(studio_subscriber, price, "A month"),
    BOOL(studio_subscriber, cancel_at_period_end, "It ends when the paid period does"),
    WHEN(studio_subscriber, since, "First payment"),
    WHEN(studio_subscriber, period_end, "When it renews or ends"),
};
STATIC_SHAPE(studio_subscriber);

struct subscription_ref {
    struct id subscription;
};
static const struct field subscription_ref_fields[] = {
    ID(subscription_ref, subscription, ID_SUBSCRIPTION, "Subscription"),
};
STATIC_SHAPE(subscription_ref);

/* --- joining ---------------------------------------------------------------------------------------------------- */

static enum err abandon_run(struct call *c)
{
    const struct subscription_work *in = IN(c, subscription_work);
    struct membership r = { 0 };

    TRY(membership_lock(c, in->subscription, &r));
    if (r.state != SUBSCRIPTION_INCOMPLETE || !id_is(r.payment, in->payment))
        return E_OK;
    return membership_step(c, &r, SUBSCRIPTION_LAPSED);
}

static enum err return_path_check(struct call *c, struct str path)
{
    bool ours = path.p == NULL || (path.n <= 500 && path.p[0] == '/' &&
                                   !(path.n > 1 && (path.p[1] == '/' || path.p[1] == '\\')));

    return ours ? E_OK : fail_field(c, E_INVALID, "return_path", "must be a page of this site");
}

/* A page to pay on, and a note to forget it. */
static enum err checkout(struct call *c, struct membership *r, struct str path)
{
    struct str id = id_text(c->arena, ID_SUBSCRIPTION, r->id);
    struct payment_new n;

    if (path.p == NULL)
        path = STR("/checkout/return");
    TRY(membership_payment(c, r, &n));
    n.save_method = true;
    n.return_path = str_printf(c->arena, "%.*s%csubscription=%.*s", STR_FMT(path),
                               memchr(path.p, '?', path.n) != NULL ? '&' : '?', STR_FMT(id));
    TRY(payment_checkout(c, &n, &r->payment));
    struct subscription_work work = { .subscription = r->id, .payment = r->payment };
    return job_add(c, "subscription.abandon", when_after(c->now, ABANDONED_HOURS * HOUR), &work,
                   NULL);
}

static bool same_terms(const struct membership *a, const struct membership *b)
{
    return id_is(a->tier, b->tier) && a->price.minor == b->price.minor &&
           currency_is(a->price.currency, b->price.currency);
}

static enum err already(struct call *c, const struct membership *old,
                        const struct membership *wanted)
{
    if (old->state == SUBSCRIPTION_PAST_DUE)
        return fail(c, E_ALREADY_SUBSCRIBED,
                    "its renewal could not be charged and is being tried again; to pay with"
                    " another card, cancel it first");
    if (id_is(old->tier, wanted->tier))
        return fail(c, E_ALREADY_SUBSCRIBED, NULL);
    return fail(c, E_ALREADY_SUBSCRIBED,
                "a subscription to another tier of this creator is running; to change the tier,"
                " cancel it, and join again when it has ended");
}

/* The fan came here before and did not pay. The same wish goes on with the same page while it is open, so that nobody pays
 * on two of them; another wish ends the old row. */
static enum err take_up(struct call *c, struct membership *old, struct membership *wanted,
                        struct str path)
{
    struct payment payment;

    TRY(payment_get(c, old->payment, &payment));
    if (!same_terms(old, wanted)) {
        TRY(membership_step(c, old, SUBSCRIPTION_LAPSED));
        return E_NOT_FOUND;
    }
    *wanted = *old;
    if (!payment_is_settled(payment.state))
        return E_OK;
    TRY(checkout(c, wanted, path));
    return membership_save(c, wanted);
}

/* E_NOT_FOUND: nothing stands in the way of a new row. */
static enum err join_old(struct call *c, struct membership *wanted, struct str path)
{
    struct membership old = { 0 };

    TRY(membership_living(c, wanted->fan, wanted->creator, &old));
    if (old.state == SUBSCRIPTION_INCOMPLETE)
        return take_up(c, &old, wanted, path);
    if (!membership_is_over(&old, c->now))
        return already(c, &old, wanted);
    TRY(membership_step(c, &old, SUBSCRIPTION_FINISHED));
    return E_NOT_FOUND;
}

static enum err wish(struct call *c, const struct subscription_new *in, struct membership *result)
{
    struct tier tier;

    *result = (struct membership) { .fan = c->who, .tier = in->tier, .created = c->now };
    TRY(return_path_check(c, in->return_path));
    TRY(creator_tier(c, in->tier, &tier, &result->creator));
    if (id_is(result->creator, c->who))
        return fail_field(c, E_INVALID, "tier", "this is your own page: you see all of it already");
    result->price = tier.price;
    if (tier.archived)
        return fail(c, E_CONFLICT, "this tier takes no new subscribers any more");
    return E_OK;
}

static enum err started(struct call *c, const struct membership *r);

static enum err subscription_create(struct call *c)
{
    const struct subscription_new *in = IN(c, subscription_new);
    struct membership r;

    TRY(wish(c, in, &r));
    enum err e = join_old(c, &r, in->return_path);
    if (e == E_NOT_FOUND) {
        r.id = new_id(c);
        TRY(checkout(c, &r, in->return_path));
        TRY(membership_insert(c, &r));
    } else {
        TRY(e);
    }
    touch(c, r.fan);
    return started(c, &r);
}

/* --- showing ---------------------------------------------------------------------------------------------------- */

static void shown(const struct membership *r, const struct payment *p, struct subscription *s)
{
    *s = (struct subscription) { .id = r->id,
                                 .price = r->price,
                                 .state = r->state,
                                 .cancel_at_period_end = r->cancel_at_period_end,
                                 .period_start = r->period_start,
                                 .period_end = r->period_end,
                                 .created = r->created };
    if (p == NULL || (r->state != SUBSCRIPTION_INCOMPLETE && r->state != SUBSCRIPTION_PAST_DUE))
        return;
    s->checkout_url = p->checkout_url;
    s->decline = p->decline;
}

/* Rows as their fans see them: one query for each kind of thing that they show. */
static enum err dress(struct call *c, const struct membership *r, size_t n,
                      struct subscription *result)
{
    struct id *creators = arena_array(c->arena, struct id, n);
    struct id *tiers = arena_array(c->arena, struct id, n);
    struct id *payments = arena_array(c->arena, struct id, n);
    struct creator_card **cards = arena_array(c->arena, struct creator_card *, n);
    struct tier **offers = arena_array(c->arena, struct tier *, n);
    struct payment **paid_by = arena_array(c->arena, struct payment *, n);

    for (size_t i = 0; i < n; i++) {
        creators[i] = r[i].creator;
        tiers[i] = r[i].tier;
        payments[i] = r[i].payment;
    }
    TRY(creator_cards(c, creators, n, cards));
    TRY(creator_tiers(c, tiers, n, offers));
    TRY(payments_get(c, payments, n, paid_by));
    for (size_t i = 0; i < n; i++) {
        must(cards[i] != NULL && offers[i] != NULL); /* neither is ever removed */
        shown(&r[i], paid_by[i], &result[i]);
        result[i].creator = cards[i];
        result[i].tier = offers[i];
    }
    return E_OK;
}

static enum err started(struct call *c, const struct membership *r)
{
    struct subscription_started *out = OUT(c, subscription_started);

    out->subscription = arena_new(c->arena, struct subscription);
    TRY(dress(c, r, 1, out->subscription));
    out->checkout_url = out->subscription->checkout_url;
    return E_OK;
}

/* The provider has answered, or has had its time. Also for a repeated request: by the job, because another wish for this
 * tier may have come since. */
static enum err subscription_created(struct call *c)
{
    struct membership r = { 0 };
    struct id subscription;

    TRY(payment_awaited(c, &subscription));
    TRY(db_one(c, membership, &r, MEMBERSHIPS " FROM subscription WHERE id = $1 AND fan = $2",
               subscription, c->who));
    TRY(started(c, &r));
    const struct subscription *s = OUT(c, subscription_started)->subscription;
    if (s->state == SUBSCRIPTION_INCOMPLETE && s->checkout_url.p == NULL && s->decline.p != NULL)
        return fail(c, E_PROVIDER_UNAVAILABLE, NULL);
    return E_OK;
}

static enum err subscription_list(struct call *c)
{
    const struct page_query *q = QUERY(c, page_query);

    TRY(db_page(c, membership, q->cursor, q->limit,
                MEMBERSHIPS " FROM subscription WHERE fan = $1 AND id < $cursor"
                            " AND (period > 0 OR state = 'incomplete') ORDER BY id DESC",
                c->who));
    struct subscription *items = arena_array(c->arena, struct subscription, c->page.n);
    TRY(dress(c, PAGE(c, membership), c->page.n, items));
    c->page.v = items;
    return E_OK;
}

static enum err own_read(struct call *c, struct membership *r)
{
    return db_one(c, membership, r, MEMBERSHIPS " FROM subscription WHERE id = $1 AND fan = $2",
                  PARAMS(c, subscription_ref)->subscription, c->who);
}

static enum err subscription_get(struct call *c)
{
    struct membership r = { 0 };

    TRY(own_read(c, &r));
    return dress(c, &r, 1, OUT(c, subscription));
}

static enum err subscriber_list(struct call *c)
{
    const struct page_query *q = QUERY(c, page_query);

    TRY(db_page(c, membership, q->cursor, q->limit,
                MEMBERSHIPS " FROM subscription WHERE creator = $1 AND id < $cursor"
                            " AND state IN ('active', 'past_due') ORDER BY id DESC",
                c->who));
    size_t n = c->page.n;
    const struct membership *r = PAGE(c, membership);
    struct studio_subscriber *items = arena_array(c->arena, struct studio_subscriber, n);
    struct id *fans = arena_array(c->arena, struct id, n);
    struct id *tiers = arena_array(c->arena, struct id, n);
    struct account_card *cards = arena_array(c->arena, struct account_card, n);
    struct tier **offers = arena_array(c->arena, struct tier *, n);
    for (size_t i = 0; i < n; i++) {
        fans[i] = r[i].fan;
        tiers[i] = r[i].tier;
    }
    TRY(account_cards(c, fans, n, cards));
    TRY(creator_tiers(c, tiers, n, offers));
    for (size_t i = 0; i < n; i++)
        items[i] = (struct studio_subscriber) { .id = r[i].id,
                                                .fan = &cards[i],
                                                .tier = offers[i],
                                                .state = r[i].state,
                                                .price = r[i].price,
                                                .cancel_at_period_end = r[i].cancel_at_period_end,
                                                .since = r[i].anchor,
                                                .period_end = r[i].period_end };
    c->page.v = items;
    return E_OK;
}

/* --- leaving ---------------------------------------------------------------------------------------------------- */

static enum err own_lock(struct call *c, struct membership *r)
{
    TRY(membership_lock(c, PARAMS(c, subscription_ref)->subscription, r));
    return id_is(r->fan, c->who) ? E_OK : E_NOT_FOUND;
}

/* A paid period is given to its end; what is not paid ends now. */
static enum err subscription_cancel(struct call *c)
{
    struct membership r = { 0 };

    TRY(own_lock(c, &r));
    if (r.state == SUBSCRIPTION_CANCELED || r.cancel_at_period_end)
        return dress(c, &r, 1, OUT(c, subscription));
    if (r.state == SUBSCRIPTION_ACTIVE) {
        r.cancel_at_period_end = true;
        r.access_until = membership_access(c, &r);
    }
    TRY(membership_step(c, &r, SUBSCRIPTION_LEFT));
    return dress(c, &r, 1, OUT(c, subscription));
}

static enum err subscription_resume(struct call *c)
{
    struct membership r = { 0 };

    TRY(own_lock(c, &r));
    if (membership_is_over(&r, c->now))
        return fail(c, E_CONFLICT, "this subscription has ended; subscribe again");
    if (r.state == SUBSCRIPTION_ACTIVE && !r.cancel_at_period_end)
        return dress(c, &r, 1, OUT(c, subscription));
    r.cancel_at_period_end = false;
    r.access_until = membership_access(c, &r);
    TRY(membership_step(c, &r, SUBSCRIPTION_RESUMED));
    return dress(c, &r, 1, OUT(c, subscription));
}

/* --- what it gives ---------------------------------------------------------------------------------------------- */

enum err subscription_entitlements(struct call *c, struct id fan, struct entitlement_list *result)
{
    return db_list(c, entitlement, result,
                   "SELECT creator, tier, access_until AS until FROM subscription"
                   " WHERE fan = $1 AND state IN ('active', 'past_due') AND access_until > $2"
                   " ORDER BY creator",
                   fan, c->now);
}

enum err subscription_entitled(struct call *c, struct id fan, struct id creator,
                               struct entitlement *result)
{
    return db_one(c, entitlement, result,
                  "SELECT creator, tier, access_until AS until FROM subscription"
                  " WHERE fan = $1 AND creator = $2 AND state IN ('active', 'past_due')"
                  " AND access_until > $3",
                  fan, creator, c->now);
}

static const struct route routes[] = {
    { POST, "/v1/subscriptions", subscription_create, "Subscribe to a tier",
      .in = &subscription_new_shape, .out = &subscription_started_shape, .auth = FAN, .tx = WRITE,
      .status = 201, .idempotent = true, .await = "payment.checkout", .then = subscription_created,
      .vital = true, .rate = { 30, 10 },
      .fails = { E_ALREADY_SUBSCRIBED, E_CONFLICT, E_BELOW_MINIMUM, E_PROVIDER_UNAVAILABLE } },
    { GET, "/v1/subscriptions", subscription_list, "Your subscriptions, newest first",
      .query = &page_query_shape, .items = &subscription_shape, .auth = FAN, .tx = READ },
    { GET, "/v1/subscriptions/{subscription}", subscription_get, "One of your subscriptions",
      .params = &subscription_ref_shape, .out = &subscription_shape, .auth = FAN, .tx = READ,
      .vital = true },
    { POST, "/v1/subscriptions/{subscription}/cancel", subscription_cancel,
      "End it with the paid period", .params = &subscription_ref_shape, .out = &subscription_shape,
      .auth = FAN, .tx = WRITE, .fails = { E_CONFLICT } },
    { POST, "/v1/subscriptions/{subscription}/resume", subscription_resume,
      "Take a cancellation back", .params = &subscription_ref_shape, .out = &subscription_shape,
      .auth = FAN, .tx = WRITE, .fails = { E_CONFLICT } },
    { GET, "/v1/studio/subscribers", subscriber_list, "A creator's subscribers, newest first",
      .query = &page_query_shape, .items = &studio_subscriber_shape, .auth = CREATOR, .tx = READ },
};

static const struct job_kind jobs[] = {
    { "subscription.renew", renewal_due, .in = &subscription_work_shape, .tx = WRITE,
      .lease_ms = 30000, .tries = 100 },
    { "subscription.retry", renewal_retry, .in = &subscription_work_shape, .tx = WRITE,
      .lease_ms = 30000, .tries = 100 },
    { "subscription.abandon", abandon_run, .in = &subscription_work_shape, .tx = WRITE,
      .lease_ms = 30000, .tries = 100 },
};

static const struct subscriber subscribers[] = {
    { "payment.settled", renewal_settled, .in = &payment_settled_shape },
    { "payment.action_required", renewal_confirm, .in = &payment_settled_shape },
};

static const struct event_kind *const events[] = { &subscription_changed_event };

static const struct setting settings[] = {
    { "subscription.grace_hours", SETTING_INT, "72",
      "Access after a period whose renewal has not been paid yet", 0, 720 },
};

const struct module subscription_module = {
    "subscription",        MODULE_ROUTES(routes),
    MODULE_JOBS(jobs),     MODULE_SUBSCRIBERS(subscribers),
    MODULE_EVENTS(events), MODULE_SETTINGS(settings),
};
