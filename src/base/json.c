/* json.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/check.h"

#include <jansson.h>
#include <string.h>

/* jansson's own depth limit is 2048; ours is checked before it builds anything. */
static bool too_deep(struct str s)
{
    int depth = 0;
    bool text = false;

    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (text && c == '\\')
            i++;
        else if (c == '"')
            text = !text;
        else if (!text && (c == '{' || c == '['))
            depth++;
        else if (!text && (c == '}' || c == ']'))
            depth--;
        if (depth > JSON_DEPTH_MAX)
            return true;
    }
    return false;
}

static void convert(struct arena *a, const json_t *from, struct json *to);

static void convert_list(struct arena *a, const json_t *from, struct json *to)
{
    to->n = json_array_size(from);
    to->items = arena_array(a, struct json, to->n + 1);
    for (size_t i = 0; i < to->n; i++)
        convert(a, json_array_get(from, i), &to->items[i]);
}

static void convert_object(struct arena *a, const json_t *from, struct json *to)
{
    /* jansson's iterators take a mutable object though they do not change it. */
    json_t *object = (json_t *)(uintptr_t)from;
    const char *name;
    json_t *member;
    size_t i = 0;

    to->n = json_object_size(from);
    to->items = arena_array(a, struct json, to->n + 1);
    to->names = arena_array(a, struct str, to->n + 1);
    json_object_foreach(object, name, member)
    {
        to->names[i] = str_copy(a, str_of(name));
        convert(a, member, &to->items[i++]);
    }
}

/* Recursion is bounded by JSON_DEPTH_MAX. */
static void convert(struct arena *a, const json_t *from, struct json *to)
{
    switch (json_typeof(from)) {
    case JSON_OBJECT:
        to->kind = J_OBJECT;
        convert_object(a, from, to);
        break;
    case JSON_ARRAY:
        to->kind = J_LIST;
        convert_list(a, from, to);
        break;
    case JSON_STRING:
        to->kind = J_TEXT;
        to->text = str_copy(a, (struct str) { json_string_value(from), json_string_length(from) });
        break;
    case JSON_INTEGER:
        to->kind = J_INTEGER;
        to->integer = json_integer_value(from);
        break;
    case JSON_REAL:
        to->kind = J_REAL;
        to->real = json_real_value(from);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        to->kind = J_BOOL;
        to->boolean = json_is_true(from);
        break;
    case JSON_NULL:
        to->kind = J_NULL;
        break;
    }
}

static const char *reason(const json_error_t *error)
{
    switch (json_error_code(error)) {
    case json_error_duplicate_key:
        return "a member stands twice";
    case json_error_numeric_overflow:
        return "a number is too large";
    case json_error_invalid_utf8:
        return "the text is not UTF-8";
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "a string holds a NUL character";
    case json_error_premature_end_of_input:
        return "the text ends too early";
    case json_error_end_of_input_expected:
        return "something stands after the end";
    default:
        return "the text is not JSON";
    }
}

static void trim_end(struct str *s, const char *set)
{
    while (s->n > 0 && s->p[s->n - 1] != 0 && strchr(set, s->p[s->n - 1]) != NULL)
        s->n--;
}

/* The name that ends at the end of s, or whose number does. None when it is not one, or written with escapes. */
static struct str member_before(struct str s)
{
    size_t end, start;

    trim_end(&s, "0123456789+-.eE");
    trim_end(&s, " \t\r\n");
    trim_end(&s, ":");
    trim_end(&s, " \t\r\n");
    if (s.n < 2 || s.p[s.n - 1] != '"')
        return STR_NONE;
    end = start = s.n - 1;
    while (start > 0 && s.p[start - 1] != '"' && s.p[start - 1] != '\\')
        start--;
    if (start < 2 || s.p[start - 1] != '"' || s.p[start - 2] == '\\')
        return STR_NONE;
    return str_cut(s, start, end - start);
}

static void tell(struct json_fault *f, const json_error_t *error, struct str text)
{
    enum json_error_code code = json_error_code(error);
    size_t at = error->position < 0 ? 0 : (size_t)error->position;

    *f = (struct json_fault) { .why = reason(error), .line = error->line, .column = error->column };
    if (code == json_error_duplicate_key || code == json_error_numeric_overflow)
        f->member = member_before(str_cut(text, 0, at < text.n ? at : text.n));
}

const struct json *json_read(struct arena *a, struct str text, struct json_fault *fault)
{
    json_error_t error;

    if (too_deep(text)) {
        *fault = (struct json_fault) { .why = "it is nested deeper than 32 levels" };
        return NULL;
    }
    /* jansson reads over one that stands between two values. */
    if (memchr(text.p == NULL ? "" : text.p, 0, text.n) != NULL) {
        *fault = (struct json_fault) { .why = "the text is not JSON: it holds a NUL byte" };
        return NULL;
    }
    json_t *root = json_loadb(text.n == 0 ? "" : text.p, text.n,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (root == NULL) {
        tell(fault, &error, text);
        return NULL;
    }
    struct json *result = arena_new(a, struct json);
    convert(a, root, result);
    json_decref(root);
    return result;
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
