/* stripe.c -- see stripe.h. Wire facts: doc of Stripe's API at the pinned version; the official SDK is the judge of the
 * sandbox that this file is tested against (test/stripe_sdk.mjs). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/stripe.h"
#include "base/check.h"
#include "base/crypto.h"
#include "core/shape.h"
#include "sys/http_client.h"
#include "sys/stripe_words.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

enum { TRIES = 3, TIMEOUT_MS = 20000, PATIENCE_MS = 45000, SECRETS_MAX = 4, LOOKUP_MAX = 100 };
enum { TOLERANCE_S = 300, SIGNATURES_MAX = 8 };

struct stripe {
    struct pay pay;
    struct arena arena; /* of the options */
    struct stripe_options o;
    struct str secrets[SECRETS_MAX];
    size_t secrets_n;
    struct str authorization;
    struct http_client *http;
};

/* --- Amounts ------------------------------------------------------------------------------------ */

/* Stripe keeps two decimals for these two, though the currency has none left. */
static int64_t wire_factor(struct currency c)
{
    return strcmp(c.code, "ISK") == 0 || strcmp(c.code, "UGX") == 0 ? 100 : 1;
}

static struct money money_from_wire(int64_t amount, struct str code)
{
    struct money m = { 0 };
    char upper[4] = "";

    for (size_t i = 0; i < 3 && i < code.n; i++)
        upper[i] = (char)(code.p[i] >= 'a' && code.p[i] <= 'z' ? code.p[i] - 32 : code.p[i]);
    if (currency_parse(str_of(upper), &m.currency))
        m.minor = amount / wire_factor(m.currency);
    return m;
}

/* --- Requests ----------------------------------------------------------------------------------- */

struct form {
    struct buf buf;
};

static void form_add(struct form *f, const char *name, struct str value)
{
    if (value.p == NULL)
        return;
    if (f->buf.n > 0)
        buf_char(&f->buf, '&');
    buf_add(&f->buf, str_of(name));
    buf_char(&f->buf, '=');
    buf_add(&f->buf, url_encode(f->buf.arena, value));
}

static void form_int(struct form *f, const char *name, int64_t value)
{
    form_add(f, name, str_printf(f->buf.arena, "%" PRId64, value));
}

static void form_money(struct form *f, const char *amount, const char *currency, struct money m)
{
    form_int(f, amount, m.minor * wire_factor(m.currency));
    form_add(f, currency, str_lower(f->buf.arena, str_of(m.currency.code)));
}

/* One logical call: perhaps several tries, always under the same key. */
struct exchange {
    const char *method;
    struct str path; /* with query */
    struct str body; /* none for GET */
    struct str key;
    int status;
    const struct json *json; /* NULL when it is none */
};

enum ending {
    ANSWERED,
    NOT_DONE, /* surely without effect */
    LOST,     /* perhaps with effect */
};

enum { ASKED_AGAIN, REQUEST_ID, RETRY_AFTER };
static const char *const wanted[] = { "stripe-should-retry", "request-id", "retry-after", NULL };

static enum http_end send_once(struct stripe *s, struct arena *a, const struct exchange *x,
                               int64_t left_ms, struct http_reply *reply)
{
    struct str headers[5] = { s->authorization, STR("Stripe-Version: " STRIPE_VERSION),
                              STR("User-Agent: Stagedoor") };
    size_t n = 3;

    if (x->body.p != NULL)
        headers[n++] = STR("Content-Type: application/x-www-form-urlencoded");
    if (x->key.p != NULL)
        headers[n++] = str_printf(a, "Idempotency-Key: %.*s", STR_FMT(x->key));
    must(n <= COUNT(headers));
    struct http_request q = {
        .method = x->method,
        .url = str_printf(a, "%.*s%.*s", STR_FMT(s->o.url), STR_FMT(x->path)),
        .headers = headers,
        .headers_n = n,
        .body = x->body,
        .timeout_ms = (int)(left_ms < s->o.timeout_ms ? left_ms : s->o.timeout_ms),
        .wanted = wanted,
    };
    return http_client_send(s->http, a, &q, reply);
}

static void tell(struct stripe *s, const struct exchange *x, const struct http_reply *reply,
                 enum http_end end)
{
    enum log_level level = end == HTTP_ANSWERED && reply->status < 500 && reply->status != 401
                               ? LOG_LEVEL_INFO
                               : LOG_LEVEL_WARN;
    struct str path;

    str_split(x->path, '?', &path);
    LOG_(s->o.log, level, "stripe.call", L_STR("method", str_of(x->method)), L_STR("path", path),
         L_INT("status", reply->status), L_INT("took_us", reply->took_us),
         L_STR("provider_request", reply->headers[REQUEST_ID]), L_STR("why", reply->why));
}

/* Stripe says by a header when it knows; else: conflicts (the first try is still running), limits and its own faults. */
static bool worth_another(const struct http_reply *r)
{
    if (str_is(r->headers[ASKED_AGAIN], "true"))
        return true;
    if (str_is(r->headers[ASKED_AGAIN], "false"))
        return false;
    return r->status == 409 || r->status == 429 || r->status >= 500;
}

/* 0.5 s, 1 s, 2 s ... at most 5 s, of which a random half is taken off; but not less than the server asked for. */
static int64_t pause_ms(struct stripe *s, int attempt, const struct http_reply *r)
{
    int64_t ms = INT64_C(500) << (attempt > 4 ? 4 : attempt), asked = 0;
    uint32_t chance = 0;

    if (ms > 5000)
        ms = 5000;
    s->o.random(&chance, sizeof(chance));
    ms = ms / 2 + (int64_t)(chance % (uint64_t)(ms / 2 + 1));
    if (str_int(r->headers[RETRY_AFTER], &asked) && asked >= 0 && asked <= 60 && asked * 1000 > ms)
        ms = asked * 1000;
    return ms < 250 ? 250 : ms;
}

static void wait_ms(int64_t ms)
{
    struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        ;
}

static bool is_get(const struct exchange *x)
{
    return x->body.p == NULL;
}

/* What one try says of the whole call: a 500 may stand for work done; a 429 is refused before any work. */
static enum ending ending_of(enum http_end end, const struct http_reply *r)
{
    if (end == HTTP_NOT_SENT || (end == HTTP_ANSWERED && r->status == 429))
        return NOT_DONE;
    if (end == HTTP_UNKNOWN || r->status == 409 || r->status >= 500)
        return LOST;
    return ANSWERED;
}

static enum ending send(struct stripe *s, struct arena *a, int64_t until_us, struct exchange *x)
{
    enum ending ending = NOT_DONE;
    const char *why;

    for (int attempt = 0; attempt < s->o.tries; attempt++) {
        struct http_reply reply;
        int64_t left_ms = (until_us - monotonic_us()) / 1000;
        if (left_ms < 100)
            break;
        enum http_end end = send_once(s, a, x, left_ms, &reply);
        tell(s, x, &reply, end);
        enum ending this = ending_of(end, &reply);
        if (this == ANSWERED) {
            x->status = reply.status;
            x->json = json_parse(a, reply.body, &why);
            return ANSWERED;
        }
        /* Once a try may have arrived, no later refusal says that nothing happened. */
        if (this == LOST)
            ending = LOST;
        int64_t pause = pause_ms(s, attempt, &reply);
        if ((end == HTTP_ANSWERED && !worth_another(&reply)) || attempt + 1 == s->o.tries ||
            monotonic_us() + pause * 1000 > until_us)
            break;
        wait_ms(pause);
    }
    return is_get(x) ? NOT_DONE : ending;
}

/* --- What Stripe's objects mean ----------------------------------------------------------------- */

/* An expandable member: an id, or the object. */
static struct str id_of(const struct json *j, const char *name)
{
    struct str id = json_text(j, name);

    return id.p != NULL ? id : json_text(json_get(j, name), "id");
}

static struct str decline_of(const struct json *error)
{
    if (error == NULL || error->kind != J_OBJECT)
        return STR_NONE;
    return stripe_decline_sentence(json_text(error, "decline_code"), json_text(error, "code"));
}

/* Only in the currency of the charge: a fee in another one is no number of ours. */
static int64_t fee_of(const struct json *intent, struct currency currency)
{
    const struct json *t = json_get(json_get(intent, "latest_charge"), "balance_transaction");
    struct str code = json_text(t, "currency");

    if (code.n != 3 || strncasecmp(code.p, currency.code, 3) != 0)
        return -1;
    return json_number(t, "fee", -1);
}

/* A person at Stripe's own page may try card after card: a refusal there ends nothing. */
static bool is_hosted(const struct json *intent)
{
    return str_is(json_text(json_get(intent, "metadata"), "via"), "checkout");
}

static enum pay_state intent_state(const struct json *intent)
{
    struct str status = json_text(intent, "status");
    const struct json *error = json_get(intent, "last_payment_error");

    if (str_is(status, "succeeded"))
        return PAY_SUCCEEDED;
    if (str_is(status, "requires_action"))
        return PAY_ACTION_REQUIRED;
    if (str_is(status, "canceled"))
        return PAY_EXPIRED;
    if (str_is(status, "requires_payment_method") && error != NULL && error->kind == J_OBJECT)
        return is_hosted(intent) ? PAY_PENDING : PAY_DECLINED;
    return PAY_PENDING; /* processing, and whatever Stripe may invent */
}

static void outcome_of_intent(const struct json *j, struct pay_outcome *o)
{
    bool saved = str_is(json_text(j, "setup_future_usage"), "off_session");

    o->state = intent_state(j);
    o->provider_ref = json_text(j, "id");
    o->reference = json_text(json_get(j, "metadata"), "reference");
    o->customer = id_of(j, "customer");
    o->method = saved && o->state == PAY_SUCCEEDED ? id_of(j, "payment_method") : STR_NONE;
    o->amount =
        money_from_wire(json_number(j, o->state == PAY_SUCCEEDED ? "amount_received" : "amount", 0),
                        json_text(j, "currency"));
    o->fee = fee_of(j, o->amount.currency);
    o->decline = decline_of(json_get(j, "last_payment_error"));
    if (o->state == PAY_ACTION_REQUIRED)
        o->url = json_text(json_get(json_get(j, "next_action"), "redirect_to_url"), "url");
    if (o->state == PAY_SUCCEEDED)
        o->decline = STR_NONE;
}

static enum pay_state session_state(const struct json *j, enum pay_state of_intent)
{
    struct str status = json_text(j, "status"), paid = json_text(j, "payment_status");
    const struct json *intent = json_get(j, "payment_intent");

    if (str_is(status, "expired"))
        return PAY_EXPIRED;
    if (!str_is(status, "complete"))
        return PAY_PENDING;
    if (str_is(paid, "paid") || str_is(paid, "no_payment_required"))
        return PAY_SUCCEEDED;
    /* Completed with a slow method, which failed afterwards. */
    if (of_intent == PAY_PENDING && str_is(json_text(intent, "status"), "requires_payment_method"))
        return PAY_DECLINED;
    return PAY_PENDING;
}

static void outcome_of_session(const struct json *j, struct pay_outcome *o)
{
    const struct json *intent = json_get(j, "payment_intent");

    o->fee = -1;
    if (intent != NULL && intent->kind == J_OBJECT)
        outcome_of_intent(intent, o);
    o->state = session_state(j, o->state);
    o->provider_ref = json_text(j, "id");
    o->reference = json_text(j, "client_reference_id");
    o->url = o->state == PAY_PENDING ? json_text(j, "url") : STR_NONE;
    if (id_of(j, "customer").p != NULL)
        o->customer = id_of(j, "customer");
    if (o->state != PAY_SUCCEEDED)
        o->amount = money_from_wire(json_number(j, "amount_total", 0), json_text(j, "currency"));
}

/* --- Errors ------------------------------------------------------------------------------------- */

static enum err refused(struct stripe *s, const struct exchange *x)
{
    const struct json *e = json_get(x->json, "error");
    struct str code = json_text(e, "code");

    log_error(s->o.log, "stripe.refused", L_INT("status", x->status), L_STR("code", code),
              L_STR("param", json_text(e, "param")), L_STR("message", json_text(e, "message")));
    if (x->status == 401 || x->status == 403)
        return E_PROVIDER_UNAVAILABLE; /* the key: the operator's to mend */
    if (x->status == 404)
        return E_NOT_FOUND;
    return str_is(code, "amount_too_small") ? E_BELOW_MINIMUM : E_INTERNAL;
}

/* What we named is not there any more: deleted at Stripe, or a sandbox that was wiped. */
static bool gone(const struct exchange *x, const char *param)
{
    const struct json *e = json_get(x->json, "error");

    return x->status == 400 && str_is(json_text(e, "code"), "resource_missing") &&
           str_is(json_text(e, "param"), param);
}

/* A 402, or a saved card that is gone: an end of this attempt that people must hear of. */
static bool declined(const struct exchange *x, struct pay_outcome *o)
{
    const struct json *e = json_get(x->json, "error");
    bool no_card = gone(x, "payment_method") || gone(x, "customer");

    if (!no_card && !(x->status == 402 && str_is(json_text(e, "type"), "card_error")))
        return false;
    o->state = PAY_DECLINED;
    o->decline = decline_of(e);
    o->provider_ref = json_text(json_get(e, "payment_intent"), "id");
    return true;
}

static int64_t patience(const struct stripe *s)
{
    return monotonic_us() + s->o.patience_ms * INT64_C(1000);
}

/* --- Calls -------------------------------------------------------------------------------------- */

/* Not idempotent by the payment's key but by the payer: several checkouts in a day make one customer. */
static enum err customer_of(struct stripe *s, struct arena *a, int64_t until_us,
                            const struct pay_request *r, struct str *customer)
{
    struct form f = { { .arena = a } };

    if (r->customer.p != NULL) {
        *customer = r->customer;
        return E_OK;
    }
    form_add(&f, "email", r->payer_email);
    form_add(&f, "metadata[payer]", r->payer);
    struct sha256 hash = sha256_of(buf_str(&f.buf));
    struct exchange x = {
        .method = "POST",
        .path = STR("/v1/customers"),
        .body = buf_str(&f.buf),
        .key = str_printf(a, "customer_%.*s", STR_FMT(hex_print(a, hash.b, sizeof(hash.b)))),
    };
    /* A customer without a payment moves nothing: lost is the same as not done. */
    if (send(s, a, until_us, &x) != ANSWERED)
        return E_PROVIDER_UNAVAILABLE;
    if (x.status != 200)
        return refused(s, &x);
    *customer = json_text(x.json, "id");
    return customer->p == NULL ? E_PROVIDER_UNAVAILABLE : E_OK;
}

static struct str session_form(struct arena *a, const struct pay_request *r, struct str customer,
                               struct str statement)
{
    struct form f = { { .arena = a } };

    form_add(&f, "mode", STR("payment"));
    form_add(&f, "customer", customer);
    form_add(&f, "client_reference_id", r->reference);
    form_add(&f, "metadata[reference]", r->reference);
    form_add(&f, "line_items[0][quantity]", STR("1"));
    form_money(&f, "line_items[0][price_data][unit_amount]", "line_items[0][price_data][currency]",
               r->amount);
    form_add(&f, "line_items[0][price_data][product_data][name]", r->description);
    form_add(&f, "payment_intent_data[description]", r->description);
    form_add(&f, "payment_intent_data[metadata][reference]", r->reference);
    form_add(&f, "payment_intent_data[metadata][via]", STR("checkout"));
    if (r->save_method)
        form_add(&f, "payment_intent_data[setup_future_usage]", STR("off_session"));
    form_add(&f, "payment_intent_data[statement_descriptor_suffix]", statement);
    form_add(&f, "success_url", r->success_url);
    form_add(&f, "cancel_url", r->cancel_url);
    return buf_str(&f.buf);
}

static void lost(struct arena *a, const char *what, struct str customer,
                 const struct pay_request *r, struct pay_outcome *o)
{
    o->state = PAY_UNKNOWN;
    o->provider_ref =
        str_printf(a, "find:%s:%.*s:%.*s", what, STR_FMT(customer), STR_FMT(r->reference));
}

static void begin_outcome(const struct pay_request *r, struct pay_outcome *o)
{
    *o = (struct pay_outcome) { .fee = -1, .reference = r->reference, .amount = r->amount };
}

/* A refused creation leaves its key free, so the second try may carry another customer under the same one. */
static enum err session_create(struct stripe *s, struct arena *a, int64_t until_us,
                               const struct pay_request *r, struct str *customer,
                               struct exchange *x, enum ending *ending)
{
    struct pay_request again = *r;

    TRY(customer_of(s, a, until_us, r, customer));
    x->body = session_form(a, r, *customer, s->o.statement);
    *ending = send(s, a, until_us, x);
    if (*ending != ANSWERED || !gone(x, "customer") || r->customer.p == NULL)
        return E_OK;
    again.customer = STR_NONE;
    TRY(customer_of(s, a, until_us, &again, customer));
    x->body = session_form(a, r, *customer, s->o.statement);
    *ending = send(s, a, until_us, x);
    return E_OK;
}

static enum err stripe_checkout(struct pay *p, struct arena *a, const struct pay_request *r,
                                struct pay_outcome *result)
{
    struct stripe *s = (struct stripe *)p;
    int64_t until_us = patience(s);
    struct exchange x = { .method = "POST", .path = STR("/v1/checkout/sessions"), .key = r->key };
    struct pay_outcome o;
    struct str customer;
    enum ending ending;

    begin_outcome(r, &o);
    TRY(session_create(s, a, until_us, r, &customer, &x, &ending));
    if (ending == NOT_DONE)
        return E_PROVIDER_UNAVAILABLE;
    if (ending == ANSWERED && x.status != 200)
        return refused(s, &x);
    if (ending == ANSWERED && json_text(x.json, "id").p != NULL)
        outcome_of_session(x.json, &o);
    else
        lost(a, "session", customer, r, &o);
    o.customer = customer;
    *result = o;
    return E_OK;
}

static struct str charge_form(struct arena *a, const struct pay_request *r, struct str statement)
{
    struct form f = { { .arena = a } };

    form_money(&f, "amount", "currency", r->amount);
    form_add(&f, "customer", r->customer);
    form_add(&f, "payment_method", r->method);
    form_add(&f, "off_session", STR("true"));
    form_add(&f, "confirm", STR("true"));
    form_add(&f, "description", r->description);
    form_add(&f, "metadata[reference]", r->reference);
    form_add(&f, "statement_descriptor_suffix", statement);
    form_add(&f, "expand[0]", STR("latest_charge.balance_transaction"));
    return buf_str(&f.buf);
}

static enum err stripe_charge(struct pay *p, struct arena *a, const struct pay_request *r,
                              struct pay_outcome *result)
{
    struct stripe *s = (struct stripe *)p;
    struct pay_outcome o;
    struct exchange x = { .method = "POST",
                          .path = STR("/v1/payment_intents"),
                          .body = charge_form(a, r, s->o.statement),
                          .key = r->key };

    must(r->customer.p != NULL && r->method.p != NULL);
    begin_outcome(r, &o);
    enum ending ending = send(s, a, patience(s), &x);
    if (ending == NOT_DONE)
        return E_PROVIDER_UNAVAILABLE;
    if (ending == LOST || x.json == NULL)
        lost(a, "payment", r->customer, r, &o);
    else if (x.status == 200)
        outcome_of_intent(x.json, &o);
    else if (!declined(&x, &o))
        return refused(s, &x);
    o.customer = r->customer;
    o.method = r->method;
    *result = o;
    return E_OK;
}

/* --- Query -------------------------------------------------------------------------------------- */

static enum err get(struct stripe *s, struct arena *a, struct str path, const struct json **result)
{
    struct exchange x = { .method = "GET", .path = path };

    if (send(s, a, patience(s), &x) != ANSWERED)
        return E_PROVIDER_UNAVAILABLE;
    if (x.status != 200)
        return refused(s, &x);
    if (x.json == NULL)
        return E_PROVIDER_UNAVAILABLE;
    *result = x.json;
    return E_OK;
}

/* Lists are exact and at once up to date, which Stripe's search is not. What was made a moment ago stands first. */
static enum err find(struct stripe *s, struct arena *a, struct str what, struct pay_outcome *o)
{
    struct str kind, customer, reference = str_split(str_split(what, ':', &kind), ':', &customer);
    bool session = str_is(kind, "session");
    const struct json *j;

    if (reference.p == NULL || (!session && !str_is(kind, "payment")))
        return E_INVALID;
    struct str path = str_printf(
        a, "/v1/%s?customer=%.*s&limit=%d&expand[0]=data.%slatest_charge.balance_transaction",
        session ? "checkout/sessions" : "payment_intents", STR_FMT(url_encode(a, customer)),
        LOOKUP_MAX, session ? "payment_intent." : "");
    TRY(get(s, a, path, &j));
    const struct json *data = json_get(j, "data");
    for (size_t i = 0; data != NULL && data->kind == J_LIST && i < data->n; i++) {
        const struct json *at = &data->items[i];
        if (!str_eq(json_text(json_get(at, "metadata"), "reference"), reference))
            continue;
        (session ? outcome_of_session : outcome_of_intent)(at, o);
        return E_OK;
    }
    return E_NOT_FOUND;
}

static enum err stripe_query(struct pay *p, struct arena *a, struct str ref,
                             struct pay_outcome *result)
{
    struct stripe *s = (struct stripe *)p;
    struct pay_outcome o = { .fee = -1 };
    bool session = str_starts(ref, "cs_");
    const struct json *j;

    if (str_starts(ref, "find:")) {
        TRY(find(s, a, str_cut(ref, 5, ref.n), &o));
        *result = o;
        return E_OK;
    }
    if (!session && !str_starts(ref, "pi_"))
        return E_INVALID;
    TRY(get(s, a,
            str_printf(a, "/v1/%s/%.*s?expand[0]=%slatest_charge.balance_transaction",
                       session ? "checkout/sessions" : "payment_intents",
                       STR_FMT(url_encode(a, ref)), session ? "payment_intent." : ""),
            &j));
    (session ? outcome_of_session : outcome_of_intent)(j, &o);
    *result = o;
    return E_OK;
}

/* --- Notifications ------------------------------------------------------------------------------ */

struct signature {
    int64_t at;
    size_t n;
    struct str v1[SIGNATURES_MAX];
};

/* "t=1700000000,v1=5257…,v1=…,v0=…": other schemes are passed over; t twice is nobody's honest work. */
static bool signature_parse(struct str header, struct signature *result)
{
    struct signature g = { .at = -1 };
    struct str part, name;

    if (header.n > 1024)
        return false;
    while (header.p != NULL) {
        header = str_split(header, ',', &part);
        struct str value = str_split(str_trim(part), '=', &name);
        if (str_is(name, "t") && (g.at >= 0 || !str_int(value, &g.at) || g.at < 0))
            return false;
        if (str_is(name, "v1") && g.n < SIGNATURES_MAX)
            g.v1[g.n++] = value;
    }
    *result = g;
    return g.at >= 0 && g.n > 0;
}

static bool signature_fits(const struct stripe *s, struct arena *a, const struct signature *g,
                           struct str body)
{
    struct buf b = { .arena = a };
    bool fits = false;

    buf_int(&b, g->at);
    buf_char(&b, '.');
    buf_add(&b, body);
    for (size_t i = 0; i < s->secrets_n; i++) {
        struct sha256 want = hmac_sha256(s->secrets[i], buf_str(&b));
        struct str hex = hex_print(a, want.b, sizeof(want.b));
        for (size_t k = 0; k < g->n; k++)
            if (g->v1[k].n == hex.n && bytes_equal(g->v1[k].p, hex.p, hex.n))
                fits = true;
    }
    return fits;
}

/* None: an event that is not about a payment of ours. */
static struct str subject_of(const struct json *event)
{
    const struct json *object = json_get(json_get(event, "data"), "object");
    struct str type = json_text(event, "type");

    if (json_text(json_get(object, "metadata"), "reference").p == NULL)
        return STR_NONE;
    if (str_starts(type, "checkout.session.") || str_starts(type, "payment_intent."))
        return json_text(object, "id");
    if (str_starts(type, "charge.") && str_is(json_text(object, "object"), "charge"))
        return id_of(object, "payment_intent");
    return STR_NONE;
}

static enum err stripe_verify(struct pay *p, struct arena *a, struct str body, struct str signature,
                              struct when now, struct str *event, struct str *provider_ref)
{
    struct stripe *s = (struct stripe *)p;
    struct signature g;
    const char *why;

    /* The SDK takes signatures from the future; a clock may be off by as much either way, not more. */
    if (!signature_parse(signature, &g) || g.at > now.us / SECOND + TOLERANCE_S ||
        g.at < now.us / SECOND - TOLERANCE_S || !signature_fits(s, a, &g, body))
        return E_BAD_SIGNATURE;
    const struct json *j = json_parse(a, body, &why);
    struct str id = json_text(j, "id");
    if (id.p == NULL)
        return E_BAD_JSON;
    *event = id;
    *provider_ref = subject_of(j);
    return E_OK;
}

/* --- Opening and closing ------------------------------------------------------------------------ */

static void stripe_close(struct pay *p)
{
    struct stripe *s = (struct stripe *)p;
    struct arena arena = s->arena;

    http_client_close(s->http);
    free(s);
    arena_done(&arena);
}

static const struct pay_ops stripe_ops = {
    .name = "stripe",
    .capabilities = PAY_CAN_HOSTED | PAY_CAN_OFF_SESSION,
    .checkout = stripe_checkout,
    .charge = stripe_charge,
    .query = stripe_query,
    .verify = stripe_verify,
    .close = stripe_close,
};

/* A blank secret would make every forgery fit: it is no secret at all. */
static void secrets_set(struct stripe *s, struct str list)
{
    struct str one;

    while (list.p != NULL) {
        list = str_split(list, ',', &one);
        one = str_trim(one);
        if (one.n > 0 && s->secrets_n < SECRETS_MAX)
            s->secrets[s->secrets_n++] = str_copy(&s->arena, one);
    }
}

/* Stripe takes at most 22 characters, and none of these. */
static struct str statement_of(struct arena *a, struct str text)
{
    struct buf b = { .arena = a };

    text = str_trim(text);
    for (size_t i = 0; i < text.n && b.n < 22; i++)
        if (text.p[i] >= ' ' && text.p[i] <= '~' && strchr("<>\\'\"*", text.p[i]) == NULL)
            buf_char(&b, text.p[i]);
    return b.n == 0 ? STR_NONE : buf_str(&b);
}

struct pay *stripe_open(const struct stripe_options *o)
{
    struct stripe *s = calloc(1, sizeof(*s));

    must(s != NULL && o->random != NULL);
    s->pay.ops = &stripe_ops;
    s->o = *o;
    s->o.url = str_copy(&s->arena, o->url);
    s->o.statement = statement_of(&s->arena, o->statement);
    s->o.tries = o->tries > 0 ? o->tries : TRIES;
    s->o.timeout_ms = o->timeout_ms > 0 ? o->timeout_ms : TIMEOUT_MS;
    s->o.patience_ms = o->patience_ms > 0 ? o->patience_ms : PATIENCE_MS;
    s->authorization =
        str_printf(&s->arena, "Authorization: Bearer %.*s", STR_FMT(str_trim(o->key)));
    secrets_set(s, o->webhook_secrets);
    s->http = http_client_open();
    must(s->http != NULL);
    return &s->pay;
}
