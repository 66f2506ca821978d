/* json_fuzz.c -- the reader beside jansson in its strict mode, and beside the grammar of RFC 8259; the writer beside the reader.
 *
 * What we refuse though the grammar takes it is written down: see `limits`. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "test/fuzz.h"

#include <jansson.h>
#include <string.h>

static const char *const limits[] = {
    "a member stands twice",
    "a number is too large",
    "a string holds a NUL character",
    "it is nested deeper than 32 levels",
};

/* --- the grammar, read naively -------------------------------------------------------------------------------------- */

struct reader {
    const unsigned char *p, *end;
    int deep; /* beyond 1,000 nothing is said of the text */
};

static bool eat(struct reader *r, char c)
{
    if (r->p == r->end || *r->p != (unsigned char)c)
        return false;
    r->p++;
    return true;
}

static void space(struct reader *r)
{
    while (eat(r, ' ') || eat(r, '\t') || eat(r, '\n') || eat(r, '\r')) {
    }
}

static bool word(struct reader *r, const char *w)
{
    while (*w != 0)
        if (!eat(r, *w++))
            return false;
    return true;
}

static bool digits(struct reader *r)
{
    const unsigned char *from = r->p;

    while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
        r->p++;
    return r->p > from;
}

static bool number(struct reader *r)
{
    eat(r, '-');
    if (!eat(r, '0') && !digits(r))
        return false;
    if (eat(r, '.') && !digits(r))
        return false;
    if (eat(r, 'e') || eat(r, 'E')) {
        if (!eat(r, '+'))
            eat(r, '-');
        return digits(r);
    }
    return true;
}

/* The four digits of \u; -1 when they are none. */
static int unit(struct reader *r)
{
    int v = 0;

    for (int i = 0; i < 4; i++, r->p++) {
        if (r->p == r->end)
            return -1;
        int c = *r->p | 0x20;
        if (*r->p >= '0' && *r->p <= '9')
            v = v * 16 + (*r->p - '0');
        else if (c >= 'a' && c <= 'f')
            v = v * 16 + (c - 'a' + 10);
        else
            return -1;
    }
    return v;
}

/* Surrogates come in pairs (RFC 8259, 8.2: others are unpredictable). */
static bool escape(struct reader *r)
{
    if (r->p == r->end)
        return false;
    char c = (char)*r->p++;
    if (c != 'u')
        return c != 0 && strchr("\"\\/bfnrt", c) != NULL;
    int v = unit(r);
    if (v < 0 || (v >= 0xDC00 && v <= 0xDFFF))
        return false;
    if (v < 0xD800 || v > 0xDBFF)
        return true;
    if (!word(r, "\\u"))
        return false;
    v = unit(r);
    return v >= 0xDC00 && v <= 0xDFFF;
}

static bool string(struct reader *r)
{
    const unsigned char *from = r->p;

    if (!eat(r, '"'))
        return false;
    while (r->p < r->end && *r->p != '"') {
        unsigned char c = *r->p++;
        if (c < 0x20 || (c == '\\' && !escape(r)))
            return false;
    }
    return str_is_utf8((struct str) { (const char *)from, (size_t)(r->p - from) }) && eat(r, '"');
}

static bool value(struct reader *r);

static bool many(struct reader *r, bool named, char end)
{
    space(r);
    if (eat(r, end))
        return true;
    do {
        space(r);
        if (named && !string(r))
            return false;
        space(r);
        if (named && !eat(r, ':'))
            return false;
        if (!value(r))
            return false;
        space(r);
    } while (eat(r, ','));
    return eat(r, end);
}

static bool value(struct reader *r)
{
    bool good;

    space(r);
    if (r->p == r->end || r->deep > 1000)
        return false;
    if (*r->p == '"')
        return string(r);
    if (*r->p == '{' || *r->p == '[') {
        r->deep++;
        good = eat(r, '{') ? many(r, true, '}') : (eat(r, '['), many(r, false, ']'));
        r->deep--;
        return good;
    }
    if (*r->p == 't' || *r->p == 'f' || *r->p == 'n')
        return word(r, *r->p == 't' ? "true" : *r->p == 'f' ? "false" : "null");
    return number(r);
}

static bool fits_grammar(struct str text)
{
    struct reader r = { (const unsigned char *)text.p, (const unsigned char *)text.p + text.n, 0 };
    bool good = value(&r);

    space(&r);
    return good && r.p == r.end;
}

/* --- beside jansson ------------------------------------------------------------------------------------------------- */

static int depth_of(const json_t *j)
{
    int most = 0;
    const char *name;
    json_t *item, *object = (json_t *)(uintptr_t)j;
    size_t i;

    json_object_foreach(object, name, item)
    {
        int d = depth_of(item);
        most = d > most ? d : most;
    }
    json_array_foreach(object, i, item)
    {
        int d = depth_of(item);
        most = d > most ? d : most;
    }
    return json_is_array(j) || json_is_object(j) ? most + 1 : 0;
}

static bool same(const struct json *ours, const json_t *theirs)
{
    switch (ours->kind) {
    case J_NULL:
        return json_is_null(theirs);
    case J_BOOL:
        return json_is_boolean(theirs) && json_is_true(theirs) == ours->boolean;
    case J_INTEGER:
        return json_is_integer(theirs) && json_integer_value(theirs) == ours->integer;
    case J_REAL:
        return json_is_real(theirs) &&
               memcmp(&ours->real, &(double) { json_real_value(theirs) }, sizeof(ours->real)) == 0;
    case J_TEXT:
        return json_is_string(theirs) &&
               str_eq(ours->text,
                      (struct str) { json_string_value(theirs), json_string_length(theirs) });
    case J_LIST:
        if (!json_is_array(theirs) || json_array_size(theirs) != ours->n)
            return false;
        for (size_t i = 0; i < ours->n; i++)
            if (!same(&ours->items[i], json_array_get(theirs, i)))
                return false;
        return true;
    case J_OBJECT:
        if (!json_is_object(theirs) || json_object_size(theirs) != ours->n)
            return false;
        for (size_t i = 0; i < ours->n; i++)
            if (json_get(ours, ours->names[i].p) != &ours->items[i] ||
                !same(&ours->items[i], json_object_get(theirs, ours->names[i].p)))
                return false;
        return true;
    }
    return false;
}

/* --- the writer ----------------------------------------------------------------------------------------------------- */

/* Numbers with a fraction we never write. */
static void write_json(struct json_out *o, const struct json *j)
{
    if (j->kind == J_OBJECT || j->kind == J_LIST) {
        json_open(o, j->kind == J_OBJECT ? '{' : '[');
        for (size_t i = 0; i < j->n; i++) {
            if (j->kind == J_OBJECT)
                json_name(o, j->names[i]);
            write_json(o, &j->items[i]);
        }
        json_close(o, j->kind == J_OBJECT ? '}' : ']');
    } else if (j->kind == J_TEXT) {
        json_put_str(o, j->text);
    } else if (j->kind == J_INTEGER) {
        json_put_int(o, j->integer);
    } else if (j->kind == J_BOOL) {
        json_put_bool(o, j->boolean);
    } else {
        json_put_null(o);
    }
}

static struct str written(struct arena *a, const struct json *j)
{
    struct buf b = { .arena = a };
    struct json_out o = { .buf = &b };

    write_json(&o, j);
    return buf_str(&b);
}

static bool equal(const struct json *a, const struct json *b)
{
    bool null = a->kind == J_NULL || a->kind == J_REAL;

    if (null || a->kind != b->kind || a->n != b->n)
        return null && b->kind == J_NULL;
    if (a->boolean != b->boolean || a->integer != b->integer || !str_eq(a->text, b->text))
        return false;
    for (size_t i = 0; i < a->n; i++)
        if ((a->kind == J_OBJECT && !str_eq(a->names[i], b->names[i])) ||
            !equal(&a->items[i], &b->items[i]))
            return false;
    return true;
}

/* It can stand in a page's <script>, too. */
static void check_writer(struct arena *a, const struct json *j)
{
    struct json_fault fault;
    struct str text = written(a, j);
    const struct json *again = json_read(a, text, &fault);

    HOLDS(again != NULL && equal(j, again));
    HOLDS(fits_grammar(text));
    HOLDS(memchr(text.p, '<', text.n) == NULL);
    HOLDS(str_eq(written(a, again), text));
}

static void check_refusal(const struct json_fault *f, struct str in)
{
    bool named = false;

    for (size_t i = 0; i < COUNT(limits); i++)
        named |= strcmp(f->why, limits[i]) == 0;
    HOLDS(named || !fits_grammar(in));
    HOLDS(f->line >= 0 && f->column >= 0 && f->line <= (int)in.n + 1);
    HOLDS(f->member.p == NULL || (f->member.p > in.p && f->member.p + f->member.n < in.p + in.n));
}

FUZZ(json)
{
    json_error_t error;
    struct json_fault fault = { .line = -1 };
    const struct json *ours = json_read(a, in, &fault);
    json_t *theirs = json_loadb(in.p, in.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    bool good =
        theirs != NULL && depth_of(theirs) <= JSON_DEPTH_MAX && memchr(in.p, 0, in.n) == NULL;

    HOLDS((ours != NULL) == good);
    if (ours == NULL) {
        check_refusal(&fault, in);
    } else {
        fuzz_taken();
        HOLDS(fits_grammar(in));
        HOLDS(same(ours, theirs));
        check_writer(a, ours);
    }
    json_decref(theirs);
}
