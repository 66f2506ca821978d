/* shape.c -- tables checked, looked up, and written as JSON. Reading stands in shape_decode.c. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/shape.h"

#include <string.h>

static const char *const prefixes[ID_KIND_COUNT] = {
    [ID_KIND_NONE] = "",
#define ID_KIND(name, prefix) [ID_##name] = prefix,
#include "core/ids.def"
#undef ID_KIND
};

const char *id_prefix(enum id_kind kind)
{
    must(kind > ID_KIND_NONE && kind < ID_KIND_COUNT);
    return prefixes[kind];
}

struct str id_text(struct arena *a, enum id_kind kind, struct id id)
{
    char text[ID_TEXT_MAX];

    if (!id_some(id))
        return STR_NONE;
    size_t n = id_print(text, id_prefix(kind), id);
    return str_copy(a, (struct str) { text, n });
}

static void field_check(const struct field *f)
{
    bool text = f->kind == FIELD_TEXT || f->kind == FIELD_EMAIL || f->kind == FIELD_HANDLE ||
                f->kind == FIELD_URL;
    bool many = f->kind == FIELD_LIST || f->kind == FIELD_IDS || f->kind == FIELD_TEXTS;

    must(f->name != NULL && f->doc != NULL && f->doc[0] != 0);
    must(!(text || many) || f->max > 0); /* every limit is explicit */
    must(f->min <= f->max || f->max == 0);
    must((f->kind == FIELD_ENUM) == (f->names != NULL));
    must((f->kind == FIELD_NEST || f->kind == FIELD_LIST) == (f->shape != NULL));
    must((f->kind == FIELD_ID || f->kind == FIELD_IDS) == (f->id != ID_KIND_NONE));
}

void shape_check(const struct shape *s)
{
    must(s->n > 0 && s->n <= 64); /* struct given has 64 bits */
    for (size_t i = 0; i < s->n; i++) {
        field_check(&s->fields[i]);
        for (size_t k = 0; k < i; k++)
            must(strcmp(s->fields[i].name, s->fields[k].name) != 0);
        if (s->fields[i].shape != NULL)
            shape_check(s->fields[i].shape);
    }
}

const struct field *shape_field(const struct shape *s, struct str name)
{
    for (size_t i = 0; i < s->n; i++)
        if (str_is(name, s->fields[i].name))
            return &s->fields[i];
    return NULL;
}

bool shape_has_money(const struct shape *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->fields[i].kind == FIELD_MONEY)
            return true;
    return false;
}

bool shape_given(const struct shape *s, const void *value, size_t offset, bool null)
{
    const struct given *g = (const struct given *)((const char *)value + s->given);

    must(s->given != SIZE_MAX);
    for (size_t i = 0; i < s->n; i++)
        if (s->fields[i].offset == offset)
            return ((null ? g->null : g->named) >> i & 1) != 0;
    must_failed("a field of the shape", __FILE__, __LINE__);
}

int enum_value(const char *const *names, struct str text)
{
    for (int i = 0; names[i] != NULL; i++)
        if (str_is(text, names[i]))
            return i;
    return -1;
}

/* --- encoding --------------------------------------------------------------------------------------------------- */

static struct list list_at(const void *at)
{
    struct list l;

    memcpy(&l, at, sizeof(l)); /* LIST_OF(x) has the same members, but another type */
    return l;
}

static bool is_none(const struct field *f, const void *at)
{
    switch (f->kind) {
    case FIELD_ID:
        return !id_some(*(const struct id *)at);
    case FIELD_WHEN:
        return !when_some(*(const struct when *)at);
    case FIELD_MONEY:
        return !money_some(*(const struct money *)at);
    case FIELD_INT:
        return *(const int64_t *)at == INT_NONE;
    case FIELD_NEST:
        return *(void *const *)at == NULL;
    case FIELD_TEXT:
    case FIELD_EMAIL:
    case FIELD_HANDLE:
    case FIELD_URL:
    case FIELD_CURSOR:
        return ((const struct str *)at)->p == NULL;
    case FIELD_ENUM:
    case FIELD_BOOL:
    case FIELD_LIST:
    case FIELD_IDS:
    case FIELD_TEXTS:
        return false;
    }
    return false;
}

static void put_id(struct json_out *o, enum id_kind kind, struct id id)
{
    char text[ID_TEXT_MAX];
    size_t n = id_print(text, id_prefix(kind), id);

    json_put_str(o, (struct str) { text, n });
}

static void put_when(struct json_out *o, struct when w)
{
    char text[WHEN_TEXT_MAX];
    size_t n = when_print(text, w);

    json_put_str(o, (struct str) { text, n });
}

static void put_list(struct json_out *o, const struct field *f, const void *at)
{
    struct list l = list_at(at);

    json_open(o, '[');
    for (size_t i = 0; i < l.n; i++) {
        if (f->kind == FIELD_LIST)
            shape_encode(f->shape, (const char *)l.v + i * f->shape->size, o);
        else if (f->kind == FIELD_IDS)
            put_id(o, f->id, ((const struct id *)l.v)[i]);
        else
            json_put_str(o, ((const struct str *)l.v)[i]);
    }
    json_close(o, ']');
}

static int enum_at(const void *at)
{
    int v;

    memcpy(&v, at, sizeof(v));
    return v;
}

static void put_field(struct json_out *o, const struct field *f, const void *at)
{
    switch (f->kind) {
    case FIELD_ID:
        put_id(o, f->id, *(const struct id *)at);
        break;
    case FIELD_MONEY:
        json_put_int(o, ((const struct money *)at)->minor);
        break;
    case FIELD_TEXT:
    case FIELD_EMAIL:
    case FIELD_HANDLE:
    case FIELD_URL:
    case FIELD_CURSOR:
        json_put_str(o, *(const struct str *)at);
        break;
    case FIELD_ENUM:
        json_put_str(o, str_of(f->names[enum_at(at)]));
        break;
    case FIELD_BOOL:
        json_put_bool(o, *(const bool *)at);
        break;
    case FIELD_INT:
        json_put_int(o, *(const int64_t *)at);
        break;
    case FIELD_WHEN:
        put_when(o, *(const struct when *)at);
        break;
    case FIELD_NEST:
        shape_encode(f->shape, *(void *const *)at, o);
        break;
    case FIELD_LIST:
    case FIELD_IDS:
    case FIELD_TEXTS:
        put_list(o, f, at);
        break;
    }
}

static void currency_encode(struct json_out *o, struct currency c)
{
    if (c.code[0] != 0)
        json_str(o, "currency", str_of(c.code));
}

/* Depth is that of the tables, which are ours and finite. */
void shape_encode(const struct shape *s, const void *value, struct json_out *o)
{
    struct currency currency = { { 0 } };

    json_open(o, '{');
    for (size_t i = 0; i < s->n; i++) {
        const struct field *f = &s->fields[i];
        const void *at = (const char *)value + f->offset;
        bool none = is_none(f, at);
        if (none && f->optional && !f->nullable)
            continue;
        json_name(o, str_of(f->name));
        if (none && (f->nullable || f->kind == FIELD_TEXT)) {
            json_put_raw(o, f->nullable ? STR("null") : STR("\"\""));
            continue;
        }
        must(!none); /* a required value was never filled */
        put_field(o, f, at);
        if (f->kind == FIELD_MONEY) {
            const struct money *m = at;
            must(currency.code[0] == 0 || currency_is(currency, m->currency));
            currency = m->currency;
        }
    }
    currency_encode(o, currency);
    json_close(o, '}');
}

struct str shape_json(const struct shape *s, const void *value, struct arena *a)
{
    struct buf b = { .arena = a };
    struct json_out o = { .buf = &b };

    shape_encode(s, value, &o);
    return buf_str(&b);
}
