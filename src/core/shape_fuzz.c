/* shape_fuzz.c -- JSON into structs and back: one shape with every kind of field, and each that the program decodes.
 *
 * An input is a line with the name of a shape, and JSON. What is taken keeps every limit of the table, says what the text
 * said, and is the same after it was written and read again. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/module.h"
#include "modules.h"
#include "test/fuzz.h"

#include <string.h>

struct morsel {
    struct id id;
    struct str text;
};
static const struct field morsel_fields[] = {
    ID(morsel, id, ID_ASSET, "An id"),
    TEXT(morsel, text, "A text", .max = 10, .optional = true, .nullable = true),
};
STATIC_SHAPE(morsel);

static const char *const colours[] = { "red", "green", "blue", NULL };
enum colour { RED, GREEN, BLUE };

/* Every kind, optional, nullable and neither. */
struct kitchen {
    struct given given;
    struct id id;
    struct money price, tax;
    struct str text, note, email, handle, url;
    enum colour colour;
    bool flag;
    int64_t count, rank;
    struct when at;
    struct morsel *one;
    LIST_OF(morsel) many;
    LIST_OF(id) ids;
    LIST_OF(str) words;
};
static const struct field kitchen_fields[] = {
    ID(kitchen, id, ID_POST, "An id", .optional = true, .nullable = true),
    MONEY(kitchen, price, "An amount", .min = 1, .max = 100000, .optional = true),
    MONEY(kitchen, tax, "Another", .optional = true, .nullable = true),
    TEXT(kitchen, text, "A text", .min = 2, .max = 20, .optional = true),
    TEXT(kitchen, note, "A text", .max = 5, .optional = true, .nullable = true),
    EMAIL(kitchen, email, "An address", .optional = true),
    HANDLE(kitchen, handle, "A handle", .optional = true),
    URL(kitchen, url, "A URL", .optional = true),
    ENUM(kitchen, colour, colours, "A colour", .optional = true, .fallback = BLUE),
    BOOL(kitchen, flag, "A flag", .optional = true, .fallback = true),
    INTEGER(kitchen, count, "A number", .min = -5, .max = 50, .optional = true, .fallback = 7),
    INTEGER(kitchen, rank, "A number", .optional = true, .nullable = true),
    WHEN(kitchen, at, "A time", .optional = true),
    NEST(kitchen, one, morsel, "One", .optional = true),
    LIST(kitchen, many, morsel, "Many", .max = 3, .optional = true),
    IDS(kitchen, ids, ID_TIER, "Ids", .max = 3, .optional = true),
    TEXTS(kitchen, words, "Words", .max = 3, .optional = true),
};
PATCH_SHAPE(kitchen);

/* --- which shape ---------------------------------------------------------------------------------------------------- */

static const struct shape *in_module(const struct module *m, struct str name)
{
    for (size_t i = 0; i < m->routes_n; i++)
        if (m->routes[i].in != NULL && str_is(name, m->routes[i].in->name))
            return m->routes[i].in;
    for (size_t i = 0; i < m->jobs_n; i++)
        if (m->jobs[i].in != NULL && str_is(name, m->jobs[i].in->name))
            return m->jobs[i].in;
    for (size_t i = 0; i < m->events_n; i++)
        if (str_is(name, m->events[i]->shape->name))
            return m->events[i]->shape;
    return NULL;
}

static const struct shape *chosen(struct str name)
{
    const struct shape *s = NULL;

    for (size_t i = 0; i < modules_n && s == NULL; i++)
        s = in_module(modules[i], name);
    return s == NULL ? &kitchen_shape : s;
}

/* --- limits --------------------------------------------------------------------------------------------------------- */

static bool is_plain(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (((unsigned char)s.p[i] < 0x20 && s.p[i] != '\n' && s.p[i] != '\t') || s.p[i] == 0x7f)
            return false;
    return str_is_utf8(s);
}

static bool has_only(struct arena *a, struct str s, const char *set)
{
    return strspn(str_copy(a, s).p, set) == s.n;
}

static void check_text(struct arena *a, const struct field *f, struct str s)
{
    int64_t n = (int64_t)str_characters(s);

    HOLDS(n >= f->min && n <= f->max);
    HOLDS(is_plain(s));
    if (f->kind == FIELD_EMAIL)
        HOLDS(str_eq(s, str_lower(a, s)) && s.n > 4 && memchr(s.p, '@', s.n) != NULL);
    if (f->kind == FIELD_HANDLE)
        HOLDS(has_only(a, s, "abcdefghijklmnopqrstuvwxyz0123456789_"));
    if (f->kind == FIELD_URL)
        HOLDS((str_starts(s, "https://") || str_starts(s, "http://") ||
               (str_starts(s, "/") && !str_starts(s, "//"))) &&
              strcspn(str_copy(a, s).p, " \"<>\\^`{|}\t\n") == s.n);
}

static void check_struct(struct arena *a, const struct shape *s, const void *v);

static void check_list(struct arena *a, const struct field *f, const void *at)
{
    struct list l;

    memcpy(&l, at, sizeof(l));
    HOLDS(l.n <= (size_t)f->max && (l.n >= (size_t)f->min || f->optional));
    for (size_t i = 0; i < l.n; i++)
        if (f->kind == FIELD_LIST)
            check_struct(a, f->shape, (const char *)l.v + i * f->shape->size);
        else if (f->kind == FIELD_IDS)
            HOLDS(((const struct id *)l.v)[i].v > 0);
        else
            HOLDS(is_plain(((const struct str *)l.v)[i]) && ((const struct str *)l.v)[i].n > 0 &&
                  str_characters(((const struct str *)l.v)[i]) <= 100);
}

static void check_money(const struct field *f, struct money m)
{
    const struct currency_facts *facts = currency_facts(m.currency);

    HOLDS(facts != NULL && m.minor % facts->step == 0);
    HOLDS(m.minor >= f->min && m.minor <= (f->max != 0 ? f->max : MONEY_MAX));
}

static void check_int(const struct field *f, int64_t v)
{
    bool open = f->min == 0 && f->max == 0;

    HOLDS(v == f->fallback || (v >= f->min && (open || v <= f->max)));
}

static void check_number(const struct field *f, const void *at)
{
    int v;

    switch (f->kind) {
    case FIELD_ID:
        HOLDS(((const struct id *)at)->v > 0);
        break;
    case FIELD_WHEN:
        HOLDS(((const struct when *)at)->us > 0);
        break;
    case FIELD_MONEY:
        check_money(f, *(const struct money *)at);
        break;
    case FIELD_INT:
        check_int(f, *(const int64_t *)at);
        break;
    case FIELD_ENUM:
        memcpy(&v, at, sizeof(v));
        HOLDS(v >= 0 && enum_value(f->names, str_of(f->names[v])) == v);
        break;
    default:
        break;
    }
}

static bool is_none(const struct field *f, const void *at)
{
    switch (f->kind) {
    case FIELD_ID:
    case FIELD_WHEN:
        return *(const int64_t *)at == 0;
    case FIELD_MONEY:
        return !money_some(*(const struct money *)at);
    case FIELD_INT:
        return *(const int64_t *)at == INT_NONE;
    case FIELD_NEST:
    case FIELD_TEXT:
    case FIELD_EMAIL:
    case FIELD_HANDLE:
    case FIELD_URL:
    case FIELD_CURSOR:
        return *(void *const *)at == NULL;
    default:
        return false;
    }
}

static void check_field(struct arena *a, const struct field *f, const void *at)
{
    if (is_none(f, at)) {
        HOLDS(f->optional || f->nullable);
        return;
    }
    if (f->kind == FIELD_TEXT || f->kind == FIELD_EMAIL || f->kind == FIELD_HANDLE ||
        f->kind == FIELD_URL)
        check_text(a, f, *(const struct str *)at);
    else if (f->kind == FIELD_LIST || f->kind == FIELD_IDS || f->kind == FIELD_TEXTS)
        check_list(a, f, at);
    else if (f->kind == FIELD_NEST)
        check_struct(a, f->shape, *(void *const *)at);
    else
        check_number(f, at);
}

/* The depth is that of the tables. */
static void check_struct(struct arena *a, const struct shape *s, const void *v)
{
    for (size_t i = 0; i < s->n; i++)
        check_field(a, &s->fields[i], (const char *)v + s->fields[i].offset);
}

/* --- what was said is what is understood ---------------------------------------------------------------------------- */

/* Times, addresses and handles are written in a form of their own. */
static bool is_rewritten(enum field_kind k)
{
    return k == FIELD_WHEN || k == FIELD_EMAIL || k == FIELD_HANDLE;
}

static bool same(const struct json *x, const struct json *y)
{
    if (x->kind != y->kind || x->boolean != y->boolean || x->integer != y->integer ||
        x->n != y->n || !str_eq(x->text, y->text))
        return false;
    for (size_t i = 0; i < x->n && x->kind == J_LIST; i++)
        if (!same(&x->items[i], &y->items[i]))
            return false;
    return true;
}

static void check_said(const struct shape *s, const struct json *said, const struct json *back);

static void check_member(const struct field *f, const struct json *said, const struct json *back)
{
    if (said->kind == J_NULL) {
        HOLDS(back == NULL || back->kind == J_NULL || f->kind == FIELD_ENUM ||
              f->kind == FIELD_BOOL || f->fallback != 0);
        return;
    }
    HOLDS(back != NULL);
    if (f->kind == FIELD_NEST)
        check_said(f->shape, said, back);
    else if (f->kind == FIELD_LIST)
        for (size_t i = 0; i < said->n; i++)
            check_said(f->shape, &said->items[i], &back->items[i]);
    else if (!is_rewritten(f->kind) &&
             !(f->kind == FIELD_INT && said->integer == INT_NONE)) /* which says nothing */
        HOLDS(same(said, back));
}

static void check_said(const struct shape *s, const struct json *said, const struct json *back)
{
    for (size_t i = 0; i < said->n; i++) {
        const struct field *f = shape_field(s, said->names[i]);
        HOLDS(f != NULL || (shape_has_money(s) && str_is(said->names[i], "currency")));
        if (f != NULL)
            check_member(f, &said->items[i], json_get(back, f->name));
    }
}

static void check_given(const struct kitchen *k, const struct json *said)
{
    for (size_t i = 0; i < COUNT(kitchen_fields); i++) {
        const struct json *j = json_get(said, kitchen_fields[i].name);
        HOLDS((k->given.named >> i & 1) == (j != NULL));
        HOLDS((k->given.null >> i & 1) == (j != NULL && j->kind == J_NULL));
    }
}

/* --- the target ----------------------------------------------------------------------------------------------------- */

/* Nothing is named where the name to blame is empty. */
static void check_refusal(struct str text, enum err e, const struct problem *p)
{
    bool nameless = memmem(text.p, text.n, "\"\"", 2) != NULL;

    HOLDS(e == E_INVALID || e == E_UNKNOWN_MEMBER || e == E_NOT_FOUND || e == E_BAD_JSON);
    HOLDS(p->code == e && p->detail.n > 0 && str_is_utf8(p->detail));
    HOLDS(str_is_utf8(p->field));
    HOLDS(p->field.p != NULL || e == E_BAD_JSON || (e == E_UNKNOWN_MEMBER && nameless));
}

FUZZ(shape)
{
    struct str rest = in;
    const struct shape *s = chosen(fuzz_line(&rest, a));
    const char *why;
    const struct json *said = json_parse(a, fuzz_exact(a, rest), &why);
    struct problem p = { 0 };

    if (said == NULL)
        return;
    void *v = arena_alloc(a, s->size), *again = arena_alloc(a, s->size);
    enum err e = shape_decode(s, said, a, v, &p);
    if (e != E_OK) {
        check_refusal(rest, e, &p);
        return;
    }
    fuzz_taken();
    check_struct(a, s, v);
    struct str text = shape_json(s, v, a);
    const struct json *back = json_parse(a, text, &why);
    HOLDS(back != NULL);
    check_said(s, said, back);
    if (s == &kitchen_shape)
        check_given(v, said);
    HOLDS(shape_decode(s, back, a, again, &p) == E_OK);
    HOLDS(str_eq(shape_json(s, again, a), text));
}
