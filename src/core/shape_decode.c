/* shape_decode.c -- JSON, query strings and path parameters into structs. Every input is hostile. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/shape.h"

#include <inttypes.h>
#include <string.h>

/* Where we are: "media[2].alt" is built only when something is wrong. */
struct path {
    const struct path *up;
    struct str name; /* none: an index */
    size_t index;
};

struct decoder {
    struct arena *arena;
    struct problem *problem;
};

static void path_print(struct buf *b, const struct path *at)
{
    if (at == NULL)
        return;
    path_print(b, at->up);
    if (at->name.p == NULL) {
        buf_printf(b, "[%zu]", at->index);
        return;
    }
    if (b->n > 0)
        buf_char(b, '.');
    buf_add(b, str_head(at->name, 60));
}

FORMAT(4, 5)
static enum err refuse(struct decoder *d, const struct path *at, enum err e, const char *format,
                       ...)
{
    struct buf b = { .arena = d->arena };
    va_list args;

    path_print(&b, at);
    va_start(args, format);
    *d->problem = (struct problem) { .code = e,
                                     .field = b.n == 0 ? STR_NONE : buf_str(&b),
                                     .detail = str_vprintf(d->arena, format, args) };
    va_end(args);
    return e;
}

/* --- texts ------------------------------------------------------------------------------------------------------ */

static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
            return true;
    }
    return false;
}

static enum err take_length(struct decoder *d, const struct path *at, const struct field *f,
                            struct str s)
{
    int64_t n = (int64_t)str_characters(s);

    if (n < f->min && f->min == 1)
        return refuse(d, at, E_INVALID, "must not be empty");
    if (n < f->min)
        return refuse(d, at, E_INVALID, "must have at least %" PRId64 " characters", f->min);
    if (n > f->max)
        return refuse(d, at, E_INVALID, "must have at most %" PRId64 " characters", f->max);
    return E_OK;
}

static bool is_email(struct str s)
{
    struct str local, domain = str_split(s, '@', &local);

    if (local.n == 0 || local.n > 64 || domain.n < 3 || memchr(domain.p, '@', domain.n) != NULL ||
        memchr(domain.p, '.', domain.n) == NULL)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || strchr("\"(),:;<>[\\]", s.p[i]) != NULL)
            return false;
    return domain.p[0] != '.' && domain.p[0] != '-' && !str_ends(s, ".") && !str_ends(s, "-");
}

static bool is_handle(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
              s.p[i] == '_'))
            return false;
    return true;
}

static bool is_url(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || strchr("\"<>\\^`{|}", s.p[i]) != NULL)
            return false;
    return str_starts(s, "https://") || str_starts(s, "http://") ||
           (str_starts(s, "/") && !str_starts(s, "//"));
}

static enum err take_text(struct decoder *d, const struct path *at, const struct field *f,
                          struct str s, struct str *out)
{
    if (has_control(s) || !str_is_utf8(s))
        return refuse(d, at, E_INVALID, "must be plain text without control characters");
    TRY(take_length(d, at, f, s));
    *out = str_copy(d->arena, s);
    return E_OK;
}

static enum err take_special(struct decoder *d, const struct path *at, const struct field *f,
                             struct str s, struct str *out)
{
    bool email = f->kind == FIELD_EMAIL, handle = f->kind == FIELD_HANDLE;
    struct str lower = email || handle ? str_lower(d->arena, s) : s;

    TRY(take_length(d, at, f, lower));
    if (email && !is_email(lower))
        return refuse(d, at, E_INVALID, "must be an e-mail address, like ana@example.org");
    if (handle && !is_handle(lower))
        return refuse(d, at, E_INVALID, "may only have letters a-z, digits and _");
    if (f->kind == FIELD_URL && !is_url(lower))
        return refuse(d, at, E_INVALID, "must be an address that begins with https://");
    return take_text(d, at, f, lower, out);
}

/* --- values ----------------------------------------------------------------------------------------------------- */

static enum err take_int(struct decoder *d, const struct path *at, const struct field *f, int64_t v,
                         int64_t *out)
{
    int64_t max = f->max != 0 || f->min != 0 ? f->max : INT64_MAX;

    if (f->kind == FIELD_MONEY && f->max == 0)
        max = MONEY_MAX;
    if (v < f->min)
        return refuse(d, at, E_INVALID, "must be at least %" PRId64, f->min);
    if (v > max)
        return refuse(d, at, E_INVALID, "must be at most %" PRId64, max);
    *out = v;
    return E_OK;
}

static enum err take_enum(struct decoder *d, const struct path *at, const struct field *f,
                          struct str s, void *out)
{
    int v = enum_value(f->names, s);
    struct buf b = { .arena = d->arena };

    if (v >= 0) {
        memcpy(out, &v, sizeof(v));
        return E_OK;
    }
    for (int i = 0; f->names[i] != NULL; i++)
        buf_printf(&b, "%s%s", i > 0 ? ", " : "", f->names[i]);
    return refuse(d, at, E_INVALID, "must be one of %s", buf_str(&b).p);
}

static enum err take_id(struct decoder *d, const struct path *at, enum id_kind kind, struct str s,
                        struct id *out)
{
    if (!id_parse(s, id_prefix(kind), out))
        return refuse(d, at, E_NOT_FOUND, "there is no such %s_… here", id_prefix(kind));
    return E_OK;
}

static enum err take_when(struct decoder *d, const struct path *at, struct str s, struct when *out)
{
    if (!when_parse(s, out))
        return refuse(d, at, E_INVALID, "must be a time like 2026-11-21T18:00:00Z");
    return E_OK;
}

/* Any value that has a text form of its own. */
static enum err take_string(struct decoder *d, const struct path *at, const struct field *f,
                            struct str s, void *out)
{
    switch (f->kind) {
    case FIELD_TEXT:
    case FIELD_CURSOR:
        return take_text(d, at, f, s, out);
    case FIELD_EMAIL:
    case FIELD_HANDLE:
    case FIELD_URL:
        return take_special(d, at, f, s, out);
    case FIELD_ENUM:
        return take_enum(d, at, f, s, out);
    case FIELD_ID:
        return take_id(d, at, f->id, s, out);
    case FIELD_WHEN:
        return take_when(d, at, s, out);
    case FIELD_MONEY:
    case FIELD_BOOL:
    case FIELD_INT:
    case FIELD_NEST:
    case FIELD_LIST:
    case FIELD_IDS:
    case FIELD_TEXTS:
        break;
    }
    must_failed("a kind that is a string", __FILE__, __LINE__);
}

static bool is_string_kind(enum field_kind k)
{
    return k == FIELD_TEXT || k == FIELD_EMAIL || k == FIELD_HANDLE || k == FIELD_URL ||
           k == FIELD_CURSOR || k == FIELD_ENUM || k == FIELD_ID || k == FIELD_WHEN;
}

static enum err decode_object(struct decoder *d, const struct path *at, const struct shape *s,
                              const struct json *j, void *out);

static enum err take_item(struct decoder *d, const struct path *at, const struct field *f,
                          const struct json *j, void *out)
{
    struct field item = { .kind = FIELD_TEXT, .min = 1, .max = 100 };

    if (f->kind == FIELD_LIST)
        return decode_object(d, at, f->shape, j, out);
    if (j->kind != J_TEXT)
        return refuse(d, at, E_INVALID, "must be a text");
    return f->kind == FIELD_IDS ? take_id(d, at, f->id, j->text, out)
                                : take_text(d, at, &item, j->text, out);
}

static enum err take_list(struct decoder *d, const struct path *at, const struct field *f,
                          const struct json *j, void *out)
{
    size_t size = f->kind == FIELD_LIST  ? f->shape->size
                  : f->kind == FIELD_IDS ? sizeof(struct id)
                                         : sizeof(struct str);
    struct list l = { NULL, j->n };

    if (j->kind != J_LIST)
        return refuse(d, at, E_INVALID, "must be a list");
    if ((int64_t)j->n < f->min)
        return refuse(d, at, E_INVALID, "must have at least %" PRId64 " items", f->min);
    if ((int64_t)j->n > f->max)
        return refuse(d, at, E_INVALID, "must have at most %" PRId64 " items", f->max);
    l.v = arena_alloc(d->arena, size * (j->n + 1));
    for (size_t i = 0; i < j->n; i++) {
        struct path here = { at, STR_NONE, i };
        TRY(take_item(d, &here, f, &j->items[i], (char *)l.v + i * size));
    }
    memcpy(out, &l, sizeof(l));
    return E_OK;
}

static enum err take_value(struct decoder *d, const struct path *at, const struct field *f,
                           const struct json *j, void *out)
{
    if (is_string_kind(f->kind)) {
        if (j->kind != J_TEXT)
            return refuse(d, at, E_INVALID, "must be a text");
        return take_string(d, at, f, j->text, out);
    }
    switch (f->kind) {
    case FIELD_INT:
    case FIELD_MONEY:
        if (j->kind != J_INTEGER)
            return refuse(d, at, E_INVALID, "must be a whole number");
        return take_int(d, at, f, j->integer,
                        f->kind == FIELD_INT ? (int64_t *)out : &((struct money *)out)->minor);
    case FIELD_BOOL:
        if (j->kind != J_BOOL)
            return refuse(d, at, E_INVALID, "must be true or false");
        *(bool *)out = j->boolean;
        return E_OK;
    case FIELD_NEST: {
        void *nest = arena_alloc(d->arena, f->shape->size);
        memcpy(out, &nest, sizeof(nest));
        return decode_object(d, at, f->shape, j, nest);
    }
    default:
        return take_list(d, at, f, j, out);
    }
}

/* --- objects ---------------------------------------------------------------------------------------------------- */

static void put_absent(const struct field *f, void *out)
{
    int v = (int)f->fallback;

    if (f->kind == FIELD_INT)
        *(int64_t *)out = f->fallback != 0 ? f->fallback : INT_NONE;
    else if (f->kind == FIELD_BOOL)
        *(bool *)out = f->fallback != 0;
    else if (f->kind == FIELD_ENUM)
        memcpy(out, &v, sizeof(v));
}

static void note_given(const struct shape *s, void *out, size_t i, bool null)
{
    if (s->given == SIZE_MAX)
        return;
    struct given *g = (struct given *)((char *)out + s->given);
    g->named |= UINT64_C(1) << i;
    g->null |= (uint64_t)null << i;
}

static enum err decode_field(struct decoder *d, const struct path *up, const struct shape *s,
                             size_t i, const struct json *j, void *out)
{
    const struct field *f = &s->fields[i];
    void *at = (char *)out + f->offset;
    struct path here = { up, str_of(f->name), 0 };

    if (j == NULL) {
        if (!f->optional)
            return refuse(d, &here, E_INVALID, "is missing");
        put_absent(f, at);
        return E_OK;
    }
    if (j->kind == J_NULL && f->nullable) {
        put_absent(f, at);
        note_given(s, out, i, true);
        return E_OK;
    }
    note_given(s, out, i, false);
    return take_value(d, &here, f, j, at);
}

/* An amount, not null: which has no currency. */
static bool has_amount(const struct field *f, const struct json *j)
{
    const struct json *amount = f->kind == FIELD_MONEY ? json_get(j, f->name) : NULL;

    return amount != NULL && amount->kind != J_NULL;
}

/* The one "currency" beside all MONEY fields that were given. */
static enum err decode_currency(struct decoder *d, const struct path *up, const struct shape *s,
                                const struct json *j, void *out)
{
    struct path here = { up, STR("currency"), 0 };
    const struct json *named = json_get(j, "currency");
    struct currency currency = { { 0 } };
    bool wanted = false;

    for (size_t i = 0; i < s->n; i++)
        wanted |= has_amount(&s->fields[i], j);
    if (!wanted && named == NULL)
        return E_OK;
    if (named == NULL)
        return refuse(d, &here, E_INVALID, "is missing");
    if (named->kind != J_TEXT || !currency_parse(named->text, &currency))
        return refuse(d, &here, E_INVALID, "must be a currency we know, like EUR or USD");
    for (size_t i = 0; i < s->n; i++) {
        const struct field *f = &s->fields[i];
        struct money *m = (struct money *)((char *)out + f->offset);
        if (!has_amount(f, j))
            continue;
        if (m->minor % currency_facts(currency)->step != 0)
            return refuse(d, &(struct path) { up, str_of(f->name), 0 }, E_INVALID,
                          "must be a multiple of %" PRId64, currency_facts(currency)->step);
        m->currency = currency;
    }
    return E_OK;
}

static enum err decode_object(struct decoder *d, const struct path *at, const struct shape *s,
                              const struct json *j, void *out)
{
    bool money = shape_has_money(s);

    if (j->kind != J_OBJECT)
        return refuse(d, at, at == NULL ? E_BAD_JSON : E_INVALID, "must be an object");
    for (size_t i = 0; i < j->n; i++) {
        struct path here = { at, j->names[i], 0 };
        if (shape_field(s, j->names[i]) == NULL && !(money && str_is(j->names[i], "currency")))
            return refuse(d, &here, E_UNKNOWN_MEMBER, "is not a member that this route knows");
    }
    for (size_t i = 0; i < s->n; i++)
        TRY(decode_field(d, at, s, i, json_get(j, s->fields[i].name), out));
    return money ? decode_currency(d, at, s, j, out) : E_OK;
}

enum err shape_decode(const struct shape *s, const struct json *j, struct arena *a, void *out,
                      struct problem *p)
{
    struct decoder d = { a, p };

    return decode_object(&d, NULL, s, j, out);
}

/* --- texts of URLs ---------------------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

struct str url_decode(struct arena *a, struct str text, bool form)
{
    char *p = arena_alloc(a, text.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '+' && form)
            c = ' ';
        if (text.p[i] == '%') {
            int high = i + 2 < text.n ? hex_digit(text.p[i + 1]) : -1;
            int low = i + 2 < text.n ? hex_digit(text.p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return STR_NONE;
            c = (char)(high << 4 | low);
            i += 2;
        }
        p[n++] = c;
    }
    struct str s = { p, n };
    return str_is_utf8(s) ? s : STR_NONE;
}

struct str url_encode(struct arena *a, struct str text)
{
    static const char hex[] = "0123456789ABCDEF";
    struct buf b = { .arena = a };

    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     (c != 0 && strchr("-._~", c) != NULL);
        if (plain) {
            buf_char(&b, (char)c);
            continue;
        }
        buf_char(&b, '%');
        buf_char(&b, hex[c >> 4]);
        buf_char(&b, hex[c & 15]);
    }
    return buf_str(&b);
}

static enum err text_value(struct decoder *d, const struct path *at, const struct field *f,
                           struct str s, void *out)
{
    int64_t v;

    if (is_string_kind(f->kind))
        return take_string(d, at, f, s, out);
    if (f->kind == FIELD_INT) {
        if (!str_int(s, &v))
            return refuse(d, at, E_INVALID, "must be a whole number");
        return take_int(d, at, f, v, out);
    }
    must(f->kind == FIELD_BOOL);
    if (!str_is(s, "true") && !str_is(s, "false"))
        return refuse(d, at, E_INVALID, "must be true or false");
    *(bool *)out = str_is(s, "true");
    return E_OK;
}

enum err field_decode_text(const struct field *f, struct str text, struct arena *a, void *out,
                           struct problem *p)
{
    struct decoder d = { a, p };
    struct path here = { NULL, str_of(f->name), 0 };

    return text_value(&d, &here, f, text, out);
}

static enum err decode_pair(struct decoder *d, const struct shape *s, struct str pair, void *out,
                            uint64_t *seen)
{
    struct str name, value = str_split(pair, '=', &name);

    name = url_decode(d->arena, name, true);
    value = url_decode(d->arena, value.p == NULL ? STR("") : value, true);
    if (name.p == NULL)
        return refuse(d, NULL, E_INVALID, "the query is not well-formed percent-encoded UTF-8");
    struct path here = { NULL, name, 0 };
    if (value.p == NULL)
        return refuse(d, &here, E_INVALID, "is not well-formed percent-encoded UTF-8");
    const struct field *f = shape_field(s, name);
    if (f == NULL)
        return refuse(d, &here, E_INVALID, "is not a parameter that this route knows");
    uint64_t bit = UINT64_C(1) << (f - s->fields);
    if (*seen & bit)
        return refuse(d, &here, E_INVALID, "stands twice");
    *seen |= bit;
    return text_value(d, &here, f, value, (char *)out + f->offset);
}

enum err shape_decode_query(const struct shape *s, struct str query, struct arena *a, void *out,
                            struct problem *p)
{
    struct decoder d = { a, p };
    uint64_t seen = 0;
    struct str pair;

    while (query.n > 0) {
        query = str_split(query, '&', &pair);
        if (pair.n > 0)
            TRY(decode_pair(&d, s, pair, out, &seen));
    }
    for (size_t i = 0; i < s->n; i++) {
        const struct field *f = &s->fields[i];
        struct path here = { NULL, str_of(f->name), 0 };
        if (seen >> i & 1)
            continue;
        if (!f->optional)
            return refuse(&d, &here, E_INVALID, "is missing");
        put_absent(f, (char *)out + f->offset);
    }
    return E_OK;
}
