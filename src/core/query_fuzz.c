/* query_fuzz.c -- query strings and path parameters into structs (shape_decode.c): a shape with every kind that they may have,
 * and each of the program's.
 *
 * An input is a line with the name of a shape, and a query. What is taken gives the same fields when it is written again, in
 * whatever order, and percent-encoding is undone by its opposite. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/module.h"
#include "modules.h"
#include "test/fuzz.h"

#include <string.h>

static const char *const orders[] = { "new", "old", NULL };
enum order { NEW, OLD };

struct every_query {
    struct id id;
    struct str text, email, handle, url, cursor;
    enum order order;
    bool flag;
    int64_t number, limit;
    struct when at;
};
static const struct field every_query_fields[] = {
    ID(every_query, id, ID_POST, "An id", .optional = true),
    TEXT(every_query, text, "A text", .max = 20, .optional = true),
    EMAIL(every_query, email, "An address", .optional = true),
    HANDLE(every_query, handle, "A handle", .optional = true),
    URL(every_query, url, "A URL", .optional = true),
    CURSOR(every_query, cursor),
    ENUM(every_query, order, orders, "An order", .optional = true),
    BOOL(every_query, flag, "A flag", .optional = true),
    INTEGER(every_query, number, "A number", .min = -9, .max = 99, .optional = true),
    LIMIT(every_query, limit),
    WHEN(every_query, at, "A time", .optional = true),
};
STATIC_SHAPE(every_query);

static const struct shape *chosen(struct str name)
{
    for (size_t m = 0; m < modules_n; m++)
        for (size_t i = 0; i < modules[m]->routes_n; i++) {
            const struct shape *s = modules[m]->routes[i].query;
            if (s != NULL && str_is(name, s->name))
                return s;
            s = modules[m]->routes[i].params;
            if (s != NULL && str_is(name, s->name))
                return s;
        }
    return &every_query_shape;
}

static struct str written(struct arena *a, const struct json *j)
{
    if (j->kind == J_INTEGER)
        return str_printf(a, "%lld", (long long)j->integer);
    return j->kind == J_BOOL ? (j->boolean ? STR("true") : STR("false")) : j->text;
}

/* Through JSON, the other door of the same struct. */
static struct str as_query(struct arena *a, struct str json, bool backward)
{
    struct buf b = { .arena = a };
    const char *why;
    const struct json *j = json_parse(a, json, &why);

    for (size_t i = 0; i < j->n; i++) {
        size_t at = backward ? j->n - 1 - i : i;
        struct str value = url_encode(a, written(a, &j->items[at]));
        buf_printf(&b, "%s%.*s=%.*s", i > 0 ? "&" : "", STR_FMT(j->names[at]), STR_FMT(value));
    }
    return fuzz_exact(a, buf_str(&b));
}

static void check_again(const struct shape *s, struct arena *a, struct str json, bool backward)
{
    void *v = arena_alloc(a, s->size);
    struct problem p = { 0 };

    HOLDS(shape_decode_query(s, as_query(a, json, backward), a, v, &p) == E_OK);
    HOLDS(str_eq(shape_json(s, v, a), json));
}

/* Each pair names a field once; what no pair names is absent or has its fallback. */
static void check_pairs(const struct shape *s, struct arena *a, struct str query, struct str json)
{
    const char *why;
    const struct json *j = json_parse(a, json, &why);
    struct str pair, name;
    uint64_t seen = 0;

    HOLDS(j != NULL);
    while (query.n > 0) {
        query = str_split(query, '&', &pair);
        if (pair.n == 0)
            continue;
        struct str value = str_split(pair, '=', &name);
        name = url_decode(a, name, true);
        const struct field *f = name.p == NULL ? NULL : shape_field(s, name);
        HOLDS(f != NULL && (seen >> (f - s->fields) & 1) == 0);
        seen |= UINT64_C(1) << (f - s->fields);
        const struct json *said = json_get(j, f->name);
        HOLDS(said != NULL);
        if (f->kind == FIELD_TEXT || f->kind == FIELD_ID || f->kind == FIELD_CURSOR ||
            f->kind == FIELD_URL || f->kind == FIELD_INT || f->kind == FIELD_ENUM)
            HOLDS(str_eq(written(a, said), url_decode(a, value.p == NULL ? STR("") : value, true)));
    }
}

static void check_percent(struct arena *a, struct str s)
{
    struct str decoded = url_decode(a, s, false), encoded = url_encode(a, s);

    HOLDS(
        strspn(encoded.p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%") ==
        encoded.n);
    HOLDS(str_eq(url_decode(a, encoded, true), str_is_utf8(s) ? s : STR_NONE));
    if (decoded.p == NULL)
        return;
    HOLDS(str_is_utf8(decoded) && decoded.n <= s.n);
    HOLDS(str_eq(url_decode(a, url_encode(a, decoded), false), decoded));
}

FUZZ(query)
{
    struct str rest = in;
    const struct shape *s = chosen(fuzz_line(&rest, a));
    struct str query = fuzz_exact(a, rest.p == NULL ? STR("") : rest);
    void *v = arena_alloc(a, s->size);
    struct problem p = { 0 };

    check_percent(a, query);
    enum err e = shape_decode_query(s, query, a, v, &p);
    if (e != E_OK) {
        HOLDS(p.code == e && p.detail.n > 0 && (e == E_INVALID || e == E_NOT_FOUND));
        return;
    }
    fuzz_taken();
    struct str json = shape_json(s, v, a);
    check_pairs(s, a, query, json);
    check_again(s, a, json, false);
    check_again(s, a, json, true);
}
