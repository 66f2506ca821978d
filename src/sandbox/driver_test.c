/* driver_test.c -- the Stripe driver against the sandbox, over HTTP: the two that must agree about money.
 *
 * What a peer that breaks the wire does to the driver is tested in src/sys/stripe_test.c; here the sandbox does the work and
 * holds the answer back, so that there is something to find out afterwards. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/stripe.h"
#include "core/settings.h"
#include "core/start.h"
#include "sandbox/form.h"
#include "sandbox/sandbox.h"
#include "server/server.h"
#include "sys/http_client.h"
#include "test/engine.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct shop {
    struct bed *bed;
    struct env *env;
    struct arena *arena;
    struct server *server;
    struct http_client *browser;
    struct pay *pay;
    const struct module *modules[4];
};

static struct pay *driver(struct shop *s, int tries, int timeout_ms)
{
    return stripe_open(&(struct stripe_options) {
        .url = s->env->public_url,
        .key = STR("sk_test_stagedoor"),
        .webhook_secrets = STR("whsec_stagedoor"),
        .random = random_fill,
        .tries = tries,
        .timeout_ms = timeout_ms,
    });
}

static struct shop *shop_open(void)
{
    struct shop *s = calloc(1, sizeof(*s));
    char *args[] = { (char *)(uintptr_t) "--http.port=0",
                     (char *)(uintptr_t) "--core.slow_workers=8" };
    struct str why = STR_NONE;

    must(s != NULL && sandbox_modules_n == 2);
    s->bed = bed_open("sqlite");
    s->env = &s->bed->env;
    s->arena = &s->bed->arena;
    s->modules[0] = &core_module;
    s->modules[1] = &server_module;
    memcpy(s->modules + 2, sandbox_modules, sandbox_modules_n * sizeof(s->modules[0]));
    s->env->modules = s->modules;
    s->env->modules_n = COUNT(s->modules);
    s->env->public_url = STR("http://127.0.0.1");
    REQUIRE(settings_load(s->arena, s->modules, COUNT(s->modules), STR_NONE, NULL, args,
                          COUNT(args), &s->env->settings, &why));
    REQUIRE(env_start(s->env, 2) == E_OK);
    s->server = server_open(s->env);
    REQUIRE(server_listen(s->server, s->arena, &why));
    s->env->public_url = str_printf(s->arena, "http://127.0.0.1:%d", server_port(s->server));
    s->browser = http_client_open();
    s->pay = driver(s, 3, 5000);
    return s;
}

static void shop_close(struct shop *s)
{
    s->pay->ops->close(s->pay);
    http_client_close(s->browser);
    CHECK(server_close(s->server, 5));
    env_stop(s->env);
    bed_close(s->bed);
    free(s);
}

/* As a person with a browser, or the operator with curl. */
static struct http_reply ask(struct shop *s, const char *method, struct str url, const char *form)
{
    struct str headers[] = { STR("Authorization: Bearer sk_test_stagedoor"),
                             STR("Content-Type: application/x-www-form-urlencoded") };
    struct http_request q = { .method = method,
                              .url = url,
                              .headers = headers,
                              .headers_n = COUNT(headers),
                              .body = str_of(form) };
    struct http_reply r;

    REQUIRE(http_client_send(s->browser, s->arena, &q, &r) == HTTP_ANSWERED);
    return r;
}

static struct str url(struct shop *s, const char *path)
{
    return str_printf(s->arena, "%.*s%s", STR_FMT(s->env->public_url), path);
}

static void fault(struct shop *s, const char *form)
{
    CHECK_INT(ask(s, "POST", url(s, "/v1/test_helpers/faults"), form).status, 200);
}

/* Charges that succeeded and say this reference. */
static int charges(struct shop *s, struct str reference)
{
    const char *why;
    int n = 0;
    struct http_reply r = ask(s, "GET", url(s, "/v1/charges?limit=100"), NULL);
    const struct json *data = json_get(json_parse(s->arena, r.body, &why), "data");

    for (size_t i = 0; i < data->n; i++)
        n += str_eq(form_text(&data->items[i], "metadata.reference"), reference) &&
             str_is(form_text(&data->items[i], "status"), "succeeded");
    return n;
}

static struct pay_request request(struct shop *s, const char *reference)
{
    return (struct pay_request) {
        .key = str_printf(s->arena, "%s:1", reference),
        .reference = str_of(reference),
        .amount = { 1000, { "EUR" } },
        .description = STR("Ana: backstage, one month"),
        .payer = STR("usr_1"),
        .payer_email = STR("fan@example.org"),
        .success_url = STR("http://127.0.0.1:1/ok"),
        .cancel_url = STR("http://127.0.0.1:1/no"),
        .save_method = true,
    };
}

#define CARD(number) "number=" number "&expiry=12/34&cvc=123&name=Fan"

/* A paid checkout; its outcome has a customer and a card for later charges. */
static struct pay_outcome bought(struct shop *s, const char *reference, const char *card)
{
    struct pay_request r = request(s, reference);
    struct pay_outcome o = { 0 };

    CHECK_OK(s->pay->ops->checkout(s->pay, s->arena, &r, &o));
    CHECK_INT(o.state, PAY_PENDING);
    CHECK_INT(ask(s, "POST", o.url, card).status, 303);
    CHECK_OK(s->pay->ops->query(s->pay, s->arena, o.provider_ref, &o));
    return o;
}

static struct pay_request charge_of(struct shop *s, const char *reference,
                                    const struct pay_outcome *first)
{
    struct pay_request r = request(s, reference);

    r.customer = first->customer;
    r.method = first->method;
    return r;
}

TEST(driver_checkout_then_charges_off_session)
{
    struct shop *s = shop_open();
    struct pay_outcome first = bought(s, "pay_1", CARD("4242424242424242")), o;

    CHECK_INT(first.state, PAY_SUCCEEDED);
    CHECK_INT(first.amount.minor, 1000);
    CHECK_INT(first.fee, 59);
    CHECK_STR(first.reference, "pay_1");
    REQUIRE(first.customer.p != NULL && first.method.p != NULL);
    struct pay_request r = charge_of(s, "pay_2", &first);
    CHECK_OK(s->pay->ops->charge(s->pay, s->arena, &r, &o));
    CHECK_INT(o.state, PAY_SUCCEEDED);
    CHECK_INT(o.fee, 59);
    struct str ref = o.provider_ref;
    CHECK_OK(s->pay->ops->charge(s->pay, s->arena, &r, &o)); /* the same key: the same payment */
    CHECK_STR(o.provider_ref, ref);
    CHECK_INT(charges(s, STR("pay_2")), 1);
    CHECK_OK(s->pay->ops->query(s->pay, s->arena, ref, &o));
    CHECK_STR(o.reference, "pay_2");
    shop_close(s);
}

TEST(driver_declines_in_words)
{
    struct shop *s = shop_open();
    struct pay_request r = request(s, "pay_1");
    struct pay_outcome o, first;

    CHECK_OK(s->pay->ops->checkout(s->pay, s->arena, &r, &o));
    CHECK_INT(ask(s, "POST", o.url, CARD("4000000000009995")).status, 402);
    CHECK_OK(s->pay->ops->query(s->pay, s->arena, o.provider_ref, &o));
    CHECK_INT(o.state, PAY_PENDING); /* another card may follow */
    CHECK_STR(o.decline, "The card has insufficient funds.");
    first = bought(s, "pay_2", CARD("4242424242424242"));
    r = charge_of(s, "pay_3", &first);
    r.method = STR("pm_card_visa_chargeDeclinedLostCard");
    CHECK_OK(s->pay->ops->charge(s->pay, s->arena, &r, &o));
    CHECK_INT(o.state, PAY_DECLINED);
    CHECK(str_starts(o.decline, "The card was declined."));
    CHECK(str_starts(o.provider_ref, "pi_"));
    r = charge_of(s, "pay_4", &first);
    r.method = STR("pm_none");
    CHECK_OK(s->pay->ops->charge(s->pay, s->arena, &r, &o));
    CHECK_INT(o.state, PAY_DECLINED);
    CHECK_STR(o.decline, "The saved card is no longer there. Please enter a card again.");
    r = charge_of(s, "pay_5", &first);
    r.method = STR("pm_card_authenticationRequired");
    CHECK_OK(s->pay->ops->charge(s->pay, s->arena, &r, &o));
    CHECK_INT(o.state, PAY_DECLINED);
    shop_close(s);
}

/* The work was done, the answer did not come in time, and there is no second try: query finds it. */
TEST(driver_lost_charge_is_unknown_and_then_found)
{
    struct shop *s = shop_open();
    struct pay_outcome first = bought(s, "pay_1", CARD("4242424242424242")), o;
    struct pay_request r = charge_of(s, "pay_2", &first);
    struct pay *hasty = driver(s, 1, 300);

    fault(s, "fault=lost+900&path=/v1/payment_intents");
    CHECK_OK(hasty->ops->charge(hasty, s->arena, &r, &o));
    CHECK_INT(o.state, PAY_UNKNOWN);
    CHECK(str_starts(o.provider_ref, "find:payment:cus_"));
    CHECK_OK(s->pay->ops->query(s->pay, s->arena, o.provider_ref, &o));
    CHECK_INT(o.state, PAY_SUCCEEDED);
    CHECK_STR(o.reference, "pay_2");
    CHECK_INT(o.fee, 59);
    CHECK_INT(charges(s, STR("pay_2")), 1);
    hasty->ops->close(hasty);
    shop_close(s);
}

TEST(driver_lost_checkout_is_unknown_and_then_found)
{
    struct shop *s = shop_open();
    struct pay_request r = request(s, "pay_1");
    struct pay *hasty = driver(s, 1, 300);
    struct pay_outcome o;

    fault(s, "fault=lost+900&path=/v1/checkout/sessions");
    CHECK_OK(hasty->ops->checkout(hasty, s->arena, &r, &o));
    CHECK_INT(o.state, PAY_UNKNOWN);
    CHECK_OK(s->pay->ops->query(s->pay, s->arena, o.provider_ref, &o));
    CHECK_INT(o.state, PAY_PENDING);
    CHECK(str_starts(o.provider_ref, "cs_test_"));
    CHECK(o.url.n > 0);
    hasty->ops->close(hasty);
    shop_close(s);
}

TEST_SLOW(driver_tries_again_and_nothing_is_doubled, 10)
{
    static const char *const faults[] = {
        "fault=lost+600&path=/v1/payment_intents", /* done: the second try gets its answer */
        "fault=slow+600&path=/v1/payment_intents", /* not yet done: the second try hears 409 */
        "fault=error&path=/v1/payment_intents",    /* not done at all */
        "fault=limit&path=/v1/payment_intents",
    };
    struct shop *s = shop_open();
    struct pay_outcome first = bought(s, "pay_0", CARD("4242424242424242")), o;
    struct pay *hasty = driver(s, 4, 300);

    for (size_t i = 0; i < COUNT(faults); i++) {
        struct pay_request r = charge_of(s, str_printf(s->arena, "pay_again_%zu", i).p, &first);
        fault(s, faults[i]);
        CHECK_OK(hasty->ops->charge(hasty, s->arena, &r, &o));
        CHECK_INT(o.state, PAY_SUCCEEDED);
        CHECK_INT(charges(s, r.reference), 1);
    }
    hasty->ops->close(hasty);
    shop_close(s);
}

/* A 500 that stands for work done, given again to every try. */
TEST(driver_does_not_take_a_500_for_a_no)
{
    struct shop *s = shop_open();
    struct pay_outcome first = bought(s, "pay_1", CARD("4242424242424242")), o;
    struct pay_request r = charge_of(s, "pay_2", &first);

    fault(s, "fault=error_after&path=/v1/payment_intents");
    CHECK_OK(s->pay->ops->charge(s->pay, s->arena, &r, &o));
    CHECK_INT(o.state, PAY_UNKNOWN);
    CHECK_OK(s->pay->ops->query(s->pay, s->arena, o.provider_ref, &o));
    CHECK_INT(o.state, PAY_SUCCEEDED);
    CHECK_INT(charges(s, STR("pay_2")), 1);
    shop_close(s);
}

/* What the payment service does: unknown -> query; not there -> the same call again, a little later, because the first may
 * still be at work. */
static enum pay_state settle(struct shop *s, struct pay *pay, const struct pay_request *r)
{
    struct pay_outcome o;

    for (int round = 0; round < 50; round++, usleep(20000)) {
        enum err e = pay->ops->charge(pay, s->arena, r, &o);
        if (e == E_PROVIDER_UNAVAILABLE)
            continue;
        CHECK_OK(e);
        if (o.state != PAY_UNKNOWN)
            return o.state;
        for (e = E_PROVIDER_UNAVAILABLE; e == E_PROVIDER_UNAVAILABLE;)
            e = pay->ops->query(pay, s->arena, o.provider_ref, &o);
        if (e == E_OK)
            return o.state;
    }
    return PAY_UNKNOWN;
}

TEST_SLOW(driver_in_a_storm_of_faults, 60)
{
    static const char *const faults[] = { "lost+120", "slow+60", "error", "limit", "error_after" };
    struct shop *s = shop_open();
    struct pay_outcome first = bought(s, "pay_0", CARD("4242424242424242"));
    struct pay *hasty = driver(s, 1, 50);
    unsigned char chance;

    for (int i = 0; i < 60; i++) {
        struct pay_request r = charge_of(s, str_printf(s->arena, "pay_storm_%d", i).p, &first);
        random_fill(&chance, 1);
        for (int k = 0; k < chance % 3; k++)
            fault(s, str_printf(s->arena, "fault=%s&path=/v1/payment_intents",
                                faults[(chance / 3 + k) % (int)COUNT(faults)])
                         .p);
        CHECK_INT(settle(s, hasty, &r), PAY_SUCCEEDED);
        CHECK_INT(charges(s, r.reference), 1);
        ask(s, "DELETE", url(s, "/v1/test_helpers/faults"), NULL);
    }
    hasty->ops->close(hasty);
    shop_close(s);
}
