/* form.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/form.h"
#include "base/check.h"
#include "core/shape.h"

#include <string.h>

struct node {
    struct str name, text; /* text: none unless it is a leaf */
    struct node *first, *last, *next;
    size_t n;
};

struct names {
    struct str v[FORM_DEPTH_MAX];
    size_t n;
};

/* "a[b][]" into a, b and the empty name. */
static bool names_split(struct str name, struct names *result)
{
    struct names s = { .n = 1 };
    struct str rest = str_split(name, '[', &s.v[0]);

    if (s.v[0].n == 0 || memchr(s.v[0].p, ']', s.v[0].n) != NULL || name.n > FORM_NAME_MAX)
        return false;
    while (rest.p != NULL) {
        if (s.n == FORM_DEPTH_MAX)
            return false;
        rest = str_split(rest, ']', &s.v[s.n]);
        if (rest.p == NULL || memchr(s.v[s.n].p, '[', s.v[s.n].n) != NULL)
            return false;
        s.n++;
        if (rest.n == 0)
            break;
        if (rest.p[0] != '[')
            return false;
        rest = str_cut(rest, 1, rest.n);
    }
    *result = s;
    return true;
}

static struct node *child_of(const struct node *parent, struct str name)
{
    for (struct node *k = parent->first; k != NULL; k = k->next)
        if (str_eq(k->name, name))
            return k;
    return NULL;
}

static struct node *child_add(struct arena *a, struct node *parent, struct str name)
{
    struct node *k = arena_new(a, struct node);

    k->name = name;
    if (parent->last != NULL)
        parent->last->next = k;
    else
        parent->first = k;
    parent->last = k;
    parent->n++;
    return k;
}

/* "a[][x]=1&a[][y]=2&a[][x]=3" are two items: a member that is there already begins the next. */
static struct node *item_of(const struct node *list, const struct names *s, size_t at)
{
    if (list->last == NULL || at + 1 == s->n || list->last->text.p != NULL)
        return NULL;
    return child_of(list->last, s->v[at + 1]) == NULL ? list->last : NULL;
}

static bool pair_add(struct arena *a, struct node *root, const struct names *s, struct str value,
                     struct str *why)
{
    struct node *at = root;
    bool fresh = false;

    for (size_t i = 0; i < s->n; i++) {
        bool next = s->v[i].n == 0;
        struct str name = next ? str_printf(a, "%zu", at->n) : s->v[i];
        struct node *k = next ? item_of(at, s, i) : child_of(at, name);
        fresh = k == NULL;
        /* "a[1]=x&a[]=y": the number that is the next one's is taken. */
        bool taken = fresh && next && child_of(at, name) != NULL;
        at = fresh ? child_add(a, at, name) : k;
        if (taken || at->text.p != NULL || (i + 1 == s->n && !fresh)) {
            *why = str_printf(a, "the parameter %.*s stands twice, or is a value and an object",
                              STR_FMT(s->v[0]));
            return false;
        }
    }
    at->text = value;
    return true;
}

/* The child with this number as its name. */
static const struct node *numbered(const struct node *parent, size_t i)
{
    char digits[24];
    int n = snprintf(digits, sizeof(digits), "%zu", i);

    return child_of(parent, (struct str) { digits, (size_t)n });
}

static bool is_list(const struct node *k)
{
    if (k->n == 0 || k->name.p == NULL)
        return false;
    for (size_t i = 0; i < k->n; i++)
        if (numbered(k, i) == NULL)
            return false;
    return true;
}

/* The depth is bounded by FORM_DEPTH_MAX. */
static void convert(struct arena *a, const struct node *from, struct json *to)
{
    bool list = is_list(from);
    size_t i = 0;

    if (from->text.p != NULL) {
        *to = (struct json) { .kind = J_TEXT, .text = from->text };
        return;
    }
    *to = (struct json) { .kind = list ? J_LIST : J_OBJECT, .n = from->n };
    to->items = arena_array(a, struct json, from->n + 1);
    to->names = arena_array(a, struct str, from->n + 1);
    for (const struct node *k = from->first; k != NULL; k = k->next, i++) {
        const struct node *take = list ? numbered(from, i) : k;
        to->names[i] = take->name;
        convert(a, take, &to->items[i]);
    }
}

static bool pair_parse(struct arena *a, struct node *root, struct str pair, struct str *why)
{
    struct str name, value = str_split(pair, '=', &name);
    struct names s;

    name = url_decode(a, name, true);
    value = url_decode(a, value.p == NULL ? STR("") : value, true);
    if (name.p == NULL || value.p == NULL) {
        *why = STR("the form is not percent-encoded UTF-8");
        return false;
    }
    if (!names_split(name, &s)) {
        *why = str_printf(a, "the name of a parameter is malformed: %.*s",
                          STR_FMT(str_head(name, 80)));
        return false;
    }
    return pair_add(a, root, &s, value, why);
}

const struct json *form_parse(struct arena *a, struct str text, struct str *why)
{
    struct node root = { 0 };
    struct str pair;
    size_t pairs = 0;

    while (text.p != NULL) {
        text = str_split(text, '&', &pair);
        if (pair.n == 0)
            continue;
        if (++pairs > FORM_PAIRS_MAX) {
            *why = STR("there are too many parameters");
            return NULL;
        }
        if (!pair_parse(a, &root, pair, why))
            return NULL;
    }
    struct json *result = arena_new(a, struct json);
    convert(a, &root, result);
    return result;
}

const struct json *form_at(const struct json *j, const char *path)
{
    struct str rest = str_of(path), name;

    while (j != NULL && rest.p != NULL) {
        const struct json *found = NULL;
        rest = str_split(rest, '.', &name);
        for (size_t i = 0; j->kind == J_OBJECT && i < j->n; i++)
            if (str_eq(j->names[i], name))
                found = &j->items[i];
        j = found;
    }
    return j;
}

struct str form_text(const struct json *j, const char *path)
{
    const struct json *at = form_at(j, path);

    return at == NULL || at->kind != J_TEXT ? STR_NONE : at->text;
}
