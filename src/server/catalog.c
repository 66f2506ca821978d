/* catalog.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/catalog.h"

enum { SHAPES_MAX = 1000 };

/* creator_card -> CreatorCard */
static struct str pascal(struct arena *a, const char *name)
{
    struct buf b = { .arena = a };
    bool up = true;

    for (; *name != 0; name++) {
        if (*name == '_') {
            up = true;
            continue;
        }
        buf_char(&b, up && *name >= 'a' && *name <= 'z' ? (char)(*name - 'a' + 'A') : *name);
        up = false;
    }
    return buf_str(&b);
}

static bool same_fields(const struct shape *a, const struct shape *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        const struct field *f = &a->fields[i], *g = &b->fields[i];
        if (strcmp(f->name, g->name) != 0 || f->kind != g->kind || f->optional != g->optional ||
            f->nullable != g->nullable || f->min != g->min || f->max != g->max ||
            f->shape != g->shape || f->names != g->names)
            return false;
    }
    return true;
}

static const struct catalog_shape *named(const struct catalog *c, struct str name)
{
    for (size_t i = 0; i < c->shapes_n; i++)
        if (str_eq(c->shapes[i].name, name))
            return &c->shapes[i];
    return NULL;
}

/* As deep as the tables nest, which are ours and finite. */
static void shape_add(struct catalog *c, const struct module *m, const struct shape *s)
{
    if (s == NULL || catalog_name(c, s).p != NULL)
        return;
    for (size_t i = 0; i < s->n; i++)
        shape_add(c, m, s->fields[i].shape);
    struct str name = pascal(c->arena, s->name);
    const struct catalog_shape *other = named(c, name);
    if (other != NULL && !same_fields(other->shape, s)) {
        struct str module = pascal(c->arena, m->name);
        name = str_printf(c->arena, "%.*s%.*s", STR_FMT(module), STR_FMT(name));
        must(named(c, name) == NULL);
    }
    must(c->shapes_n < SHAPES_MAX);
    c->shapes[c->shapes_n++] = (struct catalog_shape) { s, name };
}

struct str catalog_name(const struct catalog *c, const struct shape *s)
{
    for (size_t i = 0; i < c->shapes_n; i++)
        if (c->shapes[i].shape == s)
            return c->shapes[i].name;
    return STR_NONE;
}

static void module_add(struct catalog *c, const struct module *m)
{
    for (size_t i = 0; i < m->routes_n; i++) {
        const struct route *r = &m->routes[i];
        if (r->wire == WIRE_PAGE)
            continue;
        c->routes[c->routes_n++] = (struct catalog_route) { r, m };
        shape_add(c, m, r->params);
        shape_add(c, m, r->query);
        shape_add(c, m, r->in);
        shape_add(c, m, r->out);
        shape_add(c, m, r->items);
    }
    for (size_t i = 0; i < m->events_n; i++)
        if (!m->events[i]->inside)
            shape_add(c, m, m->events[i]->shape);
}

void catalog_build(struct catalog *c, struct arena *a, const struct module *const *modules,
                   size_t n)
{
    size_t routes = 0;

    for (size_t m = 0; m < n; m++)
        routes += modules[m]->routes_n;
    *c = (struct catalog) { .arena = a,
                            .modules = modules,
                            .modules_n = n,
                            .shapes = arena_array(a, struct catalog_shape, SHAPES_MAX),
                            .routes = arena_array(a, struct catalog_route, routes + 1) };
    for (size_t m = 0; m < n; m++)
        module_add(c, modules[m]);
}

int route_status(const struct route *r)
{
    if (r->status != 0)
        return r->status;
    return r->out == NULL && r->items == NULL && (r->wire == WIRE_JSON || r->wire == WIRE_FILE)
               ? 204
               : 200;
}

static void new_line(struct buf *b, size_t depth)
{
    buf_char(b, '\n');
    for (size_t i = 0; i < depth; i++)
        buf_add(b, STR("  "));
}

struct str json_pretty(struct arena *a, struct str json)
{
    struct buf b = { .arena = a };
    size_t depth = 0;
    bool text = false;

    for (size_t i = 0; i < json.n; i++) {
        char c = json.p[i], next = i + 1 < json.n ? json.p[i + 1] : 0;
        bool opens = !text && (c == '{' || c == '['), closes = !text && (c == '}' || c == ']');
        if (closes && json.p[i - 1] != '{' && json.p[i - 1] != '[')
            new_line(&b, --depth);
        buf_char(&b, c);
        if (text && c == '\\' && i + 1 < json.n)
            buf_char(&b, json.p[++i]);
        else if (c == '"')
            text = !text;
        else if (opens && next != '}' && next != ']')
            new_line(&b, ++depth);
        else if (!text && c == ',')
            new_line(&b, depth);
        else if (!text && c == ':')
            buf_char(&b, ' ');
    }
    buf_char(&b, '\n');
    return buf_str(&b);
}
