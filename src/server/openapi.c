/* openapi.c -- the API's description, OpenAPI 3.1, from the tables. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/catalog.h"
#include "server/server.h"

#include <inttypes.h>

struct printer {
    struct catalog catalog;
    struct json_out o;
};

static void put(struct printer *p, const char *name, const char *text)
{
    json_str(&p->o, name, str_of(text));
}

static void open_in(struct printer *p, const char *name, char bracket)
{
    json_name(&p->o, str_of(name));
    json_open(&p->o, bracket);
}

static void put_ref(struct printer *p, const struct shape *s)
{
    struct str name = catalog_name(&p->catalog, s);

    must(name.p != NULL);
    json_str(&p->o, "$ref",
             str_printf(p->catalog.arena, "#/components/schemas/%.*s", STR_FMT(name)));
}

/* --- fields ----------------------------------------------------------------------------------------------------- */

static const char *json_type(const struct field *f)
{
    switch (f->kind) {
    case FIELD_MONEY:
    case FIELD_INT:
        return "integer";
    case FIELD_BOOL:
        return "boolean";
    case FIELD_LIST:
    case FIELD_IDS:
    case FIELD_TEXTS:
        return "array";
    case FIELD_ID:
    case FIELD_TEXT:
    case FIELD_ENUM:
    case FIELD_WHEN:
    case FIELD_EMAIL:
    case FIELD_HANDLE:
    case FIELD_URL:
    case FIELD_CURSOR:
        return "string";
    case FIELD_NEST:
        break;
    }
    must_failed("a nest is a reference", __FILE__, __LINE__);
}

static void put_type(struct printer *p, const struct field *f)
{
    if (!f->nullable) {
        put(p, "type", json_type(f));
        return;
    }
    open_in(p, "type", '[');
    json_put_str(&p->o, str_of(json_type(f)));
    json_put_str(&p->o, STR("null"));
    json_close(&p->o, ']');
}

static void put_id_pattern(struct printer *p, enum id_kind kind)
{
    json_str(&p->o, "pattern",
             str_printf(p->catalog.arena, "^%s_[0-9a-hjkmnp-tv-z]{13}$", id_prefix(kind)));
}

static void put_text_limits(struct printer *p, const struct field *f)
{
    if (f->min > 0)
        json_int(&p->o, "minLength", f->min);
    json_int(&p->o, "maxLength", f->max);
    if (f->secret)
        put(p, "format", "password");
}

static void put_items(struct printer *p, const struct field *f)
{
    open_in(p, "items", '{');
    if (f->kind == FIELD_LIST)
        put_ref(p, f->shape);
    else
        put(p, "type", "string");
    if (f->kind == FIELD_IDS)
        put_id_pattern(p, f->id);
    if (f->kind == FIELD_TEXTS)
        json_int(&p->o, "maxLength", 100);
    json_close(&p->o, '}');
    if (f->min > 0)
        json_int(&p->o, "minItems", f->min);
    json_int(&p->o, "maxItems", f->max);
}

static void put_enum(struct printer *p, const struct field *f)
{
    open_in(p, "enum", '[');
    for (size_t i = 0; f->names[i] != NULL; i++)
        json_put_str(&p->o, str_of(f->names[i]));
    if (f->nullable)
        json_put_null(&p->o);
    json_close(&p->o, ']');
    if (f->optional && !f->nullable)
        json_str(&p->o, "default", str_of(f->names[f->fallback]));
}

static void put_number_limits(struct printer *p, const struct field *f)
{
    int64_t max = f->kind == FIELD_MONEY && f->max == 0 ? MONEY_MAX : f->max;

    json_int(&p->o, "minimum", f->min);
    if (max != 0 && max != INT64_MAX)
        json_int(&p->o, "maximum", max);
    if (f->optional && f->fallback != 0)
        json_int(&p->o, "default", f->fallback);
}

static void put_limits(struct printer *p, const struct field *f)
{
    switch (f->kind) {
    case FIELD_ID:
        put_id_pattern(p, f->id);
        break;
    case FIELD_MONEY:
    case FIELD_INT:
        put_number_limits(p, f);
        break;
    case FIELD_TEXT:
        put_text_limits(p, f);
        break;
    case FIELD_ENUM:
        put_enum(p, f);
        break;
    case FIELD_WHEN:
        put(p, "format", "date-time");
        break;
    case FIELD_EMAIL:
        put(p, "format", "email");
        json_int(&p->o, "maxLength", f->max);
        break;
    case FIELD_HANDLE:
        put(p, "pattern", "^[A-Za-z0-9_]{3,30}$"); /* lower-cased as it comes in */
        break;
    case FIELD_URL:
        put(p, "format", "uri-reference");
        break;
    case FIELD_CURSOR:
        json_int(&p->o, "maxLength", f->max);
        break;
    case FIELD_LIST:
    case FIELD_IDS:
    case FIELD_TEXTS:
        put_items(p, f);
        break;
    case FIELD_BOOL:
    case FIELD_NEST:
        break;
    }
}

static void put_nest(struct printer *p, const struct field *f)
{
    if (!f->nullable) {
        put_ref(p, f->shape);
        return;
    }
    open_in(p, "anyOf", '[');
    json_open(&p->o, '{');
    put_ref(p, f->shape);
    json_close(&p->o, '}');
    json_open(&p->o, '{');
    put(p, "type", "null");
    json_close(&p->o, '}');
    json_close(&p->o, ']');
}

static void put_example(struct printer *p, const struct field *f)
{
    if (f->sample == NULL || f->secret)
        return;
    open_in(p, "examples", '[');
    if (f->kind == FIELD_INT || f->kind == FIELD_MONEY || f->kind == FIELD_BOOL)
        json_put_raw(&p->o, str_of(f->sample));
    else
        json_put_str(&p->o, str_of(f->sample));
    json_close(&p->o, ']');
}

static void put_schema(struct printer *p, const struct field *f)
{
    json_open(&p->o, '{');
    if (f->kind == FIELD_NEST) {
        put_nest(p, f);
    } else {
        put_type(p, f);
        put_limits(p, f);
        put_example(p, f);
    }
    put(p, "description", f->doc);
    json_close(&p->o, '}');
}

/* --- shapes ----------------------------------------------------------------------------------------------------- */

/* One currency for all the money of a shape; it may be left out only where all of that may. */
static bool currency_required(const struct shape *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->fields[i].kind == FIELD_MONEY && !s->fields[i].optional)
            return true;
    return false;
}

static void put_currency(struct printer *p)
{
    open_in(p, "currency", '{');
    put(p, "type", "string");
    put(p, "pattern", "^[A-Z]{3}$");
    open_in(p, "examples", '[');
    json_put_str(&p->o, STR("EUR"));
    json_close(&p->o, ']');
    put(p, "description", "ISO 4217; amounts are in its minor units");
    json_close(&p->o, '}');
}

static void put_required(struct printer *p, const struct shape *s)
{
    open_in(p, "required", '[');
    for (size_t i = 0; i < s->n; i++)
        if (!s->fields[i].optional)
            json_put_str(&p->o, str_of(s->fields[i].name));
    if (currency_required(s))
        json_put_str(&p->o, STR("currency"));
    json_close(&p->o, ']');
}

static void put_shape(struct printer *p, const struct catalog_shape *s)
{
    json_name(&p->o, s->name);
    json_open(&p->o, '{');
    put(p, "type", "object");
    open_in(p, "properties", '{');
    for (size_t i = 0; i < s->shape->n; i++) {
        json_name(&p->o, str_of(s->shape->fields[i].name));
        put_schema(p, &s->shape->fields[i]);
    }
    if (shape_has_money(s->shape))
        put_currency(p);
    json_close(&p->o, '}');
    put_required(p, s->shape);
    json_bool(&p->o, "additionalProperties", false);
    json_close(&p->o, '}');
}

/* --- errors ----------------------------------------------------------------------------------------------------- */

static void put_code(struct printer *p, enum err e)
{
    json_put_str(&p->o, err_code(p->catalog.arena, e));
}

static void put_property(struct printer *p, const char *name, const char *type, const char *doc)
{
    open_in(p, name, '{');
    put(p, "type", type);
    put(p, "description", doc);
    json_close(&p->o, '}');
}

static void put_problem(struct printer *p)
{
    open_in(p, "Problem", '{');
    put(p, "type", "object");
    put(p, "description", "RFC 9457");
    open_in(p, "properties", '{');
    put_property(p, "type", "string", "Where this error is described");
    put_property(p, "title", "string", "A sentence for people");
    put_property(p, "status", "integer", "The HTTP status");
    open_in(p, "code", '{');
    put(p, "type", "string");
    open_in(p, "enum", '[');
    for (int e = E_OK + 1; e < ERR_COUNT; e++)
        put_code(p, (enum err)e);
    json_close(&p->o, ']');
    put(p, "description", "For programs");
    json_close(&p->o, '}');
    put_property(p, "detail", "string", "What exactly, and what to do");
    put_property(p, "field", "string", "The member, parameter or header to blame");
    put_property(p, "request", "string", "Number of the request, for the operator's log");
    json_close(&p->o, '}');
    open_in(p, "required", '[');
    json_put_str(&p->o, STR("type"));
    json_put_str(&p->o, STR("title"));
    json_put_str(&p->o, STR("status"));
    json_put_str(&p->o, STR("code"));
    json_close(&p->o, ']');
    json_close(&p->o, '}');
}

/* Raw bytes by a path with parameters are files: in parts, too. */
static bool sends_files(const struct route *r)
{
    return r->wire == WIRE_RAW && r->method == GET && r->params != NULL;
}

/* What this route may end in beyond what any may, so far as the table says. */
static size_t errors_of(const struct route *r, enum err list[FAILS_MAX + 8])
{
    size_t n = 0;

    if (r->auth != ANYONE && r->auth != SIGNED && r->auth != DEVELOPMENT)
        list[n++] = E_SIGNED_OUT;
    if (r->auth == CREATOR)
        list[n++] = E_NOT_CREATOR;
    if (r->auth == MODERATOR || r->auth == ADMIN)
        list[n++] = E_FORBIDDEN;
    if (r->params != NULL || r->auth == DEVELOPMENT)
        list[n++] = E_NOT_FOUND;
    if (sends_files(r))
        list[n++] = E_NO_SUCH_PART;
    if (r->idempotent) {
        list[n++] = E_KEY_REQUIRED;
        list[n++] = E_KEY_REUSED;
        list[n++] = E_KEY_IN_USE;
    }
    for (size_t i = 0; i < FAILS_MAX && r->fails[i] != E_OK; i++) {
        bool there = false;
        for (size_t k = 0; k < n; k++)
            there |= list[k] == r->fails[i];
        if (!there)
            list[n++] = r->fails[i];
    }
    return n;
}

/* --- headers ---------------------------------------------------------------------------------------------------- */

/* What answers may have beside every_answer; in the order of the document. */
enum header_kind {
    H_ETAG,
    H_REQUEST,
    H_REPLAYED,
    H_COOKIE,
    H_PART,
    H_RANGES,
    H_RETRY,
    H_ALLOW,
    H_BEARER
};
static const struct {
    const char *name;
    bool required; /* where it is named */
    const char *doc;
} header_kinds[] = {
    [H_ETAG] = { "ETag", true, "For If-None-Match and If-Match" },
    [H_REQUEST] = { "Request-Id", false, "Number of the request, for the operator's log" },
    [H_REPLAYED] = { "Idempotent-Replayed", false, "true: the answer that this key got before" },
    [H_COOKIE] = { "Set-Cookie", false, "The browser's session" },
    [H_PART] = { "Content-Range", true, "Which part of how many bytes" },
    [H_RANGES] = { "Accept-Ranges", true, "bytes" },
    [H_RETRY] = { "Retry-After", false, "Seconds; always with 429 and 503" },
    [H_ALLOW] = { "Allow", false, "Always with 405" },
    [H_BEARER] = { "WWW-Authenticate", false, "Always with 401" },
};

static const char *const every_answer[] = { "Cache-Control", "Content-Security-Policy",
                                            "X-Content-Type-Options",
                                            "Cross-Origin-Resource-Policy", "Referrer-Policy" };

static void put_headers(struct printer *p, unsigned kinds)
{
    if (kinds == 0)
        return;
    open_in(p, "headers", '{');
    for (size_t i = 0; i < COUNT(header_kinds); i++)
        if ((kinds >> i & 1) != 0) {
            open_in(p, header_kinds[i].name, '{');
            json_str(&p->o, "$ref",
                     str_printf(p->catalog.arena, "#/components/headers/%s", header_kinds[i].name));
            json_close(&p->o, '}');
        }
    json_close(&p->o, '}');
}

static void put_header_kinds(struct printer *p)
{
    open_in(p, "headers", '{');
    for (size_t i = 0; i < COUNT(header_kinds); i++) {
        open_in(p, header_kinds[i].name, '{');
        put(p, "description", header_kinds[i].doc);
        json_bool(&p->o, "required", header_kinds[i].required);
        open_in(p, "schema", '{');
        put(p, "type", "string");
        json_close(&p->o, '}');
        json_close(&p->o, '}');
    }
    json_close(&p->o, '}');
}

/* --- errors' answers -------------------------------------------------------------------------------------------- */

static void put_problem_content(struct printer *p, const enum err *list, size_t n, int status)
{
    open_in(p, "content", '{');
    open_in(p, "application/problem+json", '{');
    open_in(p, "schema", '{');
    put(p, "$ref", "#/components/schemas/Problem");
    json_bool(&p->o, "unevaluatedProperties", false);
    if (n > 0) {
        open_in(p, "properties", '{');
        open_in(p, "code", '{');
        open_in(p, "enum", '[');
        for (size_t i = 0; i < n; i++)
            if (err_status(list[i]) == status)
                put_code(p, list[i]);
        json_close(&p->o, ']');
        json_close(&p->o, '}');
        json_close(&p->o, '}');
    }
    json_close(&p->o, '}');
    json_close(&p->o, '}');
    json_close(&p->o, '}');
}

static unsigned error_headers(const enum err *list, size_t n, int status)
{
    unsigned kinds = status == 401 ? 1U << H_BEARER : status == 416 ? 1U << H_PART : 0;

    for (size_t i = 0; i < n; i++)
        if (list[i] == E_KEY_IN_USE && status == err_status(E_KEY_IN_USE))
            kinds |= 1U << H_RETRY;
    return kinds;
}

static void put_error_status(struct printer *p, const enum err *list, size_t n, int status)
{
    struct buf b = { .arena = p->catalog.arena };

    open_in(p, str_printf(p->catalog.arena, "%d", status).p, '{');
    for (size_t i = 0; i < n; i++)
        if (err_status(list[i]) == status)
            buf_printf(&b, "%s%s", b.n > 0 ? " Or: " : "", err_sentence(list[i]));
    json_str(&p->o, "description", buf_str(&b));
    put_headers(p, error_headers(list, n, status));
    put_problem_content(p, list, n, status);
    json_close(&p->o, '}');
}

static void put_errors(struct printer *p, const struct route *r)
{
    enum err list[FAILS_MAX + 8];
    size_t n = errors_of(r, list);

    for (int status = 400; status < 600; status++)
        for (size_t i = 0; i < n; i++)
            if (err_status(list[i]) == status) {
                put_error_status(p, list, n, status);
                break;
            }
    open_in(p, "default", '{');
    put(p, "$ref", "#/components/responses/Problem");
    json_close(&p->o, '}');
}

/* --- routes ----------------------------------------------------------------------------------------------------- */

static void put_parameter(struct printer *p, const struct field *f, const char *where)
{
    json_open(&p->o, '{');
    put(p, "name", f->name);
    put(p, "in", where);
    json_bool(&p->o, "required", strcmp(where, "path") == 0 || !f->optional);
    json_name(&p->o, STR("schema"));
    put_schema(p, f);
    json_close(&p->o, '}');
}

static void put_key_parameter(struct printer *p, const struct route *r)
{
    json_open(&p->o, '{');
    put(p, "name", "Idempotency-Key");
    put(p, "in", "header");
    json_bool(&p->o, "required", r->idempotent);
    put(p, "description",
        "The same for each try of one wish: it is done once, and answered the same");
    open_in(p, "schema", '{');
    put(p, "type", "string");
    put(p, "pattern", "^[!-~]{1,255}$");
    json_close(&p->o, '}');
    json_close(&p->o, '}');
}

static void put_parameters(struct printer *p, const struct route *r)
{
    open_in(p, "parameters", '[');
    for (size_t i = 0; r->params != NULL && i < r->params->n; i++)
        put_parameter(p, &r->params->fields[i], "path");
    for (size_t i = 0; r->query != NULL && i < r->query->n; i++)
        put_parameter(p, &r->query->fields[i], "query");
    if (r->method != GET && r->tx == WRITE && r->auth != SIGNED)
        put_key_parameter(p, r);
    json_close(&p->o, ']');
}

static void put_body(struct printer *p, const struct route *r)
{
    const char *type = r->wire == WIRE_JSON ? "application/json" : "application/octet-stream";

    if (r->method == GET || (r->wire == WIRE_JSON && r->in == NULL))
        return;
    open_in(p, "requestBody", '{');
    json_bool(&p->o, "required", true);
    open_in(p, "content", '{');
    open_in(p, type, '{');
    open_in(p, "schema", '{');
    if (r->in != NULL)
        put_ref(p, r->in);
    json_close(&p->o, '}');
    json_close(&p->o, '}');
    json_close(&p->o, '}');
    json_close(&p->o, '}');
}

static void put_page_schema(struct printer *p, const struct shape *items)
{
    put(p, "type", "object");
    open_in(p, "properties", '{');
    open_in(p, "items", '{');
    put(p, "type", "array");
    open_in(p, "items", '{');
    put_ref(p, items);
    json_close(&p->o, '}');
    json_close(&p->o, '}');
    open_in(p, "next", '{');
    open_in(p, "type", '[');
    json_put_str(&p->o, STR("string"));
    json_put_str(&p->o, STR("null"));
    json_close(&p->o, ']');
    put(p, "description", "Cursor of the next page; null at the end");
    json_close(&p->o, '}');
    json_close(&p->o, '}');
    open_in(p, "required", '[');
    json_put_str(&p->o, STR("items"));
    json_put_str(&p->o, STR("next"));
    json_close(&p->o, ']');
    json_bool(&p->o, "additionalProperties", false);
}

/* A read whose answer has a tag. */
static bool tagged(const struct route *r)
{
    return r->method == GET && (r->wire == WIRE_JSON || sends_files(r));
}

static unsigned success_headers(const struct route *r)
{
    unsigned kinds = 0;

    if (r->wire == WIRE_STREAM)
        return 0;
    kinds |= tagged(r) ? 1U << H_ETAG : 0;
    kinds |= sends_files(r) ? 1U << H_RANGES : 1U << H_REQUEST;
    kinds |= r->method != GET && r->tx == WRITE && r->auth != SIGNED ? 1U << H_REPLAYED : 0;
    return kinds | (r->cookie ? 1U << H_COOKIE : 0);
}

static void put_bare(struct printer *p, int status, const char *what, unsigned headers)
{
    open_in(p, str_printf(p->catalog.arena, "%d", status).p, '{');
    put(p, "description", what);
    put_headers(p, headers);
    json_close(&p->o, '}');
}

/* What a client may ask of a tag or a part. */
static void put_conditional(struct printer *p, const struct route *r)
{
    unsigned file = sends_files(r) ? 1U << H_ETAG | 1U << H_RANGES : 0;

    if (file != 0) {
        open_in(p, "206", '{');
        put(p, "description", "The part that was asked for");
        put_headers(p, file | 1U << H_PART);
        open_in(p, "content", '{');
        open_in(p, "*/*", '{');
        json_close(&p->o, '}');
        json_close(&p->o, '}');
        json_close(&p->o, '}');
    }
    if (tagged(r))
        put_bare(p, 304, "As you have it", success_headers(r));
}

static void put_success(struct printer *p, const struct route *r, int status, const char *what)
{
    const char *type = r->wire == WIRE_STREAM ? "text/event-stream"
                       : r->wire == WIRE_RAW  ? "*/*"
                                              : "application/json";
    bool body = r->wire == WIRE_STREAM || r->wire == WIRE_RAW || r->items != NULL || r->out != NULL;

    open_in(p, str_printf(p->catalog.arena, "%d", status).p, '{');
    put(p, "description", what);
    put_headers(p, success_headers(r));
    if (body) {
        open_in(p, "content", '{');
        open_in(p, type, '{');
        open_in(p, "schema", '{');
        if (r->items != NULL)
            put_page_schema(p, r->items);
        else if (r->out != NULL)
            put_ref(p, r->out);
        json_close(&p->o, '}');
        json_close(&p->o, '}');
        json_close(&p->o, '}');
    }
    json_close(&p->o, '}');
}

static void put_security(struct printer *p, const struct route *r)
{
    bool open = r->auth == ANYONE || r->auth == SIGNED || r->auth == DEVELOPMENT;

    open_in(p, "security", '[');
    if (r->auth == ANYONE) {
        json_open(&p->o, '{');
        json_close(&p->o, '}');
    }
    for (int i = 0; i < 2 && (!open || r->auth == ANYONE); i++) {
        json_open(&p->o, '{');
        open_in(p, i == 0 ? "cookie" : "bearer", '[');
        json_close(&p->o, ']');
        json_close(&p->o, '}');
    }
    json_close(&p->o, ']');
    put(p, "x-who", auth_names[r->auth]);
}

/* "getV1CreatorsHandle" */
static struct str operation_id(struct arena *a, const struct route *r)
{
    struct buf b = { .arena = a };
    bool up = true;

    buf_add(&b, str_lower(a, str_of(method_names[r->method])));
    for (const char *c = r->path; *c != 0; c++) {
        bool word = (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9');
        if (word)
            buf_char(&b, up && *c >= 'a' ? (char)(*c - 'a' + 'A') : *c);
        up = !word;
    }
    return buf_str(&b);
}

static void put_route(struct printer *p, const struct catalog_route *route)
{
    const struct route *r = route->route;

    json_name(&p->o, str_lower(p->catalog.arena, str_of(method_names[r->method])));
    json_open(&p->o, '{');
    put(p, "summary", r->summary);
    json_str(&p->o, "operationId", operation_id(p->catalog.arena, r));
    open_in(p, "tags", '[');
    json_put_str(&p->o, str_of(route->module->name));
    json_close(&p->o, ']');
    put_security(p, r);
    put_parameters(p, r);
    put_body(p, r);
    open_in(p, "responses", '{');
    put_success(p, r, route_status(r), "Done");
    if (r->await != NULL)
        put_success(p, r, 202, "Accepted; it takes longer than usual. Ask for the object later");
    put_conditional(p, r);
    put_errors(p, r);
    json_close(&p->o, '}');
    json_close(&p->o, '}');
}

/* Routes of one path stand together, where the first of them was. */
static void put_paths(struct printer *p)
{
    const struct catalog *c = &p->catalog;

    open_in(p, "paths", '{');
    for (size_t i = 0; i < c->routes_n; i++) {
        const char *path = c->routes[i].route->path;
        bool seen = false;
        for (size_t k = 0; k < i; k++)
            seen |= strcmp(c->routes[k].route->path, path) == 0;
        if (seen)
            continue;
        open_in(p, path, '{');
        for (size_t k = i; k < c->routes_n; k++)
            if (strcmp(c->routes[k].route->path, path) == 0)
                put_route(p, &c->routes[k]);
        json_close(&p->o, '}');
    }
    json_close(&p->o, '}');
}

/* --- the document ----------------------------------------------------------------------------------------------- */

static void put_schemes(struct printer *p)
{
    open_in(p, "securitySchemes", '{');
    open_in(p, "cookie", '{');
    put(p, "type", "apiKey");
    put(p, "in", "cookie");
    put(p, "name", "__Host-sid");
    put(p, "description", "Of browsers; on plain-http localhost its name is sid");
    json_close(&p->o, '}');
    open_in(p, "bearer", '{');
    put(p, "type", "http");
    put(p, "scheme", "bearer");
    json_close(&p->o, '}');
    json_close(&p->o, '}');
}

static void put_components(struct printer *p)
{
    open_in(p, "components", '{');
    open_in(p, "schemas", '{');
    put_problem(p);
    for (size_t i = 0; i < p->catalog.shapes_n; i++)
        put_shape(p, &p->catalog.shapes[i]);
    json_close(&p->o, '}');
    open_in(p, "responses", '{');
    open_in(p, "Problem", '{');
    put(p, "description", "Any of the errors that every route may end in");
    put_headers(p, 1 << H_RETRY | 1 << H_ALLOW | 1 << H_BEARER);
    put_problem_content(p, NULL, 0, 0);
    json_close(&p->o, '}');
    json_close(&p->o, '}');
    put_header_kinds(p);
    put_schemes(p);
    json_close(&p->o, '}');
}

static void put_every_answer(struct printer *p)
{
    open_in(p, "x-every-answer", '[');
    for (size_t i = 0; i < COUNT(every_answer); i++)
        json_put_str(&p->o, str_of(every_answer[i]));
    json_close(&p->o, ']');
}

static void put_events(struct printer *p)
{
    const struct catalog *c = &p->catalog;

    open_in(p, "x-events", '{');
    for (size_t m = 0; m < c->modules_n; m++)
        for (size_t i = 0; i < c->modules[m]->events_n; i++) {
            const struct event_kind *e = c->modules[m]->events[i];
            if (e->inside)
                continue;
            open_in(p, e->name, '{');
            put_ref(p, e->shape);
            put(p, "description", e->doc);
            json_close(&p->o, '}');
        }
    json_close(&p->o, '}');
}

struct str server_openapi(struct arena *a, const struct module *const *modules, size_t n)
{
    struct buf b = { .arena = a };
    struct printer p = { .o = { .buf = &b } };

    catalog_build(&p.catalog, a, modules, n);
    json_open(&p.o, '{');
    put(&p, "openapi", "3.1.0");
    open_in(&p, "info", '{');
    put(&p, "title", "Stagedoor");
    put(&p, "version", "1");
    put(&p, "description",
        "Ids are strings with a prefix, times are RFC 3339 in UTC, amounts are whole minor units "
        "beside a "
        "currency. Lists take limit and cursor. Unknown members are refused.");
    json_close(&p.o, '}');
    put_paths(&p);
    put_components(&p);
    put_events(&p);
    put_every_answer(&p);
    json_close(&p.o, '}');
    return json_pretty(a, buf_str(&b));
}
