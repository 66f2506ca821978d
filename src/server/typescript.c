/* typescript.c -- the API's types for the web app, web/src/api/schema.ts. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/catalog.h"
#include "server/server.h"

struct printer {
    struct catalog catalog;
    struct buf b;
};

static void put_names(struct printer *p, const char *const *names)
{
    for (size_t i = 0; names[i] != NULL; i++)
        buf_printf(&p->b, "%s\"%s\"", i > 0 ? " | " : "", names[i]);
}

static void put_type(struct printer *p, const struct field *f)
{
    struct str nested = f->shape == NULL ? STR_NONE : catalog_name(&p->catalog, f->shape);

    switch (f->kind) {
    case FIELD_MONEY:
    case FIELD_INT:
        buf_add(&p->b, STR("number"));
        break;
    case FIELD_BOOL:
        buf_add(&p->b, STR("boolean"));
        break;
    case FIELD_ENUM:
        put_names(p, f->names);
        break;
    case FIELD_NEST:
        buf_add(&p->b, nested);
        break;
    case FIELD_LIST:
        buf_printf(&p->b, "%.*s[]", STR_FMT(nested));
        break;
    case FIELD_IDS:
    case FIELD_TEXTS:
        buf_add(&p->b, STR("string[]"));
        break;
    case FIELD_ID:
    case FIELD_TEXT:
    case FIELD_WHEN:
    case FIELD_EMAIL:
    case FIELD_HANDLE:
    case FIELD_URL:
    case FIELD_CURSOR:
        buf_add(&p->b, STR("string"));
        break;
    }
    if (f->nullable)
        buf_add(&p->b, STR(" | null"));
}

/* The currency stands behind the first amount; it may be absent only where all amounts may. */
static void put_currency(struct printer *p, const struct shape *s)
{
    bool optional = true;

    for (size_t i = 0; i < s->n; i++)
        optional &= s->fields[i].kind != FIELD_MONEY || s->fields[i].optional;
    buf_printf(&p->b, "  currency%s: string;\n", optional ? "?" : "");
}

static void put_interface(struct printer *p, const struct catalog_shape *s)
{
    bool currency = false;

    buf_printf(&p->b, "export interface %.*s {\n", STR_FMT(s->name));
    for (size_t i = 0; i < s->shape->n; i++) {
        const struct field *f = &s->shape->fields[i];
        buf_printf(&p->b, "  %s%s: ", f->name, f->optional ? "?" : "");
        put_type(p, f);
        buf_add(&p->b, STR(";\n"));
        if (f->kind == FIELD_MONEY && !currency) {
            put_currency(p, s->shape);
            currency = true;
        }
    }
    buf_add(&p->b, STR("}\n\n"));
}

static void put_errors(struct printer *p)
{
    buf_add(&p->b, STR("export type ErrorCode =\n"));
    for (int e = E_OK + 1; e < ERR_COUNT; e++) {
        struct str code = err_code(p->catalog.arena, (enum err)e);
        buf_printf(&p->b, "  | \"%.*s\"%s\n", STR_FMT(code), e + 1 == ERR_COUNT ? ";" : "");
    }
    buf_add(&p->b, STR("\nexport interface Problem {\n"
                       "  type: string;\n"
                       "  title: string;\n"
                       "  status: number;\n"
                       "  code: ErrorCode;\n"
                       "  detail?: string;\n"
                       "  field?: string;\n"
                       "  request?: string;\n"
                       "}\n\n"
                       "export interface Page<T> {\n"
                       "  items: T[];\n"
                       "  next: string | null;\n"
                       "}\n\n"));
}

static void put_shape_or(struct printer *p, const struct shape *s, const char *otherwise)
{
    if (s == NULL)
        buf_add(&p->b, str_of(otherwise));
    else
        buf_add(&p->b, catalog_name(&p->catalog, s));
}

/* What the web app calls: JSON and files, not webhooks, streams or the operator's pages. */
static bool for_web(const struct route *r)
{
    return (r->wire == WIRE_JSON || r->wire == WIRE_FILE) && r->auth != SIGNED &&
           r->auth != DEVELOPMENT && strncmp(r->path, "/v1/", 4) == 0;
}

static void put_route(struct printer *p, const struct route *r)
{
    buf_printf(&p->b, "  \"%s %s\": { params: ", method_names[r->method], r->path);
    put_shape_or(p, r->params, "{}");
    buf_add(&p->b, STR("; query: "));
    put_shape_or(p, r->query, "{}");
    buf_add(&p->b, STR("; body: "));
    put_shape_or(p, r->in, "undefined");
    buf_add(&p->b, STR("; reply: "));
    if (r->items != NULL) {
        struct str items = catalog_name(&p->catalog, r->items);
        buf_printf(&p->b, "Page<%.*s>", STR_FMT(items));
    } else {
        put_shape_or(p, r->out, "undefined");
    }
    buf_add(&p->b, STR(" };\n"));
}

static void put_events(struct printer *p)
{
    const struct catalog *c = &p->catalog;

    buf_add(&p->b, STR("\n/* What GET /v1/events tells, by its event name. */\n"
                       "export interface Events {\n"));
    for (size_t m = 0; m < c->modules_n; m++)
        for (size_t i = 0; i < c->modules[m]->events_n; i++) {
            const struct event_kind *e = c->modules[m]->events[i];
            if (e->inside)
                continue;
            struct str name = catalog_name(c, e->shape);
            buf_printf(&p->b, "  \"%s\": %.*s;\n", e->name, STR_FMT(name));
        }
    buf_add(&p->b, STR("}\n"));
}

struct str server_typescript(struct arena *a, const struct module *const *modules, size_t n)
{
    struct printer p = { .b = { .arena = a } };

    catalog_build(&p.catalog, a, modules, n);
    buf_add(&p.b,
            STR("/* schema.ts -- the shapes and routes of the HTTP API. Printed by `stagedoor "
                "typescript`; never edited. */\n"
                "/* SPDX-License-" /* in two, because this file has its own */
                "Identifier: Apache-2.0 */\n\n"));
    put_errors(&p);
    for (size_t i = 0; i < p.catalog.shapes_n; i++)
        put_interface(&p, &p.catalog.shapes[i]);
    buf_add(&p.b, STR("export interface Routes {\n"));
    for (size_t i = 0; i < p.catalog.routes_n; i++)
        if (for_web(p.catalog.routes[i].route))
            put_route(&p, p.catalog.routes[i].route);
    buf_add(&p.b, STR("}\n"));
    put_events(&p);
    return buf_str(&p.b);
}
