/* params.c -- parameters checked against an endpoint's table, and read by its handler. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/params.h"
#include "base/check.h"
#include "core/shape.h"
#include "sandbox/form.h"

#include <inttypes.h>
#include <string.h>

enum { TEXT_MAX = 5000, METADATA_MAX = 50, METADATA_NAME_MAX = 40, METADATA_VALUE_MAX = 500 };

/* Where a node stands: as the tables write it, and as the client did. */
struct place {
    struct str path; /* "line_items[].quantity" */
    struct str wire; /* "line_items[0][quantity]" */
};

static struct place inside(struct arena *a, const struct place *p, bool list, struct str name)
{
    if (p->path.n == 0)
        return (struct place) { name, name };
    return (struct place) {
        list ? str_printf(a, "%.*s[]", STR_FMT(p->path))
             : str_printf(a, "%.*s.%.*s", STR_FMT(p->path), STR_FMT(name)),
        str_printf(a, "%.*s[%.*s]", STR_FMT(p->wire), STR_FMT(name)),
    };
}

static const struct param *param_of(const struct params *table, struct str path)
{
    for (size_t i = 0; i < table->n; i++)
        if (str_is(path, table->v[i].path))
            return &table->v[i];
    return NULL;
}

/* Does the table have anything below this place? */
static bool leads_on(const struct params *table, struct str path, bool list)
{
    for (size_t i = 0; i < table->n; i++) {
        struct str whole = str_of(table->v[i].path);
        if (whole.n > path.n && str_eq(str_cut(whole, 0, path.n), path) &&
            whole.p[path.n] == (list ? '[' : '.'))
            return true;
    }
    return false;
}

static enum err wrong(struct call *c, const struct place *p, const char *code, const char *what,
                      struct str value)
{
    return refuse(c, code, str_copy(c->arena, p->wire).p, "Invalid %s: %.*s", what,
                  STR_FMT(str_head(value, 100)));
}

static enum err check_int(struct call *c, const struct param *m, const struct place *p,
                          struct str text)
{
    int64_t n;

    if (!str_int(text, &n))
        return wrong(c, p, "parameter_invalid_integer", "integer", text);
    if ((m->min != 0 && n < m->min) || (m->max != 0 && n > m->max))
        return refuse(c, "parameter_invalid_integer", str_copy(c->arena, p->wire).p,
                      "This value must be from %" PRId64 " to %" PRId64 ".", m->min, m->max);
    return E_OK;
}

static enum err check_text(struct call *c, const struct param *m, const struct place *p,
                           struct str text)
{
    if (text.n == 0 && m->empty)
        return E_OK;
    if (text.n == 0)
        return refuse(c, "parameter_invalid_empty", str_copy(c->arena, p->wire).p,
                      "You passed an empty string for '%.*s'. We assume empty values are an "
                      "attempt to unset a parameter; however '%.*s' cannot be unset.",
                      STR_FMT(p->wire), STR_FMT(p->wire));
    if (m->kind == P_INT)
        return check_int(c, m, p, text);
    if (m->kind == P_BOOL && !str_is(text, "true") && !str_is(text, "false"))
        return wrong(c, p, "parameter_invalid_boolean", "boolean", text);
    if (m->kind == P_ENUM && enum_value(m->names, text) < 0)
        return wrong(c, p, "parameter_invalid_enum", str_copy(c->arena, p->wire).p, text);
    if (m->kind == P_TEXT && text.n > (size_t)(m->max > 0 ? m->max : TEXT_MAX))
        return refuse(c, "parameter_invalid_string_length", str_copy(c->arena, p->wire).p,
                      "This text is too long.");
    if (m->kind == P_MAP || m->kind == P_TEXTS)
        return wrong(c, p, "parameter_invalid", m->kind == P_MAP ? "object" : "array", text);
    return E_OK;
}

/* Members of a map and items of a list of texts are texts, whatever their names. */
static enum err check_leaves(struct call *c, const struct param *m, const struct place *p,
                             const struct json *j)
{
    if (m->kind != P_MAP && !(m->kind == P_TEXTS && j->kind == J_LIST))
        return wrong(c, p, "parameter_invalid", m->kind == P_TEXTS ? "array" : "value",
                     STR("an object"));
    for (size_t i = 0; i < j->n; i++)
        if (j->items[i].kind != J_TEXT)
            return wrong(c, p, "parameter_invalid", "value", STR("an object inside"));
    return E_OK;
}

/* The depth is bounded by FORM_DEPTH_MAX. */
static enum err check(struct call *c, const struct params *table, const struct place *p,
                      const struct json *j)
{
    const struct param *m = param_of(table, p->path);

    if (m != NULL && j->kind == J_TEXT)
        return check_text(c, m, p, j->text);
    if (m != NULL)
        return check_leaves(c, m, p, j);
    if (j->kind == J_TEXT || (p->path.n > 0 && !leads_on(table, p->path, j->kind == J_LIST)))
        return refuse(c, "parameter_unknown", str_copy(c->arena, p->wire).p,
                      "Received unknown parameter: %.*s", STR_FMT(p->wire));
    for (size_t i = 0; i < j->n; i++) {
        struct place inner = inside(c->arena, p, j->kind == J_LIST, j->names[i]);
        TRY(check(c, table, &inner, &j->items[i]));
    }
    return E_OK;
}

/* expand[] belongs to every endpoint; it is taken out before the table is looked at. */
static enum err take_expand(struct call *c, struct json *in)
{
    struct api *p = api_of(c);

    for (size_t i = 0; i < in->n; i++) {
        if (!str_is(in->names[i], "expand"))
            continue;
        const struct json list = in->items[i];
        if (list.kind != J_LIST || list.n > EXPAND_MAX)
            return refuse(c, "parameter_invalid", "expand", "Invalid array");
        for (size_t k = 0; k < list.n; k++) {
            if (list.items[k].kind != J_TEXT)
                return refuse(c, "parameter_invalid", "expand", "Invalid array");
            p->expand[p->expand_n++] = list.items[k].text;
        }
        in->n--;
        in->items[i] = in->items[in->n];
        in->names[i] = in->names[in->n];
        return E_OK;
    }
    return E_OK;
}

enum err params_check(struct call *c, const struct params *table, struct json *in)
{
    struct place top = { STR(""), STR("") };

    api_of(c)->in = in;
    TRY(take_expand(c, in));
    TRY(check(c, table, &top, in));
    for (size_t i = 0; i < table->n; i++)
        if (table->v[i].required && !in_given(c, table->v[i].path))
            return refuse(c, "parameter_missing", table->v[i].path, "Missing required param: %s.",
                          table->v[i].path);
    return E_OK;
}

/* --- read by handlers ---------------------------------------------------------------------------- */

bool in_given(const struct call *c, const char *path)
{
    return form_at(api_of(c)->in, path) != NULL;
}

struct str in_text(const struct call *c, const char *path)
{
    return form_text(api_of(c)->in, path);
}

int64_t in_int(const struct call *c, const char *path, int64_t absent)
{
    struct str text = in_text(c, path);
    int64_t n = absent;

    if (text.n > 0)
        must(str_int(text, &n));
    return n;
}

bool in_bool(const struct call *c, const char *path, bool absent)
{
    struct str text = in_text(c, path);

    return text.n == 0 ? absent : str_is(text, "true");
}

/* --- metadata ------------------------------------------------------------------------------------ */

static enum err metadata_check(struct call *c, const struct json *map)
{
    for (size_t i = 0; i < map->n; i++)
        if (map->names[i].n > METADATA_NAME_MAX || map->items[i].text.n > METADATA_VALUE_MAX)
            return refuse(c, "parameter_invalid_string_length", "metadata",
                          "Metadata keys can be up to %d characters long, values up to %d.",
                          METADATA_NAME_MAX, METADATA_VALUE_MAX);
    return E_OK;
}

/* What was there and is not named anew, then what is. */
static size_t metadata_write(struct json_out *o, const struct json *old, const struct json *map)
{
    size_t n = 0;

    json_open(o, '{');
    for (size_t i = 0; old != NULL && i < old->n; i++) {
        const char *name = old->names[i].p;
        if (json_get(map, name) != NULL)
            continue;
        json_str(o, name, old->items[i].text);
        n++;
    }
    for (size_t i = 0; i < map->n; i++) {
        if (map->items[i].text.n == 0)
            continue;
        json_name(o, map->names[i]);
        json_put_str(o, map->items[i].text);
        n++;
    }
    json_close(o, '}');
    return n;
}

enum err in_metadata(struct call *c, const char *path, struct str old, struct str *result)
{
    const struct json *map = form_at(api_of(c)->in, path);
    struct buf b = { .arena = c->arena };
    struct json_out o = { .buf = &b };
    const char *why;

    *result = old.p == NULL ? STR("{}") : old;
    if (map == NULL)
        return E_OK;
    if (map->kind == J_TEXT) { /* "": all of it goes */
        *result = STR("{}");
        return E_OK;
    }
    struct json named = *map;
    named.kind = J_OBJECT; /* metadata[0]=x looks like a list, and is none */
    TRY(metadata_check(c, &named));
    if (metadata_write(&o, json_parse(c->arena, *result, &why), &named) > METADATA_MAX)
        return refuse(c, "parameter_invalid", "metadata", "Metadata can have up to %d keys.",
                      METADATA_MAX);
    *result = buf_str(&b);
    return E_OK;
}

/* --- lists --------------------------------------------------------------------------------------- */

struct range in_range(const struct call *c)
{
    struct range r = {
        .after = in_text(c, "starting_after"),
        .from = { 1 }, /* 0 would be none */
        .to = { INT64_MAX },
        .limit = in_int(c, "limit", 10) + 1,
    };
    /* Ids are lower-case letters and digits behind a prefix, and grow with time: this stands above all of them. */
    if (r.after.p == NULL)
        r.after = STR("zzzz");
    if (in_given(c, "created.gte"))
        r.from.us = in_int(c, "created.gte", 0) * SECOND;
    if (in_given(c, "created.gt"))
        r.from.us = (in_int(c, "created.gt", 0) + 1) * SECOND;
    if (in_given(c, "created.lte"))
        r.to.us = (in_int(c, "created.lte", 0) + 1) * SECOND - 1;
    if (in_given(c, "created.lt"))
        r.to.us = in_int(c, "created.lt", 0) * SECOND - 1;
    return r;
}
