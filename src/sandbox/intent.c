/* intent.c -- payment intents: what is to be paid, and how far it got.
 *
 *   requires_payment_method -> requires_confirmation -> requires_action -> requires_capture -> succeeded
 *          ^------------ every refusal leads back here;  canceled from anywhere before succeeded */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/objects.h"

#include <inttypes.h>

static const struct field intent_fields[] = {
    COL(intent, id),
    COL(intent, currency),
    COL(intent, status),
    COL(intent, capture_method),
    COL(intent, customer),
    COL(intent, method),
    COL(intent, setup_future_usage),
    COL(intent, description),
    COL(intent, receipt_email),
    COL(intent, statement_descriptor),
    COL(intent, statement_descriptor_suffix),
    COL(intent, transfer_group),
    COL(intent, return_url),
    COL(intent, client_secret),
    COL(intent, latest_charge),
    COL(intent, error),
    COL(intent, session),
    COL(intent, cancellation_reason),
    COL(intent, metadata),
    NUM(intent, amount),
    NUM(intent, amount_capturable),
    NUM(intent, amount_received),
    AT(intent, canceled),
    AT(intent, created),
};
STATIC_SHAPE(intent);

static enum err row(struct call *c, struct str id, struct intent *result)
{
    return db_one(c, intent, result,
                  "SELECT id, currency, status, capture_method, customer, method,"
                  " setup_future_usage, description, receipt_email, statement_descriptor,"
                  " statement_descriptor_suffix, transfer_group, return_url, client_secret,"
                  " latest_charge, error, session, cancellation_reason, metadata, amount,"
                  " amount_capturable, amount_received, canceled, created"
                  " FROM sandbox_intent WHERE id = $1",
                  id);
}

enum err intent_load(struct call *c, struct str id, const char *param, struct intent *result)
{
    enum err e = row(c, id, result);

    return or_missing(c, e, "payment_intent", param, id);
}

enum err intent_insert(struct call *c, struct intent *t)
{
    t->id = api_id(c, "pi");
    t->client_secret = api_secret(c, t->id);
    t->status = t->method.p == NULL ? STR("requires_payment_method") : STR("requires_confirmation");
    TRY(customer_now(c, t->customer, &t->created));
    TRY(db_run(c,
               "INSERT INTO sandbox_intent (id, amount, currency, status, amount_capturable,"
               " amount_received, capture_method, customer, method, setup_future_usage,"
               " statement_descriptor, statement_descriptor_suffix, transfer_group, client_secret,"
               " session, metadata, created)"
               " VALUES ($1, $2, $3, $4, 0, 0, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
               t->id, t->amount, t->currency, t->status, t->capture_method, t->customer, t->method,
               t->setup_future_usage, t->statement_descriptor, t->statement_descriptor_suffix,
               t->transfer_group, t->client_secret, t->session, t->metadata, t->created));
    TRY(db_run(c,
               "UPDATE sandbox_intent SET description = $2, receipt_email = $3, return_url = $4"
               " WHERE id = $1",
               t->id, t->description, t->receipt_email, t->return_url));
    return event_emit(c, "payment_intent.created", intent_render, t->id);
}

/* Everything that can change. */
static enum err save(struct call *c, const struct intent *t)
{
    return db_hit(c,
                  "UPDATE sandbox_intent SET status = $2, amount = $3, amount_capturable = $4,"
                  " amount_received = $5, customer = $6, method = $7, setup_future_usage = $8,"
                  " description = $9, receipt_email = $10, return_url = $11, latest_charge = $12,"
                  " error = $13, canceled = $14, cancellation_reason = $15, metadata = $16"
                  " WHERE id = $1",
                  t->id, t->status, t->amount, t->amount_capturable, t->amount_received,
                  t->customer, t->method, t->setup_future_usage, t->description, t->receipt_email,
                  t->return_url, t->latest_charge, t->error, t->canceled, t->cancellation_reason,
                  t->metadata);
}

static enum err save_and_tell(struct call *c, const struct intent *t, const char *event)
{
    TRY(save(c, t));
    return event_emit(c, event, intent_render, t->id);
}

/* --- paying -------------------------------------------------------------------------------------- */

struct api_error card_error(const char *code, const char *decline_code, const char *message)
{
    return (struct api_error) {
        .status = 402,
        .type = "card_error",
        .code = code,
        .decline_code = str_of(decline_code),
        .message = str_of(message),
    };
}

struct str error_object(struct call *c, const struct api_error *e, struct str method)
{
    struct buf b = { .arena = c->arena };
    struct json_out o = { .buf = &b };

    json_open(&o, '{');
    json_str(&o, "type", str_of(e->type));
    json_str(&o, "code", str_of(e->code));
    if (e->decline_code.p != NULL)
        json_str(&o, "decline_code", e->decline_code);
    if (e->charge.p != NULL)
        json_str(&o, "charge", e->charge);
    json_str(&o, "message", e->message);
    if (method.p != NULL) {
        json_name(&o, STR("payment_method"));
        json_put_raw(&o, method);
    }
    json_close(&o, '}');
    return buf_str(&b);
}

/* The card said no. The intent forgets the card and may be tried again with another. */
static enum err declined(struct call *c, struct intent *t, struct api_error *refusal, bool charged)
{
    struct str method;

    TRY(object_text(c, method_render, t->method, &method));
    if (charged) {
        TRY(charge_make(c, t, refusal, false, false));
        refusal->charge = t->latest_charge;
    }
    t->status = STR("requires_payment_method");
    t->error = error_object(c, refusal, method);
    t->method = STR_NONE;
    TRY(save_and_tell(c, t, "payment_intent.payment_failed"));
    refusal->object_name = "payment_intent";
    return object_text(c, intent_render, t->id, &refusal->object);
}

static enum err wants_action(struct call *c, struct intent *t)
{
    t->status = STR("requires_action");
    t->error = STR_NONE;
    return save_and_tell(c, t, "payment_intent.requires_action");
}

static enum err paid(struct call *c, struct intent *t, struct pay_method *m, bool confirmed)
{
    bool capture = !str_is(t->capture_method, "manual");
    bool off_session = str_is(t->setup_future_usage, "off_session");

    TRY(charge_make(c, t, NULL, confirmed, capture));
    t->status = capture ? STR("succeeded") : STR("requires_capture");
    t->amount_received = capture ? t->amount : 0;
    t->amount_capturable = capture ? 0 : t->amount;
    t->error = STR_NONE;
    if (t->setup_future_usage.p != NULL && t->customer.p != NULL)
        TRY(method_keep(c, m, t->customer, off_session));
    return save_and_tell(
        c, t, capture ? "payment_intent.succeeded" : "payment_intent.amount_capturable_updated");
}

static bool asks(const struct card *k, const struct pay_method *m, const struct confirmation *how)
{
    if (how->confirmed)
        return false;
    return k->does == CARD_ASKS_ALWAYS ||
           (k->does == CARD_ASKS_ONCE && !(how->off_session && m->set_up));
}

enum err intent_try(struct call *c, struct intent *t, const struct confirmation *how,
                    struct api_error *refusal)
{
    struct pay_method m;

    *refusal = (struct api_error) { 0 };
    TRY(method_load(c, t->method, &m));
    t->method = m.id;
    const struct card *k = method_card(&m);
    if (asks(k, &m, how) && !how->off_session && !how->refuse_action)
        return wants_action(c, t);
    if (asks(k, &m, how)) {
        *refusal = card_error("authentication_required", "authentication_required",
                              "Your card was declined. This transaction requires authentication.");
        return declined(c, t, refusal, true);
    }
    if (k->does == CARD_DECLINES || k->does == CARD_DECLINES_LATER) {
        *refusal = card_error(k->code, k->decline_code, k->message);
        return declined(c, t, refusal, true);
    }
    return paid(c, t, &m, how->confirmed);
}

enum err intent_fail(struct call *c, struct intent *t, struct api_error *refusal)
{
    *refusal = card_error("payment_intent_authentication_failure", NULL,
                          "The provided PaymentMethod has failed authentication. You can provide "
                          "payment_method_data or a new PaymentMethod to attempt to fulfill this "
                          "PaymentIntent again.");
    return declined(c, t, refusal, false);
}

enum err intent_end(struct call *c, struct intent *t, struct str reason)
{
    t->status = STR("canceled");
    t->canceled = c->now;
    t->cancellation_reason = reason;
    t->amount_capturable = 0;
    return save_and_tell(c, t, "payment_intent.canceled");
}

/* --- rendering ----------------------------------------------------------------------------------- */

static void render_nulls(struct render *r)
{
    static const char *const nulls[] = {
        "allowed_payment_method_types",
        "application",
        "application_fee_amount",
        "customer_account",
        "excluded_payment_method_types",
        "managed_payments",
        "on_behalf_of",
        "payment_method_configuration_details",
        "payment_record",
        "processing",
        "review",
        "shipping",
        "source",
        "transfer_data",
    };

    for (size_t i = 0; i < COUNT(nulls); i++)
        render_null(r, nulls[i]);
    json_bool(&r->o, "livemode", false);
    json_str(&r->o, "confirmation_method", STR("automatic"));
    render_raw(r, "payment_method_types", STR("[\"card\"]"));
    render_raw(r, "payment_method_options",
               STR("{\"card\":{\"installments\":null,\"mandate_options\":null,\"network\":null,"
                   "\"request_three_d_secure\":\"automatic\"}}"));
    render_raw(r, "automatic_payment_methods",
               STR("{\"allow_redirects\":\"always\",\"enabled\":true}"));
}

static void render_next_action(struct render *r, const struct intent *t)
{
    if (!str_is(t->status, "requires_action")) {
        render_null(r, "next_action");
        return;
    }
    json_name(&r->o, STR("next_action"));
    json_open(&r->o, '{');
    json_str(&r->o, "type", STR("redirect_to_url"));
    json_name(&r->o, STR("redirect_to_url"));
    json_open(&r->o, '{');
    json_str(&r->o, "return_url", t->return_url);
    json_str(&r->o, "url",
             str_printf(r->c->arena, "%.*s/c/authenticate/%.*s", STR_FMT(r->c->env->public_url),
                        STR_FMT(t->id)));
    json_close(&r->o, '}');
    json_close(&r->o, '}');
}

static void render_amounts(struct render *r, const struct intent *t)
{
    json_int(&r->o, "amount", t->amount);
    json_int(&r->o, "amount_capturable", t->amount_capturable);
    json_int(&r->o, "amount_received", t->amount_received);
    render_currency(r, "currency", t->currency);
    json_str(&r->o, "capture_method", t->capture_method);
}

enum err intent_render(struct render *r, struct str id)
{
    struct intent t;

    TRY(row(r->c, id, &t));
    json_open(&r->o, '{');
    json_str(&r->o, "id", t.id);
    json_str(&r->o, "object", STR("payment_intent"));
    render_amounts(r, &t);
    render_when(r, "canceled_at", t.canceled);
    json_str(&r->o, "cancellation_reason", t.cancellation_reason);
    json_str(&r->o, "client_secret", t.client_secret);
    render_when(r, "created", t.created);
    TRY(render_ref(r, "customer", t.customer, customer_render));
    json_str(&r->o, "description", t.description);
    render_raw(r, "last_payment_error", t.error);
    TRY(render_ref(r, "latest_charge", t.latest_charge, charge_render));
    render_raw(r, "metadata", t.metadata);
    render_next_action(r, &t);
    TRY(render_ref(r, "payment_method", t.method, method_render));
    json_str(&r->o, "receipt_email", t.receipt_email);
    json_str(&r->o, "setup_future_usage", t.setup_future_usage);
    json_str(&r->o, "statement_descriptor", t.statement_descriptor);
    json_str(&r->o, "statement_descriptor_suffix", t.statement_descriptor_suffix);
    json_str(&r->o, "status", t.status);
    json_str(&r->o, "transfer_group", t.transfer_group);
    render_nulls(r);
    json_close(&r->o, '}');
    return E_OK;
}

/* --- the API ------------------------------------------------------------------------------------- */

static const char *const usages[] = { "off_session", "on_session", NULL };
static const char *const captures[] = { "automatic", "automatic_async", "manual", NULL };

#define CONFIRM_PARAMS                                                                             \
    { .path = "payment_method", .kind = P_TEXT },                                                  \
        { .path = "off_session", .kind = P_TEXT, .max = 10 },                                      \
        { .path = "error_on_requires_action", .kind = P_BOOL },                                    \
        { .path = "return_url", .kind = P_TEXT }, { .path = "use_stripe_sdk", .kind = P_BOOL },    \
        { .path = "receipt_email", .kind = P_TEXT, .empty = true },                                \
        { .path = "setup_future_usage", .kind = P_ENUM, .names = usages, .empty = true },          \
        { .path = "mandate_data.customer_acceptance.type", .kind = P_TEXT },                       \
    {                                                                                              \
        .path = "payment_method_options.card.request_three_d_secure", .kind = P_TEXT               \
    }

TAKES(intent_create, CONFIRM_PARAMS,
      { .path = "amount", .kind = P_INT, .min = 1, .max = 99999999, .required = true },
      { .path = "currency", .kind = P_TEXT, .max = 3, .required = true },
      { .path = "customer", .kind = P_TEXT }, { .path = "confirm", .kind = P_BOOL },
      { .path = "capture_method", .kind = P_ENUM, .names = captures },
      { .path = "confirmation_method", .kind = P_TEXT }, { .path = "description", .kind = P_TEXT },
      { .path = "metadata", .kind = P_MAP },
      { .path = "statement_descriptor", .kind = P_TEXT, .max = 22 },
      { .path = "statement_descriptor_suffix", .kind = P_TEXT, .max = 22 },
      { .path = "transfer_group", .kind = P_TEXT },
      { .path = "automatic_payment_methods.enabled", .kind = P_BOOL },
      { .path = "automatic_payment_methods.allow_redirects", .kind = P_TEXT },
      { .path = "allowed_payment_method_types", .kind = P_TEXTS });

enum err intent_money(struct call *c, struct str currency, int64_t amount, const char *param,
                      struct str *code)
{
    struct str lower = str_lower(c->arena, currency);
    char upper[4] = "";
    struct currency known;

    for (size_t i = 0; i < 3 && i < lower.n; i++)
        upper[i] = (char)(lower.p[i] >= 'a' && lower.p[i] <= 'z' ? lower.p[i] - 32 : lower.p[i]);
    if (lower.n != 3 || !currency_parse(str_of(upper), &known))
        return refuse(c, "invalid_currency", "currency", "Invalid currency: %.*s.",
                      STR_FMT(currency));
    const struct currency_facts *facts = currency_facts(known);
    if (amount < facts->minimum)
        return refuse(c, "amount_too_small", param, "Amount must be at least %s.",
                      money_print(c->arena, (struct money) { facts->minimum, known }).p);
    if (amount > MONEY_MAX)
        return refuse(c, "amount_too_large", param, "Amount must be no more than %" PRId64 ".",
                      MONEY_MAX);
    if (amount % facts->step != 0)
        return refuse(c, "parameter_invalid_integer", param,
                      "The amount must be a multiple of %" PRId64 " in this currency.",
                      facts->step);
    *code = str_copy(c->arena, str_of(upper));
    return E_OK;
}

static bool is_off_session(const struct call *c)
{
    struct str text = in_text(c, "off_session");

    return text.p != NULL && !str_is(text, "false");
}

/* The card of another customer is not this customer's to pay with. */
static enum err take_method(struct call *c, struct intent *t)
{
    struct pay_method m;

    if (!in_given(c, "payment_method"))
        return E_OK;
    TRY(method_load(c, in_text(c, "payment_method"), &m));
    if (m.customer.p != NULL && !str_eq(m.customer, t->customer))
        return refuse(c, "payment_method_customer_mismatch", "payment_method",
                      "The payment method supplied (%.*s) belongs to another customer than the "
                      "payment. Please include that customer in the `customer` parameter.",
                      STR_FMT(m.id));
    t->method = m.id;
    return E_OK;
}

static void take_confirmation(const struct call *c, struct intent *t)
{
    if (in_text(c, "setup_future_usage").n > 0)
        t->setup_future_usage = in_text(c, "setup_future_usage");
    if (in_text(c, "receipt_email").n > 0)
        t->receipt_email = in_text(c, "receipt_email");
    if (in_given(c, "return_url"))
        t->return_url = in_text(c, "return_url");
}

static enum err confirm(struct call *c, struct intent *t)
{
    struct confirmation how = {
        .off_session = is_off_session(c),
        .refuse_action = in_bool(c, "error_on_requires_action", false),
    };
    struct api_error refusal;

    if (t->method.p == NULL)
        return refuse(c, "payment_intent_unexpected_state", "payment_method",
                      "You cannot confirm this PaymentIntent because it's missing a payment "
                      "method.");
    TRY(intent_try(c, t, &how, &refusal));
    return refusal.status != 0 ? card_refused(c, &refusal)
                               : api_reply_object(c, intent_render, t->id);
}

enum err intent_create(struct call *c)
{
    struct intent t = {
        .amount = in_int(c, "amount", 0),
        .customer = in_text(c, "customer"),
        .description = in_text(c, "description"),
        .statement_descriptor = in_text(c, "statement_descriptor"),
        .statement_descriptor_suffix = in_text(c, "statement_descriptor_suffix"),
        .transfer_group = in_text(c, "transfer_group"),
        .capture_method =
            in_given(c, "capture_method") ? in_text(c, "capture_method") : STR("automatic"),
    };
    struct customer k;
    bool now = in_bool(c, "confirm", false);

    TRY(intent_money(c, in_text(c, "currency"), t.amount, "amount", &t.currency));
    if (t.customer.p != NULL)
        TRY(customer_load(c, t.customer, "customer", &k));
    if (is_off_session(c) && !now)
        return refuse(c, NULL, "off_session",
                      "You can only set `off_session` when `confirm` is true.");
    take_confirmation(c, &t);
    TRY(take_method(c, &t));
    TRY(in_metadata(c, "metadata", STR_NONE, &t.metadata));
    TRY(intent_insert(c, &t));
    return now ? confirm(c, &t) : api_reply_object(c, intent_render, t.id);
}

TAKES(intent_get, { .path = "client_secret", .kind = P_TEXT });

enum err intent_get(struct call *c)
{
    struct intent t;

    TRY(intent_load(c, api_of(c)->id, NULL, &t));
    return api_reply_object(c, intent_render, t.id);
}

/* What a state forbids is told together with the intent. */
static enum err wrong_state(struct call *c, const struct intent *t, const char *what)
{
    struct api_error e = {
        .status = 400,
        .type = "invalid_request_error",
        .code = "payment_intent_unexpected_state",
        .message = str_printf(c->arena,
                              "You cannot %s this PaymentIntent because it has a status of %.*s.",
                              what, STR_FMT(t->status)),
        .object_name = "payment_intent",
    };

    TRY(object_text(c, intent_render, t->id, &e.object));
    return refuse_with(c, &e);
}

static bool is_open(const struct intent *t)
{
    return str_is(t->status, "requires_payment_method") ||
           str_is(t->status, "requires_confirmation") || str_is(t->status, "requires_action");
}

TAKES(intent_update, { .path = "amount", .kind = P_INT, .min = 1, .max = 99999999 },
      { .path = "currency", .kind = P_TEXT, .max = 3 }, { .path = "customer", .kind = P_TEXT },
      { .path = "description", .kind = P_TEXT, .empty = true },
      { .path = "metadata", .kind = P_MAP, .empty = true },
      { .path = "payment_method", .kind = P_TEXT },
      { .path = "receipt_email", .kind = P_TEXT, .empty = true },
      { .path = "setup_future_usage", .kind = P_ENUM, .names = usages, .empty = true });

enum err intent_update(struct call *c)
{
    struct customer k;
    struct intent t;
    struct str currency;

    TRY(intent_load(c, api_of(c)->id, NULL, &t));
    bool money = in_given(c, "amount") || in_given(c, "currency") || in_given(c, "payment_method");
    if (money && !is_open(&t))
        return wrong_state(c, &t, "update");
    t.amount = in_int(c, "amount", t.amount);
    currency = in_given(c, "currency") ? in_text(c, "currency") : t.currency;
    TRY(intent_money(c, currency, t.amount, "amount", &currency));
    if (!str_eq(currency, t.currency))
        return refuse(c, NULL, "currency", "The sandbox does not change an intent's currency.");
    if (in_given(c, "customer")) {
        t.customer = in_text(c, "customer");
        TRY(customer_load(c, t.customer, "customer", &k));
    }
    if (in_given(c, "description"))
        t.description = in_text(c, "description");
    take_confirmation(c, &t);
    TRY(take_method(c, &t));
    if (t.method.p != NULL && str_is(t.status, "requires_payment_method"))
        t.status = STR("requires_confirmation");
    TRY(in_metadata(c, "metadata", t.metadata, &t.metadata));
    TRY(save(c, &t));
    return api_reply_object(c, intent_render, t.id);
}

TAKES(intent_confirm, CONFIRM_PARAMS);

enum err intent_confirm(struct call *c)
{
    struct intent t;

    TRY(intent_load(c, api_of(c)->id, NULL, &t));
    if (!is_open(&t))
        return wrong_state(c, &t, "confirm");
    take_confirmation(c, &t);
    TRY(take_method(c, &t));
    return confirm(c, &t);
}

TAKES(intent_cancel, { .path = "cancellation_reason", .kind = P_TEXT, .max = 40 });

enum err intent_cancel(struct call *c)
{
    struct intent t;

    TRY(intent_load(c, api_of(c)->id, NULL, &t));
    if (!is_open(&t) && !str_is(t.status, "requires_capture"))
        return wrong_state(c, &t, "cancel");
    TRY(intent_end(c, &t, in_text(c, "cancellation_reason")));
    return api_reply_object(c, intent_render, t.id);
}

TAKES(intent_capture, { .path = "amount_to_capture", .kind = P_INT, .min = 1 },
      { .path = "metadata", .kind = P_MAP, .empty = true });

enum err intent_capture(struct call *c)
{
    struct intent t;

    TRY(intent_load(c, api_of(c)->id, NULL, &t));
    if (!str_is(t.status, "requires_capture"))
        return wrong_state(c, &t, "capture");
    int64_t amount = in_int(c, "amount_to_capture", t.amount_capturable);
    if (amount > t.amount_capturable)
        return refuse(c, "amount_too_large", "amount_to_capture",
                      "The amount to capture is more than what was authorised.");
    TRY(in_metadata(c, "metadata", t.metadata, &t.metadata));
    TRY(charge_take(c, t.latest_charge, amount));
    t.status = STR("succeeded");
    t.amount_received = amount;
    t.amount_capturable = 0;
    TRY(save_and_tell(c, &t, "payment_intent.succeeded"));
    return api_reply_object(c, intent_render, t.id);
}

TAKES(intent_list, LIST_PARAMS, CREATED_PARAMS, { .path = "customer", .kind = P_TEXT });

enum err intent_list(struct call *c)
{
    struct str customer = in_text(c, "customer");
    struct range r = in_range(c);
    struct row_ids rows;

    if (customer.p != NULL)
        TRY(db_list(c, row_id, &rows,
                    "SELECT id FROM sandbox_intent WHERE customer = $1 AND id < $2"
                    " AND created >= $3 AND created <= $4 ORDER BY id DESC LIMIT $5",
                    customer, r.after, r.from, r.to, r.limit));
    else
        TRY(db_list(c, row_id, &rows,
                    "SELECT id FROM sandbox_intent WHERE id < $1"
                    " AND created >= $2 AND created <= $3 ORDER BY id DESC LIMIT $4",
                    r.after, r.from, r.to, r.limit));
    return api_reply_rows(c, intent_render, &rows, &r);
}
