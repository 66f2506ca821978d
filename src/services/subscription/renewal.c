/* renewal.c -- a month after the other: charging, trying again, and what becomes of each payment.
 *
 * Periods are counted from the anchor (the moment of the first payment), so that the 31st comes back after a short month.
 * Invariants: a period is billed once (subscription_renewal's key); a month that passed while we were away is not billed.
 * Money that has arrived is never ignored: a row that ended before its payment came is revived by it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/env.h"
#include "core/jobs.h"
#include "services/creator/creator.h"
#include "services/subscription/parts.h"

#include <inttypes.h>

/* Days after a refused renewal when it is tried again; the last is when we stop waiting. */
static const int retry_days[] = { 1, 3, 5, 6 };

static const struct field subscription_work_fields[] = {
    ID(subscription_work, subscription, ID_SUBSCRIPTION, "Which"),
    ID(subscription_work, payment, ID_PAYMENT, "The one that is waited for", .optional = true),
    INTEGER(subscription_work, period, "To be paid", .max = 10000),
    INTEGER(subscription_work, step, "Of the retries", .max = 100),
};
SHAPE(subscription_work);

/* --- rules ------------------------------------------------------------------------------------------------------ */

/* Period 1 starts at the anchor; period n ends n months after it. */
static struct when period_ends(struct when anchor, int64_t period)
{
    return when_months_after(anchor, (int)period);
}

/* The period to bill at `now`, at least `least`: months that passed without us, and so without anything for the fan, are
 * left out. */
static int64_t period_to_bill(struct when anchor, int64_t least, struct when now)
{
    while (period_ends(anchor, least).us <= now.us)
        least++;
    return least;
}

/* --- renewing --------------------------------------------------------------------------------------------------- */

static enum err work_add(struct call *c, const char *kind, struct when at,
                         const struct subscription_work *work)
{
    struct str name = str_printf(c->arena, "%s:%.*s:%" PRId64 ":%" PRId64, kind,
                                 STR_FMT(id_text(c->arena, ID_SUBSCRIPTION, work->subscription)),
                                 work->period, work->step);

    return job_add_named(c, kind, name, at, work);
}

static enum err renewal_schedule(struct call *c, const struct membership *r)
{
    struct subscription_work work = { .subscription = r->id, .period = r->period + 1 };

    return work_add(c, "subscription.renew", r->period_end, &work);
}

static enum err retry_schedule(struct call *c, const struct membership *r, int64_t period,
                               int64_t step)
{
    struct subscription_work work = {
        .subscription = r->id, .payment = r->payment, .period = period, .step = step
    };
    int days = retry_days[step] - (step > 0 ? retry_days[step - 1] : 0);

    return work_add(c, "subscription.retry", when_after(c->now, days * DAY), &work);
}

static enum err renewal_charge(struct call *c, struct membership *r, int64_t period)
{
    struct payment_new n;
    struct id billed;

    TRY(membership_payment(c, r, &n));
    TRY(payment_charge(c, &n, &r->payment));
    enum err e = db_int(c, &billed.v,
                        "INSERT INTO subscription_renewal (subscription, period, payment, created)"
                        " VALUES ($1, $2, $3, $4)"
                        " ON CONFLICT (subscription, period) DO NOTHING RETURNING payment",
                        r->id, period, r->payment, c->now);
    must(e != E_NOT_FOUND); /* the row is locked, and `period` lies above all that were billed */
    TRY(e);
    r->refusals = 0;
    TRY(membership_save(c, r));
    return retry_schedule(c, r, period, 0);
}

/* At the end of a paid period. */
enum err renewal_due(struct call *c)
{
    const struct subscription_work *in = IN(c, subscription_work);
    struct membership r = { 0 };
    int64_t billed;

    TRY(membership_lock(c, in->subscription, &r));
    if (r.state != SUBSCRIPTION_ACTIVE || in->period != r.period + 1)
        return E_OK;
    if (r.period_end.us > c->now.us)
        return renewal_schedule(c, &r);
    if (r.cancel_at_period_end)
        return membership_step(c, &r, SUBSCRIPTION_FINISHED);
    TRY(db_int(c, &billed,
               "SELECT COALESCE(max(period), 0) FROM subscription_renewal WHERE subscription = $1",
               r.id));
    if (billed > r.period)
        return E_OK;
    return renewal_charge(c, &r, period_to_bill(r.anchor, in->period, c->now));
}

/* Days after a renewal that did not succeed. Asks for the payment as it is, so no news of it can be missed. */
enum err renewal_retry(struct call *c)
{
    const struct subscription_work *in = IN(c, subscription_work);
    struct membership r = { 0 };
    struct payment payment;

    TRY(membership_lock(c, in->subscription, &r));
    if ((r.state != SUBSCRIPTION_ACTIVE && r.state != SUBSCRIPTION_PAST_DUE) ||
        r.period >= in->period || !id_is(r.payment, in->payment))
        return E_OK;
    TRY(payment_get(c, r.payment, &payment));
    if (payment.state == PAYMENT_SUCCEEDED)
        return E_OK; /* its event is on the way */
    if (in->step + 1 >= (int64_t)COUNT(retry_days))
        return membership_step(c, &r, SUBSCRIPTION_LAPSED);
    if (payment.state == PAYMENT_DECLINED)
        TRY(payment_retry(c, r.payment));
    return retry_schedule(c, &r, in->period, in->step + 1);
}

/* --- what became of a payment ----------------------------------------------------------------------------------- */

/* 1: the first payment. */
static enum err period_of(struct call *c, const struct membership *r, struct id payment,
                          int64_t *result)
{
    enum err e = db_int(c, result,
                        "SELECT period FROM subscription_renewal"
                        " WHERE subscription = $1 AND payment = $2",
                        r->id, payment);

    if (e == E_NOT_FOUND)
        *result = 1;
    return e == E_NOT_FOUND ? E_OK : e;
}

/* Money without anything to give for it: a person has to pay it back. */
static enum err paid_in_vain(struct call *c, const struct membership *r, struct id payment)
{
    log_error(c->env->log, "subscription.paid_in_vain",
              L_STR("subscription", id_text(c->arena, ID_SUBSCRIPTION, r->id)),
              L_STR("payment", id_text(c->arena, ID_PAYMENT, payment)));
    return E_OK;
}

/* A row that had ended is paid after all: it lives again, unless another took its place. One that the fan had left is not
 * renewed. */
static enum err revive(struct call *c, struct membership *r, bool *possible)
{
    struct membership other = { 0 };
    enum err e = membership_living(c, r->fan, r->creator, &other);

    *possible = e == E_NOT_FOUND || other.state == SUBSCRIPTION_INCOMPLETE;
    if (e != E_OK && e != E_NOT_FOUND)
        return e;
    if (e == E_OK && *possible)
        TRY(membership_step(c, &other, SUBSCRIPTION_LAPSED));
    r->cancel_at_period_end |= r->state == SUBSCRIPTION_CANCELED;
    return E_OK;
}

static enum err follow(struct call *c, const struct membership *r)
{
    enum err e = creator_follow(c, r->fan, r->creator, true);

    return e == E_CONFLICT ? E_OK : e; /* follows too many: no reason to refuse money */
}

static enum err paid(struct call *c, struct membership *r, struct id payment)
{
    int64_t period;
    bool possible = true;

    TRY(period_of(c, r, payment, &period));
    if (period <= r->period)
        return paid_in_vain(c, r, payment);
    if (!membership_is_living(r->state))
        TRY(revive(c, r, &possible));
    if (!possible)
        return paid_in_vain(c, r, payment);
    if (r->period == 0)
        r->anchor = c->now;
    r->period = period;
    r->period_start = period_ends(r->anchor, period - 1);
    r->period_end = period_ends(r->anchor, period);
    r->access_until = membership_access(c, r);
    r->payment = payment;
    r->refusals = 0;
    TRY(membership_step(c, r, SUBSCRIPTION_PAID));
    if (period == 1)
        TRY(follow(c, r));
    return renewal_schedule(c, r);
}

static enum err refused(struct call *c, struct membership *r, const struct payment_settled *in)
{
    if (!membership_is_living(r->state) || !id_is(r->payment, in->payment))
        return E_OK;
    if (r->state == SUBSCRIPTION_INCOMPLETE)
        return membership_step(
            c, r, in->state == PAYMENT_EXPIRED ? SUBSCRIPTION_LAPSED : SUBSCRIPTION_REFUSED);
    if (r->cancel_at_period_end)
        return membership_step(c, r, SUBSCRIPTION_FINISHED);
    r->refusals++;
    return membership_step(c, r,
                           r->refusals >= (int64_t)COUNT(retry_days) ? SUBSCRIPTION_LAPSED
                                                                     : SUBSCRIPTION_REFUSED);
}

enum err renewal_settled(struct call *c)
{
    const struct payment_settled *in = IN(c, payment_settled);
    struct membership r = { 0 };

    if (in->purpose != PAYMENT_SUBSCRIPTION)
        return E_OK;
    TRY(membership_lock(c, in->subject, &r));
    return in->state == PAYMENT_SUCCEEDED ? paid(c, &r, in->payment) : refused(c, &r, in);
}

/* The fan has to confirm a renewal with her bank: past due, and the page to do it stands in the subscription. */
enum err renewal_confirm(struct call *c)
{
    const struct payment_settled *in = IN(c, payment_settled);
    struct membership r = { 0 };

    if (in->purpose != PAYMENT_SUBSCRIPTION)
        return E_OK;
    TRY(membership_lock(c, in->subject, &r));
    if (r.state != SUBSCRIPTION_ACTIVE || !id_is(r.payment, in->payment))
        return E_OK;
    return membership_step(c, &r, SUBSCRIPTION_REFUSED);
}
