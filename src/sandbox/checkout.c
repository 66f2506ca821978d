/* checkout.c -- checkout sessions: a hosted page (page.c) that ends in a payment or a saved card.
 *
 *   open -> complete (paid, or nothing to pay)     open -> expired (asked for, or its time is over)
 *
 * The payment intent is made when the payer first presses the button, as Stripe does since 2022. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/objects.h"
#include "core/jobs.h"
#include "sandbox/form.h"

#include <inttypes.h>

enum { ITEMS_MAX = 100, QUANTITY_MAX = 999999 };

static const struct field session_fields[] = {
    COL(session, id),
    COL(session, mode),
    COL(session, status),
    COL(session, payment_status),
    COL(session, currency),
    COL(session, customer),
    COL(session, customer_creation),
    COL(session, customer_email),
    COL(session, client_reference_id),
    COL(session, success_url),
    COL(session, cancel_url),
    COL(session, submit_type),
    COL(session, intent),
    COL(session, setup),
    COL(session, intent_capture),
    COL(session, intent_usage),
    COL(session, intent_description),
    COL(session, intent_metadata),
    COL(session, payer_name),
    COL(session, payer_email),
    COL(session, test_clock),
    COL(session, metadata),
    NUM(session, amount),
    AT(session, expires),
    AT(session, created),
};
STATIC_SHAPE(session);

static const struct field session_ref_fields[] = {
    TEXT(session_ref, session, "Session", .max = 64),
};
SHAPE(session_ref);

static const struct field item_fields[] = {
    COL(item, id),          COL(item, price),    COL(item, product),  COL(item, name),
    COL(item, description), COL(item, currency), NUM(item, quantity), NUM(item, unit_amount),
};
STATIC_SHAPE(item);

enum err session_load(struct call *c, struct str id, struct session *result)
{
    return db_one(c, session, result,
                  "SELECT id, mode, status, payment_status, currency, customer, customer_creation,"
                  " customer_email, client_reference_id, success_url, cancel_url, submit_type,"
                  " intent, setup, intent_capture, intent_usage, intent_description,"
                  " intent_metadata, payer_name, payer_email, test_clock, metadata, amount,"
                  " expires, created FROM sandbox_session WHERE id = $1",
                  id);
}

enum err session_items(struct call *c, struct str session, struct items *result)
{
    return db_list(c, item, result,
                   "SELECT id, price, product, name, description, currency, quantity, unit_amount"
                   " FROM sandbox_item WHERE session = $1 ORDER BY place",
                   session);
}

/* --- its ends ------------------------------------------------------------------------------------ */

enum err session_complete(struct call *c, struct session *s)
{
    struct intent t = { 0 };

    s->status = STR("complete");
    s->payment_status = STR("no_payment_required");
    if (str_is(s->mode, "payment")) {
        TRY(intent_load(c, s->intent, "id", &t));
        s->payment_status = str_is(t.status, "succeeded") ? STR("paid") : STR("unpaid");
    }
    TRY(db_hit(c,
               "UPDATE sandbox_session SET status = $2, payment_status = $3"
               " WHERE id = $1 AND status = 'open'",
               s->id, s->status, s->payment_status));
    return event_emit(c, "checkout.session.completed", session_render, s->id);
}

static enum err expire(struct call *c, const struct session *s)
{
    struct intent t;

    if (s->intent.p != NULL) {
        TRY(intent_load(c, s->intent, "id", &t));
        if (!str_is(t.status, "succeeded") && !str_is(t.status, "canceled"))
            TRY(intent_end(c, &t, STR("automatic")));
    }
    TRY(db_hit(c, "UPDATE sandbox_session SET status = 'expired' WHERE id = $1", s->id));
    return event_emit(c, "checkout.session.expired", session_render, s->id);
}

enum err session_expire_job(struct call *c)
{
    struct session s;

    TRY(session_load(c, IN(c, session_ref)->session, &s));
    return str_is(s.status, "open") && s.expires.us <= c->now.us ? expire(c, &s) : E_OK;
}

enum err session_expire_due(struct call *c, struct str test_clock, struct when now)
{
    struct row_ids due;
    struct session s;

    TRY(db_list(c, row_id, &due,
                "SELECT id FROM sandbox_session WHERE status = 'open' AND expires <= $1"
                " AND test_clock = $2 ORDER BY expires LIMIT 1000",
                now, test_clock));
    for (size_t i = 0; i < due.n; i++) {
        TRY(session_load(c, due.v[i].id, &s));
        TRY(expire(c, &s));
    }
    return E_OK;
}

/* --- rendering ----------------------------------------------------------------------------------- */

static void render_price(struct render *r, const struct item *k, struct when created)
{
    static const char *const nulls[] = { "custom_unit_amount", "lookup_key", "nickname",
                                         "recurring",          "tiers_mode", "transform_quantity" };

    json_name(&r->o, STR("price"));
    json_open(&r->o, '{');
    json_str(&r->o, "id", k->price);
    json_str(&r->o, "object", STR("price"));
    json_bool(&r->o, "active", false);
    json_str(&r->o, "billing_scheme", STR("per_unit"));
    render_when(r, "created", created);
    render_currency(r, "currency", k->currency);
    json_bool(&r->o, "livemode", false);
    render_raw(r, "metadata", STR("{}"));
    json_str(&r->o, "product", k->product);
    json_str(&r->o, "tax_behavior", STR("unspecified"));
    json_str(&r->o, "type", STR("one_time"));
    json_int(&r->o, "unit_amount", k->unit_amount);
    json_str(&r->o, "unit_amount_decimal", str_printf(r->c->arena, "%" PRId64, k->unit_amount));
    for (size_t i = 0; i < COUNT(nulls); i++)
        render_null(r, nulls[i]);
    json_close(&r->o, '}');
}

static void render_item(struct render *r, const struct item *k, struct when created)
{
    json_open(&r->o, '{');
    json_str(&r->o, "id", k->id);
    json_str(&r->o, "object", STR("item"));
    render_null(r, "adjustable_quantity");
    json_int(&r->o, "amount_discount", 0);
    json_int(&r->o, "amount_subtotal", k->unit_amount * k->quantity);
    json_int(&r->o, "amount_tax", 0);
    json_int(&r->o, "amount_total", k->unit_amount * k->quantity);
    render_currency(r, "currency", k->currency);
    json_str(&r->o, "description", k->name);
    render_raw(r, "metadata", STR("{}"));
    render_price(r, k, created);
    json_int(&r->o, "quantity", k->quantity);
    json_close(&r->o, '}');
}

static enum err render_items(struct render *r, const struct session *s)
{
    struct items items;

    TRY(session_items(r->c, s->id, &items));
    json_open(&r->o, '{');
    json_str(&r->o, "object", STR("list"));
    json_name(&r->o, STR("data"));
    json_open(&r->o, '[');
    for (size_t i = 0; i < items.n; i++)
        render_item(r, &items.v[i], s->created);
    json_close(&r->o, ']');
    json_bool(&r->o, "has_more", false);
    json_str(&r->o, "url",
             str_printf(r->c->arena, "/v1/checkout/sessions/%.*s/line_items", STR_FMT(s->id)));
    json_close(&r->o, '}');
    return E_OK;
}

static void render_nulls(struct render *r)
{
    static const char *const nulls[] = {
        "adaptive_pricing",
        "after_expiration",
        "allow_promotion_codes",
        "allowed_payment_method_types",
        "billing_address_collection",
        "client_secret",
        "collected_information",
        "consent",
        "consent_collection",
        "currency_conversion",
        "customer_account",
        "discounts",
        "integration_identifier",
        "invoice",
        "invoice_creation",
        "locale",
        "managed_payments",
        "origin_context",
        "payment_link",
        "payment_method_collection",
        "payment_method_configuration_details",
        "permissions",
        "recovered_from",
        "saved_payment_method_options",
        "shipping_address_collection",
        "shipping_cost",
        "subscription",
        "wallet_options",
    };

    for (size_t i = 0; i < COUNT(nulls); i++)
        render_null(r, nulls[i]);
    json_bool(&r->o, "livemode", false);
    json_str(&r->o, "ui_mode", STR("hosted_page"));
    render_raw(r, "automatic_tax",
               STR("{\"enabled\":false,\"liability\":null,\"provider\":null,\"status\":null}"));
    render_raw(r, "custom_fields", STR("[]"));
    render_raw(r, "custom_text",
               STR("{\"after_submit\":null,\"shipping_address\":null,\"submit\":null,"
                   "\"terms_of_service_acceptance\":null}"));
    render_raw(r, "payment_method_options", STR("{}"));
    render_raw(r, "payment_method_types", STR("[\"card\"]"));
    render_raw(r, "shipping_options", STR("[]"));
}

static void render_payer(struct render *r, const struct session *s)
{
    if (s->payer_email.p == NULL && s->payer_name.p == NULL) {
        render_null(r, "customer_details");
        return;
    }
    json_name(&r->o, STR("customer_details"));
    json_open(&r->o, '{');
    render_null(r, "address");
    json_str(&r->o, "email", s->payer_email);
    json_str(&r->o, "name", s->payer_name);
    render_null(r, "phone");
    json_str(&r->o, "tax_exempt", STR("none"));
    render_raw(r, "tax_ids", STR("[]"));
    json_close(&r->o, '}');
}

static void render_amounts(struct render *r, const struct session *s)
{
    bool payment = str_is(s->mode, "payment");
    static const char *const names[] = { "amount_subtotal", "amount_total" };

    for (size_t i = 0; i < COUNT(names); i++) {
        if (payment)
            json_int(&r->o, names[i], s->amount);
        else
            render_null(r, names[i]);
    }
    if (payment)
        render_currency(r, "currency", s->currency);
    else
        render_null(r, "currency");
    render_raw(r, "total_details",
               payment ? STR("{\"amount_discount\":0,\"amount_shipping\":0,\"amount_tax\":0}")
                       : STR_NONE);
}

enum err session_render(struct render *r, struct str id)
{
    struct session s;

    TRY(session_load(r->c, id, &s));
    json_open(&r->o, '{');
    json_str(&r->o, "id", s.id);
    json_str(&r->o, "object", STR("checkout.session"));
    render_amounts(r, &s);
    json_str(&r->o, "cancel_url", s.cancel_url);
    json_str(&r->o, "client_reference_id", s.client_reference_id);
    render_when(r, "created", s.created);
    TRY(render_ref(r, "customer", s.customer, customer_render));
    json_str(&r->o, "customer_creation", s.customer_creation);
    render_payer(r, &s);
    json_str(&r->o, "customer_email", s.customer_email);
    render_when(r, "expires_at", s.expires);
    if (render_wants(r, "line_items")) {
        json_name(&r->o, STR("line_items"));
        TRY(render_items(r, &s));
    }
    render_raw(r, "metadata", s.metadata);
    json_str(&r->o, "mode", s.mode);
    TRY(render_ref(r, "payment_intent", s.intent, intent_render));
    json_str(&r->o, "payment_status", s.payment_status);
    TRY(render_ref(r, "setup_intent", s.setup, setup_render));
    json_str(&r->o, "status", s.status);
    json_str(&r->o, "submit_type", s.submit_type);
    json_str(&r->o, "success_url", s.success_url);
    json_str(&r->o, "url",
             str_is(s.status, "open") ? str_printf(r->c->arena, "%.*s/c/pay/%.*s",
                                                   STR_FMT(r->c->env->public_url), STR_FMT(s.id))
                                      : STR_NONE);
    render_nulls(r);
    json_close(&r->o, '}');
    return E_OK;
}

/* --- creating ------------------------------------------------------------------------------------ */

static const char *const modes[] = { "payment", "setup", "subscription", NULL };
static const char *const creations[] = { "always", "if_required", NULL };
static const char *const usages[] = { "off_session", "on_session", NULL };
static const char *const captures[] = { "automatic", "automatic_async", "manual", NULL };

TAKES(checkout_create, { .path = "mode", .kind = P_ENUM, .names = modes, .required = true },
      { .path = "success_url", .kind = P_TEXT, .required = true },
      { .path = "cancel_url", .kind = P_TEXT },
      { .path = "line_items[].quantity", .kind = P_INT, .min = 1, .max = QUANTITY_MAX },
      { .path = "line_items[].price_data.currency", .kind = P_TEXT, .max = 3 },
      { .path = "line_items[].price_data.unit_amount", .kind = P_INT, .max = 99999999 },
      { .path = "line_items[].price_data.product_data.name", .kind = P_TEXT, .max = 500 },
      { .path = "line_items[].price_data.product_data.description", .kind = P_TEXT },
      { .path = "line_items[].price_data.product_data.images", .kind = P_TEXTS },
      { .path = "line_items[].price_data.product_data.metadata", .kind = P_MAP },
      { .path = "customer", .kind = P_TEXT }, { .path = "customer_email", .kind = P_TEXT },
      { .path = "customer_creation", .kind = P_ENUM, .names = creations },
      { .path = "client_reference_id", .kind = P_TEXT, .max = 200 },
      { .path = "metadata", .kind = P_MAP }, { .path = "currency", .kind = P_TEXT, .max = 3 },
      { .path = "expires_at", .kind = P_INT },
      { .path = "payment_intent_data.description", .kind = P_TEXT },
      { .path = "payment_intent_data.metadata", .kind = P_MAP },
      { .path = "payment_intent_data.setup_future_usage", .kind = P_ENUM, .names = usages },
      { .path = "payment_intent_data.capture_method", .kind = P_ENUM, .names = captures },
      { .path = "payment_intent_data.receipt_email", .kind = P_TEXT },
      { .path = "payment_intent_data.transfer_group", .kind = P_TEXT },
      { .path = "payment_intent_data.statement_descriptor", .kind = P_TEXT, .max = 22 },
      { .path = "payment_intent_data.statement_descriptor_suffix", .kind = P_TEXT, .max = 22 },
      { .path = "setup_intent_data.description", .kind = P_TEXT },
      { .path = "setup_intent_data.metadata", .kind = P_MAP },
      { .path = "ui_mode", .kind = P_TEXT }, { .path = "locale", .kind = P_TEXT },
      { .path = "submit_type", .kind = P_TEXT, .max = 20 },
      { .path = "billing_address_collection", .kind = P_TEXT },
      { .path = "automatic_tax.enabled", .kind = P_BOOL },
      { .path = "allow_promotion_codes", .kind = P_BOOL },
      { .path = "customer_update.name", .kind = P_TEXT },
      { .path = "saved_payment_method_options.payment_method_save", .kind = P_TEXT });

static enum err item_of(struct call *c, const struct json *j, struct item *k)
{
    const struct json *price = form_at(j, "price_data");
    struct str amount = form_text(price, "unit_amount"), quantity = form_text(j, "quantity");

    *k = (struct item) {
        .name = form_text(price, "product_data.name"),
        .description = form_text(price, "product_data.description"),
        .currency = form_text(price, "currency"),
        .quantity = 1,
    };
    if (k->name.p == NULL || k->currency.p == NULL || amount.p == NULL)
        return refuse(c, "parameter_missing", "line_items",
                      "Each line item needs price_data with currency, unit_amount and "
                      "product_data.name (the sandbox has no saved prices).");
    must(str_int(amount, &k->unit_amount));
    if (quantity.p != NULL)
        must(str_int(quantity, &k->quantity));
    if (k->unit_amount < 0)
        return refuse(c, "parameter_invalid_integer", "line_items", "Invalid non-negative integer");
    return E_OK;
}

/* All in one currency; the sum must be one that can be charged. */
static enum err items_of(struct call *c, struct session *s, struct items *items)
{
    const struct json *list = form_at(api_of(c)->in, "line_items");
    size_t n = list == NULL || list->kind != J_LIST ? 0 : list->n;

    if (n == 0 || n > ITEMS_MAX)
        return refuse(c, "parameter_missing", "line_items",
                      "`line_items` is required in payment mode (1 to %d of them).", ITEMS_MAX);
    *items = (struct items) { arena_array(c->arena, struct item, n), n };
    s->amount = 0;
    for (size_t i = 0; i < n; i++) {
        struct item *k = &items->v[i];
        TRY(item_of(c, &list->items[i], k));
        if (!str_eq(str_lower(c->arena, k->currency), str_lower(c->arena, items->v[0].currency)))
            return refuse(c, NULL, "line_items", "All prices must have the same currency.");
        int64_t sum = k->unit_amount * k->quantity; /* both are bounded: it fits */
        s->amount = s->amount + sum > MONEY_MAX ? MONEY_MAX + 1 : s->amount + sum;
    }
    TRY(intent_money(c, items->v[0].currency, s->amount, "line_items", &s->currency));
    for (size_t i = 0; i < n; i++)
        items->v[i].currency = s->currency;
    return E_OK;
}

static enum err url_check(struct call *c, const char *param, struct str url)
{
    bool good = str_starts(url, "http://") || str_starts(url, "https://");

    for (size_t i = 0; i < url.n; i++)
        good = good && (unsigned char)url.p[i] > 0x20 && url.p[i] != 0x7f && url.p[i] != '"';
    if (url.p != NULL && !good)
        return refuse(c, "url_invalid", param,
                      "Not a valid URL: URLs must begin with http:// or https://");
    return E_OK;
}

static enum err expiry_of(struct call *c, struct session *s)
{
    s->expires = when_after(s->created, DAY);
    if (!in_given(c, "expires_at"))
        return E_OK;
    s->expires.us = in_int(c, "expires_at", 0) * SECOND;
    /* A minute's grace both ways, for the clocks of those who reckon the limits exactly. */
    if (s->expires.us < s->created.us + 29 * MINUTE || s->expires.us > s->created.us + DAY + MINUTE)
        return refuse(c, NULL, "expires_at",
                      "The `expires_at` timestamp must be between 30 minutes and 24 hours from "
                      "Checkout Session creation.");
    return E_OK;
}

static enum err customer_of(struct call *c, struct session *s)
{
    struct customer k;

    if (s->customer.p == NULL)
        return E_OK;
    if (s->customer_email.p != NULL || s->customer_creation.p != NULL)
        return refuse(c, NULL, "customer",
                      "You may only specify one of these parameters: customer, customer_email or "
                      "customer_creation.");
    TRY(customer_load(c, s->customer, "customer", &k));
    s->test_clock = k.test_clock;
    return customer_now(c, s->customer, &s->created);
}

static enum err insert(struct call *c, const struct session *s)
{
    return db_run(
        c,
        "INSERT INTO sandbox_session (id, mode, status, payment_status, amount, currency, customer,"
        " customer_creation, customer_email, client_reference_id, success_url, cancel_url,"
        " submit_type, intent_capture, intent_usage, intent_description, intent_metadata,"
        " test_clock, expires, metadata, created)"
        " VALUES ($1, $2, 'open', $3, CASE WHEN $2 = 'payment' THEN CAST($4 AS INTEGER) ELSE NULL "
        "END, $5, $6, $7,"
        " $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)",
        s->id, s->mode, s->payment_status, s->amount, s->currency, s->customer,
        s->customer_creation, s->customer_email, s->client_reference_id, s->success_url,
        s->cancel_url, s->submit_type, s->intent_capture, s->intent_usage, s->intent_description,
        s->intent_metadata, s->test_clock, s->expires, s->metadata, s->created);
}

static enum err items_insert(struct call *c, const struct session *s, const struct items *items)
{
    for (size_t i = 0; i < items->n; i++) {
        const struct item *k = &items->v[i];
        TRY(db_run(c,
                   "INSERT INTO sandbox_item (id, session, place, price, product, name,"
                   " description, quantity, unit_amount, currency)"
                   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                   api_id(c, "li"), s->id, (int64_t)i, api_id(c, "price"), api_id(c, "prod"),
                   k->name, k->description, k->quantity, k->unit_amount, k->currency));
    }
    return E_OK;
}

static enum err session_of(struct call *c, struct session *s)
{
    bool payment = str_is(in_text(c, "mode"), "payment");
    struct str capture = in_text(c, "payment_intent_data.capture_method");

    *s = (struct session) {
        .id = api_id(c, "cs_test"),
        .mode = in_text(c, "mode"),
        .payment_status = payment ? STR("unpaid") : STR("no_payment_required"),
        .customer = in_text(c, "customer"),
        .customer_creation = in_text(c, "customer_creation"),
        .customer_email = in_text(c, "customer_email"),
        .client_reference_id = in_text(c, "client_reference_id"),
        .success_url = in_text(c, "success_url"),
        .cancel_url = in_text(c, "cancel_url"),
        .submit_type = in_text(c, "submit_type"),
        .intent_capture = capture.p == NULL ? STR("automatic") : capture,
        .intent_usage = in_text(c, "payment_intent_data.setup_future_usage"),
        .intent_description = in_text(c, payment ? "payment_intent_data.description"
                                                 : "setup_intent_data.description"),
        .created = c->now,
    };
    if (str_is(s->mode, "subscription"))
        return refuse(c, NULL, "mode",
                      "The sandbox does not keep subscriptions: the platform does that itself.");
    TRY(url_check(c, "success_url", s->success_url));
    TRY(url_check(c, "cancel_url", s->cancel_url));
    TRY(customer_of(c, s));
    TRY(expiry_of(c, s));
    TRY(in_metadata(c, "metadata", STR_NONE, &s->metadata));
    return in_metadata(c, payment ? "payment_intent_data.metadata" : "setup_intent_data.metadata",
                       STR_NONE, &s->intent_metadata);
}

enum err checkout_create(struct call *c)
{
    struct items items = { 0 };
    struct session s;

    TRY(session_of(c, &s));
    if (str_is(s.mode, "payment"))
        TRY(items_of(c, &s, &items));
    TRY(insert(c, &s));
    TRY(items_insert(c, &s, &items));
    /* Those on a test clock are expired by it. */
    if (s.test_clock.p == NULL)
        TRY(job_add(c, "sandbox.session_expire", s.expires, &(struct session_ref) { s.id }, NULL));
    return api_reply_object(c, session_render, s.id);
}

/* --- the rest of the API ------------------------------------------------------------------------- */

static enum err load(struct call *c, struct session *s)
{
    enum err e = session_load(c, api_of(c)->id, s);

    return or_missing(c, e, "checkout.session", NULL, api_of(c)->id);
}

TAKES_NOTHING(checkout_get);

enum err checkout_get(struct call *c)
{
    struct session s;

    TRY(load(c, &s));
    return api_reply_object(c, session_render, s.id);
}

TAKES_NOTHING(checkout_expire);

enum err checkout_expire(struct call *c)
{
    struct session s;

    TRY(load(c, &s));
    if (!str_is(s.status, "open"))
        return refuse(c, NULL, NULL,
                      "Only Checkout Sessions with a status in [\"open\"] can be expired. This "
                      "Checkout Session has a status of %.*s.",
                      STR_FMT(s.status));
    TRY(expire(c, &s));
    return api_reply_object(c, session_render, s.id);
}

TAKES(checkout_items, LIST_PARAMS);

enum err checkout_items(struct call *c)
{
    struct session s;
    struct render r;

    TRY(load(c, &s));
    render_begin(&r, c);
    TRY(render_items(&r, &s));
    api_reply(c, buf_str(&r.buf));
    return E_OK;
}

static const char *const statuses[] = { "open", "complete", "expired", NULL };

TAKES(checkout_list, LIST_PARAMS, CREATED_PARAMS, { .path = "customer", .kind = P_TEXT },
      { .path = "payment_intent", .kind = P_TEXT },
      { .path = "status", .kind = P_ENUM, .names = statuses });

enum err checkout_list(struct call *c)
{
    struct str customer = in_text(c, "customer"), intent = in_text(c, "payment_intent");
    struct str status = in_text(c, "status");
    struct range r = in_range(c);
    struct row_ids rows;

    if (status.p == NULL)
        status = STR("");
    if (customer.p != NULL)
        TRY(db_list(c, row_id, &rows,
                    "SELECT id FROM sandbox_session WHERE customer = $1 AND id < $2"
                    " AND created >= $3 AND created <= $4 AND ($5 = '' OR status = $5)"
                    " ORDER BY id DESC LIMIT $6",
                    customer, r.after, r.from, r.to, status, r.limit));
    else
        TRY(db_list(c, row_id, &rows,
                    "SELECT id FROM sandbox_session WHERE id < $1 AND created >= $2"
                    " AND created <= $3 AND ($4 = '' OR intent = $4) AND ($5 = '' OR status = $5)"
                    " ORDER BY id DESC LIMIT $6",
                    r.after, r.from, r.to, intent.p == NULL ? STR("") : intent, status, r.limit));
    return api_reply_rows(c, session_render, &rows, &r);
}
