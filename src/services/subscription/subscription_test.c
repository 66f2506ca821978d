/* subscription_test.c -- months, money and access, on both engines. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "services/subscription/subscription.h"
#include "core/env.h"
#include "services/account/account.h"
#include "services/audit/audit.h"
#include "services/creator/creator.h"
#include "services/ledger/ledger.h"
#include "services/payment/payment.h"
#include "test/till.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct module *const modules[] = { &audit_module,   &account_module,
                                                &creator_module, &ledger_module,
                                                &payment_module, &subscription_module };
static const struct id ana = { 100 }, fan = { 7 }, other_fan = { 8 };

/* --- rules ------------------------------------------------------------------------------------------------------ */

TEST(every_state_takes_every_step_as_the_table_says)
{
    enum { I, A, P, C, X, NO };
    static const int want[SUBSCRIPTION_STATE_COUNT][SUBSCRIPTION_STEP_COUNT] = {
        [SUBSCRIPTION_INCOMPLETE] = { A, I, X, C, NO, NO },
        [SUBSCRIPTION_ACTIVE] = { A, P, X, A, A, C },
        [SUBSCRIPTION_PAST_DUE] = { A, P, X, C, NO, C },
        [SUBSCRIPTION_CANCELED] = { A, NO, NO, NO, NO, NO },
        [SUBSCRIPTION_EXPIRED] = { A, NO, NO, NO, NO, NO },
    };

    for (int state = 0; state < SUBSCRIPTION_STATE_COUNT; state++)
        for (int step = 0; step < SUBSCRIPTION_STEP_COUNT; step++) {
            enum subscription_state next = SUBSCRIPTION_STATE_COUNT;
            bool possible = subscription_next((enum subscription_state)state,
                                              (enum subscription_step)step, &next);
            CHECK_INT(possible, want[state][step] != NO);
            CHECK_INT(next, possible ? want[state][step] : (int)SUBSCRIPTION_STATE_COUNT);
        }
}

static int days_of(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

/* Every day of four years as an anchor, thirty years of months, against a calendar told in another way. */
TEST(months_are_counted_from_the_anchor_for_thirty_years)
{
    struct when anchor = civil_when((struct civil) { 2024, 1, 1, 23, 59, 59, 999999 });

    for (int day = 0; day < 4 * 365 + 1; day++, anchor = when_after(anchor, DAY)) {
        struct civil a = when_civil(anchor);
        struct when before = anchor;
        int year = a.year, month = a.month;
        for (int n = 1; n <= 360; n++) {
            struct when w = when_months_after(anchor, n);
            struct civil c = when_civil(w);
            month = month == 12 ? 1 : month + 1;
            year += month == 1;
            int last = days_of(year, month);
            bool good = c.year == year && c.month == month &&
                        c.day == (a.day < last ? a.day : last) && c.hour == 23 && c.minute == 59 &&
                        c.second == 59 && c.us == 999999 && w.us > before.us &&
                        w.us - before.us >= 28 * DAY && w.us - before.us <= 31 * DAY;
            if (!good) {
                FAIL("%d-%d-%d and %d months", a.year, a.month, a.day, n);
                return;
            }
            before = w;
        }
    }
}

/* --- a small house ---------------------------------------------------------------------------------------------- */

#define ACCOUNT_ROW(id, name)                                                                      \
    "INSERT INTO account (id, email, name, password, email_verified, role, creator, created)"      \
    " VALUES (" id ", '" name "@stage.test', '" name "', '-', 1, 'user', 0, 1)"
#define TIER_ROW(id, name, price, archived)                                                        \
    "INSERT INTO tier (id, creator, name, description, price, currency, archived, created)"        \
    " VALUES (" id ", 100, '" name "', 'x', " price ", 'EUR', " archived ", 1)"

static struct till *house(const char *engine)
{
    static const char *const rows[] = {
        ACCOUNT_ROW("7", "Fay"),
        ACCOUNT_ROW("8", "Gus"),
        ACCOUNT_ROW("100", "Ana"),
        "INSERT INTO creator (id, handle, name, bio, followers, posts, head, created)"
        " VALUES (100, 'ana', 'Ana', '', 0, 0, 0, 1)",
        TIER_ROW("201", "Gold", "1000", "0"),
        TIER_ROW("202", "Silver", "500", "0"),
        TIER_ROW("203", "Old", "700", "1"),
    };
    struct till *t = till_open(engine, modules, COUNT(modules), NULL);

    for (size_t i = 0; i < COUNT(rows); i++)
        REQUIRE(till_try(t, rows[i]) == E_OK);
    return t;
}

static struct till_reply subscribe(struct till *t, struct id who, int64_t tier, const char *key)
{
    struct str id = id_text(&t->arena, ID_TIER, (struct id) { tier });
    struct str body = str_printf(&t->arena, "{\"tier\":\"%.*s\"}", STR_FMT(id));

    return till_ask(t, who, POST, "/v1/subscriptions", body.p, key);
}

static struct till_reply act(struct till *t, struct id who, struct str subscription,
                             const char *what)
{
    struct str path =
        str_printf(&t->arena, "/v1/subscriptions/%.*s%s", STR_FMT(subscription), what);

    return till_ask(t, who, what[0] == 0 ? GET : POST, path.p, NULL, NULL);
}

static struct str state_of(struct till *t, struct str subscription)
{
    return till_member(t, act(t, fan, subscription, ""), "state");
}

/* The newest hosted page is paid, and the provider says so. */
static void pay(struct till *t)
{
    static int n;
    struct fake_object *o = fake_pay_newest(&t->pay);
    struct str body = str_printf(&t->arena, "evt_pay_%d %s", n++, o->ref);

    fake_pay_settle(&t->pay, str_of(o->ref), PAY_SUCCEEDED, NULL);
    CHECK_OK(till_ask(t, ID_NONE, POST, "/v1/webhooks/stripe", body.p, "good").result);
    till_drain(t);
}

/* fan subscribes to Gold and pays. */
static struct str join(struct till *t)
{
    struct till_reply r = subscribe(t, fan, 201, "join");

    CHECK_OK(r.result);
    struct str id = till_member(t, r, "subscription.id");
    REQUIRE(id.p != NULL);
    pay(t);
    CHECK_STR(state_of(t, id), "active");
    return id;
}

struct asked {
    struct id fan;
    struct entitlement got;
    struct entitlement_list list;
};

static enum err entitled_run(struct call *c)
{
    struct asked *q = c->prepared;

    TRY(subscription_entitlements(c, q->fan, &q->list));
    return subscription_entitled(c, q->fan, ana, &q->got);
}

/* Both ways of asking agree. */
static bool entitled(struct till *t, struct id who)
{
    struct asked q = { .fan = who };
    enum err e = till_run(t, READ, entitled_run, &q);

    CHECK(e == E_OK || e == E_NOT_FOUND);
    CHECK_INT(q.list.n, e == E_OK);
    if (e == E_OK)
        CHECK(q.got.until.us > env_now(&t->env).us);
    return e == E_OK;
}

static enum err books_run(struct call *c)
{
    struct ledger_check k;

    TRY(ledger_check(c, &k));
    return k.good ? E_OK : E_CONFLICT;
}

/* What was taken is booked, and every period was paid at most once. */
static void check_money(struct till *t)
{
    CHECK_OK(till_run(t, READ, books_run, NULL));
    CHECK_INT(till_int(t, "SELECT COALESCE(CAST(sum(gross) AS INTEGER), 0) FROM ledger_earning"),
              t->pay.taken);
    CHECK_INT(till_int(t, "SELECT count(*) FROM ledger_earning"), t->pay.taken_n);
    CHECK_INT(till_int(t, "SELECT count(*) FROM (SELECT subscription FROM subscription_renewal"
                          " GROUP BY subscription, period HAVING count(*) > 1) AS twice"),
              0);
    CHECK_INT(till_int(t, "SELECT count(*) FROM (SELECT fan FROM subscription"
                          " WHERE state IN ('incomplete', 'active', 'past_due')"
                          " GROUP BY fan, creator HAVING count(*) > 1) AS twice"),
              0);
    CHECK_INT(till_int(t, "SELECT count(*) FROM event_dead"), 0);
}

/* --- joining ---------------------------------------------------------------------------------------------------- */

ENGINES(a_fan_subscribes_pays_and_gets_what_she_paid_for)
{
    struct till *t = house(engine);
    struct till_reply r = subscribe(t, fan, 201, "k1");

    CHECK_OK(r.result);
    CHECK_STR(till_member(t, r, "checkout_url"), "http://pay.test/cs_1");
    CHECK_STR(till_member(t, r, "subscription.state"), "incomplete");
    CHECK_STR(till_member(t, r, "subscription.creator.handle"), "ana");
    CHECK_STR(till_member(t, r, "subscription.tier.name"), "Gold");
    CHECK_STR(till_member(t, r, "subscription.price"), "1000");
    CHECK(!entitled(t, fan));
    struct str id = till_member(t, r, "subscription.id");
    r = subscribe(t, fan, 201, "k1");
    CHECK_STR(till_member(t, r, "subscription.id"), id);
    CHECK_STR(till_member(t, r, "checkout_url"), "http://pay.test/cs_1");
    CHECK_INT(subscribe(t, fan, 202, "k1").result, E_KEY_REUSED);
    pay(t);
    r = act(t, fan, id, "");
    CHECK_STR(till_member(t, r, "state"), "active");
    CHECK_STR(till_member(t, r, "period_start"), "2026-01-31T09:30:00Z");
    CHECK_STR(till_member(t, r, "period_end"), "2026-02-28T09:30:00Z");
    CHECK(till_member(t, r, "checkout_url").p == NULL);
    CHECK(entitled(t, fan));
    CHECK(!entitled(t, other_fan));
    CHECK_INT(till_int(t, "SELECT followers FROM creator"), 1);
    r = till_ask(t, ana, GET, "/v1/studio/subscribers", NULL, NULL);
    CHECK_OK(r.result);
    CHECK_STR(till_member(t, r, "items.0.fan.name"), "Fay");
    CHECK_STR(till_member(t, r, "items.0.tier.name"), "Gold");
    CHECK_STR(till_member(t, r, "items.0.since"), "2026-01-31T09:30:00Z");
    r = till_ask(t, ana, GET, "/v1/studio/earnings", NULL, NULL);
    CHECK_STR(till_member(t, r, "balances.0.gross"), "1000");
    CHECK_STR(till_member(t, r, "balances.0.fee"), "200");
    CHECK_STR(till_member(t, r, "balances.0.net"), "800");
    CHECK_INT(till_int(t, "SELECT count(*) FROM event WHERE kind = 'subscription.changed'"
                          " AND audience IN (7, 100)"),
              2);
    check_money(t);
    till_close(t);
}

ENGINES(what_cannot_be_subscribed_to)
{
    struct till *t = house(engine);

    struct till_reply r = subscribe(t, ana, 201, "k1");
    CHECK_INT(r.result, E_INVALID);
    CHECK_STR(r.field, "tier");
    CHECK_INT(subscribe(t, fan, 203, "k2").result, E_CONFLICT);
    CHECK_INT(subscribe(t, fan, 999, "k3").result, E_NOT_FOUND);
    CHECK_INT(till_ask(t, fan, POST, "/v1/subscriptions", "{\"tier\":\"usr_0000000000069\"}", "k4")
                  .result,
              E_NOT_FOUND);
    CHECK_INT(till_int(t, "SELECT count(*) FROM subscription"), 0);
    CHECK_INT(till_int(t, "SELECT count(*) FROM payment"), 0);
    struct str gold = id_text(&t->arena, ID_TIER, (struct id) { 201 });
    static const char *const bad[] = { "//evil.test/", "https://evil.test/", "/\\\\evil.test" };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct str body = str_printf(&t->arena, "{\"tier\":\"%.*s\",\"return_path\":\"%s\"}",
                                     STR_FMT(gold), bad[i]);
        r = till_ask(t, fan, POST, "/v1/subscriptions", body.p,
                     str_printf(&t->arena, "bad%zu", i).p);
        CHECK_INT(r.result, E_INVALID);
        CHECK_STR(r.field, "return_path");
    }
    till_close(t);
}

ENGINES(one_living_subscription_a_creator)
{
    struct till *t = house(engine);

    join(t);
    CHECK_INT(subscribe(t, fan, 201, "k2").result, E_ALREADY_SUBSCRIBED);
    struct till_reply r = subscribe(t, fan, 202, "k3");
    CHECK_INT(r.result, E_ALREADY_SUBSCRIBED);
    CHECK(r.detail.p != NULL);
    CHECK_OK(subscribe(t, other_fan, 202, "k4").result);
    CHECK_INT(till_int(t, "SELECT count(*) FROM subscription"), 2);
    till_close(t);
}

ENGINES(the_same_wish_goes_on_with_the_same_page)
{
    struct till *t = house(engine);
    struct str first = till_member(t, subscribe(t, fan, 201, "k1"), "subscription.id");
    struct till_reply r = subscribe(t, fan, 201, "k2");

    CHECK_STR(till_member(t, r, "subscription.id"), first);
    CHECK_STR(till_member(t, r, "checkout_url"), "http://pay.test/cs_1");
    CHECK_INT(t->pay.n, 1);
    /* Another wish: another page; the old row ends. */
    r = subscribe(t, fan, 202, "k3");
    CHECK_STR(till_member(t, r, "checkout_url"), "http://pay.test/cs_2");
    CHECK_STR(state_of(t, first), "expired");
    pay(t);
    CHECK_STR(state_of(t, till_member(t, r, "subscription.id")), "active");
    check_money(t);
    till_close(t);
}

ENGINES(a_key_answers_with_its_own_subscription_for_ever)
{
    struct till *t = house(engine);
    struct str first = till_member(t, subscribe(t, fan, 201, "k1"), "subscription.id");

    CHECK_OK(act(t, fan, first, "/cancel").result);
    struct str second = till_member(t, subscribe(t, fan, 201, "k2"), "subscription.id");
    CHECK(!str_eq(first, second));
    struct till_reply r = subscribe(t, fan, 201, "k1");
    CHECK_STR(till_member(t, r, "subscription.id"), first);
    CHECK_STR(till_member(t, r, "subscription.state"), "canceled");
    CHECK_STR(till_member(t, subscribe(t, fan, 201, "k2"), "subscription.id"), second);
    till_close(t);
}

ENGINES(an_abandoned_checkout_never_blocks)
{
    struct till *t = house(engine);
    struct str first = till_member(t, subscribe(t, fan, 201, "k1"), "subscription.id");

    till_pass(t, 22 * HOUR, HOUR);
    CHECK_STR(state_of(t, first), "incomplete");
    till_pass(t, 2 * HOUR, HOUR);
    CHECK_STR(state_of(t, first), "expired");
    struct till_reply r = subscribe(t, fan, 201, "k2");
    CHECK_OK(r.result);
    CHECK_STR(till_member(t, r, "checkout_url"), "http://pay.test/cs_2");
    pay(t);
    CHECK(entitled(t, fan));
    r = till_ask(t, fan, GET, "/v1/subscriptions", NULL, NULL);
    CHECK_STR(till_member(t, r, "items.0.state"), "active");
    CHECK(till_member(t, r, "items.1.state").p == NULL); /* what was never paid is no history */
    till_close(t);
}

ENGINES(a_page_that_could_not_be_made_is_replaced_in_its_row)
{
    struct till *t = house(engine);

    t->pay.mood = FAKE_DOWN;
    t->hurry_us = SECOND;
    CHECK_INT(subscribe(t, fan, 201, "k1").result, E_PROVIDER_UNAVAILABLE);
    t->hurry_us = 0;
    t->pay.mood = FAKE_PAYS;
    struct till_reply r = subscribe(t, fan, 201, "k2");
    CHECK_OK(r.result);
    CHECK_STR(till_member(t, r, "checkout_url"), "http://pay.test/cs_1");
    CHECK_INT(till_int(t, "SELECT count(*) FROM subscription"), 1);
    CHECK_INT(till_int(t, "SELECT count(*) FROM payment"), 2);
    pay(t);
    CHECK(entitled(t, fan));
    till_close(t);
}

/* Ten seconds long: only with STAGEDOOR_TEST_LONG. */
TEST_SECONDS(a_slow_provider_gives_202_and_the_page_later, 40)
{
    if (getenv("STAGEDOOR_TEST_LONG") == NULL)
        return;
    struct till *t = house("sqlite");
    t->pay.mood = FAKE_DOWN;
    struct till_reply r = subscribe(t, fan, 201, "k1");
    CHECK_INT(r.status, 202);
    CHECK(till_member(t, r, "checkout_url").p == NULL);
    t->pay.mood = FAKE_PAYS;
    till_pass(t, MINUTE, SECOND);
    CHECK_STR(till_member(t, act(t, fan, till_member(t, r, "subscription.id"), ""), "checkout_url"),
              "http://pay.test/cs_1");
    till_close(t);
}

ENGINES(a_refused_card_unlocks_nothing_and_says_why)
{
    struct till *t = house(engine);
    struct str id = till_member(t, subscribe(t, fan, 201, "k1"), "subscription.id");

    fake_pay_settle(&t->pay, STR("cs_1"), PAY_PENDING, "The card was declined.");
    till_pass(t, 2 * MINUTE, MINUTE);
    struct till_reply r = act(t, fan, id, "");
    CHECK_STR(till_member(t, r, "state"), "incomplete");
    CHECK_STR(till_member(t, r, "decline"), "The card was declined.");
    CHECK_STR(till_member(t, r, "checkout_url"), "http://pay.test/cs_1");
    CHECK(!entitled(t, fan));
    CHECK_INT(till_int(t, "SELECT followers FROM creator"), 0);
    pay(t);
    r = act(t, fan, id, "");
    CHECK_STR(till_member(t, r, "state"), "active");
    CHECK(till_member(t, r, "decline").p == NULL);
    check_money(t);
    till_close(t);
}

/* Two pages of two wishes, and the fan pays on the older one, then on both. */
ENGINES(money_on_an_old_page_is_not_lost)
{
    struct till *t = house(engine);
    struct str first = till_member(t, subscribe(t, fan, 201, "k1"), "subscription.id");
    struct str second = till_member(t, subscribe(t, fan, 202, "k2"), "subscription.id");

    CHECK_STR(state_of(t, first), "expired");
    fake_pay_settle(&t->pay, STR("cs_1"), PAY_SUCCEEDED, NULL);
    till_pass(t, 2 * MINUTE, MINUTE);
    CHECK_STR(state_of(t, first), "active");
    CHECK_STR(state_of(t, second), "expired");
    CHECK(entitled(t, fan));
    fake_pay_settle(&t->pay, STR("cs_2"), PAY_SUCCEEDED, NULL);
    till_pass(t, 5 * MINUTE, MINUTE);
    CHECK_STR(state_of(t, first), "active");
    CHECK_STR(state_of(t, second), "expired"); /* booked, told in the log, to be paid back */
    check_money(t);
    till_close(t);
}

ENGINES(a_foreign_subscription_is_not_there)
{
    struct till *t = house(engine);
    struct str id = join(t);

    CHECK_INT(act(t, other_fan, id, "").result, E_NOT_FOUND);
    CHECK_INT(act(t, other_fan, id, "/cancel").result, E_NOT_FOUND);
    CHECK_INT(act(t, other_fan, id, "/resume").result, E_NOT_FOUND);
    CHECK_STR(till_member(t, act(t, fan, id, ""), "cancel_at_period_end"), "false");
    struct till_reply r = till_ask(t, other_fan, GET, "/v1/subscriptions", NULL, NULL);
    CHECK(till_member(t, r, "items.0.id").p == NULL);
    r = till_ask(t, other_fan, GET, "/v1/studio/subscribers", NULL, NULL);
    CHECK(till_member(t, r, "items.0.id").p == NULL);
    till_close(t);
}

/* --- renewing --------------------------------------------------------------------------------------------------- */

ENGINES_SECONDS(a_year_of_renewals_keeps_the_anchor, 60)
{
    struct till *t = house(engine);
    struct str id = join(t);

    for (int month = 1; month <= 13; month++) {
        struct when due =
            when_months_after(civil_when((struct civil) { 2026, 1, 31, 9, 30, 0, 0 }), month);
        till_pass(t, due.us - env_now(&t->env).us - HOUR, 7 * DAY);
        CHECK(entitled(t, fan));
        CHECK_INT(t->pay.taken_n, month);
        till_pass(t, 2 * HOUR, HOUR);
        CHECK_INT(t->pay.taken_n, month + 1);
        CHECK(entitled(t, fan));
        CHECK_STR(state_of(t, id), "active");
    }
    CHECK_STR(till_member(t, act(t, fan, id, ""), "period_end"), "2027-03-31T09:30:00Z");
    CHECK_INT(till_int(t, "SELECT price FROM subscription"), 1000);
    check_money(t);
    till_close(t);
}

ENGINES(the_price_stays_as_it_was_agreed)
{
    struct till *t = house(engine);
    struct str id = join(t);

    CHECK_OK(till_try(t, "UPDATE tier SET price = 9900, archived = 1 WHERE id = 201"));
    till_pass(t, 29 * DAY, 7 * HOUR);
    CHECK_INT(t->pay.taken, 2000);
    CHECK_STR(state_of(t, id), "active");
    CHECK_STR(till_member(t, act(t, fan, id, ""), "price"), "1000");
    check_money(t);
    till_close(t);
}

ENGINES_SECONDS(a_refused_renewal_is_tried_again_and_then_ends, 40)
{
    struct till *t = house(engine);
    struct str id = join(t);

    t->pay.mood = FAKE_DECLINES;
    till_pass(t, 28 * DAY + HOUR, 12 * HOUR);
    struct till_reply r = act(t, fan, id, "");
    CHECK_STR(till_member(t, r, "state"), "past_due");
    CHECK_STR(till_member(t, r, "decline"), "The card was declined.");
    CHECK(entitled(t, fan)); /* grace */
    CHECK_INT(subscribe(t, fan, 201, "again").result, E_ALREADY_SUBSCRIBED);
    till_pass(t, 2 * DAY + 22 * HOUR, HOUR);
    CHECK(entitled(t, fan));
    till_pass(t, 2 * HOUR, HOUR);
    CHECK(!entitled(t, fan)); /* 72 hours after the period's end */
    CHECK_STR(state_of(t, id), "past_due");
    till_pass(t, 2 * DAY, HOUR);
    CHECK_STR(state_of(t, id), "expired");
    CHECK_INT(till_int(t, "SELECT attempt FROM payment WHERE off_session = 1"), 4);
    t->pay.mood = FAKE_PAYS;
    till_pass(t, 40 * DAY, 12 * HOUR);
    CHECK_INT(t->pay.taken_n, 1);
    /* Joining again makes another row; the old one stays as it was. */
    CHECK_OK(subscribe(t, fan, 201, "rejoin").result);
    pay(t);
    CHECK(entitled(t, fan));
    CHECK_STR(state_of(t, id), "expired");
    r = till_ask(t, fan, GET, "/v1/subscriptions", NULL, NULL);
    CHECK_STR(till_member(t, r, "items.0.state"), "active");
    CHECK_STR(till_member(t, r, "items.1.state"), "expired");
    check_money(t);
    till_close(t);
}

/* To the second before, and to the moment: what `what` counts goes from `before` to `after`. */
static void happens_at(struct till *t, int64_t us, const char *what, int64_t before, int64_t after)
{
    till_pass(t, us - SECOND - env_now(&t->env).us, 6 * HOUR);
    CHECK_INT(till_int(t, what), before);
    till_pass(t, SECOND, SECOND);
    CHECK_INT(till_int(t, what), after);
}

#define TRIES   "SELECT count(*) FROM payment_attempt"
#define EXPIRED "SELECT count(*) FROM subscription WHERE state = 'expired'"

ENGINES_SECONDS(a_refused_renewal_is_tried_again_after_1_3_and_5_days, 40)
{
    static const int days[] = { 0, 1, 3, 5 };
    struct till *t = house(engine);

    join(t);
    int64_t end = till_int(t, "SELECT period_end FROM subscription");
    t->pay.mood = FAKE_DECLINES;
    for (size_t i = 0; i < COUNT(days); i++) {
        CHECK_INT(till_int(t, EXPIRED), 0);
        happens_at(t, end + days[i] * DAY, TRIES, 1 + (int64_t)i, 2 + (int64_t)i);
    }
    CHECK_INT(till_int(t, "SELECT ended FROM subscription"), end + 5 * DAY);
    t->pay.mood = FAKE_PAYS;
    till_pass(t, 30 * DAY, DAY);
    CHECK_INT(till_int(t, TRIES), 1 + (int64_t)COUNT(days));
    check_money(t);
    till_close(t);
}

/* Neither paid nor refused: the fan was asked by her bank, and says nothing. */
ENGINES_SECONDS(a_renewal_without_an_answer_is_given_up_on_the_sixth_day, 40)
{
    struct till *t = house(engine);

    join(t);
    int64_t end = till_int(t, "SELECT period_end FROM subscription");
    t->pay.mood = FAKE_ASKS;
    happens_at(t, end + 6 * DAY, EXPIRED, 0, 1);
    CHECK_INT(till_int(t, "SELECT ended FROM subscription"), end + 6 * DAY);
    CHECK_INT(till_int(t, TRIES), 2);
    check_money(t);
    till_close(t);
}

ENGINES_SECONDS(a_renewal_that_succeeds_late_keeps_its_period, 40)
{
    struct till *t = house(engine);
    struct str id = join(t);

    t->pay.mood = FAKE_DECLINES;
    till_pass(t, 28 * DAY + 2 * DAY, 6 * HOUR);
    CHECK_STR(state_of(t, id), "past_due");
    t->pay.mood = FAKE_PAYS;
    till_pass(t, 2 * DAY, 6 * HOUR);
    struct till_reply r = act(t, fan, id, "");
    CHECK_STR(till_member(t, r, "state"), "active");
    CHECK_STR(till_member(t, r, "period_end"), "2026-03-31T09:30:00Z");
    CHECK(till_member(t, r, "decline").p == NULL);
    CHECK(entitled(t, fan));
    till_pass(t, 20 * DAY, DAY);
    CHECK_STR(state_of(t, id), "active");
    CHECK_INT(t->pay.taken_n, 2);
    check_money(t);
    till_close(t);
}

ENGINES(a_renewal_to_be_confirmed_waits_for_the_fan)
{
    struct till *t = house(engine);
    struct str id = join(t);

    t->pay.mood = FAKE_ASKS;
    till_pass(t, 28 * DAY + HOUR, 12 * HOUR);
    struct till_reply r = act(t, fan, id, "");
    CHECK_STR(till_member(t, r, "state"), "past_due");
    CHECK_STR(till_member(t, r, "checkout_url"), "http://pay.test/pi_2");
    till_pass(t, DAY, 6 * HOUR);
    fake_pay_settle(&t->pay, STR("pi_2"), PAY_SUCCEEDED, NULL);
    till_pass(t, DAY, HOUR);
    CHECK_STR(state_of(t, id), "active");
    CHECK_INT(t->pay.taken_n, 2);
    check_money(t);
    till_close(t);
}

/* Nothing of ours runs for 40 days: access lapses by itself, and the lost month is not billed. */
ENGINES(a_long_outage_gives_nothing_and_takes_nothing)
{
    struct till *t = house(engine);
    struct str id = join(t);

    till_forward(t, 28 * DAY + 71 * HOUR);
    CHECK(entitled(t, fan));
    till_forward(t, 2 * HOUR);
    CHECK(!entitled(t, fan));
    till_forward(t, 34 * DAY);
    CHECK_STR(state_of(t, id), "active"); /* nobody has been there to say otherwise */
    CHECK(!entitled(t, fan));
    till_drain(t);
    CHECK(entitled(t, fan));
    CHECK_INT(t->pay.taken_n, 2);
    CHECK_STR(till_member(t, act(t, fan, id, ""), "period_start"), "2026-03-31T09:30:00Z");
    CHECK_STR(till_member(t, act(t, fan, id, ""), "period_end"), "2026-04-30T09:30:00Z");
    check_money(t);
    till_close(t);
}

ENGINES_SECONDS(a_renewal_whose_answer_was_lost_is_charged_once, 40)
{
    struct till *t = house(engine);
    struct str id = join(t);

    t->pay.mood = FAKE_LOSES_AFTER;
    till_pass(t, 28 * DAY + HOUR, 12 * HOUR);
    CHECK_INT(t->pay.taken_n, 2);
    t->pay.mood = FAKE_PAYS;
    till_pass(t, 8 * DAY, 6 * HOUR);
    CHECK_STR(state_of(t, id), "active");
    CHECK_INT(t->pay.taken_n, 2);
    check_money(t);
    till_close(t);
}

/* The renewal's charge was under way when she left, and nobody knew what became of it until long after the end. */
ENGINES_SECONDS(one_who_left_is_not_renewed_by_money_that_comes_late, 40)
{
    struct till *t = house(engine);
    struct str id = join(t);

    t->pay.mood = FAKE_LOSES_AFTER;
    till_pass(t, 28 * DAY + SECOND, 12 * HOUR);
    CHECK_INT(t->pay.taken_n, 2);
    t->pay.mood = FAKE_DOWN;
    CHECK_OK(act(t, fan, id, "/cancel").result);
    till_pass(t, 8 * DAY, 6 * HOUR);
    CHECK_STR(state_of(t, id), "expired");
    t->pay.mood = FAKE_PAYS;
    till_pass(t, 2 * DAY, 6 * HOUR);
    struct till_reply r = act(t, fan, id, "");
    CHECK_STR(till_member(t, r, "state"), "active");
    CHECK_STR(till_member(t, r, "cancel_at_period_end"), "true");
    till_pass(t, 30 * DAY, 12 * HOUR);
    CHECK_STR(state_of(t, id), "canceled");
    CHECK_INT(t->pay.taken_n, 2);
    check_money(t);
    till_close(t);
}

/* --- leaving ---------------------------------------------------------------------------------------------------- */

ENGINES(cancelled_access_lasts_to_the_periods_end)
{
    struct till *t = house(engine);
    struct str id = join(t);
    struct till_reply r = act(t, fan, id, "/cancel");

    CHECK_OK(r.result);
    CHECK_STR(till_member(t, r, "state"), "active");
    CHECK_STR(till_member(t, r, "cancel_at_period_end"), "true");
    CHECK_OK(act(t, fan, id, "/cancel").result);
    till_forward(t, 28 * DAY - SECOND);
    CHECK(entitled(t, fan));
    till_forward(t, SECOND);
    CHECK(!entitled(t, fan)); /* before any job has run */
    CHECK_INT(act(t, fan, id, "/resume").result, E_CONFLICT);
    till_drain(t);
    CHECK_STR(state_of(t, id), "canceled");
    till_pass(t, 40 * DAY, DAY);
    CHECK_INT(t->pay.taken_n, 1);
    CHECK_INT(act(t, fan, id, "/resume").result, E_CONFLICT);
    CHECK_OK(act(t, fan, id, "/cancel").result);
    CHECK_OK(subscribe(t, fan, 202, "rejoin").result);
    check_money(t);
    till_close(t);
}

ENGINES(one_can_join_again_at_once_when_a_cancelled_one_is_over)
{
    struct till *t = house(engine);
    struct str id = join(t);

    CHECK_OK(act(t, fan, id, "/cancel").result);
    till_forward(t, 28 * DAY);
    CHECK_OK(subscribe(t, fan, 202, "rejoin").result); /* no job has run yet */
    CHECK_STR(state_of(t, id), "canceled");
    till_close(t);
}

ENGINES(a_cancellation_can_be_taken_back)
{
    struct till *t = house(engine);
    struct str id = join(t);

    CHECK_OK(act(t, fan, id, "/cancel").result);
    till_pass(t, 10 * DAY, DAY);
    struct till_reply r = act(t, fan, id, "/resume");
    CHECK_OK(r.result);
    CHECK_STR(till_member(t, r, "cancel_at_period_end"), "false");
    CHECK_OK(act(t, fan, id, "/resume").result);
    till_pass(t, 20 * DAY, DAY);
    CHECK_STR(state_of(t, id), "active");
    CHECK_INT(t->pay.taken_n, 2);
    CHECK(entitled(t, fan));
    till_close(t);
}

ENGINES(an_unpaid_one_ends_when_it_is_cancelled)
{
    struct till *t = house(engine);
    struct str id = join(t);

    t->pay.mood = FAKE_DECLINES;
    till_pass(t, 28 * DAY + HOUR, 12 * HOUR);
    CHECK_STR(till_member(t, act(t, fan, id, "/cancel"), "state"), "canceled");
    CHECK(!entitled(t, fan));
    t->pay.mood = FAKE_PAYS;
    till_pass(t, 10 * DAY, 12 * HOUR);
    CHECK_INT(t->pay.taken_n, 1);
    struct str other = till_member(t, subscribe(t, fan, 202, "k2"), "subscription.id");
    CHECK_STR(till_member(t, act(t, fan, other, "/cancel"), "state"), "canceled");
    /* ... and is paid on the page that is still open: a month, and no more. */
    pay(t);
    struct till_reply r = act(t, fan, other, "");
    CHECK_STR(till_member(t, r, "state"), "active");
    CHECK_STR(till_member(t, r, "cancel_at_period_end"), "true");
    till_pass(t, 40 * DAY, DAY);
    CHECK_STR(state_of(t, other), "canceled");
    CHECK_INT(t->pay.taken_n, 2);
    check_money(t);
    till_close(t);
}

/* --- many at once ----------------------------------------------------------------------------------------------- */

enum { THREADS = 12 };

struct hasty {
    struct till *t;
    int number;
    pthread_t thread;
    enum err result;
};

static void *hurry(void *arg)
{
    struct hasty *h = arg;
    struct arena a = { 0 };
    struct str tier = id_text(&a, ID_TIER, (struct id) { h->number % 3 == 0 ? 202 : 201 });
    struct str body = str_printf(&a, "{\"tier\":\"%.*s\"}", STR_FMT(tier));
    struct str key = str_printf(&a, "hasty%d", h->number);

    h->result = till_ask_by(h->t, &a, fan, POST, "/v1/subscriptions", body.p, key.p).result;
    arena_done(&a);
    return NULL;
}

ENGINES_SECONDS(many_clicks_make_one_living_subscription, 60)
{
    struct till *t = house(engine);
    struct hasty many[THREADS];
    int answered = 0;

    for (int i = 0; i < THREADS; i++) {
        many[i] = (struct hasty) { .t = t, .number = i };
        must(pthread_create(&many[i].thread, NULL, hurry, &many[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(many[i].thread, NULL);
        /* So many at once may use up the attempts of a transaction: "come back in a second". */
        CHECK(many[i].result == E_OK || many[i].result == E_BUSY);
        answered += many[i].result == E_OK;
    }
    CHECK(answered >= THREADS / 2);
    till_drain(t);
    CHECK_INT(till_int(t, "SELECT count(*) FROM subscription WHERE state = 'incomplete'"), 1);
    check_money(t);
    till_close(t);
}

/* --- chaos ------------------------------------------------------------------------------------------------------ */

enum { FANS = 12, DAYS = 70, DAYS_LONG = 400 };

static uint64_t roll(uint64_t *seed, uint64_t sides)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*seed >> 33) % sides;
}

static enum err newest_run(struct call *c)
{
    struct id *id = c->prepared;

    return db_int(c, &id[1].v, "SELECT COALESCE(max(id), 0) FROM subscription WHERE fan = $1",
                  id[0]);
}

static void a_fan_acts(struct till *t, uint64_t *seed, int n)
{
    struct id who[2] = { { 1000 + (int64_t)roll(seed, FANS) }, ID_NONE };
    uint64_t what = roll(seed, 10);

    CHECK_OK(till_run(t, READ, newest_run, who));
    struct str id = id_some(who[1]) ? id_text(&t->arena, ID_SUBSCRIPTION, who[1]) : STR_NONE;
    if (what < 5 || id.p == NULL)
        subscribe(t, who[0], 201 + (int64_t)roll(seed, 2), str_printf(&t->arena, "c%d", n).p);
    else
        act(t, who[0], id, what < 8 ? "/cancel" : "/resume");
}

static void someone_pays(struct till *t, uint64_t *seed)
{
    static const enum pay_state ends[] = { PAY_SUCCEEDED, PAY_SUCCEEDED, PAY_SUCCEEDED,
                                           PAY_EXPIRED };

    if (t->pay.n == 0)
        return;
    struct fake_object *o = &t->pay.objects[roll(seed, t->pay.n)];
    bool open = o->state == PAY_ACTION_REQUIRED ||
                (o->state == PAY_PENDING && t->real.us - o->made.us < DAY);
    if (o->told && open)
        fake_pay_settle(&t->pay, str_of(o->ref), ends[roll(seed, COUNT(ends))], NULL);
    struct str body = str_printf(&t->arena, "evt_%d %s", (int)roll(seed, 100000), o->ref);
    if (roll(seed, 4) > 0)
        till_ask(t, ID_NONE, POST, "/v1/webhooks/stripe", body.p, "good");
}

/* Paid months and periods agree: each living or ended row has as many charges as periods it was given, but for those that
 * the log names as paid in vain. */
static void check_periods(struct till *t)
{
    check_money(t);
    CHECK_INT(till_int(t, "SELECT count(*) FROM subscription WHERE state IN ('active', 'past_due')"
                          " AND access_until > period_end + 72 * 3600000000"),
              0);
    CHECK_INT(till_int(t, "SELECT count(*) FROM subscription WHERE period > 0 AND"
                          " (SELECT count(*) FROM payment WHERE subject = subscription.id"
                          "  AND payment.state = 'succeeded') = 0"),
              0);
    CHECK_INT(till_int(t, "SELECT count(*) FROM job WHERE state = 'dead'"
                          " AND kind LIKE 'subscription.%'"),
              0);
}

ENGINES_SLOW(months_of_chaos_keep_the_books_and_the_rights_straight, 200)
{
    static const enum fake_mood moods[] = { FAKE_PAYS, FAKE_PAYS,        FAKE_PAYS,
                                            FAKE_PAYS, FAKE_DECLINES,    FAKE_ASKS,
                                            FAKE_DOWN, FAKE_LOSES_AFTER, FAKE_LOSES_BEFORE };
    const char *chosen = getenv("STAGEDOOR_TEST_SEED");
    uint64_t seed = chosen != NULL ? strtoull(chosen, NULL, 10) : 815;
    int days = getenv("STAGEDOOR_TEST_LONG") != NULL ? DAYS_LONG : DAYS;
    struct till *t = house(engine);

    CHECK_OK(till_try(t, ACCOUNT_ROW("1000", "F0")));
    for (int i = 1; i < FANS; i++)
        CHECK_OK(till_try(t, "INSERT INTO account (id, email, name, password, email_verified,"
                             " role, creator, created) SELECT max(id) + 1, 'f' || (max(id) + 1),"
                             " 'F', '-', 1, 'user', 0, 1 FROM account"));
    for (int day = 0; day < days; day++) {
        t->pay.mood = FAKE_PAYS; /* requests that wait for a page are other tests' business */
        a_fan_acts(t, &seed, day);
        t->pay.mood = moods[roll(&seed, COUNT(moods))];
        someone_pays(t, &seed);
        someone_pays(t, &seed);
        till_pass(t, DAY, 8 * HOUR);
    }
    t->pay.mood = FAKE_PAYS;
    till_pass(t, 10 * DAY, 6 * HOUR);
    check_periods(t);
    till_close(t);
}
