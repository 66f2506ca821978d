/* sandbox_test.c -- the sandbox's API and pages, without HTTP. With it, by the official SDK: test/stripe_sdk.mjs. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sandbox.h"
#include "core/exec.h"
#include "core/jobs.h"
#include "core/settings.h"
#include "core/start.h"
#include "sandbox/form.h"
#include "test/engine.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* --- a sandbox in the test ------------------------------------------------------------------------ */

struct world {
    struct bed *bed;
    struct env *env;
    struct arena *arena;
    const struct module *modules[3];
};

/* One request and its answer. */
struct ask {
    const char *key, *fault, *authorization; /* headers; NULL: none, but the right key */
    int status;
    const struct json *json;
    struct str body, location, replayed;
};

static struct world *world_open(const char *engine)
{
    struct world *w = calloc(1, sizeof(*w));
    struct str why = STR_NONE;

    must(w != NULL && sandbox_modules_n == 2);
    w->bed = bed_open(engine);
    w->env = &w->bed->env;
    w->arena = &w->bed->arena;
    w->modules[0] = &core_module;
    memcpy(w->modules + 1, sandbox_modules, sandbox_modules_n * sizeof(w->modules[0]));
    w->env->modules = w->modules;
    w->env->modules_n = 1 + sandbox_modules_n;
    w->env->development = true;
    w->env->public_url = STR("http://127.0.0.1:8090");
    REQUIRE(settings_load(w->arena, w->env->modules, w->env->modules_n, STR_NONE, NULL, NULL, 0,
                          &w->env->settings, &why));
    REQUIRE(env_start(w->env, 0) == E_OK);
    return w;
}

static void world_close(struct world *w)
{
    env_stop(w->env);
    bed_close(w->bed);
    free(w);
}

/* The runner takes call.server for itself while it waits, so the request hangs from the origin. */
static struct str header(const struct call *c, const char *name)
{
    const struct ask *q = (const struct ask *)(const void *)c->origin.p;

    if (strcmp(name, "Authorization") == 0)
        return str_of(q->authorization == NULL ? "Bearer sk_test_stagedoor" : q->authorization);
    return strcmp(name, "Idempotency-Key") == 0 ? str_of(q->key)
           : strcmp(name, "Sandbox-Fault") == 0 ? str_of(q->fault)
                                                : STR_NONE;
}

/* "/v1/customers/cus_1/payment_methods" is "/v1/customers/{id}/payment_methods". */
static bool fits(const char *pattern, struct str path, struct str *id)
{
    struct str want = str_of(pattern), a, b;

    while (want.p != NULL && path.p != NULL) {
        want = str_split(want, '/', &a);
        path = str_split(path, '/', &b);
        if (str_is(a, "{id}"))
            *id = b;
        else if (!str_eq(a, b))
            return false;
    }
    return want.p == NULL && path.p == NULL;
}

static const struct route *route_of(struct world *w, enum method method, struct str path,
                                    struct str *id)
{
    for (size_t m = 0; m < w->env->modules_n; m++)
        for (size_t i = 0; i < w->env->modules[m]->routes_n; i++)
            if (w->env->modules[m]->routes[i].method == method &&
                fits(w->env->modules[m]->routes[i].path, path, id))
                return &w->env->modules[m]->routes[i];
    FAIL("no route %.*s", STR_FMT(path));
    unit_end();
}

static void keep_headers(struct ask *q, const struct reply *r)
{
    q->location = q->replayed = STR_NONE;
    for (size_t i = 0; i < r->headers_n; i++) {
        if (strcmp(r->headers[i].name, "Location") == 0)
            q->location = r->headers[i].value;
        if (strcmp(r->headers[i].name, "Idempotent-Replayed") == 0)
            q->replayed = r->headers[i].value;
    }
}

static void send(struct world *w, struct arena *a, struct ask *q, enum method method,
                 const char *path, const char *form)
{
    struct str id = STR_NONE; /* the shape of {id} has this one member */
    const char *why = NULL;
    struct call c;

    call_begin(&c, w->env, a);
    c.route = route_of(w, method, str_of(path), &id);
    c.params = c.route->params == NULL ? NULL : &id;
    c.header = header;
    c.origin = (struct str) { (const char *)q, 0 };
    c.body = method == POST ? str_of(form) : STR("");
    c.query_text = method == POST ? STR_NONE : str_of(form);
    CHECK_OK(exec_run_wait(w->env->exec, &c));
    q->status = c.reply.status;
    q->body = c.reply.body;
    keep_headers(q, &c.reply);
    q->json =
        str_starts(c.reply.type, "application/json") ? json_parse(a, c.reply.body, &why) : NULL;
}

/* The answer; its status must be this one. */
static struct ask ask(struct world *w, enum method method, const char *path, const char *form,
                      int status)
{
    struct ask q = { 0 };

    send(w, w->arena, &q, method, path, form);
    if (q.status != status)
        FAIL("%s %s %s: %d, should be %d: %.*s", method_names[method], path, form, q.status, status,
             STR_FMT(str_cut(q.body, 0, 1000)));
    return q;
}

static struct str at(const struct ask *q, const char *path)
{
    return form_text(q->json, path);
}

static int64_t number(const struct ask *q, const char *path)
{
    const struct json *j = form_at(q->json, path);

    return j == NULL || j->kind != J_INTEGER ? -1 : j->integer;
}

static size_t items(const struct ask *q, const char *path)
{
    const struct json *j = form_at(q->json, path);

    return j == NULL ? 9999 : j->n;
}

static bool says(const struct ask *q, const char *text)
{
    return memmem(q->body.p, q->body.n, text, strlen(text)) != NULL;
}

static const char *print(struct world *w, const char *format, ...) FORMAT(2, 3);
static const char *print(struct world *w, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    struct str s = str_vprintf(w->arena, format, args);
    va_end(args);
    return s.p;
}

static const char *new_customer(struct world *w)
{
    struct ask q = ask(w, POST, "/v1/customers", "email=fan%40example.org&name=Fan", 200);

    return at(&q, "id").p;
}

/* --- the API itself ------------------------------------------------------------------------------- */

ENGINES(sandbox_refuses_what_it_does_not_know)
{
    static const struct {
        const char *form, *code, *param;
    } cases[] = {
        { "email=a&nosuch=1", "parameter_unknown", "nosuch" },
        { "invoice_settings[nosuch]=1", "parameter_unknown", "invoice_settings[nosuch]" },
        { "balance=x", "parameter_invalid_integer", "balance" },
        { "metadata=x", "parameter_invalid", "metadata" },
        { "metadata[a][b]=x", "parameter_invalid", "metadata" },
        { "email[a]=x", "parameter_invalid", "email" },
        { "test_clock=clock_1", "resource_missing", "test_clock" },
        { "payment_method=", "parameter_invalid_empty", "payment_method" },
        { "expand[]=nosuch", "parameter_invalid", "expand" },
    };
    struct world *w = world_open(engine);

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct ask q = ask(w, POST, "/v1/customers", cases[i].form, 400);
        CHECK_STR(at(&q, "error.code"), cases[i].code);
        CHECK_STR(at(&q, "error.param"), cases[i].param);
        CHECK_STR(at(&q, "error.type"), "invalid_request_error");
    }
    struct ask q = ask(w, GET, "/v1/customers", "", 200);
    CHECK_INT(items(&q, "data"), 0); /* what was refused left nothing */
    ask(w, POST, "/v1/customers", "a=%", 400);
    ask(w, GET, "/v1/customers/cus_none", "", 404);
    world_close(w);
}

ENGINES(sandbox_wants_its_key)
{
    static const char *const wrong[] = { "Bearer sk_test_wrong",
                                         "Bearer ",
                                         "Bearer",
                                         "",
                                         "Basic x",
                                         "Basic",
                                         "Basic c2tfdGVzdF94Og==", /* sk_test_x: */
                                         "Basic Og==",
                                         "Bearer sk_test_stagedoor2" };
    static const char *const right[] = { "Bearer sk_test_stagedoor", "bearer sk_test_stagedoor",
                                         "Basic c2tfdGVzdF9zdGFnZWRvb3I6" };
    struct world *w = world_open(engine);

    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct ask q = { .authorization = wrong[i] };
        send(w, w->arena, &q, GET, "/v1/customers", "");
        CHECK_INT(q.status, 401);
        send(w, w->arena, &q, POST, "/v1/customers", "");
        CHECK_INT(q.status, 401);
    }
    for (size_t i = 0; i < COUNT(right); i++) {
        struct ask q = { .authorization = right[i] };
        send(w, w->arena, &q, GET, "/v1/customers", "");
        CHECK_INT(q.status, 200);
    }
    world_close(w);
}

ENGINES(sandbox_lists_page_by_page)
{
    struct world *w = world_open(engine);
    struct str last = STR_NONE;
    const char *ids[5];
    size_t n = 0;

    for (size_t i = 0; i < 5; i++)
        ids[i] = new_customer(w);
    for (int pages = 0; pages < 3; pages++) {
        struct ask q =
            ask(w, GET, "/v1/customers",
                last.p == NULL ? "limit=2" : print(w, "limit=2&starting_after=%s", last.p), 200);
        const struct json *data = form_at(q.json, "data");
        CHECK_STR(at(&q, "object"), "list");
        CHECK_STR(at(&q, "url"), "/v1/customers");
        CHECK_INT(data->n, pages < 2 ? 2 : 1);
        CHECK(form_at(q.json, "has_more")->boolean == (pages < 2));
        for (size_t i = 0; i < data->n; i++) {
            last = json_text(&data->items[i], "id");
            CHECK_STR(last, ids[4 - n++]);
        }
    }
    ask(w, GET, "/v1/customers", "limit=101", 400);
    world_close(w);
}

ENGINES(sandbox_metadata_is_laid_over)
{
    struct world *w = world_open(engine);
    struct ask q = ask(w, POST, "/v1/customers", "metadata[a]=1&metadata[b]=2&metadata[0]=x", 200);
    const char *path = print(w, "/v1/customers/%s", at(&q, "id").p);

    q = ask(w, POST, path, "metadata[b]=&metadata[c]=3&name=", 200);
    CHECK_STR(at(&q, "metadata.a"), "1");
    CHECK_STR(at(&q, "metadata.b"), STR_NONE);
    CHECK_STR(at(&q, "metadata.c"), "3");
    CHECK_STR(at(&q, "metadata.0"), "x");
    q = ask(w, POST, path, "metadata=", 200);
    CHECK_INT(items(&q, "metadata"), 0);
    world_close(w);
}

/* --- cards ---------------------------------------------------------------------------------------- */

ENGINES(sandbox_cards_behave)
{
    static const struct {
        const char *card, *status, *code, *decline;
    } cases[] = {
        { "visa", "succeeded", NULL, NULL },
        { "mastercard", "succeeded", NULL, NULL },
        { "chargeDeclined", NULL, "card_declined", "generic_decline" },
        { "visa_chargeDeclined", NULL, "card_declined", "generic_decline" },
        { "chargeDeclinedInsufficientFunds", NULL, "card_declined", "insufficient_funds" },
        { "visa_chargeDeclinedLostCard", NULL, "card_declined", "lost_card" },
        { "chargeDeclinedExpiredCard", NULL, "expired_card", "expired_card" },
        { "chargeDeclinedIncorrectCvc", NULL, "incorrect_cvc", "incorrect_cvc" },
        { "chargeCustomerFail", NULL, "card_declined", "generic_decline" },
        { "authenticationRequired", "requires_action", NULL, NULL },
        { "authenticationRequiredOnSetup", "requires_action", NULL, NULL },
    };
    struct world *w = world_open(engine);

    for (size_t i = 0; i < COUNT(cases); i++) {
        bool good = cases[i].code == NULL;
        struct ask q =
            ask(w, POST, "/v1/payment_intents",
                print(w, "amount=500&currency=eur&confirm=true&payment_method=pm_card_%s",
                      cases[i].card),
                good ? 200 : 402);
        CHECK_STR(at(&q, good ? "status" : "error.payment_intent.status"),
                  good ? cases[i].status : "requires_payment_method");
        CHECK_STR(at(&q, "error.code"), str_of(cases[i].code));
        CHECK_STR(at(&q, "error.decline_code"), str_of(cases[i].decline));
        CHECK_STR(at(&q, "error.payment_intent.last_payment_error.code"), str_of(cases[i].code));
    }
    world_close(w);
}

ENGINES(sandbox_payment_tells_charge_and_fee)
{
    struct world *w = world_open(engine);
    struct ask q = ask(w, POST, "/v1/payment_intents",
                       "amount=1000&currency=eur&confirm=true&payment_method=pm_card_visa"
                       "&metadata[reference]=pay_1&expand[]=latest_charge.balance_transaction",
                       200);

    CHECK_INT(number(&q, "amount_received"), 1000);
    CHECK_STR(at(&q, "latest_charge.status"), "succeeded");
    CHECK_STR(at(&q, "latest_charge.metadata.reference"), "pay_1");
    CHECK_STR(at(&q, "latest_charge.payment_intent"), at(&q, "id"));
    CHECK_INT(number(&q, "latest_charge.balance_transaction.fee"), 59);
    CHECK_INT(number(&q, "latest_charge.balance_transaction.net"), 941);
    CHECK_STR(at(&q, "latest_charge.payment_method_details.card.last4"), "4242");
    q = ask(w, GET, print(w, "/v1/payment_intents/%s", at(&q, "id").p), "", 200);
    CHECK(str_starts(at(&q, "latest_charge"), "ch_"));
    ask(w, POST, "/v1/payment_intents", "amount=10&currency=eur", 400);
    ask(w, POST, "/v1/payment_intents", "amount=100&currency=xyz", 400);
    ask(w, POST, "/v1/payment_intents", "amount=100&currency=eur&off_session=true", 400);
    q = ask(w, GET, "/v1/balance", "", 200);
    CHECK_INT(json_number(&form_at(q.json, "pending")->items[0], "amount", 0), 941);
    world_close(w);
}

ENGINES(sandbox_saved_card_pays_without_the_payer)
{
    struct world *w = world_open(engine);
    const char *customer = new_customer(w);
    struct ask q = ask(w, POST, "/v1/payment_intents",
                       print(w,
                             "amount=500&currency=eur&confirm=true&payment_method=pm_card_visa"
                             "&customer=%s&setup_future_usage=off_session",
                             customer),
                       200);
    const char *method = at(&q, "payment_method").p;

    q = ask(w, GET, print(w, "/v1/customers/%s/payment_methods", customer), "", 200);
    CHECK_INT(items(&q, "data"), 1);
    q = ask(w, POST, "/v1/payment_intents",
            print(w,
                  "amount=900&currency=eur&confirm=true&off_session=true&payment_method=%s"
                  "&customer=%s",
                  method, customer),
            200);
    CHECK_STR(at(&q, "status"), "succeeded");
    /* Of another customer, or of none: no. */
    ask(w, POST, "/v1/payment_intents",
        print(w, "amount=900&currency=eur&payment_method=%s", method), 400);
    ask(w, POST, "/v1/payment_intents",
        print(w, "amount=900&currency=eur&payment_method=%s&customer=%s", method, new_customer(w)),
        400);
    q = ask(w, POST, "/v1/payment_intents",
            print(w,
                  "amount=900&currency=eur&confirm=true&off_session=true"
                  "&payment_method=pm_card_authenticationRequired&customer=%s",
                  customer),
            402);
    CHECK_STR(at(&q, "error.code"), "authentication_required");
    world_close(w);
}

ENGINES(sandbox_capture_cancel_refund)
{
    struct world *w = world_open(engine);
    struct ask q = ask(w, POST, "/v1/payment_intents",
                       "amount=1000&currency=eur&confirm=true&payment_method=pm_card_visa"
                       "&capture_method=manual",
                       200);
    const char *id = at(&q, "id").p, *path = print(w, "/v1/payment_intents/%s", id);
    const char *all = print(w, "payment_intent=%s", id);

    CHECK_STR(at(&q, "status"), "requires_capture");
    ask(w, POST, print(w, "%s/capture", path), "amount_to_capture=1001", 400);
    q = ask(w, POST, print(w, "%s/capture", path), "amount_to_capture=800", 200);
    CHECK_INT(number(&q, "amount_received"), 800);
    ask(w, POST, print(w, "%s/cancel", path), "", 400);
    ask(w, POST, print(w, "%s/confirm", path), "", 400);
    ask(w, POST, "/v1/refunds", print(w, "%s&amount=500", all), 200);
    ask(w, POST, "/v1/refunds", print(w, "%s&amount=301", all), 400);
    q = ask(w, POST, "/v1/refunds", all, 200);
    CHECK_INT(number(&q, "amount"), 300);
    q = ask(w, POST, "/v1/refunds", all, 400);
    CHECK_STR(at(&q, "error.code"), "charge_already_refunded");
    q = ask(w, POST, "/v1/payment_intents", "amount=1000&currency=eur", 200);
    q = ask(w, POST, print(w, "/v1/payment_intents/%s/cancel", at(&q, "id").p), "", 200);
    CHECK_STR(at(&q, "status"), "canceled");
    world_close(w);
}

ENGINES(sandbox_setup_intent_saves_a_card)
{
    struct world *w = world_open(engine);
    const char *customer = new_customer(w), *whose = print(w, "customer=%s", customer);
    struct ask q = ask(w, POST, "/v1/setup_intents", whose, 200);
    const char *confirm = print(w, "/v1/setup_intents/%s/confirm", at(&q, "id").p);

    q = ask(w, POST, confirm, "payment_method=pm_card_chargeDeclined", 402);
    CHECK_STR(at(&q, "error.setup_intent.status"), "requires_payment_method");
    q = ask(w, POST, confirm, "payment_method=pm_card_chargeCustomerFail", 200);
    CHECK_STR(at(&q, "status"), "succeeded");
    ask(w, POST, confirm, "payment_method=pm_card_visa", 400);
    q = ask(w, GET, "/v1/payment_methods", print(w, "%s&type=card", whose), 200);
    const char *method = json_text(&form_at(q.json, "data")->items[0], "id").p;
    ask(w, POST, "/v1/payment_intents",
        print(w, "amount=500&currency=eur&confirm=true&off_session=true&%s&payment_method=%s",
              whose, method),
        402);
    ask(w, POST, print(w, "/v1/payment_methods/%s/detach", method), "", 200);
    ask(w, POST, print(w, "/v1/payment_methods/%s/detach", method), "", 400);
    ask(w, POST, "/v1/payment_methods/pm_card_visa/attach", whose, 200);
    ask(w, POST, "/v1/payment_methods/pm_card_chargeDeclined/attach", whose, 402);
    world_close(w);
}

/* --- idempotency ---------------------------------------------------------------------------------- */

static size_t payments(struct world *w)
{
    struct ask q = ask(w, GET, "/v1/payment_intents", "limit=100", 200);

    return items(&q, "data");
}

#define PAY "amount=500&currency=eur&confirm=true&payment_method="

static void pay(struct world *w, struct ask *q, const char *form)
{
    send(w, w->arena, q, POST, "/v1/payment_intents", form);
}

ENGINES(sandbox_key_gives_the_first_result_again)
{
    static const struct {
        const char *form;
        int status;
    } cases[] = { { PAY "pm_card_visa", 200 }, { PAY "pm_card_chargeDeclined", 402 } };
    struct world *w = world_open(engine);

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct ask a = { .key = i == 0 ? "k0" : "k1" }, b = a, other = a;
        pay(w, &a, cases[i].form);
        pay(w, &b, cases[i].form);
        CHECK_INT(a.status, cases[i].status);
        CHECK_INT(b.status, cases[i].status);
        CHECK_STR(b.body, a.body);
        CHECK_STR(a.replayed, STR_NONE);
        CHECK_STR(b.replayed, "true");
        pay(w, &other, PAY "pm_card_mastercard");
        CHECK_INT(other.status, 400);
        CHECK_STR(at(&other, "error.type"), "idempotency_error");
        pay(w, &other, "nosuch=1"); /* parameters are checked before the key */
        CHECK_STR(at(&other, "error.type"), "invalid_request_error");
    }
    CHECK_INT(payments(w), 2);
    world_close(w);
}

ENGINES(sandbox_key_is_free_after_a_refusal_and_after_a_day)
{
    struct world *w = world_open(engine);
    struct ask q = { .key = "k" };

    pay(w, &q, "amount=500&currency=eur&customer=cus_none");
    CHECK_INT(q.status, 400);
    pay(w, &q, PAY "pm_card_visa");
    CHECK_INT(q.status, 200);
    ask(w, POST, "/v1/test_helpers/clock", "advance_s=86401", 200);
    pay(w, &q, PAY "pm_card_mastercard");
    CHECK_INT(q.status, 200);
    CHECK_STR(q.replayed, STR_NONE);
    CHECK_INT(payments(w), 2);
    world_close(w);
}

struct racer {
    struct world *w;
    struct arena arena;
    struct ask ask;
    pthread_t thread;
};

static void *race(void *context)
{
    struct racer *r = context;

    send(r->w, &r->arena, &r->ask, POST, "/v1/payment_intents", PAY "pm_card_visa");
    return NULL;
}

/* Whoever comes while the first still works is told so; all others get its result. */
ENGINES(sandbox_key_of_many_at_once_has_one_effect)
{
    struct world *w = world_open(engine);
    struct racer racers[16] = { 0 };
    int done = 0, busy = 0;

    for (size_t i = 0; i < COUNT(racers); i++) {
        racers[i].w = w;
        racers[i].ask = (struct ask) { .key = "k", .fault = "slow 400" };
        REQUIRE(pthread_create(&racers[i].thread, NULL, race, &racers[i]) == 0);
    }
    for (size_t i = 0; i < COUNT(racers); i++) {
        pthread_join(racers[i].thread, NULL);
        done += racers[i].ask.status == 200;
        busy += racers[i].ask.status == 409;
        arena_done(&racers[i].arena);
    }
    CHECK_INT(done + busy, COUNT(racers));
    CHECK(done >= 1 && busy >= 1);
    CHECK_INT(payments(w), 1);
    world_close(w);
}

/* --- faults --------------------------------------------------------------------------------------- */

ENGINES(sandbox_faults)
{
    struct world *w = world_open(engine);
    struct ask q = { .key = "a", .fault = "error" };

    pay(w, &q, PAY "pm_card_visa");
    CHECK_INT(q.status, 500);
    q.fault = "limit";
    pay(w, &q, PAY "pm_card_visa");
    CHECK_INT(q.status, 429);
    q.fault = "nonsense";
    pay(w, &q, PAY "pm_card_visa");
    CHECK_INT(q.status, 400);
    CHECK_INT(payments(w), 0);
    q.fault = "error_after";
    pay(w, &q, PAY "pm_card_visa");
    CHECK_INT(q.status, 500);
    CHECK_INT(payments(w), 1);
    q.fault = NULL; /* done, but remembered as a 500 */
    pay(w, &q, PAY "pm_card_visa");
    CHECK_INT(q.status, 500);
    CHECK_STR(q.replayed, "true");
    CHECK_INT(payments(w), 1);
    ask(w, POST, "/v1/test_helpers/faults", "fault=error&path=/v1/refunds&times=1", 200);
    ask(w, POST, "/v1/customers", "", 200);
    ask(w, POST, "/v1/refunds", "", 500);
    ask(w, POST, "/v1/refunds", "", 400);
    world_close(w);
}

/* --- hosted checkout ------------------------------------------------------------------------------ */

#define SESSION                                                                                    \
    "mode=payment&success_url=http://shop/ok?s={CHECKOUT_SESSION_ID}%%26x=1"                       \
    "&cancel_url=http://shop/no&line_items[0][quantity]=2"                                         \
    "&line_items[0][price_data][unit_amount]=450&line_items[0][price_data][currency]=eur"          \
    "&line_items[0][price_data][product_data][name]=Ana+%%3Cb%%3E"                                 \
    "&payment_intent_data[metadata][reference]=pay_1&metadata[reference]=pay_1"                    \
    "&payment_intent_data[setup_future_usage]=off_session&customer=%s"
#define CARD(number) "number=" number "&expiry=12+/+34&cvc=123&name=Fan"

struct shop {
    struct world *w;
    const char *customer, *id, *page, *api;
};

static struct shop shop_open(const char *engine)
{
    struct shop s = { .w = world_open(engine) };

    s.customer = new_customer(s.w);
    struct ask q = ask(s.w, POST, "/v1/checkout/sessions", print(s.w, SESSION, s.customer), 200);
    s.id = at(&q, "id").p;
    s.page = print(s.w, "/c/pay/%s", s.id);
    s.api = print(s.w, "/v1/checkout/sessions/%s", s.id);
    CHECK_STR(at(&q, "url"), print(s.w, "http://127.0.0.1:8090%s", s.page));
    CHECK_INT(number(&q, "amount_total"), 900);
    return s;
}

ENGINES(sandbox_checkout_pays_and_saves)
{
    struct shop s = shop_open(engine);
    struct ask q = ask(s.w, GET, s.page, "", 200);

    CHECK(says(&q, "€9.00") && says(&q, "Ana &lt;b&gt;") && says(&q, "no real money"));
    q = ask(s.w, POST, s.page, CARD("4242+4242+4242+4242"), 303);
    CHECK_STR(q.location, print(s.w, "http://shop/ok?s=%s&x=1", s.id));
    q = ask(s.w, GET, s.api,
            "expand[]=payment_intent.latest_charge.balance_transaction&expand[]=line_items", 200);
    CHECK_STR(at(&q, "status"), "complete");
    CHECK_STR(at(&q, "payment_status"), "paid");
    CHECK_STR(at(&q, "payment_intent.status"), "succeeded");
    CHECK_STR(at(&q, "payment_intent.metadata.reference"), "pay_1");
    CHECK_INT(number(&q, "payment_intent.latest_charge.balance_transaction.fee"), 56);
    CHECK_INT(items(&q, "line_items.data"), 1);
    q = ask(s.w, GET, print(s.w, "/v1/customers/%s/payment_methods", s.customer), "", 200);
    CHECK_INT(items(&q, "data"), 1);
    ask(s.w, POST, s.page, CARD("4242424242424242"), 303); /* pressed twice: no second charge */
    q = ask(s.w, GET, "/v1/charges", "", 200);
    CHECK_INT(items(&q, "data"), 1);
    q = ask(s.w, GET, s.page, "", 200);
    CHECK(says(&q, "all done"));
    world_close(s.w);
}

ENGINES(sandbox_checkout_says_what_is_wrong)
{
    static const struct {
        const char *form, *says;
    } cases[] = {
        { CARD("4000000000000002"), "Your card was declined." },
        { CARD("4000000000009995"), "insufficient funds" },
        { CARD("4000000000000127"), "security code is incorrect" },
        { CARD("4000000000000069"), "has expired" },
        { CARD("4111111111111111"), "test cards only" },
        { CARD("4242424242424241"), "number is wrong" },
        { CARD("4242"), "incomplete" },
        { "number=4242424242424242&expiry=13/34&cvc=123&name=F", "MM / YY" },
        { "number=4242424242424242&expiry=01/20&cvc=123&name=F", "in the past" },
        { "number=4242424242424242&expiry=01/40&cvc=12&name=F", "three or four digits" },
        { "number=4242424242424242&expiry=01/40&cvc=12x&name=F", "three or four digits" },
        { "number=4242424242424242&expiry=01/40&cvc=123&name=", "name that stands" },
        { "", "incomplete" },
    };
    struct shop s = shop_open(engine);

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct ask q = ask(s.w, POST, s.page, cases[i].form, 402);
        if (!says(&q, cases[i].says))
            FAIL("%s does not say: %s", cases[i].form, cases[i].says);
        CHECK(says(&q, "role=\"alert\"") && !says(&q, "value=\"4"));
    }
    struct ask q = ask(s.w, GET, s.api, "expand[]=payment_intent", 200);
    CHECK_STR(at(&q, "status"), "open");
    CHECK_STR(at(&q, "payment_intent.status"), "requires_payment_method");
    ask(s.w, POST, s.page, CARD("5555555555554444"), 303); /* with another card it goes */
    q = ask(s.w, GET, "/v1/events", "types[]=payment_intent.payment_failed&limit=100", 200);
    CHECK_INT(items(&q, "data"), 4);
    world_close(s.w);
}

ENGINES(sandbox_checkout_asks_the_bank)
{
    struct shop s = shop_open(engine);
    struct ask q = ask(s.w, POST, s.page, CARD("4000002500003155"), 303);
    const char *bank = q.location.p;

    CHECK(str_starts(q.location, "/c/authenticate/pi_"));
    q = ask(s.w, GET, bank, "", 200);
    CHECK(says(&q, "€9.00"));
    q = ask(s.w, POST, bank, "outcome=fail", 402);
    CHECK(says(&q, "did not confirm"));
    q = ask(s.w, GET, bank, "", 200);
    CHECK(says(&q, "nothing to confirm"));
    q = ask(s.w, POST, s.page, CARD("4000002500003155"), 303);
    q = ask(s.w, POST, q.location.p, "outcome=complete", 303);
    CHECK(str_starts(q.location, "http://shop/ok"));
    q = ask(s.w, GET, s.api, "expand[]=payment_intent", 200);
    CHECK_STR(at(&q, "payment_status"), "paid");
    /* Set up with the bank's consent: it pays alone from now on. */
    q = ask(s.w, POST, "/v1/payment_intents",
            print(s.w,
                  "amount=500&currency=eur&confirm=true&off_session=true&customer=%s"
                  "&payment_method=%s",
                  s.customer, at(&q, "payment_intent.payment_method").p),
            200);
    CHECK_STR(at(&q, "status"), "succeeded");
    world_close(s.w);
}

ENGINES(sandbox_checkout_expires)
{
    struct shop s = shop_open(engine);

    ask(s.w, POST, "/v1/test_helpers/clock", "advance_s=86390", 200);
    jobs_drain(s.w->env);
    struct ask q = ask(s.w, GET, s.api, "", 200);
    CHECK_STR(at(&q, "status"), "open");
    ask(s.w, POST, "/v1/test_helpers/clock", "advance_s=20", 200);
    ask(s.w, POST, s.page, CARD("4242424242424242"), 410); /* before the job came to it */
    jobs_drain(s.w->env);
    q = ask(s.w, GET, s.api, "", 200);
    CHECK_STR(at(&q, "status"), "expired");
    ask(s.w, GET, s.page, "", 410);
    q = ask(s.w, GET, "/v1/events", "type=checkout.session.expired", 200);
    CHECK_INT(items(&q, "data"), 1);
    ask(s.w, POST, print(s.w, "%s/expire", s.api), "", 400);
    world_close(s.w);
}

ENGINES(sandbox_test_clock_moves_its_customers)
{
    struct world *w = world_open(engine);
    struct ask q = ask(w, POST, "/v1/test_helpers/test_clocks", "frozen_time=1900000000", 200);
    const char *clock = print(w, "/v1/test_helpers/test_clocks/%s", at(&q, "id").p);
    const char *advance = print(w, "%s/advance", clock);

    q = ask(w, POST, "/v1/customers", print(w, "test_clock=%s", at(&q, "id").p), 200);
    CHECK_INT(number(&q, "created"), 1900000000);
    q = ask(w, POST, "/v1/checkout/sessions", print(w, SESSION, at(&q, "id").p), 200);
    CHECK_INT(number(&q, "expires_at"), 1900000000 + 86400);
    const char *session = print(w, "/v1/checkout/sessions/%s", at(&q, "id").p);
    ask(w, POST, advance, "frozen_time=1900000000", 400);
    ask(w, POST, advance, "frozen_time=1900086401", 200);
    q = ask(w, GET, session, "", 200);
    CHECK_STR(at(&q, "status"), "expired");
    ask(w, DELETE, clock, "", 200);
    ask(w, GET, clock, "", 404);
    world_close(w);
}

ENGINES(sandbox_checkout_without_a_customer_makes_one)
{
    struct world *w = world_open(engine);
    struct ask q = ask(w, POST, "/v1/checkout/sessions",
                       "mode=setup&success_url=http://shop/ok&customer_creation=always", 200);
    const char *page = print(w, "/c/pay/%s", at(&q, "id").p);
    const char *api = print(w, "/v1/checkout/sessions/%s", at(&q, "id").p);

    ask(w, POST, page, CARD("4242424242424242"), 402); /* no e-mail address */
    ask(w, POST, page, CARD("4242424242424242") "&email=f@x.org", 303);
    q = ask(w, GET, api, "expand[]=customer&expand[]=setup_intent", 200);
    CHECK_STR(at(&q, "customer.email"), "f@x.org");
    CHECK_STR(at(&q, "setup_intent.status"), "succeeded");
    CHECK_STR(at(&q, "payment_status"), "no_payment_required");
    ask(w, GET, "/c/pay/cs_none", "", 404);
    world_close(w);
}
