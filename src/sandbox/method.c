/* method.c -- payment methods: cards, made from test numbers or test tokens. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/objects.h"

static const struct field pay_method_fields[] = {
    COL(pay_method, id),       COL(pay_method, card),      COL(pay_method, customer),
    COL(pay_method, name),     COL(pay_method, email),     COL(pay_method, phone),
    COL(pay_method, metadata), NUM(pay_method, exp_month), NUM(pay_method, exp_year),
    YES(pay_method, set_up),   AT(pay_method, created),
};
STATIC_SHAPE(pay_method);

static enum err row(struct call *c, struct str id, struct pay_method *result)
{
    return db_one(c, pay_method, result,
                  "SELECT id, card, customer, name, email, phone, metadata, exp_month, exp_year,"
                  " set_up, created FROM sandbox_method WHERE id = $1",
                  id);
}

const struct card *method_card(const struct pay_method *m)
{
    const struct card *k = card_of_number(m->card);

    must(k != NULL);
    return k;
}

enum err method_make(struct call *c, const struct card_input *in, struct str *id)
{
    struct str made = api_id(c, "pm");

    TRY(db_run(c,
               "INSERT INTO sandbox_method (id, card, exp_month, exp_year, set_up, name, email,"
               " metadata, created) VALUES ($1, $2, $3, $4, 0, $5, $6, '{}', $7)",
               made, str_of(in->card->number), in->exp_month, in->exp_year, in->name, in->email,
               c->now));
    *id = made;
    return E_OK;
}

enum err method_load(struct call *c, struct str id, struct pay_method *result)
{
    const struct card *token = card_of_token(id);

    if (token != NULL) {
        struct card_input in = { token, 12, when_civil(c->now).year + 3, STR_NONE, STR_NONE };
        TRY(method_make(c, &in, &id));
    }
    enum err e = row(c, id, result);
    return e == E_NOT_FOUND ? missing(c, "PaymentMethod", "payment_method", id) : e;
}

enum err method_keep(struct call *c, struct pay_method *m, struct str customer, bool set_up)
{
    if (m->customer.p != NULL && !str_eq(m->customer, customer))
        return refuse(c, "payment_method_unexpected_state", "payment_method",
                      "The payment method you provided has already been attached to another "
                      "customer.");
    bool fresh = m->customer.p == NULL;
    m->customer = customer;
    m->set_up |= set_up;
    TRY(db_hit(c, "UPDATE sandbox_method SET customer = $2, set_up = $3 WHERE id = $1", m->id,
               m->customer, m->set_up));
    return fresh ? event_emit(c, "payment_method.attached", method_render, m->id) : E_OK;
}

/* --- rendering ----------------------------------------------------------------------------------- */

void render_billing(struct render *r, const struct pay_method *m)
{
    json_name(&r->o, STR("billing_details"));
    json_open(&r->o, '{');
    render_null(r, "address");
    json_str(&r->o, "email", m->email);
    json_str(&r->o, "name", m->name);
    json_str(&r->o, "phone", m->phone);
    render_null(r, "tax_id");
    json_close(&r->o, '}');
}

void render_card_members(struct render *r, const struct pay_method *m)
{
    const struct card *k = method_card(m);
    struct sha256 print = sha256_of(str_of(k->number));

    json_str(&r->o, "brand", str_of(card_brand(k)));
    render_raw(r, "checks",
               STR("{\"address_line1_check\":null,\"address_postal_code_check\":null,"
                   "\"cvc_check\":\"pass\"}"));
    json_str(&r->o, "country", STR("US"));
    json_int(&r->o, "exp_month", m->exp_month);
    json_int(&r->o, "exp_year", m->exp_year);
    json_str(&r->o, "fingerprint", str_cut(hex_print(r->c->arena, print.b, 8), 0, 16));
    json_str(&r->o, "funding", STR("credit"));
    json_str(&r->o, "last4", card_last4(k));
    render_null(r, "regulated_status");
    render_null(r, "wallet");
}

static void render_card(struct render *r, const struct pay_method *m)
{
    json_name(&r->o, STR("card"));
    json_open(&r->o, '{');
    render_card_members(r, m);
    json_str(&r->o, "display_brand", str_of(card_brand(method_card(m))));
    render_null(r, "generated_from");
    render_null(r, "networks");
    render_raw(r, "three_d_secure_usage", STR("{\"supported\":true}"));
    json_close(&r->o, '}');
}

enum err method_render(struct render *r, struct str id)
{
    struct pay_method m;

    TRY(row(r->c, id, &m));
    json_open(&r->o, '{');
    json_str(&r->o, "id", m.id);
    json_str(&r->o, "object", STR("payment_method"));
    json_str(&r->o, "allow_redisplay", STR("unspecified"));
    render_billing(r, &m);
    render_card(r, &m);
    render_when(r, "created", m.created);
    TRY(render_ref(r, "customer", m.customer, customer_render));
    render_null(r, "customer_account");
    json_bool(&r->o, "livemode", false);
    render_raw(r, "metadata", m.metadata);
    json_str(&r->o, "type", STR("card"));
    json_close(&r->o, '}');
    return E_OK;
}

/* --- the API ------------------------------------------------------------------------------------- */

#define BILLING_PARAMS                                                                             \
    { .path = "billing_details.name", .kind = P_TEXT, .empty = true },                             \
        { .path = "billing_details.email", .kind = P_TEXT, .empty = true },                        \
        { .path = "billing_details.phone", .kind = P_TEXT, .empty = true },                        \
        { .path = "billing_details.address.line1", .kind = P_TEXT, .empty = true },                \
        { .path = "billing_details.address.line2", .kind = P_TEXT, .empty = true },                \
        { .path = "billing_details.address.city", .kind = P_TEXT, .empty = true },                 \
        { .path = "billing_details.address.state", .kind = P_TEXT, .empty = true },                \
        { .path = "billing_details.address.postal_code", .kind = P_TEXT, .empty = true },          \
        { .path = "billing_details.address.country", .kind = P_TEXT, .empty = true },              \
        { .path = "metadata", .kind = P_MAP, .empty = true },                                      \
    {                                                                                              \
        .path = "allow_redisplay", .kind = P_TEXT                                                  \
    }

static const char *const types[] = { "card", NULL };
static const char *const tokens[] = {
    "tok_visa",     "tok_mastercard",     "tok_amex", "tok_visa_debit",
    "tok_discover", "tok_chargeDeclined", NULL
};

TAKES(method_create, BILLING_PARAMS,
      { .path = "type", .kind = P_ENUM, .names = types, .required = true },
      { .path = "card.number", .kind = P_TEXT, .max = 30 },
      { .path = "card.exp_month", .kind = P_INT, .min = 1, .max = 12 },
      { .path = "card.exp_year", .kind = P_INT, .min = 1, .max = 2099 },
      { .path = "card.cvc", .kind = P_TEXT, .max = 4 },
      { .path = "card.token", .kind = P_ENUM, .names = tokens });

static enum err card_problem(struct call *c, const char *code, const char *param,
                             const char *message)
{
    struct api_error e = card_error(code, NULL, message);

    e.param = str_of(param);
    return refuse_with(c, &e);
}

static enum err card_input(struct call *c, struct card_input *in)
{
    struct str number = in_text(c, "card.number"), token = in_text(c, "card.token");
    struct civil today = when_civil(c->now);

    if (token.p != NULL)
        token = str_printf(c->arena, "pm_card_%.*s", STR_FMT(str_cut(token, 4, token.n)));
    in->card = token.p != NULL ? card_of_token(token) : card_of_number(number);
    in->exp_month = in_int(c, "card.exp_month", token.p != NULL ? 12 : 0);
    in->exp_year = in_int(c, "card.exp_year", token.p != NULL ? today.year + 3 : 0);
    if (in->exp_year > 0 && in->exp_year < 100)
        in->exp_year += 2000;
    if (in->card == NULL && !card_number_is_sound(number))
        return card_problem(c, "incorrect_number", "number", "Your card number is incorrect.");
    if (in->card == NULL)
        return card_problem(c, "card_declined", "number",
                            "Your card was declined. Your request was in test mode, but used a "
                            "non test card.");
    if (in->exp_month == 0)
        return card_problem(c, "invalid_expiry_month", "exp_month",
                            "Your card's expiration month is invalid.");
    if (in->exp_year * 12 + in->exp_month < today.year * 12 + today.month)
        return card_problem(c, "invalid_expiry_year", "exp_year",
                            "Your card's expiration year is invalid.");
    return E_OK;
}

static void take(const struct call *c, const char *name, struct str *to)
{
    if (in_given(c, name))
        *to = in_text(c, name).n > 0 ? in_text(c, name) : STR_NONE;
}

static enum err update_billing(struct call *c, struct pay_method *m)
{
    take(c, "billing_details.name", &m->name);
    take(c, "billing_details.email", &m->email);
    take(c, "billing_details.phone", &m->phone);
    TRY(in_metadata(c, "metadata", m->metadata, &m->metadata));
    return db_hit(c,
                  "UPDATE sandbox_method SET name = $2, email = $3, phone = $4, metadata = $5"
                  " WHERE id = $1",
                  m->id, m->name, m->email, m->phone, m->metadata);
}

enum err method_create(struct call *c)
{
    struct card_input in = { 0 };
    struct pay_method m;
    struct str id;

    TRY(card_input(c, &in));
    TRY(method_make(c, &in, &id));
    TRY(row(c, id, &m));
    TRY(update_billing(c, &m));
    return api_reply_object(c, method_render, id);
}

/* In the path. */
static enum err load(struct call *c, struct pay_method *m)
{
    struct str id = api_of(c)->id;
    enum err e = row(c, id, m);

    return or_missing(c, e, "PaymentMethod", NULL, id);
}

TAKES_NOTHING(method_get);

enum err method_get(struct call *c)
{
    struct pay_method m;

    TRY(load(c, &m));
    return api_reply_object(c, method_render, m.id);
}

TAKES(method_update, BILLING_PARAMS,
      { .path = "card.exp_month", .kind = P_INT, .min = 1, .max = 12 },
      { .path = "card.exp_year", .kind = P_INT, .min = 2000, .max = 2099 });

enum err method_update(struct call *c)
{
    struct pay_method m;

    TRY(load(c, &m));
    TRY(update_billing(c, &m));
    TRY(db_hit(c, "UPDATE sandbox_method SET exp_month = $2, exp_year = $3 WHERE id = $1", m.id,
               in_int(c, "card.exp_month", m.exp_month), in_int(c, "card.exp_year", m.exp_year)));
    TRY(event_emit(c, "payment_method.updated", method_render, m.id));
    return api_reply_object(c, method_render, m.id);
}

TAKES(method_attach, { .path = "customer", .kind = P_TEXT, .required = true });

/* The bank is asked here already: a card that declines is not kept. */
enum err method_attach(struct call *c)
{
    bool is_token = card_of_token(api_of(c)->id) != NULL;
    struct customer k;
    struct pay_method m;

    TRY(customer_load(c, in_text(c, "customer"), "customer", &k));
    TRY(is_token ? method_load(c, api_of(c)->id, &m) : load(c, &m));
    const struct card *card = method_card(&m);
    if (card->does == CARD_DECLINES) {
        struct api_error e = card_error(card->code, card->decline_code, card->message);
        return refuse_with(c, &e);
    }
    TRY(method_keep(c, &m, k.id, false));
    return api_reply_object(c, method_render, m.id);
}

TAKES_NOTHING(method_detach);

enum err method_detach(struct call *c)
{
    struct pay_method m;

    TRY(load(c, &m));
    if (m.customer.p == NULL)
        return refuse(c, "payment_method_unexpected_state", "payment_method",
                      "The payment method you provided is not attached to a customer so "
                      "detachment is impossible.");
    TRY(db_run(c, "UPDATE sandbox_method SET customer = NULL WHERE id = $1", m.id));
    TRY(db_run(c, "UPDATE sandbox_customer SET default_method = NULL WHERE default_method = $1",
               m.id));
    TRY(event_emit(c, "payment_method.detached", method_render, m.id));
    return api_reply_object(c, method_render, m.id);
}

TAKES(method_list, LIST_PARAMS, { .path = "customer", .kind = P_TEXT },
      { .path = "type", .kind = P_ENUM, .names = types });

enum err method_list(struct call *c)
{
    struct str customer = in_text(c, "customer");
    struct range r = in_range(c);
    struct row_ids rows;

    TRY(db_list(c, row_id, &rows,
                "SELECT id FROM sandbox_method WHERE id < $1 AND customer = $2"
                " ORDER BY id DESC LIMIT $3",
                r.after, customer.p == NULL ? STR("") : customer, r.limit));
    return api_reply_rows(c, method_render, &rows, &r);
}
