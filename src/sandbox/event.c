/* event.c -- events, the endpoints that want to hear of them, and their deliveries.
 *
 * An event keeps the object as it was. Each endpoint that wants it gets a delivery row and a job; the job sends, signed,
 * and adds its successor when the answer is not 2xx: 1 s, 2 s, 5 s ... up to three days. Order is not promised. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/objects.h"
#include "core/jobs.h"
#include "sandbox/form.h"
#include "sys/http_client.h"

#include <inttypes.h>

enum { SEND_MS = 20000 };

struct event {
    struct str id, type, data, request, key;
    struct when created;
    int64_t pending;
};

static const struct field event_fields[] = {
    COL(event, id),  COL(event, type),   COL(event, data),    COL(event, request),
    COL(event, key), AT(event, created), NUM(event, pending),
};
STATIC_SHAPE(event);

struct endpoint_row {
    struct str id, url, secret, events, description, status, metadata;
    struct when created;
};

static const struct field endpoint_row_fields[] = {
    COL(endpoint_row, id),       COL(endpoint_row, url),         COL(endpoint_row, secret),
    COL(endpoint_row, events),   COL(endpoint_row, description), COL(endpoint_row, status),
    COL(endpoint_row, metadata), AT(endpoint_row, created),
};
STATIC_SHAPE(endpoint_row);

static const struct field delivery_ref_fields[] = {
    TEXT(delivery_ref, delivery, "Delivery", .max = 64),
};
SHAPE(delivery_ref);

/* --- emitting ------------------------------------------------------------------------------------ */

/* The list of an endpoint: types, "*", or "charge.*". */
static bool wants(struct arena *a, struct str events, struct str type)
{
    const char *why;
    const struct json *list = json_parse(a, events, &why);

    for (size_t i = 0; list != NULL && i < list->n; i++) {
        struct str one = list->items[i].text;
        if (str_is(one, "*") || str_eq(one, type))
            return true;
        if (str_ends(one, ".*") && str_eq(str_cut(one, 0, one.n - 1), str_cut(type, 0, one.n - 1)))
            return true;
    }
    return false;
}

struct endpoints {
    struct endpoint_row *v;
    size_t n;
};

static enum err deliver_later(struct call *c, struct str event, struct str endpoint)
{
    struct delivery_ref ref = { api_id(c, "whd") };

    TRY(db_run(c,
               "INSERT INTO sandbox_delivery (id, event, endpoint, state, attempt, status)"
               " VALUES ($1, $2, $3, 'pending', 0, 0)",
               ref.delivery, event, endpoint));
    return job_add(c, "sandbox.deliver", JOB_NOW, &ref, NULL);
}

enum err event_emit(struct call *c, const char *type, renderer *of, struct str id)
{
    const struct api *p = api_of(c);
    struct str event = api_id(c, "evt"), data;
    struct endpoints all;

    TRY(object_text(c, of, id, &data));
    TRY(db_run(c,
               "INSERT INTO sandbox_event (id, type, data, request, key, created)"
               " VALUES ($1, $2, $3, $4, $5, $6)",
               event, str_of(type), data, p == NULL ? STR_NONE : p->request,
               p == NULL ? STR_NONE : p->key, c->now));
    TRY(db_list(c, endpoint_row, &all,
                "SELECT id, events FROM sandbox_endpoint WHERE status = 'enabled' ORDER BY id"
                " LIMIT 100"));
    for (size_t i = 0; i < all.n; i++)
        if (wants(c->arena, all.v[i].events, str_of(type)))
            TRY(deliver_later(c, event, all.v[i].id));
    return E_OK;
}

/* --- rendering ----------------------------------------------------------------------------------- */

static enum err event_row(struct call *c, struct str id, struct event *result)
{
    return db_one(c, event, result,
                  "SELECT id, type, data, request, key, created,"
                  " (SELECT count(*) FROM sandbox_delivery d"
                  " WHERE d.event = e.id AND d.state = 'pending') AS pending"
                  " FROM sandbox_event e WHERE id = $1",
                  id);
}

enum err event_render(struct render *r, struct str id)
{
    struct event e;

    TRY(event_row(r->c, id, &e));
    json_open(&r->o, '{');
    json_str(&r->o, "id", e.id);
    json_str(&r->o, "object", STR("event"));
    json_str(&r->o, "api_version", STR(API_VERSION));
    render_when(r, "created", e.created);
    json_name(&r->o, STR("data"));
    json_open(&r->o, '{');
    render_raw(r, "object", e.data);
    json_close(&r->o, '}');
    json_bool(&r->o, "livemode", false);
    json_int(&r->o, "pending_webhooks", e.pending);
    json_name(&r->o, STR("request"));
    json_open(&r->o, '{');
    json_str(&r->o, "id", e.request);
    json_str(&r->o, "idempotency_key", e.key);
    json_close(&r->o, '}');
    json_str(&r->o, "type", e.type);
    json_close(&r->o, '}');
    return E_OK;
}

/* --- delivering ---------------------------------------------------------------------------------- */

struct delivery {
    struct str event, endpoint, state, url, secret, status;
    int64_t attempt;
};

static const struct field delivery_fields[] = {
    COL(delivery, event),  COL(delivery, endpoint), COL(delivery, state),   COL(delivery, url),
    COL(delivery, secret), COL(delivery, status),   NUM(delivery, attempt),
};
STATIC_SHAPE(delivery);

struct sent {
    bool none; /* there is nothing to send any more */
    int status;
    struct str why;
};

/* How long after the nth try the next one comes, in seconds; after the last, the endpoint has had its three days. */
static const int64_t pauses_s[] = { 1,    2,     5,     10,    30,    60,    300,  900,
                                    3600, 10800, 21600, 43200, 43200, 43200, 43200 };

static struct str webhook_signature(struct arena *a, struct str secret, int64_t at, struct str body)
{
    struct buf b = { .arena = a };

    buf_int(&b, at);
    buf_char(&b, '.');
    buf_add(&b, body);
    struct sha256 h = hmac_sha256(secret, buf_str(&b));
    return str_printf(a, "t=%" PRId64 ",v1=%s", at, hex_print(a, h.b, sizeof(h.b)).p);
}

static void send_to(struct call *c, const struct delivery *d, struct str body, struct sent *sent)
{
    int64_t at = env_real_now(c->env).us / SECOND; /* receivers compare it with their real clock */
    struct str headers[] = {
        STR("Content-Type: application/json; charset=utf-8"),
        STR("User-Agent: Stagedoor-Sandbox (Stripe/1.0 form)"),
        str_printf(c->arena, "Stripe-Signature: %s",
                   webhook_signature(c->arena, d->secret, at, body).p),
    };
    struct http_request q = { .method = "POST",
                              .url = d->url,
                              .headers = headers,
                              .headers_n = COUNT(headers),
                              .body = body,
                              .timeout_ms = SEND_MS,
                              .body_max = 65536 };
    struct http_client *client = http_client_open();
    struct http_reply reply;

    if (client == NULL) {
        sent->why = STR("out of memory");
        return;
    }
    if (http_client_send(client, c->arena, &q, &reply) == HTTP_ANSWERED)
        sent->status = reply.status;
    sent->why = reply.why;
    http_client_close(client);
}

/* .prepare */
enum err delivery_send(struct call *c)
{
    struct sent *sent = arena_new(c->arena, struct sent);
    struct delivery d;
    struct render r;

    enum err e = db_one(c, delivery, &d,
                        "SELECT d.event, d.endpoint, d.state, d.attempt, p.url, p.secret, p.status"
                        " FROM sandbox_delivery d JOIN sandbox_endpoint p ON p.id = d.endpoint"
                        " WHERE d.id = $1",
                        IN(c, delivery_ref)->delivery);
    if (e != E_OK && e != E_NOT_FOUND)
        return e;
    sent->none = e == E_NOT_FOUND || !str_is(d.state, "pending") || !str_is(d.status, "enabled");
    if (!sent->none) {
        render_begin(&r, c);
        r.plain = true;
        TRY(event_render(&r, d.event));
        send_to(c, &d, buf_str(&r.buf), sent);
    }
    c->prepared = sent;
    return E_OK;
}

/* .run */
enum err delivery_record(struct call *c)
{
    struct sent sent = *(struct sent *)c->prepared;
    struct str id = IN(c, delivery_ref)->delivery;
    bool good = sent.status >= 200 && sent.status < 300;
    int64_t attempt;

    if (sent.none)
        return db_run(c,
                      "UPDATE sandbox_delivery SET state = 'failed' WHERE id = $1"
                      " AND state = 'pending'",
                      id);
    TRY(db_int(c, &attempt,
               "UPDATE sandbox_delivery SET attempt = attempt + 1, status = $2, error = $3,"
               " state = $4 WHERE id = $1 RETURNING attempt",
               id, sent.status, sent.why, good ? STR("delivered") : STR("pending")));
    if (good)
        return E_OK;
    if ((size_t)attempt > COUNT(pauses_s))
        return db_hit(c, "UPDATE sandbox_delivery SET state = 'failed' WHERE id = $1", id);
    return job_add(c, "sandbox.deliver", when_after(c->now, pauses_s[attempt - 1] * SECOND),
                   IN(c, delivery_ref), NULL);
}

/* --- the API: events ----------------------------------------------------------------------------- */

TAKES_NOTHING(event_get);

enum err event_get(struct call *c)
{
    struct event e;

    TRY(or_missing(c, event_row(c, api_of(c)->id, &e), "event", NULL, api_of(c)->id));
    return api_reply_object(c, event_render, e.id);
}

TAKES(event_list, LIST_PARAMS, CREATED_PARAMS, { .path = "type", .kind = P_TEXT },
      { .path = "types", .kind = P_TEXTS }, { .path = "delivery_success", .kind = P_BOOL });

/* A list of types as an argument: ",a,b," and every row's type is looked for in it. */
static struct str types_of(struct call *c)
{
    const struct json *list = form_at(api_of(c)->in, "types");
    struct buf b = { .arena = c->arena };

    if (in_given(c, "type"))
        return str_printf(c->arena, ",%.*s,", STR_FMT(in_text(c, "type")));
    if (list == NULL || list->kind != J_LIST)
        return STR("");
    buf_char(&b, ',');
    for (size_t i = 0; i < list->n; i++) {
        buf_add(&b, list->items[i].text);
        buf_char(&b, ',');
    }
    return buf_str(&b);
}

enum err event_list(struct call *c)
{
    bool told = in_given(c, "delivery_success"), success = in_bool(c, "delivery_success", true);
    struct range r = in_range(c);
    struct row_ids rows;

    TRY(db_list(c, row_id, &rows,
                "SELECT id FROM sandbox_event e WHERE id < $1 AND created >= $2 AND created <= $3"
                " AND ($4 = '' OR replace($4, ',' || type || ',', '') <> $4)"
                " AND ($5 = 0 OR ($6 = 1) = (NOT EXISTS (SELECT 1 FROM sandbox_delivery d"
                " WHERE d.event = e.id AND d.state <> 'delivered')))"
                " ORDER BY id DESC LIMIT $7",
                r.after, r.from, r.to, types_of(c), told, success, r.limit));
    return api_reply_rows(c, event_render, &rows, &r);
}

/* --- the API: webhook endpoints ------------------------------------------------------------------ */

static enum err endpoint_load(struct call *c, struct str id, struct endpoint_row *result)
{
    enum err e = db_one(c, endpoint_row, result,
                        "SELECT id, url, secret, events, description, status, metadata, created"
                        " FROM sandbox_endpoint WHERE id = $1",
                        id);

    return or_missing(c, e, "webhook endpoint", NULL, id);
}

static enum err endpoint_row_render(struct render *r, struct str id, bool with_secret)
{
    struct endpoint_row w;

    TRY(endpoint_load(r->c, id, &w));
    json_open(&r->o, '{');
    json_str(&r->o, "id", w.id);
    json_str(&r->o, "object", STR("webhook_endpoint"));
    json_str(&r->o, "api_version", STR(API_VERSION));
    render_null(r, "application");
    render_when(r, "created", w.created);
    json_str(&r->o, "description", w.description);
    render_raw(r, "enabled_events", w.events);
    json_bool(&r->o, "livemode", false);
    render_raw(r, "metadata", w.metadata);
    if (with_secret)
        json_str(&r->o, "secret", w.secret);
    json_str(&r->o, "status", w.status);
    json_str(&r->o, "url", w.url);
    json_close(&r->o, '}');
    return E_OK;
}

static enum err endpoint_render(struct render *r, struct str id)
{
    return endpoint_row_render(r, id, false);
}

/* The secret is told once. */
static enum err endpoint_render_new(struct render *r, struct str id)
{
    return endpoint_row_render(r, id, true);
}

static struct str events_given(struct call *c)
{
    const struct json *list = form_at(api_of(c)->in, "enabled_events");
    struct buf b = { .arena = c->arena };
    struct json_out o = { .buf = &b };

    json_open(&o, '[');
    for (size_t i = 0; list != NULL && list->kind == J_LIST && i < list->n; i++)
        json_put_str(&o, list->items[i].text);
    json_close(&o, ']');
    return buf_str(&b);
}

static enum err endpoint_url(struct call *c, struct str url)
{
    if (!str_starts(url, "http://") && !str_starts(url, "https://"))
        return refuse(c, "url_invalid", "url",
                      "Invalid URL: An explicit scheme (such as https) "
                      "must be provided.");
    return E_OK;
}

TAKES(endpoint_create, { .path = "url", .kind = P_TEXT, .required = true },
      { .path = "enabled_events", .kind = P_TEXTS, .required = true },
      { .path = "description", .kind = P_TEXT, .empty = true },
      { .path = "metadata", .kind = P_MAP, .empty = true },
      { .path = "api_version", .kind = P_TEXT }, { .path = "connect", .kind = P_BOOL });

enum err endpoint_create(struct call *c)
{
    struct str id = api_id(c, "we"), metadata;

    TRY(endpoint_url(c, in_text(c, "url")));
    TRY(in_metadata(c, "metadata", STR_NONE, &metadata));
    TRY(db_run(c,
               "INSERT INTO sandbox_endpoint (id, url, secret, events, description, status,"
               " metadata, created) VALUES ($1, $2, $3, $4, $5, 'enabled', $6, $7)",
               id, in_text(c, "url"), str_printf(c->arena, "whsec_%s", new_token(c).p),
               events_given(c), in_text(c, "description"), metadata, c->now));
    return api_reply_object(c, endpoint_render_new, id);
}

TAKES(endpoint_update, { .path = "url", .kind = P_TEXT },
      { .path = "enabled_events", .kind = P_TEXTS },
      { .path = "description", .kind = P_TEXT, .empty = true },
      { .path = "metadata", .kind = P_MAP, .empty = true }, { .path = "disabled", .kind = P_BOOL });

enum err endpoint_update(struct call *c)
{
    struct endpoint_row w;

    TRY(endpoint_load(c, api_of(c)->id, &w));
    if (in_given(c, "url"))
        w.url = in_text(c, "url");
    TRY(endpoint_url(c, w.url));
    if (in_given(c, "enabled_events"))
        w.events = events_given(c);
    if (in_given(c, "description"))
        w.description = in_text(c, "description");
    if (in_given(c, "disabled"))
        w.status = in_bool(c, "disabled", false) ? STR("disabled") : STR("enabled");
    TRY(in_metadata(c, "metadata", w.metadata, &w.metadata));
    TRY(db_hit(c,
               "UPDATE sandbox_endpoint SET url = $2, events = $3, description = $4, status = $5,"
               " metadata = $6 WHERE id = $1",
               w.id, w.url, w.events, w.description, w.status, w.metadata));
    return api_reply_object(c, endpoint_render, w.id);
}

TAKES_NOTHING(endpoint_get);

enum err endpoint_get(struct call *c)
{
    struct endpoint_row w;

    TRY(endpoint_load(c, api_of(c)->id, &w));
    return api_reply_object(c, endpoint_render, w.id);
}

TAKES_NOTHING(endpoint_delete);

enum err endpoint_delete(struct call *c)
{
    struct endpoint_row w;

    TRY(endpoint_load(c, api_of(c)->id, &w));
    TRY(db_run(c, "DELETE FROM sandbox_endpoint WHERE id = $1", w.id));
    api_reply(c, str_printf(c->arena,
                            "{\"id\":\"%.*s\",\"object\":\"webhook_endpoint\",\"deleted\":true}",
                            STR_FMT(w.id)));
    return E_OK;
}

TAKES(endpoint_list, LIST_PARAMS);

enum err endpoint_list(struct call *c)
{
    struct range r = in_range(c);
    struct row_ids rows;

    TRY(db_list(c, row_id, &rows,
                "SELECT id FROM sandbox_endpoint WHERE id < $1 ORDER BY id DESC LIMIT $2", r.after,
                r.limit));
    return api_reply_rows(c, endpoint_render, &rows, &r);
}

enum err endpoint_from_settings(struct call *c)
{
    struct str url = setting_text(c->env->settings, "sandbox.webhook_url");
    struct str secret = setting_text(c->env->settings, "sandbox.webhook_secret");

    if (url.n == 0)
        return db_run(c, "DELETE FROM sandbox_endpoint WHERE id = 'we_settings'");
    return db_run(c,
                  "INSERT INTO sandbox_endpoint (id, url, secret, events, description, status,"
                  " metadata, created) VALUES ('we_settings', $1, $2, '[\"*\"]',"
                  " 'From the settings', 'enabled', '{}', $3)"
                  " ON CONFLICT (id) DO UPDATE SET url = excluded.url, secret = excluded.secret",
                  url, secret, c->now);
}
