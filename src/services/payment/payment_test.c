/* payment_test.c -- whatever the provider and the wire do, what it took is what we booked, once. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "services/payment/payment.h"
#include "core/start.h"
#include "services/account/account.h"
#include "services/audit/audit.h"
#include "services/ledger/ledger.h"
#include "test/till.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* --- a shop ------------------------------------------------------------------------------------------------ */

static const struct module *const modules[] = { &audit_module, &account_module, &ledger_module,
                                                &payment_module };
static const struct id fan = { 7 }, creator = { 100 };

static struct till *shop(const char *engine)
{
    struct till *t = till_open(engine, modules, COUNT(modules), NULL);

    till_int(t, "INSERT INTO account (id, email, name, password, email_verified, role, creator,"
                " created) VALUES (7, 'fan@stage.test', 'Fan', '-', 1, 'user', 0, 1) RETURNING 1");
    return t;
}

struct order {
    int64_t amount, subject;
    bool off_session;
    struct id payment;
};

static enum err order_run(struct call *c)
{
    struct order *o = c->prepared;
    struct payment_new n = { .fan = fan,
                             .creator = creator,
                             .subject = { o->subject },
                             .purpose = PAYMENT_SUBSCRIPTION,
                             .amount = { o->amount, { "EUR" } },
                             .description = STR("Subscription to Ana: Gold"),
                             .return_path = STR("/checkout/return?subscription=sub_1"),
                             .save_method = !o->off_session };

    return o->off_session ? payment_charge(c, &n, &o->payment)
                          : payment_checkout(c, &n, &o->payment);
}

static struct id order(struct till *t, int64_t amount, bool off_session)
{
    static int64_t subject = 1;
    struct order o = { .amount = amount, .subject = subject++, .off_session = off_session };

    CHECK_OK(till_run(t, WRITE, order_run, &o));
    return o.payment;
}

static enum err retry_run(struct call *c)
{
    return payment_retry(c, *(struct id *)c->prepared);
}

struct look {
    struct id id;
    struct payment p;
    char url[200], decline[200];
};

static enum err look_run(struct call *c)
{
    struct look *l = c->prepared;

    TRY(payment_get(c, l->id, &l->p));
    snprintf(l->url, sizeof(l->url), "%.*s", STR_FMT(l->p.checkout_url));
    snprintf(l->decline, sizeof(l->decline), "%.*s", STR_FMT(l->p.decline));
    return E_OK;
}

static struct look look(struct till *t, struct id payment)
{
    struct look l = { .id = payment };

    CHECK_OK(till_run(t, READ, look_run, &l));
    return l;
}

/* A notification, signed. */
static enum err notify(struct till *t, const char *event, const char *ref)
{
    char body[200];

    snprintf(body, sizeof(body), "%s %s", event, ref);
    return till_ask(t, ID_NONE, POST, "/v1/webhooks/stripe", body, "good").result;
}

/* A card is saved by a hosted payment. */
static void save_card(struct till *t)
{
    order(t, 500, false);
    till_drain(t);
    fake_pay_settle(&t->pay, str_of(fake_pay_newest(&t->pay)->ref), PAY_SUCCEEDED, NULL);
    CHECK_OK(notify(t, "evt_card", fake_pay_newest(&t->pay)->ref));
    till_drain(t);
    CHECK_INT(till_int(t, "SELECT count(*) FROM payment_method WHERE method = 'pm_1'"), 1);
}

struct told {
    const char *kind, *state;
    int64_t n;
};

static enum err told_run(struct call *c)
{
    struct told *q = c->prepared;

    return db_int(c, &q->n, "SELECT count(*) FROM event WHERE kind = $1 AND payload LIKE $2",
                  str_printf(c->arena, "payment.%s", q->kind),
                  str_printf(c->arena, "%%\"state\":\"%s\"%%", q->state));
}

/* How often the services above were told. */
static int64_t told(struct till *t, const char *kind, const char *state)
{
    struct told q = { kind, state, 0 };

    CHECK_OK(till_run(t, READ, told_run, &q));
    return q.n;
}

/* What the provider took is what we booked. */
static void check_money(struct till *t)
{
    CHECK_INT(till_int(t, "SELECT count(*) FROM ledger_journal WHERE kind = 'charge'"),
              t->pay.taken_n);
    CHECK_INT(till_int(t, "SELECT COALESCE(CAST(sum(gross) AS INTEGER), 0) FROM ledger_earning"),
              t->pay.taken);
    CHECK_INT(till_int(t, "SELECT count(*) FROM payment WHERE state = 'succeeded'"),
              t->pay.taken_n);
}

/* --- the state machine ------------------------------------------------------------------------------------------ */

TEST(every_state_hears_every_word)
{
    enum {
        C = PAYMENT_CREATED,
        A = PAYMENT_REQUIRES_ACTION,
        P = PAYMENT_PROCESSING,
        U = PAYMENT_UNKNOWN,
        S = PAYMENT_SUCCEEDED,
        D = PAYMENT_DECLINED,
        E = PAYMENT_EXPIRED,
    };
    static const int want[PAYMENT_STATE_COUNT][6] = {
        /* said: pending action succeeded declined expired unknown */
        [C] = { P, A, S, D, E, U }, [A] = { P, A, S, D, E, A }, [P] = { P, A, S, D, E, U },
        [U] = { P, A, S, D, E, U }, [S] = { S, S, S, S, S, S }, [D] = { D, D, S, D, D, D },
        [E] = { E, E, S, E, E, E },
    };

    for (int state = 0; state < PAYMENT_STATE_COUNT; state++)
        for (int said = PAY_PENDING; said <= PAY_UNKNOWN; said++)
            CHECK_INT(payment_next((enum payment_state)state, (enum pay_state)said),
                      want[state][said]);
    for (int state = 0; state < PAYMENT_STATE_COUNT; state++)
        CHECK(payment_is_settled((enum payment_state)state) ==
              (state == S || state == D || state == E));
}

/* --- on a hosted page ------------------------------------------------------------------------------------------- */

ENGINES(a_hosted_payment_succeeds_once_however_often_we_are_told)
{
    struct till *t = shop(engine);
    struct id p = order(t, 1000, false);

    CHECK_INT(look(t, p).p.state, PAYMENT_CREATED);
    till_drain(t);
    CHECK_INT(look(t, p).p.state, PAYMENT_REQUIRES_ACTION);
    CHECK_STR(look(t, p).url, "http://pay.test/cs_1");
    fake_pay_settle(&t->pay, STR("cs_1"), PAY_SUCCEEDED, NULL);
    for (int i = 0; i < 3; i++)
        CHECK_OK(notify(t, "evt_1", "cs_1"));
    CHECK_OK(notify(t, "evt_2", "cs_1"));
    CHECK_OK(notify(t, "evt_3", "cs_1"));
    till_drain(t);
    CHECK_INT(look(t, p).p.state, PAYMENT_SUCCEEDED);
    CHECK_STR(look(t, p).url, "");
    CHECK_INT(told(t, "settled", "%"), 1);
    CHECK_INT(told(t, "settled", "succeeded"), 1);
    CHECK_INT(till_int(t, "SELECT count(*) FROM payment_notice"), 3);
    CHECK_INT(till_int(t, "SELECT count(*) FROM ledger_journal WHERE kind = 'provider_fee'"), 1);
    CHECK_INT(till_int(t, "SELECT net FROM ledger_earning"), 800);
    check_money(t);
    till_pass(t, 5 * DAY, 6 * HOUR);
    CHECK_INT(told(t, "settled", "%"), 1);
    check_money(t);
    till_close(t);
}

ENGINES(a_lost_notification_heals)
{
    struct till *t = shop(engine);
    struct id p = order(t, 1000, false);

    till_drain(t);
    till_pass(t, 30 * MINUTE, MINUTE);
    fake_pay_settle(&t->pay, STR("cs_1"), PAY_SUCCEEDED, NULL);
    till_pass(t, HOUR, MINUTE);
    CHECK_INT(look(t, p).p.state, PAYMENT_SUCCEEDED);
    check_money(t);
    till_close(t);
}

ENGINES(a_decline_on_the_page_is_told_and_ends_nothing)
{
    struct till *t = shop(engine);
    struct id p = order(t, 1000, false);

    till_drain(t);
    fake_pay_settle(&t->pay, STR("cs_1"), PAY_PENDING, "The card has insufficient funds.");
    CHECK_OK(notify(t, "evt_1", "cs_1"));
    till_drain(t);
    CHECK_INT(look(t, p).p.state, PAYMENT_REQUIRES_ACTION);
    CHECK_STR(look(t, p).decline, "The card has insufficient funds.");
    CHECK_STR(look(t, p).url, "http://pay.test/cs_1");
    CHECK_INT(told(t, "settled", "%"), 0);
    fake_pay_settle(&t->pay, STR("cs_1"), PAY_SUCCEEDED, NULL);
    CHECK_OK(notify(t, "evt_2", "cs_1"));
    till_drain(t);
    CHECK_INT(look(t, p).p.state, PAYMENT_SUCCEEDED);
    CHECK_STR(look(t, p).decline, "");
    check_money(t);
    till_close(t);
}

ENGINES(an_unused_page_expires_and_late_money_is_believed)
{
    struct till *t = shop(engine);
    struct id p = order(t, 1000, false);

    till_drain(t);
    fake_pay_settle(&t->pay, STR("cs_1"), PAY_EXPIRED, NULL);
    till_pass(t, HOUR, 10 * MINUTE);
    CHECK_INT(look(t, p).p.state, PAYMENT_EXPIRED);
    CHECK_INT(told(t, "settled", "expired"), 1);
    fake_pay_settle(&t->pay, STR("cs_1"), PAY_SUCCEEDED, NULL);
    CHECK_OK(notify(t, "evt_1", "cs_1"));
    till_drain(t);
    CHECK_INT(look(t, p).p.state, PAYMENT_SUCCEEDED);
    CHECK_INT(told(t, "settled", "succeeded"), 1);
    check_money(t);
    till_close(t);
}

ENGINES(a_page_that_cannot_be_made_ends_the_payment_with_a_sentence)
{
    struct till *t = shop(engine);

    t->pay.mood = FAKE_DOWN;
    struct id p = order(t, 1000, false);
    till_pass(t, 5 * MINUTE, SECOND);
    CHECK_INT(look(t, p).p.state, PAYMENT_DECLINED);
    CHECK_INT(told(t, "settled", "declined"), 1);
    CHECK_STR(look(t, p).decline, "The payment provider cannot be reached. Nothing was charged.");
    CHECK_INT(t->pay.n, 0);
    till_close(t);
}

ENGINES(a_page_whose_answer_was_lost_is_the_same_page)
{
    struct till *t = shop(engine);

    t->pay.mood = FAKE_LOSES_AFTER;
    struct id p = order(t, 1000, false);
    till_drain(t);
    CHECK_INT(look(t, p).p.state, PAYMENT_CREATED);
    t->pay.mood = FAKE_PAYS;
    till_pass(t, MINUTE, SECOND);
    CHECK_STR(look(t, p).url, "http://pay.test/cs_1");
    CHECK_INT(t->pay.n, 1);
    till_close(t);
}

/* What runs in a node's name when it starts was left by one that was killed. */
TEST(a_killed_programs_checkout_goes_on_at_the_next_start)
{
    struct till *t = shop("sqlite");
    struct id p = order(t, 1000, false);

    CHECK_OK(till_try(t, "UPDATE job SET state = 'running', attempt = 1, node = 0,"
                         " leased_until = due + 86400000000 WHERE kind = 'payment.checkout'"));
    till_drain(t);
    CHECK_INT(look(t, p).p.state, PAYMENT_CREATED);
    env_stop(&t->env);
    REQUIRE(env_start(&t->env, 0) == E_OK);
    till_drain(t);
    CHECK_INT(look(t, p).p.state, PAYMENT_REQUIRES_ACTION);
    till_close(t);
}

/* --- without the fan -------------------------------------------------------------------------------------------- */

ENGINES(a_saved_card_is_charged)
{
    struct till *t = shop(engine);

    save_card(t);
    struct id p = order(t, 700, true);
    till_drain(t);
    CHECK_INT(look(t, p).p.state, PAYMENT_SUCCEEDED);
    CHECK_INT(told(t, "settled", "succeeded"), 2);
    check_money(t);
    till_close(t);
}

ENGINES(without_a_saved_card_a_charge_is_declined)
{
    struct till *t = shop(engine);
    struct id p = order(t, 700, true);

    till_drain(t);
    CHECK_INT(look(t, p).p.state, PAYMENT_DECLINED);
    CHECK_INT(told(t, "settled", "declined"), 1);
    CHECK_INT(t->pay.calls, 0);
    till_close(t);
}

ENGINES(a_declined_charge_is_tried_again_under_a_new_key)
{
    struct till *t = shop(engine);

    save_card(t);
    t->pay.mood = FAKE_DECLINES;
    struct id p = order(t, 700, true);
    till_drain(t);
    CHECK_INT(look(t, p).p.state, PAYMENT_DECLINED);
    CHECK_STR(look(t, p).decline, "The card was declined.");
    t->pay.mood = FAKE_PAYS;
    CHECK_OK(till_run(t, WRITE, retry_run, &p));
    CHECK_INT(till_run(t, WRITE, retry_run, &p), E_CONFLICT);
    /* News of the first attempt says nothing of the second. */
    CHECK_OK(notify(t, "evt_old", "pi_2"));
    till_drain(t);
    CHECK_INT(look(t, p).p.state, PAYMENT_SUCCEEDED);
    CHECK_INT(told(t, "settled", "declined"), 1);
    CHECK_INT(told(t, "settled", "succeeded"), 2);
    CHECK_INT(till_int(t, "SELECT count(*) FROM payment_attempt WHERE outcome = 'declined'"), 1);
    CHECK(strstr(fake_pay_newest(&t->pay)->key, ":2") != NULL);
    CHECK_INT(till_run(t, WRITE, retry_run, &p), E_CONFLICT);
    check_money(t);
    till_close(t);
}

ENGINES(a_charge_that_the_fan_must_confirm_waits_for_her)
{
    struct till *t = shop(engine);

    save_card(t);
    t->pay.mood = FAKE_ASKS;
    struct id p = order(t, 700, true);
    till_drain(t);
    CHECK_INT(look(t, p).p.state, PAYMENT_REQUIRES_ACTION);
    CHECK_STR(look(t, p).url, "http://pay.test/pi_2");
    CHECK_INT(told(t, "action_required", "requires_action"), 1);
    CHECK_INT(told(t, "settled", "%"), 1);
    CHECK_INT(till_run(t, WRITE, retry_run, &p), E_CONFLICT);
    fake_pay_settle(&t->pay, STR("pi_2"), PAY_SUCCEEDED, NULL);
    till_pass(t, 10 * MINUTE, MINUTE);
    CHECK_INT(told(t, "settled", "succeeded"), 2);
    check_money(t);
    till_close(t);
}

ENGINES(a_charge_whose_answer_was_lost_is_found_not_repeated)
{
    struct till *t = shop(engine);

    save_card(t);
    t->pay.mood = FAKE_LOSES_AFTER;
    struct id p = order(t, 700, true);
    till_drain(t);
    CHECK_INT(look(t, p).p.state, PAYMENT_UNKNOWN);
    CHECK_INT(t->pay.taken_n, 2);
    till_pass(t, 10 * MINUTE, MINUTE);
    CHECK_INT(look(t, p).p.state, PAYMENT_SUCCEEDED);
    CHECK_INT(t->pay.taken_n, 2);
    check_money(t);
    till_close(t);
}

ENGINES(a_charge_that_never_arrived_is_made_under_its_key)
{
    struct till *t = shop(engine);

    save_card(t);
    t->pay.mood = FAKE_LOSES_BEFORE;
    struct id p = order(t, 700, true);
    till_pass(t, 10 * MINUTE, MINUTE);
    CHECK_INT(look(t, p).p.state, PAYMENT_UNKNOWN);
    CHECK_INT(t->pay.taken_n, 1);
    t->pay.mood = FAKE_PAYS;
    till_pass(t, 2 * HOUR, 10 * MINUTE);
    CHECK_INT(look(t, p).p.state, PAYMENT_SUCCEEDED);
    CHECK_INT(t->pay.taken_n, 2);
    check_money(t);
    till_close(t);
}

/* After a day the provider has forgotten the key: the call is not repeated. It says that it never got it, so nothing was
 * charged, and the fan is told so. */
ENGINES(an_old_key_is_never_used_again)
{
    struct till *t = shop(engine);

    save_card(t);
    t->pay.mood = FAKE_LOSES_BEFORE;
    struct id p = order(t, 700, true);
    till_drain(t);
    till_forward(t, 25 * HOUR);
    t->pay.mood = FAKE_PAYS;
    till_drain(t);
    CHECK_INT(look(t, p).p.state, PAYMENT_DECLINED);
    CHECK_INT(t->pay.taken_n, 1);
    CHECK_INT(told(t, "settled", "declined"), 1);
    check_money(t);
    till_close(t);
}

ENGINES_SECONDS(a_provider_that_is_away_for_an_hour_is_waited_for, 40)
{
    struct till *t = shop(engine);

    save_card(t);
    t->pay.mood = FAKE_DOWN;
    struct id p = order(t, 700, true);
    till_pass(t, HOUR, 30 * SECOND);
    CHECK_INT(look(t, p).p.state, PAYMENT_UNKNOWN);
    CHECK_INT(told(t, "settled", "%"), 1);
    t->pay.mood = FAKE_PAYS;
    till_pass(t, 4 * HOUR, 10 * MINUTE);
    CHECK_INT(look(t, p).p.state, PAYMENT_SUCCEEDED);
    check_money(t);
    till_close(t);
}

/* --- the inbox -------------------------------------------------------------------------------------------------- */

ENGINES(a_forged_notification_is_refused)
{
    struct till *t = shop(engine);

    order(t, 1000, false);
    till_drain(t);
    CHECK_INT(till_ask(t, ID_NONE, POST, "/v1/webhooks/stripe", "evt_1 cs_1", "bad").result,
              E_BAD_SIGNATURE);
    CHECK_INT(till_ask(t, ID_NONE, POST, "/v1/webhooks/stripe", "evt_1 cs_1", NULL).result,
              E_BAD_SIGNATURE);
    CHECK_INT(till_int(t, "SELECT count(*) FROM payment_notice"), 0);
    till_close(t);
}

ENGINES(notifications_about_nothing_of_ours_are_kept_and_do_nothing)
{
    struct till *t = shop(engine);

    CHECK_OK(notify(t, "evt_1", "cs_unknown"));
    CHECK_OK(till_ask(t, ID_NONE, POST, "/v1/webhooks/stripe", "evt_2", "good").result);
    till_drain(t);
    CHECK_INT(till_int(t, "SELECT count(*) FROM payment_notice"), 2);
    CHECK_INT(till_int(t, "SELECT count(*) FROM job WHERE state <> 'done'"
                          " AND kind = 'payment.query'"),
              0);
    till_close(t);
}

/* A worker's thread reads and writes like any other. */
static void *work(void *arg)
{
    till_drain(arg);
    return NULL;
}

ENGINES_SECONDS(many_workers_settle_a_payment_once, 60)
{
    enum { WORKERS = 6, PAYMENTS = 15, REPEATS = 4 };
    struct till *t = shop(engine);
    pthread_t workers[WORKERS];
    char event[40];

    for (int i = 0; i < PAYMENTS; i++)
        order(t, 1000 + i, false);
    till_drain(t);
    for (size_t i = 0; i < t->pay.n; i++) {
        fake_pay_settle(&t->pay, str_of(t->pay.objects[i].ref), PAY_SUCCEEDED, NULL);
        for (int k = 0; k < REPEATS; k++) {
            snprintf(event, sizeof(event), "evt_%zu_%d", i, k);
            CHECK_OK(notify(t, event, t->pay.objects[i].ref));
        }
    }
    for (int i = 0; i < WORKERS; i++)
        must(pthread_create(&workers[i], NULL, work, t) == 0);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(workers[i], NULL);
    CHECK_INT(told(t, "settled", "succeeded"), PAYMENTS);
    CHECK_INT(t->pay.taken_n, PAYMENTS);
    check_money(t);
    till_close(t);
}

ENGINES(old_notifications_are_swept)
{
    struct till *t = shop(engine);

    CHECK_OK(notify(t, "evt_1", "cs_unknown"));
    till_pass(t, 29 * DAY, DAY);
    CHECK_OK(notify(t, "evt_2", "cs_unknown"));
    CHECK_INT(till_int(t, "SELECT count(*) FROM payment_notice"), 2);
    till_pass(t, 3 * DAY, DAY);
    CHECK_INT(till_int(t, "SELECT count(*) FROM payment_notice"), 1);
    till_close(t);
}

ENGINES(another_amount_than_asked_for_unlocks_nothing)
{
    struct till *t = shop(engine);
    struct id p = order(t, 1000, false);

    till_drain(t);
    fake_pay_newest(&t->pay)->amount.minor = 1;
    fake_pay_settle(&t->pay, STR("cs_1"), PAY_SUCCEEDED, NULL);
    CHECK_OK(notify(t, "evt_1", "cs_1"));
    till_drain(t);
    CHECK_INT(look(t, p).p.state, PAYMENT_REQUIRES_ACTION);
    CHECK_INT(told(t, "settled", "%"), 0);
    till_close(t);
}

/* The notification is lost as well: only asking again finds the truth. */
ENGINES(a_charge_told_with_another_amount_is_asked_about_again)
{
    struct till *t = shop(engine);

    save_card(t);
    t->pay.mood = FAKE_LIES;
    struct id p = order(t, 1000, true);
    till_drain(t);
    CHECK_INT(look(t, p).p.state, PAYMENT_UNKNOWN);
    CHECK_INT(till_int(t, "SELECT count(*) FROM ledger_journal WHERE kind = 'charge'"), 1);
    t->pay.mood = FAKE_PAYS;
    till_pass(t, HOUR, 10 * MINUTE);
    CHECK_INT(look(t, p).p.state, PAYMENT_SUCCEEDED);
    check_money(t);
    till_close(t);
}

ENGINES(an_amount_below_the_minimum_is_refused)
{
    struct till *t = shop(engine);
    struct order o = { .amount = 49, .subject = 1 };

    CHECK_INT(till_run(t, WRITE, order_run, &o), E_BELOW_MINIMUM);
    o.amount = MONEY_MAX + 1;
    CHECK_INT(till_run(t, WRITE, order_run, &o), E_INVALID);
    CHECK_INT(till_int(t, "SELECT count(*) FROM payment"), 0);
    CHECK_INT(till_int(t, "SELECT count(*) FROM job WHERE kind = 'payment.checkout'"), 0);
    till_close(t);
}

ENGINES(a_fan_sees_her_payments_and_no_other)
{
    struct till *t = shop(engine);

    save_card(t);
    struct till_reply r = till_ask(t, fan, GET, "/v1/payments", NULL, NULL);
    CHECK_OK(r.result);
    CHECK_STR(till_member(t, r, "items.0.amount"), "500");
    CHECK_STR(till_member(t, r, "items.0.currency"), "EUR");
    CHECK_STR(till_member(t, r, "items.0.kind"), "subscription");
    CHECK_STR(till_member(t, r, "items.0.state"), "succeeded");
    CHECK_STR(till_member(t, r, "items.0.description"), "Subscription to Ana: Gold");
    r = till_ask(t, (struct id) { 8 }, GET, "/v1/payments", NULL, NULL);
    CHECK(till_member(t, r, "items.0.amount").p == NULL);
    till_close(t);
}

/* --- chaos ------------------------------------------------------------------------------------------------------ */

enum { ORDERS = 25, ORDERS_LONG = 200 };

static uint64_t roll(uint64_t *seed, uint64_t sides)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*seed >> 33) % sides;
}

static void someone_acts(struct till *t, uint64_t *seed)
{
    static const enum pay_state ends[] = { PAY_SUCCEEDED, PAY_SUCCEEDED, PAY_EXPIRED, PAY_PENDING };
    struct fake_object *o = &t->pay.objects[roll(seed, t->pay.n)];

    if (!o->told)
        return;
    if (o->state == PAY_PENDING || o->state == PAY_ACTION_REQUIRED)
        fake_pay_settle(&t->pay, str_of(o->ref), ends[roll(seed, COUNT(ends))], NULL);
}

/* Some twice, many late, one in five never. */
static void provider_tells(struct till *t, uint64_t *seed)
{
    struct fake_object *o = &t->pay.objects[roll(seed, t->pay.n)];
    char event[40];

    snprintf(event, sizeof(event), "evt_%d", (int)roll(seed, 400));
    if (roll(seed, 5) > 0)
        notify(t, event, o->ref);
}

ENGINES_SECONDS(in_chaos_what_was_taken_is_what_was_booked, 120)
{
    static const enum fake_mood moods[] = { FAKE_PAYS,        FAKE_PAYS, FAKE_DECLINES,
                                            FAKE_ASKS,        FAKE_DOWN, FAKE_LOSES_AFTER,
                                            FAKE_LOSES_BEFORE };
    struct till *t = shop(engine);
    const char *chosen = getenv("STAGEDOOR_TEST_SEED");
    uint64_t seed = chosen != NULL ? strtoull(chosen, NULL, 10) : 4711;
    int orders = getenv("STAGEDOOR_TEST_LONG") != NULL ? ORDERS_LONG : ORDERS;

    save_card(t);
    for (int i = 0; i < orders; i++) {
        t->pay.mood = moods[roll(&seed, COUNT(moods))];
        order(t, 100 + i, roll(&seed, 2) == 0);
        for (int k = 0; k < 4; k++) {
            someone_acts(t, &seed);
            provider_tells(t, &seed);
        }
        till_pass(t, (int64_t)roll(&seed, 600) * SECOND, 20 * SECOND);
    }
    t->pay.mood = FAKE_PAYS;
    till_pass(t, 5 * DAY, HOUR);
    check_money(t);
    CHECK_INT(till_int(t, "SELECT count(*) FROM payment WHERE state IN ('created', 'unknown')"), 0);
    CHECK_INT(till_int(t, "SELECT count(*) FROM job WHERE state = 'dead' AND kind IN"
                          " ('payment.query', 'payment.watch')"),
              0);
    CHECK_INT(told(t, "settled", "succeeded"), t->pay.taken_n);
    till_close(t);
}
