/* charge.c -- charges, what they leave on the balance, and refunds. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/objects.h"

enum { AVAILABLE_DAYS = 2 };

struct charge {
    struct str id, intent, currency, status, customer, method, failure_code, failure_message;
    struct str decline_code, balance_transaction, description, receipt_email, metadata;
    int64_t amount, amount_captured, amount_refunded;
    bool confirmed;
    struct when created;
};

static const struct field charge_fields[] = {
    COL(charge, id),
    COL(charge, intent),
    COL(charge, currency),
    COL(charge, status),
    COL(charge, customer),
    COL(charge, method),
    COL(charge, failure_code),
    COL(charge, failure_message),
    COL(charge, decline_code),
    COL(charge, balance_transaction),
    COL(charge, description),
    COL(charge, receipt_email),
    COL(charge, metadata),
    NUM(charge, amount),
    NUM(charge, amount_captured),
    NUM(charge, amount_refunded),
    YES(charge, confirmed),
    AT(charge, created),
};
STATIC_SHAPE(charge);

static enum err row(struct call *c, struct str id, struct charge *result)
{
    return db_one(c, charge, result,
                  "SELECT id, intent, currency, status, customer, method, failure_code,"
                  " failure_message, decline_code, balance_transaction, description,"
                  " receipt_email, metadata, amount, amount_captured, amount_refunded, confirmed,"
                  " created FROM sandbox_charge WHERE id = $1",
                  id);
}

/* --- the balance --------------------------------------------------------------------------------- */

struct balance {
    struct str id, type, source, currency, description;
    int64_t amount, fee, net;
    struct when available, created;
};

static const struct field balance_fields[] = {
    COL(balance, id),          COL(balance, type),   COL(balance, source), COL(balance, currency),
    COL(balance, description), NUM(balance, amount), NUM(balance, fee),    NUM(balance, net),
    AT(balance, available),    AT(balance, created),
};
STATIC_SHAPE(balance);

static enum err balance_row(struct call *c, struct str id, struct balance *result)
{
    return db_one(c, balance, result,
                  "SELECT id, type, source, currency, description, amount, fee, net, available,"
                  " created FROM sandbox_balance WHERE id = $1",
                  id);
}

/* 2.9 % and 30 of a charge, halves rounded up; a refund costs nothing and gives no fee back. */
static int64_t fee_of(const char *type, int64_t amount)
{
    return str_is(STR("charge"), type) ? (amount * 29 + 500) / 1000 + 30 : 0;
}

static enum err balance_add(struct call *c, const char *type, struct str source, int64_t amount,
                            const struct charge *h, struct str *id)
{
    int64_t fee = fee_of(type, amount);

    *id = api_id(c, "txn");
    return db_run(c,
                  "INSERT INTO sandbox_balance (id, type, source, amount, fee, net, currency,"
                  " description, available, created)"
                  " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                  *id, str_of(type), source, amount, fee, amount - fee, h->currency, h->description,
                  when_after(c->now, AVAILABLE_DAYS * DAY), c->now);
}

static void render_fee(struct render *r, const struct balance *b)
{
    json_int(&r->o, "fee", b->fee);
    json_name(&r->o, STR("fee_details"));
    json_open(&r->o, '[');
    if (b->fee != 0) {
        json_open(&r->o, '{');
        json_int(&r->o, "amount", b->fee);
        render_null(r, "application");
        render_currency(r, "currency", b->currency);
        json_str(&r->o, "description", STR("Stripe processing fees"));
        json_str(&r->o, "type", STR("stripe_fee"));
        json_close(&r->o, '}');
    }
    json_close(&r->o, ']');
}

static enum err source_render(struct render *r, struct str id)
{
    return str_starts(id, "re_") ? refund_render(r, id) : charge_render(r, id);
}

enum err balance_render(struct render *r, struct str id)
{
    struct balance b;

    TRY(balance_row(r->c, id, &b));
    json_open(&r->o, '{');
    json_str(&r->o, "id", b.id);
    json_str(&r->o, "object", STR("balance_transaction"));
    json_int(&r->o, "amount", b.amount);
    render_when(r, "available_on", b.available);
    json_str(&r->o, "balance_type", STR("payments"));
    render_when(r, "created", b.created);
    render_currency(r, "currency", b.currency);
    json_str(&r->o, "description", b.description);
    render_null(r, "exchange_rate");
    render_fee(r, &b);
    json_int(&r->o, "net", b.net);
    json_str(&r->o, "reporting_category", b.type);
    TRY(render_ref(r, "source", b.source, source_render));
    json_str(&r->o, "status", b.available.us <= r->c->now.us ? STR("available") : STR("pending"));
    json_str(&r->o, "type", b.type);
    json_close(&r->o, '}');
    return E_OK;
}

/* --- charging ------------------------------------------------------------------------------------ */

enum err charge_take(struct call *c, struct str id, int64_t amount)
{
    struct charge h;
    struct str line;

    TRY(row(c, id, &h));
    TRY(balance_add(c, "charge", id, amount, &h, &line));
    TRY(db_hit(c,
               "UPDATE sandbox_charge SET amount_captured = $2, balance_transaction = $3"
               " WHERE id = $1 AND amount_captured = 0 AND status = 'succeeded'",
               id, amount, line));
    return event_emit(c, "charge.captured", charge_render, id);
}

static enum err insert(struct call *c, const struct charge *h)
{
    return db_run(c,
                  "INSERT INTO sandbox_charge (id, intent, amount, amount_captured,"
                  " amount_refunded, currency, status, customer, method, failure_code,"
                  " failure_message, decline_code, confirmed, balance_transaction, description,"
                  " receipt_email, metadata, created)"
                  " VALUES ($1, $2, $3, $4, 0, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,"
                  " $16, $17)",
                  h->id, h->intent, h->amount, h->amount_captured, h->currency, h->status,
                  h->customer, h->method, h->failure_code, h->failure_message, h->decline_code,
                  h->confirmed, h->balance_transaction, h->description, h->receipt_email,
                  h->metadata, h->created);
}

enum err charge_make(struct call *c, struct intent *t, const struct api_error *refusal,
                     bool confirmed, bool capture)
{
    struct charge h = {
        .id = api_id(c, "ch"),
        .intent = t->id,
        .amount = t->amount,
        .currency = t->currency,
        .status = refusal == NULL ? STR("succeeded") : STR("failed"),
        .customer = t->customer,
        .method = t->method,
        .confirmed = confirmed,
        .description = t->description,
        .receipt_email = t->receipt_email,
        .metadata = t->metadata, /* a copy, as it is now */
    };

    TRY(customer_now(c, t->customer, &h.created));
    if (refusal != NULL) {
        h.failure_code = str_of(refusal->code);
        h.failure_message = refusal->message;
        h.decline_code = refusal->decline_code;
    } else if (capture) {
        h.amount_captured = t->amount;
        TRY(balance_add(c, "charge", h.id, t->amount, &h, &h.balance_transaction));
    }
    TRY(insert(c, &h));
    t->latest_charge = h.id;
    return event_emit(c, refusal == NULL ? "charge.succeeded" : "charge.failed", charge_render,
                      h.id);
}

/* --- rendering ----------------------------------------------------------------------------------- */

static void render_nulls(struct render *r)
{
    static const char *const nulls[] = {
        "application",
        "application_fee",
        "application_fee_amount",
        "calculated_statement_descriptor",
        "failure_balance_transaction",
        "on_behalf_of",
        "receipt_number",
        "receipt_url",
        "review",
        "shipping",
        "source",
        "source_transfer",
        "statement_descriptor",
        "statement_descriptor_suffix",
        "transfer_data",
        "transfer_group",
    };

    for (size_t i = 0; i < COUNT(nulls); i++)
        render_null(r, nulls[i]);
    json_bool(&r->o, "disputed", false);
    json_bool(&r->o, "livemode", false);
    render_raw(r, "fraud_details", STR("{}"));
}

static void render_outcome(struct render *r, const struct charge *h)
{
    bool good = str_is(h->status, "succeeded");
    static const char *const nulls[] = { "advice_code", "network_advice_code",
                                         "network_decline_code" };

    json_name(&r->o, STR("outcome"));
    json_open(&r->o, '{');
    for (size_t i = 0; i < COUNT(nulls); i++)
        render_null(r, nulls[i]);
    json_str(&r->o, "network_status",
             good ? STR("approved_by_network") : STR("declined_by_network"));
    json_str(&r->o, "reason", good ? STR_NONE : h->decline_code);
    json_str(&r->o, "risk_level", STR("normal"));
    json_int(&r->o, "risk_score", 20);
    json_str(&r->o, "seller_message",
             good ? STR("Payment complete.") : STR("The bank did not return any further details."));
    json_str(&r->o, "type", good ? STR("authorized") : STR("issuer_declined"));
    json_close(&r->o, '}');
}

static void render_details(struct render *r, const struct charge *h, const struct pay_method *m)
{
    json_name(&r->o, STR("payment_method_details"));
    json_open(&r->o, '{');
    json_name(&r->o, STR("card"));
    json_open(&r->o, '{');
    render_card_members(r, m);
    json_int(&r->o, "amount_authorized", h->amount);
    render_null(r, "authorization_code");
    render_null(r, "electronic_commerce_indicator");
    render_null(r, "installments");
    render_null(r, "mandate");
    json_str(&r->o, "network", str_of(card_brand(method_card(m))));
    render_null(r, "network_transaction_id");
    render_raw(r, "three_d_secure",
               h->confirmed ? STR("{\"authentication_flow\":\"challenge\","
                                  "\"result\":\"authenticated\",\"version\":\"2.2.0\"}")
                            : STR_NONE);
    render_null(r, "transaction_link_id");
    json_close(&r->o, '}');
    json_str(&r->o, "type", STR("card"));
    json_close(&r->o, '}');
}

static void render_money(struct render *r, const struct charge *h)
{
    json_int(&r->o, "amount", h->amount);
    json_int(&r->o, "amount_captured", h->amount_captured);
    json_int(&r->o, "amount_refunded", h->amount_refunded);
    json_bool(&r->o, "captured", h->amount_captured > 0);
    render_currency(r, "currency", h->currency);
    json_bool(&r->o, "paid", str_is(h->status, "succeeded"));
    json_bool(&r->o, "refunded",
              h->amount_captured > 0 && h->amount_refunded == h->amount_captured);
}

enum err charge_render(struct render *r, struct str id)
{
    struct pay_method m;
    struct charge h;

    TRY(row(r->c, id, &h));
    TRY(method_load(r->c, h.method, &m));
    json_open(&r->o, '{');
    json_str(&r->o, "id", h.id);
    json_str(&r->o, "object", STR("charge"));
    render_money(r, &h);
    TRY(render_ref(r, "balance_transaction", h.balance_transaction, balance_render));
    render_billing(r, &m);
    render_when(r, "created", h.created);
    TRY(render_ref(r, "customer", h.customer, customer_render));
    json_str(&r->o, "description", h.description);
    json_str(&r->o, "failure_code", h.failure_code);
    json_str(&r->o, "failure_message", h.failure_message);
    render_raw(r, "metadata", h.metadata);
    render_outcome(r, &h);
    TRY(render_ref(r, "payment_intent", h.intent, intent_render));
    json_str(&r->o, "payment_method", h.method);
    render_details(r, &h, &m);
    json_str(&r->o, "receipt_email", h.receipt_email);
    json_str(&r->o, "status", h.status);
    render_nulls(r);
    json_close(&r->o, '}');
    return E_OK;
}

/* --- the API: charges and balance ---------------------------------------------------------------- */

TAKES_NOTHING(charge_get);

enum err charge_get(struct call *c)
{
    struct charge h;

    TRY(or_missing(c, row(c, api_of(c)->id, &h), "charge", NULL, api_of(c)->id));
    return api_reply_object(c, charge_render, h.id);
}

TAKES(charge_list, LIST_PARAMS, CREATED_PARAMS, { .path = "customer", .kind = P_TEXT },
      { .path = "payment_intent", .kind = P_TEXT });

enum err charge_list(struct call *c)
{
    struct str customer = in_text(c, "customer"), intent = in_text(c, "payment_intent");
    struct range r = in_range(c);
    struct row_ids rows;

    if (intent.p != NULL)
        TRY(db_list(c, row_id, &rows,
                    "SELECT id FROM sandbox_charge WHERE intent = $1 AND id < $2"
                    " ORDER BY id DESC LIMIT $3",
                    intent, r.after, r.limit));
    else
        TRY(db_list(c, row_id, &rows,
                    "SELECT id FROM sandbox_charge WHERE id < $1 AND created >= $2"
                    " AND created <= $3 AND ($4 = '' OR customer = $4) ORDER BY id DESC LIMIT $5",
                    r.after, r.from, r.to, customer.p == NULL ? STR("") : customer, r.limit));
    return api_reply_rows(c, charge_render, &rows, &r);
}

TAKES_NOTHING(balance_line);

enum err balance_line(struct call *c)
{
    struct balance b;

    TRY(or_missing(c, balance_row(c, api_of(c)->id, &b), "balance_transaction", NULL,
                   api_of(c)->id));
    return api_reply_object(c, balance_render, b.id);
}

TAKES(balance_list, LIST_PARAMS, CREATED_PARAMS, { .path = "source", .kind = P_TEXT },
      { .path = "type", .kind = P_TEXT }, { .path = "currency", .kind = P_TEXT });

enum err balance_list(struct call *c)
{
    struct str source = in_text(c, "source"), type = in_text(c, "type");
    struct range r = in_range(c);
    struct row_ids rows;

    TRY(db_list(c, row_id, &rows,
                "SELECT id FROM sandbox_balance WHERE id < $1 AND created >= $2 AND created <= $3"
                " AND ($4 = '' OR source = $4) AND ($5 = '' OR type = $5)"
                " ORDER BY id DESC LIMIT $6",
                r.after, r.from, r.to, source.p == NULL ? STR("") : source,
                type.p == NULL ? STR("") : type, r.limit));
    return api_reply_rows(c, balance_render, &rows, &r);
}

struct sum {
    struct str currency;
    int64_t available, pending;
};
static const struct field sum_fields[] = { COL(sum, currency), NUM(sum, available),
                                           NUM(sum, pending) };
STATIC_SHAPE(sum);
struct sums {
    struct sum *v;
    size_t n;
};

static void render_sums(struct render *r, const char *name, const struct sums *sums, bool pending)
{
    json_name(&r->o, str_of(name));
    json_open(&r->o, '[');
    for (size_t i = 0; i < sums->n; i++) {
        int64_t amount = pending ? sums->v[i].pending : sums->v[i].available;
        json_open(&r->o, '{');
        json_int(&r->o, "amount", amount);
        render_currency(r, "currency", sums->v[i].currency);
        json_name(&r->o, STR("source_types"));
        json_open(&r->o, '{');
        json_int(&r->o, "card", amount);
        json_close(&r->o, '}');
        json_close(&r->o, '}');
    }
    json_close(&r->o, ']');
}

TAKES_NOTHING(balance_get);

enum err balance_get(struct call *c)
{
    struct sums sums;
    struct render r;

    TRY(db_list(c, sum, &sums,
                "SELECT currency,"
                " CAST(sum(CASE WHEN available <= $1 THEN net ELSE 0 END) AS INTEGER) AS available,"
                " CAST(sum(CASE WHEN available > $1 THEN net ELSE 0 END) AS INTEGER) AS pending"
                " FROM sandbox_balance GROUP BY currency ORDER BY currency",
                c->now));
    render_begin(&r, c);
    json_open(&r.o, '{');
    json_str(&r.o, "object", STR("balance"));
    render_sums(&r, "available", &sums, false);
    json_bool(&r.o, "livemode", false);
    render_sums(&r, "pending", &sums, true);
    json_close(&r.o, '}');
    api_reply(c, buf_str(&r.buf));
    return E_OK;
}

/* --- refunds ------------------------------------------------------------------------------------- */

struct refund {
    struct str id, charge, intent, currency, status, reason, balance_transaction, metadata;
    int64_t amount;
    struct when created;
};

static const struct field refund_fields[] = {
    COL(refund, id),       COL(refund, charge), COL(refund, intent),
    COL(refund, currency), COL(refund, status), COL(refund, reason),
    COL(refund, metadata), NUM(refund, amount), COL(refund, balance_transaction),
    AT(refund, created),
};
STATIC_SHAPE(refund);

static enum err refund_row(struct call *c, struct str id, struct refund *result)
{
    return db_one(c, refund, result,
                  "SELECT id, charge, intent, currency, status, reason, balance_transaction,"
                  " metadata, amount, created FROM sandbox_refund WHERE id = $1",
                  id);
}

enum err refund_render(struct render *r, struct str id)
{
    static const char *const nulls[] = {
        "customer",       "customer_account",         "payment_method",
        "receipt_number", "source_transfer_reversal", "transfer_reversal"
    };
    struct refund f;

    TRY(refund_row(r->c, id, &f));
    json_open(&r->o, '{');
    json_str(&r->o, "id", f.id);
    json_str(&r->o, "object", STR("refund"));
    json_int(&r->o, "amount", f.amount);
    TRY(render_ref(r, "balance_transaction", f.balance_transaction, balance_render));
    TRY(render_ref(r, "charge", f.charge, charge_render));
    render_when(r, "created", f.created);
    render_currency(r, "currency", f.currency);
    render_raw(r, "metadata", f.metadata);
    TRY(render_ref(r, "payment_intent", f.intent, intent_render));
    json_str(&r->o, "reason", f.reason);
    json_str(&r->o, "status", f.status);
    for (size_t i = 0; i < COUNT(nulls); i++)
        render_null(r, nulls[i]);
    json_close(&r->o, '}');
    return E_OK;
}

static const char *const reasons[] = { "duplicate", "fraudulent", "requested_by_customer", NULL };

TAKES(refund_create, { .path = "charge", .kind = P_TEXT },
      { .path = "payment_intent", .kind = P_TEXT }, { .path = "amount", .kind = P_INT, .min = 1 },
      { .path = "reason", .kind = P_ENUM, .names = reasons },
      { .path = "metadata", .kind = P_MAP, .empty = true });

static enum err refunded_charge(struct call *c, struct charge *h)
{
    struct str charge = in_text(c, "charge"), intent = in_text(c, "payment_intent");
    struct intent t;

    if ((charge.p == NULL) == (intent.p == NULL))
        return refuse(c, "parameter_missing", "charge",
                      "One of the following params should be provided for this request: charge "
                      "or payment_intent.");
    if (intent.p != NULL) {
        TRY(intent_load(c, intent, "payment_intent", &t));
        charge = t.latest_charge;
    }
    if (charge.p == NULL)
        return missing(c, "charge", "payment_intent", intent);
    TRY(or_missing(c, row(c, charge, h), "charge", "charge", charge));
    if (h->amount_captured == 0)
        return refuse(c, "charge_not_refundable", "charge", "This charge was not paid.");
    return E_OK;
}

enum err refund_create(struct call *c)
{
    struct refund f = { .id = api_id(c, "re"), .reason = in_text(c, "reason") };
    struct charge h = { 0 };

    TRY(refunded_charge(c, &h));
    int64_t left = h.amount_captured - h.amount_refunded;
    f.amount = in_int(c, "amount", left);
    if (left == 0)
        return refuse(c, "charge_already_refunded", "charge",
                      "Charge %.*s has already been "
                      "refunded.",
                      STR_FMT(h.id));
    if (f.amount > left)
        return refuse(c, "amount_too_large", "amount",
                      "Refund amount is greater than unrefunded amount on charge.");
    TRY(in_metadata(c, "metadata", STR_NONE, &f.metadata));
    TRY(balance_add(c, "refund", f.id, -f.amount, &h, &f.balance_transaction));
    TRY(db_run(c,
               "INSERT INTO sandbox_refund (id, charge, intent, amount, currency, status, reason,"
               " balance_transaction, metadata, created)"
               " VALUES ($1, $2, $3, $4, $5, 'succeeded', $6, $7, $8, $9)",
               f.id, h.id, h.intent, f.amount, h.currency, f.reason, f.balance_transaction,
               f.metadata, c->now));
    TRY(db_hit(c, "UPDATE sandbox_charge SET amount_refunded = amount_refunded + $2 WHERE id = $1",
               h.id, f.amount));
    TRY(event_emit(c, "refund.created", refund_render, f.id));
    TRY(event_emit(c, "charge.refunded", charge_render, h.id));
    return api_reply_object(c, refund_render, f.id);
}

TAKES_NOTHING(refund_get);

enum err refund_get(struct call *c)
{
    struct refund f;

    TRY(or_missing(c, refund_row(c, api_of(c)->id, &f), "refund", NULL, api_of(c)->id));
    return api_reply_object(c, refund_render, f.id);
}

TAKES(refund_list, LIST_PARAMS, CREATED_PARAMS, { .path = "charge", .kind = P_TEXT },
      { .path = "payment_intent", .kind = P_TEXT });

enum err refund_list(struct call *c)
{
    struct str charge = in_text(c, "charge"), intent = in_text(c, "payment_intent");
    struct range r = in_range(c);
    struct row_ids rows;

    TRY(db_list(c, row_id, &rows,
                "SELECT id FROM sandbox_refund WHERE id < $1 AND created >= $2 AND created <= $3"
                " AND ($4 = '' OR charge = $4) AND ($5 = '' OR intent = $5)"
                " ORDER BY id DESC LIMIT $6",
                r.after, r.from, r.to, charge.p == NULL ? STR("") : charge,
                intent.p == NULL ? STR("") : intent, r.limit));
    return api_reply_rows(c, refund_render, &rows, &r);
}
