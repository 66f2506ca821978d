/* sim_oracle.c -- what must hold after every step, told from the rows by SQL of our own, from the provider's record of the
 * money that moved, and by a calendar of our own. Nothing here calls the program's services.
 *
 * money          the entries of a journal sum to zero, balances are sums of entries, a charge in the books is money that
 *                the provider took, once, of the same amount, split as agreed
 * subscriptions  one living row a pair; a paid period is a payment that was taken; what a row gives is its paid period and
 *                the grace, to the microsecond; its steps are those of the table */
/* SPDX-License-Identifier: Apache-2.0 */
#include "test/sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { GRACE_HOURS = 72, RETRY_DAYS = 5, FEE_BP = 2000 };

/* --- a calendar in another way: by counting days ------------------------------------------------------------------ */

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int64_t days_in(int64_t year, int64_t month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

static int64_t months_later(int64_t us, int64_t months)
{
    int64_t days = us / DAY, year = 1970, month = 1, at = 0;

    while (days >= (is_leap(year) ? 366 : 365))
        days -= is_leap(year++) ? 366 : 365;
    while (days >= days_in(year, month))
        days -= days_in(year, month++);
    month += months;
    year += (month - 1) / 12;
    month = (month - 1) % 12 + 1;
    if (days > days_in(year, month) - 1)
        days = days_in(year, month) - 1;
    for (int64_t y = 1970; y < year; y++)
        at += is_leap(y) ? 366 : 365;
    for (int64_t m = 1; m < month; m++)
        at += days_in(year, m);
    return (at + days) * DAY + us % DAY;
}

/* --- the books ----------------------------------------------------------------------------------------------------- */

static void expect_none(struct sim *w, const char *rule, const char *what, struct sim_rows rows)
{
    if (rows.n > 0)
        sim_violated(w, rule, "%s: %zu, the first is %" PRId64, what, rows.n, rows.cells[0].i);
}

static void look_at_sums(struct sim *w)
{
    expect_none(w, "ledger", "journals that do not sum to zero",
                SQL(w, "SELECT journal FROM ledger_entry GROUP BY journal, currency"
                       " HAVING sum(amount) <> 0"));
    expect_none(w, "ledger", "balances that are not the sum of their entries",
                SQL(w,
                    "SELECT a.id FROM ledger_account a WHERE"
                    " (SELECT COALESCE(sum(amount), 0) FROM ledger_entry WHERE account = a.id) <>"
                    " (SELECT COALESCE(sum(posted), 0) FROM ledger_balance WHERE account = a.id)"));
    expect_none(w, "ledger", "accounts below nothing",
                SQL(w, "SELECT a.id FROM ledger_account a JOIN ledger_balance b ON b.account = a.id"
                       " WHERE a.minimum IS NOT NULL AND b.posted * a.normal < a.minimum"));
    expect_none(w, "ledger", "days that differ from their sales",
                SQL(w,
                    "SELECT creator FROM (SELECT creator, currency, gross, net FROM ledger_earning"
                    " UNION ALL SELECT creator, currency, -gross, -net FROM ledger_day) AS t"
                    " GROUP BY creator, currency HAVING sum(gross) <> 0 OR sum(net) <> 0"));
}

static int64_t half_even(int64_t amount, int64_t bp)
{
    int64_t whole = amount * bp / 10000, rest = amount * bp % 10000;

    return rest > 5000 || (rest == 5000 && whole % 2 == 1) ? whole + 1 : whole;
}

static struct str payment_text(struct sim *w, int64_t payment)
{
    return id_text(&w->step, ID_PAYMENT, (struct id) { payment });
}

/* The one object of this payment for which money moved; more than one is a double charge. */
static struct sim_object *taken_for(struct sim *w, int64_t payment)
{
    struct str reference = payment_text(w, payment);
    struct sim_object *o, *found = NULL;
    size_t from = 0;

    while ((o = pay_of_reference(w, reference, &from)) != NULL) {
        if (o->taken && found != NULL)
            sim_violated(w, "charged-twice", "%.*s was taken as %s and as %s", STR_FMT(reference),
                         found->ref, o->ref);
        if (o->taken)
            found = o;
    }
    return found;
}

/* Each sale in the books is money that moved. */
static void look_at_sales(struct sim *w)
{
    struct sim_rows rows =
        SQL(w, "SELECT e.payment, e.gross, e.fee, e.net, e.currency,"
               " (SELECT CAST(sum(x.amount) AS INTEGER) FROM ledger_entry x JOIN ledger_account a "
               "ON a.id = x.account"
               "  WHERE x.journal = e.journal AND a.kind = 'provider_pending'),"
               " (SELECT CAST(sum(x.amount) AS INTEGER) FROM ledger_entry x JOIN ledger_account a "
               "ON a.id = x.account"
               "  WHERE x.journal = e.journal AND a.kind = 'creator_pending'), p.state"
               " FROM ledger_earning e LEFT JOIN payment p ON p.id = e.payment ORDER BY e.journal");

    for (size_t i = 0; i < rows.n; i++) {
        struct sim_cell *c = CELL(rows, i, 0);
        struct sim_object *o = taken_for(w, c[0].i);
        struct str payment = payment_text(w, c[0].i);
        if (o == NULL)
            sim_violated(w, "money", "%.*s is in the books, but nothing was taken",
                         STR_FMT(payment));
        else if (o->amount != c[1].i || !str_is(c[4].s, o->currency))
            sim_violated(w, "money", "%.*s: taken %" PRId64 " %s, booked %" PRId64 " %.*s",
                         STR_FMT(payment), o->amount, o->currency, c[1].i, STR_FMT(c[4].s));
        if (c[2].i != half_even(c[1].i, FEE_BP) || c[3].i != c[1].i - c[2].i || c[5].i != c[1].i ||
            c[6].i != -c[3].i)
            sim_violated(w, "money", "%.*s is not split as agreed", STR_FMT(payment));
        if (!str_is(c[7].s, "succeeded"))
            sim_violated(w, "money", "%.*s is booked, and its payment is %.*s", STR_FMT(payment),
                         STR_FMT(c[7].s));
    }
    int64_t charges =
        world_int(w, "SELECT count(*) FROM ledger_journal WHERE kind = 'charge'", 0, NULL, 0);
    int64_t succeeded =
        world_int(w, "SELECT count(*) FROM payment WHERE state = 'succeeded'", 0, NULL, 0);
    if (charges != (int64_t)rows.n || succeeded != charges)
        sim_violated(w, "money", "%" PRId64 " journals of charges, %zu sales, %" PRId64 " receipts",
                     charges, rows.n, succeeded);
}

/* --- subscriptions --------------------------------------------------------------------------------------------------- */

static bool is_living(const char *state)
{
    return strcmp(state, "incomplete") == 0 || strcmp(state, "active") == 0 ||
           strcmp(state, "past_due") == 0;
}

static struct sim_membership *member_of(struct sim *w, int64_t id)
{
    for (size_t i = 0; i < w->members_n; i++)
        if (w->members[i].id == id)
            return &w->members[i];
    return NULL;
}

void oracle_acknowledged(struct sim *w, struct str subscription, bool left)
{
    struct sim_membership *m;
    struct id id;

    if (!id_parse(subscription, "sub", &id) || (m = member_of(w, id.v)) == NULL)
        return;
    m->left_us = left ? w->real.us : 0;
    if (!left)
        sim_saw(w, SIGHT_RESUMED);
}

static void word(char to[12], struct str s)
{
    size_t n = s.n < 11 ? s.n : 11;

    memcpy(to, s.p, n);
    to[n] = 0;
}

/* The payment of a period: 1 is the first that succeeded without being a renewal. */
static int64_t payment_of(struct sim *w, const struct sim_membership *m, int64_t period)
{
    if (period > 1)
        return world_int(
            w, "SELECT payment FROM subscription_renewal WHERE subscription = $1 AND period = $2",
            2, (const int64_t[]) { m->id, period }, 0);
    return world_int(
        w,
        "SELECT p.id FROM payment p WHERE p.subject = $1 AND p.state = 'succeeded'"
        " AND p.id NOT IN (SELECT payment FROM subscription_renewal WHERE subscription = $1)"
        " ORDER BY p.settled, p.id LIMIT 1",
        1, &m->id, 0);
}

static int64_t until_of(const struct sim_membership *m)
{
    return m->period_end + (m->cancel ? 0 : GRACE_HOURS * HOUR);
}

/* A row gives what was paid for, and nothing else. */
static void look_at_member(struct sim *w, const struct sim_membership *m)
{
    struct str id = id_text(&w->step, ID_SUBSCRIPTION, (struct id) { m->id });

    if (m->period == 0)
        return;
    if (m->period_end != months_later(m->anchor, m->period))
        sim_violated(w, "period", "%.*s: period %" PRId64 " ends %" PRId64 ", not %" PRId64,
                     STR_FMT(id), m->period, m->period_end, months_later(m->anchor, m->period));
    int64_t payment = payment_of(w, m, m->period);
    struct sim_object *o = payment == 0 ? NULL : taken_for(w, payment);
    if (o == NULL)
        sim_violated(w, "entitlement", "%.*s: period %" PRId64 " was not paid", STR_FMT(id),
                     m->period);
    else if (o->amount != m->price)
        sim_violated(w, "price", "%.*s: %" PRId64 " was taken, %" PRId64 " was agreed", STR_FMT(id),
                     o->amount, m->price);
    if (is_living(m->state) && m->until != until_of(m))
        sim_violated(w, "entitlement",
                     "%.*s gives until %" PRId64 ", its paid period until %" PRId64, STR_FMT(id),
                     m->until, until_of(m));
    if (!is_living(m->state) && m->until != 0)
        sim_violated(w, "entitlement", "%.*s is %s and gives something", STR_FMT(id), m->state);
}

static const struct {
    const char *from, *to;
    enum sim_sight sight;
} changes[] = {
    { "incomplete", "active", SIGHT_PAID_FIRST }, { "active", "past_due", SIGHT_PAST_DUE },
    { "past_due", "active", SIGHT_RECOVERED },    { "past_due", "expired", SIGHT_LAPSED },
    { "active", "canceled", SIGHT_FINISHED },     { "incomplete", "canceled", SIGHT_LEFT_UNPAID },
    { "incomplete", "expired", SIGHT_ABANDONED }, { "expired", "active", SIGHT_REVIVED },
    { "canceled", "active", SIGHT_REVIVED },
};

/* A renewal that is refused is tried again for five days, before the row ends. */
static void look_at_patience(struct sim *w, const struct sim_membership *was,
                             const struct sim_membership *is)
{
    if (strcmp(was->state, "past_due") != 0 || strcmp(is->state, "expired") != 0)
        return;
    int64_t billed = world_int(
        w, "SELECT max(created) FROM subscription_renewal WHERE subscription = $1", 1, &is->id, 0);
    if (sim_now(w).us < billed + RETRY_DAYS * DAY)
        sim_violated(w, "subscription", "%.*s was given up too soon",
                     STR_FMT(id_text(&w->step, ID_SUBSCRIPTION, (struct id) { is->id })));
}

/* Which steps a row may take between two looks; several small ones may lie between. */
static void look_at_change(struct sim *w, const struct sim_membership *was,
                           const struct sim_membership *is)
{
    struct str id = id_text(&w->step, ID_SUBSCRIPTION, (struct id) { is->id });

    for (size_t i = 0; i < COUNT(changes); i++)
        if (strcmp(was->state, changes[i].from) == 0 && strcmp(is->state, changes[i].to) == 0)
            sim_saw(w, changes[i].sight);
    if (is->period < was->period || (was->anchor != 0 && is->anchor != was->anchor))
        sim_violated(w, "subscription", "%.*s went back in time", STR_FMT(id));
    if (is->price != was->price || is->tier != was->tier || is->fan != was->fan)
        sim_violated(w, "subscription", "%.*s has other terms than it was made with", STR_FMT(id));
    if (strcmp(is->state, "incomplete") == 0 && strcmp(was->state, "incomplete") != 0)
        sim_violated(w, "subscription", "%.*s was %s and is incomplete", STR_FMT(id), was->state);
    look_at_patience(w, was, is);
    if (is->period <= was->period)
        return;
    sim_tell(w, "  %.*s: period %" PRId64 " is paid", STR_FMT(id), is->period);
    if (is->period >= 2)
        sim_saw(w, SIGHT_RENEWAL);
    if (was->period > 0 && is->period > was->period + 1)
        sim_saw(w, SIGHT_MONTH_SKIPPED);
}

static void look_at_tier(struct sim *w, const struct sim_membership *was,
                         const struct sim_membership *is)
{
    struct sim_rows tier = SQL(w, "SELECT price, archived FROM tier WHERE id = $1", is->tier);

    if (is->period < 2 || is->period <= was->period || tier.n == 0)
        return;
    if (tier.cells[0].i != is->price)
        sim_saw(w, SIGHT_PRICE_KEPT);
    if (tier.cells[1].i == 1)
        sim_saw(w, SIGHT_ARCHIVED_RENEWED);
}

/* One that the fan has left is not charged by a payment that was begun later. */
static void look_at_left(struct sim *w, const struct sim_membership *m)
{
    struct sim_rows rows =
        SQL(w,
            "SELECT id, created FROM payment WHERE subject = $1 AND off_session = 1"
            " ORDER BY id DESC LIMIT 1",
            m->id);

    if (rows.n == 0 || m->left_us == 0)
        return;
    int64_t made_ms = (rows.cells[0].i >> 21) + INT64_C(1704067200000);
    if (made_ms > m->left_us / 1000)
        sim_violated(w, "left", "%.*s is charged after the fan has left",
                     STR_FMT(id_text(&w->step, ID_SUBSCRIPTION, (struct id) { m->id })));
}

static void member_read(struct sim_membership *m, const struct sim_cell *c)
{
    *m = (struct sim_membership) { .id = c[0].i,
                                   .fan = c[1].i,
                                   .creator = c[2].i,
                                   .tier = c[3].i,
                                   .price = c[4].i,
                                   .period = c[6].i,
                                   .anchor = c[7].i,
                                   .period_end = c[8].i,
                                   .until = c[9].i,
                                   .cancel = c[10].i == 1 };
    word(m->state, c[5].s);
}

static void look_at_members(struct sim *w)
{
    struct sim_rows rows =
        SQL(w, "SELECT id, fan, creator, tier, price, state, period, COALESCE(anchor, 0),"
               " COALESCE(period_end, 0), COALESCE(access_until, 0), cancel_at_period_end"
               " FROM subscription ORDER BY id");

    for (size_t i = 0; i < rows.n; i++) {
        struct sim_membership is, *was = member_of(w, CELL(rows, i, 0)->i);
        member_read(&is, CELL(rows, i, 0));
        if (was == NULL) {
            must(w->members_n < SIM_SUBSCRIPTIONS);
            was = &w->members[w->members_n++];
            *was = is;
            snprintf(was->state, sizeof(was->state), "%s", "incomplete");
            was->period = was->anchor = 0;
        }
        is.left_us = was->left_us;
        look_at_member(w, &is);
        look_at_change(w, was, &is);
        look_at_tier(w, was, &is);
        look_at_left(w, &is);
        *was = is;
    }
    expect_none(
        w, "pair", "pairs with two living subscriptions",
        SQL(w, "SELECT fan FROM subscription WHERE state IN ('incomplete', 'active', 'past_due')"
               " GROUP BY fan, creator HAVING count(*) > 1"));
    expect_none(w, "events", "events that could not be taken",
                SQL(w, "SELECT event FROM event_dead"));
}

/* By the model's own words, from what was paid. */
bool oracle_entitled(struct sim *w, int64_t fan, int64_t creator, int64_t tier)
{
    int64_t now = sim_now(w).us;

    for (size_t i = 0; i < w->members_n; i++) {
        const struct sim_membership *m = &w->members[i];
        if (m->fan != fan || m->creator != creator || m->period == 0 || !is_living(m->state))
            continue;
        if ((tier == 0 || m->tier == tier) && now < until_of(m))
            return true;
    }
    return false;
}

/* --- rows that would tell of something done twice ---------------------------------------------------------------------- */

static void look_at_twins(struct sim *w)
{
    struct sim_rows tiers = SQL(w, "SELECT name FROM tier GROUP BY name HAVING count(*) > 1"),
                    posts = SQL(w, "SELECT text FROM post WHERE text LIKE 'tx%q' GROUP BY text"
                                   " HAVING count(*) > 1"),
                    assets = SQL(w, "SELECT filename FROM asset WHERE filename LIKE 'f%q'"
                                    " GROUP BY filename HAVING count(*) > 1");

    if (tiers.n + posts.n + assets.n > 0)
        sim_violated(w, "idempotency", "made twice: %.*s",
                     STR_FMT((tiers.n > 0   ? tiers
                              : posts.n > 0 ? posts
                                            : assets)
                                 .cells[0]
                                 .s));
}

static void look_at_counts(struct sim *w)
{
    expect_none(w, "counts", "creators with a wrong count of followers",
                SQL(w, "SELECT id FROM creator c WHERE followers <>"
                       " (SELECT count(*) FROM follow WHERE creator = c.id)"));
    expect_none(
        w, "counts", "creators with a wrong count or head of posts",
        SQL(w, "SELECT id FROM creator c WHERE"
               " posts <> (SELECT count(*) FROM post WHERE creator = c.id AND state = 'published')"
               " OR head <> COALESCE((SELECT max(position) FROM post WHERE creator = c.id), 0)"));
    expect_none(w, "counts", "assets with a wrong count of uses",
                SQL(w, "SELECT id FROM asset a WHERE uses <>"
                       " (SELECT count(*) FROM post_asset WHERE asset = a.id)"));
    expect_none(w, "rights", "posts whose pictures differ from those that access knows",
                SQL(w,
                    "SELECT post FROM post_asset x WHERE NOT EXISTS"
                    " (SELECT 1 FROM access_asset y WHERE y.object = x.post AND y.asset = x.asset)"
                    " UNION ALL SELECT object FROM access_asset y WHERE NOT EXISTS"
                    " (SELECT 1 FROM post_asset x WHERE y.object = x.post AND y.asset = x.asset)"));
    if (SQL(w, "SELECT id FROM job WHERE state = 'dead'").n > 0)
        sim_saw(w, SIGHT_JOB_DEAD);
}

void oracle_look(struct sim *w)
{
    look_at_sums(w);
    look_at_sales(w);
    look_at_members(w);
    look_at_twins(w);
    look_at_counts(w);
}

/* --- at the end -------------------------------------------------------------------------------------------------------- */

/* Money that came for a period that the row does not have: only where the pair has another row that was paid. */
static void look_at_vain(struct sim *w)
{
    struct sim_rows rows =
        SQL(w, "SELECT p.id, s.id, COALESCE(r.period, 1), s.period, s.state,"
               " (SELECT count(*) FROM subscription o WHERE o.fan = s.fan AND o.creator = s.creator"
               "  AND o.id <> s.id AND o.period > 0)"
               " FROM payment p JOIN subscription s ON s.id = p.subject"
               " LEFT JOIN subscription_renewal r ON r.payment = p.id"
               " WHERE p.state = 'succeeded' ORDER BY p.id");

    for (size_t i = 0; i < rows.n; i++) {
        struct sim_cell *c = CELL(rows, i, 0);
        if (c[2].i > c[3].i && c[5].i == 0)
            sim_violated(w, "in-vain",
                         "%.*s was paid for period %" PRId64 ", and %.*s has %" PRId64 " (%.*s)",
                         STR_FMT(payment_text(w, c[0].i)), c[2].i,
                         STR_FMT(id_text(&w->step, ID_SUBSCRIPTION, (struct id) { c[1].i })),
                         c[3].i, STR_FMT(c[4].s));
    }
}

/* What a fan is shown as paid is what was taken from her. */
static void look_at_receipts(struct sim *w, int person)
{
    struct http_call h = people_look(w, person, STR("/v1/payments?limit=100"));
    struct str payer = id_text(&w->step, ID_USER, (struct id) { w->people[person].id });
    int64_t taken = 0, taken_n = 0, shown = 0, shown_n = 0, amount;
    struct str state;

    for (size_t i = 0; i < w->objects_n; i++)
        if (w->objects[i].taken && str_is(payer, w->objects[i].payer)) {
            taken += w->objects[i].amount;
            taken_n++;
        }
    for (int i = 0; i < 100; i++) {
        state = reply_member(w, h.reply, str_printf(&w->step, "items.%d.state", i).p);
        if (!str_is(state, "succeeded") ||
            !str_int(reply_member(w, h.reply, str_printf(&w->step, "items.%d.amount", i).p),
                     &amount))
            continue;
        shown += amount;
        shown_n++;
    }
    bool whole = reply_member(w, h.reply, "next").p == NULL;
    if (shown_n > 0 && shown == taken)
        sim_saw(w, SIGHT_RECEIPT);
    if (h.status == 200 && whole && (shown != taken || shown_n != taken_n))
        sim_violated(w, "receipts",
                     "%s is shown %" PRId64 " payments of %" PRId64 ", taken were %" PRId64
                     " of %" PRId64,
                     w->people[person].name, shown_n, shown, taken_n, taken);
}

/* What a creator is shown as earned is what is in the books, in every currency together. */
static void look_at_earnings(struct sim *w, int person)
{
    struct http_call h = people_look(w, person, STR("/v1/studio/earnings"));
    int64_t booked =
        world_int(w, "SELECT CAST(sum(gross) AS INTEGER) FROM ledger_earning WHERE creator = $1", 1,
                  &w->people[person].id, 0);
    int64_t shown = 0, gross;

    for (int i = 0;
         str_int(reply_member(w, h.reply, str_printf(&w->step, "balances.%d.gross", i).p), &gross);
         i++)
        shown += gross;
    if (shown > 0 && shown == booked)
        sim_saw(w, SIGHT_EARNED);
    if (h.status == 200 && shown != booked)
        sim_violated(w, "receipts", "%s is shown %" PRId64 " earned, booked are %" PRId64,
                     w->people[person].name, shown, booked);
}

void oracle_receipts(struct sim *w)
{
    for (int i = 0; i < SIM_PEOPLE && !w->dead; i++) {
        people_sign_in(w, i);
        look_at_receipts(w, i);
        if (w->people[i].role == SIM_CREATOR)
            look_at_earnings(w, i);
    }
}

void oracle_end(struct sim *w)
{
    for (size_t i = 0; i < w->objects_n; i++) {
        const struct sim_object *o = &w->objects[i];
        struct id payment;
        must(id_parse(str_of(o->reference), "pay", &payment));
        if (o->taken && world_int(w, "SELECT count(*) FROM ledger_earning WHERE payment = $1", 1,
                                  &payment.v, 0) != 1)
            sim_violated(w, "money-lost", "%s was taken for %s, and is not in the books", o->ref,
                         o->reference);
    }
    look_at_vain(w);
}
