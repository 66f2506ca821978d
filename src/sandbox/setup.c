/* setup.c -- setup intents: a card saved for later, without a payment. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/objects.h"

static const struct field setup_fields[] = {
    COL(setup, id),         COL(setup, status),   COL(setup, customer),
    COL(setup, method),     COL(setup, usage),    COL(setup, description),
    COL(setup, return_url), COL(setup, error),    COL(setup, client_secret),
    COL(setup, session),    COL(setup, metadata), COL(setup, cancellation_reason),
    AT(setup, created),
};
STATIC_SHAPE(setup);

static enum err row(struct call *c, struct str id, struct setup *result)
{
    return db_one(c, setup, result,
                  "SELECT id, status, customer, method, usage, description, return_url, error,"
                  " client_secret, session, metadata, cancellation_reason, created"
                  " FROM sandbox_setup WHERE id = $1",
                  id);
}

enum err setup_load(struct call *c, struct str id, const char *param, struct setup *result)
{
    enum err e = row(c, id, result);

    return or_missing(c, e, "setup_intent", param, id);
}

enum err setup_insert(struct call *c, struct setup *t)
{
    t->id = api_id(c, "seti");
    t->client_secret = api_secret(c, t->id);
    t->status = t->method.p == NULL ? STR("requires_payment_method") : STR("requires_confirmation");
    TRY(customer_now(c, t->customer, &t->created));
    TRY(db_run(c,
               "INSERT INTO sandbox_setup (id, status, customer, method, usage, description,"
               " return_url, client_secret, session, metadata, created)"
               " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
               t->id, t->status, t->customer, t->method, t->usage, t->description, t->return_url,
               t->client_secret, t->session, t->metadata, t->created));
    return event_emit(c, "setup_intent.created", setup_render, t->id);
}

static enum err save_and_tell(struct call *c, const struct setup *t, const char *event)
{
    TRY(db_hit(c,
               "UPDATE sandbox_setup SET status = $2, customer = $3, method = $4, return_url = $5,"
               " error = $6, cancellation_reason = $7, metadata = $8 WHERE id = $1",
               t->id, t->status, t->customer, t->method, t->return_url, t->error,
               t->cancellation_reason, t->metadata));
    return event_emit(c, event, setup_render, t->id);
}

static enum err failed(struct call *c, struct setup *t, struct api_error *refusal)
{
    struct str method;

    TRY(object_text(c, method_render, t->method, &method));
    t->status = STR("requires_payment_method");
    t->error = error_object(c, refusal, method);
    t->method = STR_NONE;
    TRY(save_and_tell(c, t, "setup_intent.setup_failed"));
    refusal->object_name = "setup_intent";
    return object_text(c, setup_render, t->id, &refusal->object);
}

enum err setup_try(struct call *c, struct setup *t, bool confirmed, struct api_error *refusal)
{
    struct pay_method m;

    *refusal = (struct api_error) { 0 };
    TRY(method_load(c, t->method, &m));
    t->method = m.id;
    const struct card *k = method_card(&m);
    if ((k->does == CARD_ASKS_ONCE || k->does == CARD_ASKS_ALWAYS) && !confirmed) {
        t->status = STR("requires_action");
        return save_and_tell(c, t, "setup_intent.requires_action");
    }
    if (k->does == CARD_DECLINES) {
        *refusal = card_error(k->code, k->decline_code, k->message);
        return failed(c, t, refusal);
    }
    if (t->customer.p != NULL)
        TRY(method_keep(c, &m, t->customer, str_is(t->usage, "off_session")));
    t->status = STR("succeeded");
    t->error = STR_NONE;
    return save_and_tell(c, t, "setup_intent.succeeded");
}

enum err setup_fail(struct call *c, struct setup *t, struct api_error *refusal)
{
    *refusal = card_error("setup_intent_authentication_failure", NULL,
                          "The provided PaymentMethod has failed authentication. You can provide "
                          "a new PaymentMethod to attempt to fulfill this SetupIntent again.");
    return failed(c, t, refusal);
}

/* --- rendering ----------------------------------------------------------------------------------- */

static void render_nulls(struct render *r)
{
    static const char *const nulls[] = {
        "allowed_payment_method_types",
        "application",
        "customer_account",
        "excluded_payment_method_types",
        "flow_directions",
        "latest_attempt",
        "mandate",
        "on_behalf_of",
        "payment_method_configuration_details",
        "single_use_mandate",
    };

    for (size_t i = 0; i < COUNT(nulls); i++)
        render_null(r, nulls[i]);
    json_bool(&r->o, "livemode", false);
    render_raw(r, "payment_method_types", STR("[\"card\"]"));
    render_raw(r, "payment_method_options",
               STR("{\"card\":{\"mandate_options\":null,\"network\":null,"
                   "\"request_three_d_secure\":\"automatic\"}}"));
    render_raw(r, "automatic_payment_methods",
               STR("{\"allow_redirects\":\"always\",\"enabled\":true}"));
}

static void render_next_action(struct render *r, const struct setup *t)
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

enum err setup_render(struct render *r, struct str id)
{
    struct setup t;

    TRY(row(r->c, id, &t));
    json_open(&r->o, '{');
    json_str(&r->o, "id", t.id);
    json_str(&r->o, "object", STR("setup_intent"));
    json_str(&r->o, "cancellation_reason", t.cancellation_reason);
    json_str(&r->o, "client_secret", t.client_secret);
    render_when(r, "created", t.created);
    TRY(render_ref(r, "customer", t.customer, customer_render));
    json_str(&r->o, "description", t.description);
    render_raw(r, "last_setup_error", t.error);
    render_raw(r, "metadata", t.metadata);
    render_next_action(r, &t);
    TRY(render_ref(r, "payment_method", t.method, method_render));
    json_str(&r->o, "status", t.status);
    json_str(&r->o, "usage", t.usage);
    render_nulls(r);
    json_close(&r->o, '}');
    return E_OK;
}

/* --- the API ------------------------------------------------------------------------------------- */

static const char *const usages[] = { "off_session", "on_session", NULL };

#define CONFIRM_PARAMS                                                                             \
    { .path = "payment_method", .kind = P_TEXT }, { .path = "return_url", .kind = P_TEXT },        \
        { .path = "use_stripe_sdk", .kind = P_BOOL },                                              \
        { .path = "mandate_data.customer_acceptance.type", .kind = P_TEXT },                       \
    {                                                                                              \
        .path = "payment_method_options.card.request_three_d_secure", .kind = P_TEXT               \
    }

TAKES(setup_create, CONFIRM_PARAMS, { .path = "customer", .kind = P_TEXT },
      { .path = "usage", .kind = P_ENUM, .names = usages }, { .path = "confirm", .kind = P_BOOL },
      { .path = "description", .kind = P_TEXT }, { .path = "metadata", .kind = P_MAP },
      { .path = "automatic_payment_methods.enabled", .kind = P_BOOL },
      { .path = "automatic_payment_methods.allow_redirects", .kind = P_TEXT },
      { .path = "allowed_payment_method_types", .kind = P_TEXTS });

static enum err take_method(struct call *c, struct setup *t)
{
    struct pay_method m;

    if (!in_given(c, "payment_method"))
        return E_OK;
    TRY(method_load(c, in_text(c, "payment_method"), &m));
    if (m.customer.p != NULL && !str_eq(m.customer, t->customer))
        return refuse(c, "payment_method_customer_mismatch", "payment_method",
                      "The payment method supplied (%.*s) belongs to another customer.",
                      STR_FMT(m.id));
    t->method = m.id;
    return E_OK;
}

static enum err confirm(struct call *c, struct setup *t)
{
    struct api_error refusal;

    if (t->method.p == NULL)
        return refuse(c, "setup_intent_unexpected_state", "payment_method",
                      "You cannot confirm this SetupIntent because it's missing a payment method.");
    TRY(setup_try(c, t, false, &refusal));
    return refusal.status != 0 ? card_refused(c, &refusal)
                               : api_reply_object(c, setup_render, t->id);
}

enum err setup_create(struct call *c)
{
    struct setup t = {
        .customer = in_text(c, "customer"),
        .usage = in_given(c, "usage") ? in_text(c, "usage") : STR("off_session"),
        .description = in_text(c, "description"),
        .return_url = in_text(c, "return_url"),
    };
    struct customer k;

    if (t.customer.p != NULL)
        TRY(customer_load(c, t.customer, "customer", &k));
    TRY(take_method(c, &t));
    TRY(in_metadata(c, "metadata", STR_NONE, &t.metadata));
    TRY(setup_insert(c, &t));
    return in_bool(c, "confirm", false) ? confirm(c, &t) : api_reply_object(c, setup_render, t.id);
}

TAKES(setup_get, { .path = "client_secret", .kind = P_TEXT });

enum err setup_get(struct call *c)
{
    struct setup t;

    TRY(setup_load(c, api_of(c)->id, NULL, &t));
    return api_reply_object(c, setup_render, t.id);
}

static enum err must_be_open(struct call *c, const struct setup *t, const char *what)
{
    if (str_is(t->status, "succeeded") || str_is(t->status, "canceled"))
        return refuse(c, "setup_intent_unexpected_state", NULL,
                      "You cannot %s this SetupIntent because it has a status of %.*s.", what,
                      STR_FMT(t->status));
    return E_OK;
}

TAKES(setup_confirm, CONFIRM_PARAMS);

enum err setup_confirm(struct call *c)
{
    struct setup t;

    TRY(setup_load(c, api_of(c)->id, NULL, &t));
    TRY(must_be_open(c, &t, "confirm"));
    if (in_given(c, "return_url"))
        t.return_url = in_text(c, "return_url");
    TRY(take_method(c, &t));
    return confirm(c, &t);
}

TAKES(setup_cancel, { .path = "cancellation_reason", .kind = P_TEXT, .max = 40 });

enum err setup_cancel(struct call *c)
{
    struct setup t;

    TRY(setup_load(c, api_of(c)->id, NULL, &t));
    TRY(must_be_open(c, &t, "cancel"));
    t.status = STR("canceled");
    t.cancellation_reason = in_text(c, "cancellation_reason");
    TRY(save_and_tell(c, &t, "setup_intent.canceled"));
    return api_reply_object(c, setup_render, t.id);
}

TAKES(setup_list, LIST_PARAMS, CREATED_PARAMS, { .path = "customer", .kind = P_TEXT },
      { .path = "payment_method", .kind = P_TEXT });

enum err setup_list(struct call *c)
{
    struct str customer = in_text(c, "customer"), method = in_text(c, "payment_method");
    struct range r = in_range(c);
    struct row_ids rows;

    TRY(db_list(c, row_id, &rows,
                "SELECT id FROM sandbox_setup WHERE id < $1 AND created >= $2 AND created <= $3"
                " AND ($4 = '' OR customer = $4) AND ($5 = '' OR method = $5)"
                " ORDER BY id DESC LIMIT $6",
                r.after, r.from, r.to, customer.p == NULL ? STR("") : customer,
                method.p == NULL ? STR("") : method, r.limit));
    return api_reply_rows(c, setup_render, &rows, &r);
}
