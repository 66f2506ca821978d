/* routes.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/routes.h"

#include <stdlib.h>
#include <string.h>

/* --- building --------------------------------------------------------------------------------------------------- */

static struct segment segment_of(struct str text)
{
    struct str before, name, after = str_split(text, '{', &before);

    if (after.p == NULL)
        return (struct segment) { .before = text };
    after = str_split(after, '}', &name);
    must(after.p != NULL && name.n > 0 && memchr(after.p, '{', after.n) == NULL);
    return (struct segment) { before, name, after };
}

static void pattern_fill(struct pattern *p, const char *path)
{
    struct str rest = str_cut(str_of(path), 1, strlen(path)), part;

    p->path = path;
    while (rest.p != NULL) {
        must(p->n < SEGMENTS_MAX);
        rest = str_split(rest, '/', &part);
        p->segments[p->n++] = segment_of(part);
    }
}

static bool literal(const struct segment *s)
{
    return s->name.p == NULL;
}

/* Fewer segments first; then, at the first difference, the literal, and of two parameters the one with more around it. */
static int compare(const void *x, const void *y)
{
    const struct pattern *a = x, *b = y;

    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    for (size_t i = 0; i < a->n; i++) {
        const struct segment *s = &a->segments[i], *t = &b->segments[i];
        if (literal(s) != literal(t))
            return literal(s) ? -1 : 1;
        size_t around_s = s->before.n + s->after.n, around_t = t->before.n + t->after.n;
        if (!literal(s) && around_s != around_t)
            return around_s > around_t ? -1 : 1;
    }
    return strcmp(a->path, b->path);
}

static struct pattern *pattern_of(struct routes *r, const char *path)
{
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->patterns[i].path, path) == 0)
            return &r->patterns[i];
    pattern_fill(&r->patterns[r->n], path);
    return &r->patterns[r->n++];
}

void routes_build(struct routes *r, struct arena *a, const struct module *const *modules, size_t n)
{
    size_t all = 0;

    for (size_t m = 0; m < n; m++)
        all += modules[m]->routes_n;
    *r = (struct routes) { .patterns = arena_array(a, struct pattern, all + 1) };
    for (size_t m = 0; m < n; m++)
        for (size_t i = 0; i < modules[m]->routes_n; i++) {
            const struct route *route = &modules[m]->routes[i];
            pattern_of(r, route->path)->routes[route->method] = route;
        }
    qsort(r->patterns, r->n, sizeof(*r->patterns), compare);
    for (size_t i = 0; i < r->n; i++)
        r->patterns[i].number = i;
    for (size_t k = 0, i = 0; k < COUNT(r->first); k++) {
        while (i < r->n && r->patterns[i].n < k)
            i++;
        r->first[k] = i;
    }
}

/* --- matching --------------------------------------------------------------------------------------------------- */

/* A parameter takes at least one character. */
static bool segment_fits(const struct segment *s, struct str text, struct str *value)
{
    if (literal(s))
        return str_eq(s->before, text);
    size_t ends = s->before.n + s->after.n;
    if (text.n <= ends)
        return false;
    *value = str_cut(text, s->before.n, text.n - ends);
    return str_eq(str_cut(text, 0, s->before.n), s->before) &&
           str_eq(str_cut(text, text.n - s->after.n, s->after.n), s->after);
}

static bool pattern_fits(const struct pattern *p, const struct str *parts, struct str *values)
{
    size_t n = 0;

    for (size_t i = 0; i < p->n; i++) {
        struct str value;
        if (!segment_fits(&p->segments[i], parts[i], &value))
            return false;
        if (!literal(&p->segments[i]))
            values[n++] = value;
    }
    return true;
}

static unsigned methods_of(const struct pattern *p)
{
    unsigned bits = 0;

    for (unsigned i = 0; i < METHODS; i++)
        bits |= p->routes[i] != NULL ? 1U << i : 0;
    return bits;
}

void routes_match(const struct routes *r, enum method method, struct str path, struct match *m)
{
    struct str parts[SEGMENTS_MAX] = { 0 }, rest = str_cut(path, 1, path.n);
    size_t n = 0;

    *m = (struct match) { .allow = 0 };
    while (rest.p != NULL) {
        if (n == SEGMENTS_MAX)
            return;
        rest = str_split(rest, '/', &parts[n++]);
    }
    for (size_t i = r->first[n]; i < r->first[n + 1]; i++) {
        const struct pattern *p = &r->patterns[i];
        struct str values[SEGMENTS_MAX];
        if (!pattern_fits(p, parts, values))
            continue;
        m->allow |= methods_of(p);
        if (m->pattern != NULL && p->routes[method] == NULL)
            continue;
        m->pattern = p;
        m->route = p->routes[method];
        memcpy(m->values, values, sizeof(values));
        if (m->route != NULL)
            return;
    }
}

struct str routes_allow(struct arena *a, unsigned allow)
{
    struct buf b = { .arena = a };

    for (unsigned i = 0; i < METHODS; i++)
        if ((allow >> i & 1) != 0)
            buf_printf(&b, "%s%s, ", method_names[i], i == GET ? ", HEAD" : "");
    buf_add(&b, STR("OPTIONS"));
    return buf_str(&b);
}
