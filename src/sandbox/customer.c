/* customer.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/objects.h"

static const struct field customer_fields[] = {
    COL(customer, id),         COL(customer, email),       COL(customer, name),
    COL(customer, phone),      COL(customer, description), COL(customer, default_method),
    COL(customer, test_clock), COL(customer, metadata),    YES(customer, deleted),
    AT(customer, created),
};
STATIC_SHAPE(customer);

static enum err row(struct call *c, struct str id, struct customer *result)
{
    return db_one(c, customer, result,
                  "SELECT id, email, name, phone, description, default_method, test_clock,"
                  " metadata, deleted, created FROM sandbox_customer WHERE id = $1",
                  id);
}

enum err customer_load(struct call *c, struct str id, const char *param, struct customer *result)
{
    enum err e = row(c, id, result);

    if (e == E_NOT_FOUND || (e == E_OK && result->deleted))
        return missing(c, "customer", param, id);
    return e;
}

enum err customer_now(struct call *c, struct str id, struct when *result)
{
    struct customer k;

    *result = c->now;
    if (id.p == NULL)
        return E_OK;
    TRY(row(c, id, &k));
    return k.test_clock.p == NULL ? E_OK : test_clock_now(c, k.test_clock, result);
}

static void render_rest(struct render *r)
{
    static const char *const nulls[] = { "address", "default_source", "discount", "shipping" };

    for (size_t i = 0; i < COUNT(nulls); i++)
        render_null(r, nulls[i]);
    json_int(&r->o, "balance", 0);
    json_bool(&r->o, "delinquent", false);
    json_bool(&r->o, "livemode", false);
    json_str(&r->o, "tax_exempt", STR("none"));
    render_raw(r, "preferred_locales", STR("[]"));
}

enum err customer_render(struct render *r, struct str id)
{
    struct customer k;

    TRY(row(r->c, id, &k));
    json_open(&r->o, '{');
    json_str(&r->o, "id", k.id);
    json_str(&r->o, "object", STR("customer"));
    if (k.deleted) {
        json_bool(&r->o, "deleted", true);
        json_close(&r->o, '}');
        return E_OK;
    }
    render_when(r, "created", k.created);
    json_str(&r->o, "email", k.email);
    json_str(&r->o, "name", k.name);
    json_str(&r->o, "phone", k.phone);
    json_str(&r->o, "description", k.description);
    json_str(&r->o, "test_clock", k.test_clock);
    render_raw(r, "metadata", k.metadata);
    render_rest(r);
    json_name(&r->o, STR("invoice_settings"));
    json_open(&r->o, '{');
    json_str(&r->o, "default_payment_method", k.default_method);
    json_close(&r->o, '}');
    json_close(&r->o, '}');
    return E_OK;
}

static enum err insert(struct call *c, const struct customer *k)
{
    return db_run(c,
                  "INSERT INTO sandbox_customer (id, email, name, phone, description,"
                  " default_method, test_clock, deleted, metadata, created)"
                  " VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9)",
                  k->id, k->email, k->name, k->phone, k->description, k->default_method,
                  k->test_clock, k->metadata, k->created);
}

enum err customer_make(struct call *c, struct str email, struct str name, struct str *id)
{
    struct customer k = { .id = api_id(c, "cus"),
                          .email = email,
                          .name = name,
                          .metadata = STR("{}"),
                          .created = c->now };

    TRY(insert(c, &k));
    *id = k.id;
    return event_emit(c, "customer.created", customer_render, k.id);
}

#define CUSTOMER_PARAMS                                                                            \
    { .path = "email", .kind = P_TEXT, .max = 512, .empty = true },                                \
        { .path = "name", .kind = P_TEXT, .max = 256, .empty = true },                             \
        { .path = "phone", .kind = P_TEXT, .max = 20, .empty = true },                             \
        { .path = "description", .kind = P_TEXT, .empty = true },                                  \
        { .path = "metadata", .kind = P_MAP, .empty = true },                                      \
        { .path = "address.line1", .kind = P_TEXT, .empty = true },                                \
        { .path = "address.line2", .kind = P_TEXT, .empty = true },                                \
        { .path = "address.city", .kind = P_TEXT, .empty = true },                                 \
        { .path = "address.postal_code", .kind = P_TEXT, .empty = true },                          \
        { .path = "address.state", .kind = P_TEXT, .empty = true },                                \
        { .path = "address.country", .kind = P_TEXT, .empty = true },                              \
        { .path = "preferred_locales", .kind = P_TEXTS, .empty = true },                           \
        { .path = "balance", .kind = P_INT },                                                      \
        { .path = "invoice_settings.default_payment_method", .kind = P_TEXT, .empty = true },      \
    {                                                                                              \
        .path = "tax_exempt", .kind = P_TEXT, .empty = true                                        \
    }

TAKES(customer_create, CUSTOMER_PARAMS, { .path = "payment_method", .kind = P_TEXT },
      { .path = "test_clock", .kind = P_TEXT });

static enum err keep_method(struct call *c, struct str method, struct str customer)
{
    struct pay_method m;

    if (method.p == NULL)
        return E_OK;
    TRY(method_load(c, method, &m));
    return method_keep(c, &m, customer, false);
}

/* "" unsets; absent leaves as it was. */
static void take(const struct call *c, const char *name, struct str *to)
{
    if (in_given(c, name))
        *to = in_text(c, name).n > 0 ? in_text(c, name) : STR_NONE;
}

static void take_all(const struct call *c, struct customer *k)
{
    take(c, "email", &k->email);
    take(c, "name", &k->name);
    take(c, "phone", &k->phone);
    take(c, "description", &k->description);
    take(c, "invoice_settings.default_payment_method", &k->default_method);
}

enum err customer_create(struct call *c)
{
    struct customer k = { .id = api_id(c, "cus"),
                          .test_clock = in_text(c, "test_clock"),
                          .created = c->now };

    take_all(c, &k);
    TRY(in_metadata(c, "metadata", STR_NONE, &k.metadata));
    if (k.test_clock.p != NULL)
        TRY(test_clock_now(c, k.test_clock, &k.created));
    TRY(insert(c, &k));
    TRY(keep_method(c, in_text(c, "payment_method"), k.id));
    TRY(event_emit(c, "customer.created", customer_render, k.id));
    return api_reply_object(c, customer_render, k.id);
}

TAKES_NOTHING(customer_get);

enum err customer_get(struct call *c)
{
    struct str id = api_of(c)->id;
    struct customer k;

    /* A deleted one is still told of, as deleted. */
    TRY(or_missing(c, row(c, id, &k), "customer", NULL, id));
    return api_reply_object(c, customer_render, id);
}

TAKES(customer_update, CUSTOMER_PARAMS);

enum err customer_update(struct call *c)
{
    struct customer k;

    TRY(customer_load(c, api_of(c)->id, NULL, &k));
    take_all(c, &k);
    TRY(in_metadata(c, "metadata", k.metadata, &k.metadata));
    TRY(db_hit(c,
               "UPDATE sandbox_customer SET email = $2, name = $3, phone = $4, description = $5,"
               " default_method = $6, metadata = $7 WHERE id = $1",
               k.id, k.email, k.name, k.phone, k.description, k.default_method, k.metadata));
    TRY(event_emit(c, "customer.updated", customer_render, k.id));
    return api_reply_object(c, customer_render, k.id);
}

TAKES_NOTHING(customer_delete);

enum err customer_delete(struct call *c)
{
    struct customer k;

    TRY(customer_load(c, api_of(c)->id, NULL, &k));
    TRY(event_emit(c, "customer.deleted", customer_render, k.id));
    TRY(db_run(c, "UPDATE sandbox_method SET customer = NULL WHERE customer = $1", k.id));
    TRY(db_run(c, "UPDATE sandbox_customer SET deleted = 1 WHERE id = $1", k.id));
    return api_reply_object(c, customer_render, k.id);
}

TAKES(customer_list, LIST_PARAMS, CREATED_PARAMS, { .path = "email", .kind = P_TEXT },
      { .path = "test_clock", .kind = P_TEXT });

enum err customer_list(struct call *c)
{
    struct str email = in_text(c, "email"), clock = in_text(c, "test_clock");
    struct range r = in_range(c);
    struct row_ids rows;

    TRY(db_list(c, row_id, &rows,
                "SELECT id FROM sandbox_customer WHERE id < $1 AND created >= $2 AND created <= $3"
                " AND deleted = 0 AND ($4 = '' OR email = $4) AND ($5 = '' OR test_clock = $5)"
                " ORDER BY id DESC LIMIT $6",
                r.after, r.from, r.to, email.p == NULL ? STR("") : email,
                clock.p == NULL ? STR("") : clock, r.limit));
    return api_reply_rows(c, customer_render, &rows, &r);
}

TAKES(customer_methods, LIST_PARAMS, { .path = "type", .kind = P_TEXT });

enum err customer_methods(struct call *c)
{
    struct range r = in_range(c);
    struct row_ids rows;
    struct customer k;

    TRY(customer_load(c, api_of(c)->id, NULL, &k));
    TRY(db_list(c, row_id, &rows,
                "SELECT id FROM sandbox_method WHERE customer = $1 AND id < $2"
                " ORDER BY id DESC LIMIT $3",
                k.id, r.after, r.limit));
    return api_reply_rows(c, method_render, &rows, &r);
}
