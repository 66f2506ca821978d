/* json.c -- a reader of our own, straight into the arena, and a writer.
 *
 * jansson stood here. Where memory is short it goes on with a cut token (its lexer does not look whether its buffer could
 * grow) and reads past its end; an arena cannot fail, needs no second copy, and gives the place of the fault for nothing.
 * RFC 8259, and stricter: no duplicate members, no NUL, nothing beyond 64 bits or 32 levels. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- reading ---------------------------------------------------------------------------------------------------- */

/* So many are compared each with each; more are sorted, so that nobody can make us compare for hours. */
enum { FEW_MEMBERS = 32 };

struct reader {
    struct arena *arena;
    const char *start, *p, *end;
    const char *why;   /* of the first fault; NULL: none yet */
    const char *at;    /* its place */
    struct str member; /* to blame for it; as it stands in the text */
    struct str
        name; /* of the member whose value is read; none inside a list, or when it has escapes */
    int depth;
};

static bool refuse(struct reader *r, const char *why, const char *at)
{
    if (r->why == NULL) {
        r->why = why;
        r->at = at;
    }
    return false;
}

static bool refuse_member(struct reader *r, const char *why, struct str member)
{
    r->member = member;
    return refuse(r, why, r->p);
}

static bool no_json(struct reader *r)
{
    return r->p == r->end ? refuse(r, "the text ends too early", r->p)
                          : refuse(r, "the text is not JSON", r->p);
}

static void skip_space(struct reader *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r'))
        r->p++;
}

static bool skip(struct reader *r, char c)
{
    if (r->p == r->end || *r->p != c)
        return false;
    r->p++;
    return true;
}

static int hex_digit(char c)
{
    int lower = c | 0x20;

    if (c >= '0' && c <= '9')
        return c - '0';
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The four digits behind \u; -1 when they are not. */
static int32_t take_unit(struct reader *r)
{
    int32_t unit = 0;

    for (int i = 0; i < 4; i++, r->p++) {
        int digit = r->p < r->end ? hex_digit(*r->p) : -1;
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

static char *put_utf8(char *to, int32_t c)
{
    if (c < 0x80) {
        *to++ = (char)c;
        return to;
    }
    if (c < 0x800) {
        *to++ = (char)(0xC0 | c >> 6);
    } else if (c < 0x10000) {
        *to++ = (char)(0xE0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 0x3F));
    } else {
        *to++ = (char)(0xF0 | c >> 18);
        *to++ = (char)(0x80 | (c >> 12 & 0x3F));
        *to++ = (char)(0x80 | (c >> 6 & 0x3F));
    }
    *to++ = (char)(0x80 | (c & 0x3F));
    return to;
}

/* Behind "\u". Half of a surrogate pair alone is no character. */
static bool take_unicode(struct reader *r, char **to)
{
    int32_t c = take_unit(r), low;

    if (c == 0)
        return refuse(r, "a string holds a NUL character", r->p);
    if (c >= 0xD800 && c < 0xDC00) {
        low = skip(r, '\\') && skip(r, 'u') ? take_unit(r) : -1;
        if (low < 0xDC00 || low > 0xDFFF)
            return no_json(r);
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    } else if (c < 0 || (c >= 0xDC00 && c < 0xE000)) {
        return no_json(r);
    }
    *to = put_utf8(*to, c);
    return true;
}

/* Behind the backslash. */
static bool take_escape(struct reader *r, char **to)
{
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    const char *found = r->p < r->end && *r->p != 0 ? strchr(from, *r->p) : NULL;

    if (found != NULL) {
        *(*to)++ = into[found - from];
        r->p++;
        return true;
    }
    return skip(r, 'u') ? take_unicode(r, to) : no_json(r);
}

/* Where the string that begins at p ends, without a look at what is in it; NULL: nowhere. */
static const char *closing_quote(const char *p, const char *end)
{
    for (; p < end && *p != '"'; p++)
        if (*p == '\\' && ++p == end)
            break;
    return p < end ? p : NULL;
}

/* An escape is never shorter than what it stands for. */
static bool take_string(struct reader *r, struct str *result)
{
    if (!skip(r, '"'))
        return no_json(r);
    const char *end = closing_quote(r->p, r->end);
    if (end == NULL) {
        r->p = r->end;
        return no_json(r);
    }
    char *text = arena_alloc(r->arena, (size_t)(end - r->p) + 1), *to = text;
    while (r->p < end) {
        if (*r->p == 0)
            return refuse(r, "a string holds a NUL character", r->p);
        if ((unsigned char)*r->p < 0x20)
            return refuse(r, "the text is not JSON", r->p);
        if (*r->p != '\\')
            *to++ = *r->p++;
        else if (r->p++, !take_escape(r, &to))
            return false;
    }
    r->p = end + 1;
    *result = (struct str) { text, (size_t)(to - text) };
    return true;
}

static bool skip_digits(struct reader *r)
{
    const char *from = r->p;

    while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
        r->p++;
    return r->p > from;
}

/* Past the number by RFC 8259's grammar; *real: it has a fraction or an exponent. */
static bool skip_number(struct reader *r, bool *real)
{
    skip(r, '-');
    if (!skip(r, '0') && !skip_digits(r))
        return no_json(r);
    *real = skip(r, '.');
    if (*real && !skip_digits(r))
        return no_json(r);
    if (skip(r, 'e') || skip(r, 'E')) {
        *real = true;
        if (!skip(r, '+'))
            skip(r, '-');
        if (!skip_digits(r))
            return no_json(r);
    }
    return true;
}

static bool take_number(struct reader *r, struct json *j)
{
    const char *from = r->p;
    bool real = false, good;

    if (!skip_number(r, &real))
        return false;
    struct str text = { from, (size_t)(r->p - from) };
    if (real) {
        j->kind = J_REAL;
        j->real = strtod(str_copy(r->arena, text).p, NULL);
        good = isfinite(j->real);
    } else {
        j->kind = J_INTEGER;
        /* "-0" is a number, though not one that str_int takes for an id. */
        good = str_int(text, &j->integer) || str_is(text, "-0");
    }
    return good || refuse_member(r, "a number is too large", r->name);
}

static bool take_word(struct reader *r, const char *word)
{
    size_t n = strlen(word);

    if (!str_starts((struct str) { r->p, (size_t)(r->end - r->p) }, word))
        return refuse(r, "the text is not JSON", r->p);
    r->p += n;
    return true;
}

static bool take_value(struct reader *r, struct json *j);

/* Items of a list or an object while it is read: twice as many each time. */
static bool grow(struct reader *r, struct json *j, size_t *size)
{
    if (j->n < *size)
        return true;
    if (r->arena->starved) /* a large text would eat up the reserve */
        return refuse(r, "there is no memory to read it", NULL);
    size_t more = *size == 0 ? 4 : *size * 2;
    struct json *items = arena_array(r->arena, struct json, more);
    if (j->n > 0)
        memcpy(items, j->items, j->n * sizeof(*items));
    j->items = items;
    if (j->kind == J_OBJECT) {
        struct str *names = arena_array(r->arena, struct str, more);
        if (j->n > 0)
            memcpy(names, j->names, j->n * sizeof(*names));
        j->names = names;
    }
    *size = more;
    return true;
}

static bool take_list(struct reader *r, struct json *j)
{
    size_t size = 0;

    j->kind = J_LIST;
    skip_space(r);
    if (skip(r, ']'))
        return true;
    for (;;) {
        r->name = STR_NONE;
        if (!grow(r, j, &size) || !take_value(r, &j->items[j->n]))
            return false;
        j->n++;
        if (skip(r, ']'))
            return true;
        if (!skip(r, ','))
            return no_json(r);
    }
}

static int compare_names(const void *a, const void *b)
{
    return str_cmp(**(const struct str *const *)a, **(const struct str *const *)b);
}

static const struct str *find_twin(struct reader *r, const struct json *j)
{
    const struct str **sorted = arena_array(r->arena, const struct str *, j->n + 1);

    for (size_t i = 0; i < j->n; i++)
        sorted[i] = &j->names[i];
    qsort(sorted, j->n, sizeof(sorted[0]), compare_names);
    for (size_t i = 1; i < j->n; i++)
        if (str_eq(*sorted[i - 1], *sorted[i]))
            return sorted[i];
    return NULL;
}

/* The name as it stands in the text, for those who want to point at it; none when it is written with escapes. */
static struct str written(const char *quote, const char *end)
{
    struct str name = { quote + 1, (size_t)(end - quote) - 2 };

    return memchr(name.p, '\\', name.n) == NULL ? name : STR_NONE;
}

static bool take_member(struct reader *r, struct json *j)
{
    skip_space(r);
    const char *quote = r->p;
    if (!take_string(r, &j->names[j->n]))
        return false;
    struct str name = written(quote, r->p);
    for (size_t i = 0; i < j->n && j->n < FEW_MEMBERS; i++)
        if (str_eq(j->names[i], j->names[j->n]))
            return refuse_member(r, "a member stands twice", name);
    skip_space(r);
    if (!skip(r, ':'))
        return no_json(r);
    r->name = name;
    return take_value(r, &j->items[j->n]);
}

static bool object_ends(struct reader *r, const struct json *j)
{
    return j->n <= FEW_MEMBERS || find_twin(r, j) == NULL ||
           refuse_member(r, "a member stands twice", STR_NONE);
}

static bool take_object(struct reader *r, struct json *j)
{
    size_t size = 0;

    j->kind = J_OBJECT;
    skip_space(r);
    if (skip(r, '}'))
        return true;
    for (;;) {
        if (!grow(r, j, &size) || !take_member(r, j))
            return false;
        j->n++;
        if (skip(r, '}'))
            return object_ends(r, j);
        if (!skip(r, ','))
            return no_json(r);
    }
}

/* Recursion is bounded by JSON_DEPTH_MAX. */
static bool take_nested(struct reader *r, struct json *j)
{
    bool list = *r->p++ == '[';

    if (++r->depth > JSON_DEPTH_MAX)
        return refuse(r, "it is nested deeper than 32 levels", NULL);
    bool good = list ? take_list(r, j) : take_object(r, j);
    r->depth--;
    return good;
}

static bool take_scalar(struct reader *r, struct json *j)
{
    switch (*r->p) {
    case '"':
        j->kind = J_TEXT;
        return take_string(r, &j->text);
    case 't':
    case 'f':
        j->kind = J_BOOL;
        j->boolean = *r->p == 't';
        return take_word(r, j->boolean ? "true" : "false");
    case 'n':
        j->kind = J_NULL;
        return take_word(r, "null");
    default:
        return take_number(r, j);
    }
}

static bool take_value(struct reader *r, struct json *j)
{
    skip_space(r);
    if (r->p == r->end)
        return no_json(r);
    bool good = *r->p == '[' || *r->p == '{' ? take_nested(r, j) : take_scalar(r, j);
    skip_space(r);
    return good;
}

/* NUL is refused by its own name. */
static bool is_utf8(struct str text)
{
    struct str part;

    while (text.n > 0) {
        text = str_split(text, 0, &part);
        if (!str_is_utf8(part))
            return false;
    }
    return true;
}

/* The first letter of a text that is not UTF-8 which is none. */
static const char *no_letter(struct str text)
{
    size_t at = 0, n = 0;

    while (n <= 4 && at < text.n) {
        for (n = 1; n <= 4 && text.p[at] != 0 && !str_is_utf8(str_cut(text, at, n)); n++) {
        }
        at += n <= 4 ? n : 0;
    }
    return text.p + at;
}

/* Line and column of the fault, both from 1. */
static void tell(const struct reader *r, struct json_fault *f)
{
    *f = (struct json_fault) { .why = r->why, .member = r->member };
    if (r->at == NULL)
        return;
    f->line = f->column = 1;
    for (const char *p = r->start; p < r->at; p++) {
        f->column = *p == '\n' ? 1 : f->column + 1;
        f->line += *p == '\n';
    }
}

const struct json *json_read(struct arena *a, struct str text, struct json_fault *fault)
{
    const char *start = text.n == 0 ? "" : text.p;
    struct reader r = { .arena = a, .start = start, .p = start, .end = start + text.n };
    struct json *result = arena_new(a, struct json);
    bool good = is_utf8(text) || refuse(&r, "the text is not UTF-8", no_letter(text));

    good = good && take_value(&r, result);
    if (good && r.p != r.end)
        good = refuse(&r, "something stands after the end", r.p);
    if (good)
        return result;
    tell(&r, fault);
    return NULL;
}

const struct json *json_parse(struct arena *a, struct str text, const char **why)
{
    struct json_fault fault;
    const struct json *result = json_read(a, text, &fault);

    if (result == NULL)
        *why = fault.why;
    return result;
}

const struct json *json_get(const struct json *object, const char *name)
{
    if (object == NULL || object->kind != J_OBJECT)
        return NULL;
    for (size_t i = 0; i < object->n; i++)
        if (str_is(object->names[i], name))
            return &object->items[i];
    return NULL;
}

struct str json_text(const struct json *object, const char *name)
{
    const struct json *j = json_get(object, name);

    return j == NULL || j->kind != J_TEXT ? STR_NONE : j->text;
}

int64_t json_number(const struct json *object, const char *name, int64_t otherwise)
{
    const struct json *j = json_get(object, name);

    return j == NULL || j->kind != J_INTEGER ? otherwise : j->integer;
}

/* Before each value that is not named: a comma, unless it is the first of its level. */
static void value(struct json_out *o)
{
    uint64_t bit = UINT64_C(1) << o->depth;

    if (o->comma & bit)
        buf_char(o->buf, ',');
    o->comma |= bit;
}

void json_open(struct json_out *o, char bracket)
{
    value(o);
    buf_char(o->buf, bracket);
    o->depth++;
    must(o->depth < 64);
    o->comma &= ~(UINT64_C(1) << o->depth);
}

void json_close(struct json_out *o, char bracket)
{
    must(o->depth > 0);
    o->depth--;
    buf_char(o->buf, bracket);
}

static void escaped(struct buf *b, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    const char *two = c == '"'    ? "\\\""
                      : c == '\\' ? "\\\\"
                      : c == '\n' ? "\\n"
                      : c == '\r' ? "\\r"
                      : c == '\t' ? "\\t"
                                  : NULL;

    if (two != NULL) {
        buf_add(b, (struct str) { two, 2 });
        return;
    }
    buf_add(b, STR("\\u00"));
    buf_char(b, hex[c >> 4]);
    buf_char(b, hex[c & 15]);
}

/* '<' is escaped too, so that JSON can stand inside an HTML page. */
static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\' && c != '<' && c != 0x7f;
}

enum { BLOCK = 16 };

/* A loop of known length and without a way out: the compiler makes vector instructions of it. */
static bool is_plain_block(const char *p)
{
    unsigned char odd = 0;

    for (int i = 0; i < BLOCK; i++)
        odd |= !is_plain((unsigned char)p[i]);
    return odd == 0;
}

static size_t plain_length(struct str s)
{
    size_t n = 0;

    while (s.n - n >= BLOCK && is_plain_block(s.p + n))
        n += BLOCK;
    while (n < s.n && is_plain((unsigned char)s.p[n]))
        n++;
    return n;
}

static void quoted(struct buf *b, struct str s)
{
    buf_room(b, s.n + 2);
    buf_char(b, '"');
    while (s.n > 0) {
        size_t n = plain_length(s);
        buf_add(b, str_cut(s, 0, n));
        if (n < s.n)
            escaped(b, (unsigned char)s.p[n]);
        s = str_cut(s, n + 1, s.n);
    }
    buf_char(b, '"');
}

void json_name(struct json_out *o, struct str name)
{
    value(o);
    quoted(o->buf, name);
    buf_char(o->buf, ':');
    o->comma &= ~(UINT64_C(1) << o->depth);
}

void json_put_str(struct json_out *o, struct str s)
{
    value(o);
    if (s.p == NULL)
        buf_add(o->buf, STR("null"));
    else
        quoted(o->buf, s);
}

void json_put_int(struct json_out *o, int64_t n)
{
    value(o);
    buf_int(o->buf, n);
}

void json_put_raw(struct json_out *o, struct str json)
{
    value(o);
    buf_add(o->buf, json);
}

void json_put_bool(struct json_out *o, bool b)
{
    json_put_raw(o, b ? STR("true") : STR("false"));
}

void json_put_null(struct json_out *o)
{
    json_put_raw(o, STR("null"));
}

void json_str(struct json_out *o, const char *name, struct str s)
{
    json_name(o, str_of(name));
    json_put_str(o, s);
}

void json_int(struct json_out *o, const char *name, int64_t n)
{
    json_name(o, str_of(name));
    json_put_int(o, n);
}

void json_bool(struct json_out *o, const char *name, bool b)
{
    json_name(o, str_of(name));
    json_put_bool(o, b);
}
