/* audit.c -- who may call what: one line a route, kept in the tree so that a change of rights is seen in review. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/module.h"
#include "server/server.h"

struct row {
    const struct route *route;
    const struct module *module;
};

static int by_path(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    int c = strcmp(x->route->path, y->route->path);

    return c != 0 ? c : (int)x->route->method - (int)y->route->method;
}

static struct row *rows_of(struct arena *a, const struct module *const *modules, size_t n,
                           size_t *count)
{
    size_t all = 0;

    for (size_t m = 0; m < n; m++)
        all += modules[m]->routes_n;
    struct row *rows = arena_array(a, struct row, all + 1);
    *count = 0;
    for (size_t m = 0; m < n; m++)
        for (size_t i = 0; i < modules[m]->routes_n; i++)
            rows[(*count)++] = (struct row) { &modules[m]->routes[i], modules[m] };
    qsort(rows, *count, sizeof(*rows), by_path);
    return rows;
}

static const char *does(const struct route *r)
{
    return r->tx == WRITE ? "writes" : r->tx == READ ? "reads" : "-";
}

/* What stands between a caller and the handler, beyond who he is. */
static const char *guards(const struct route *r)
{
    if (r->auth == SIGNED)
        return "signature";
    if (r->method == GET)
        return "-";
    return r->idempotent ? "same site, key" : "same site";
}

struct str server_audit(struct arena *a, const struct module *const *modules, size_t n)
{
    struct buf b = { .arena = a };
    size_t count;
    struct row *rows = rows_of(a, modules, n, &count);

    buf_add(&b,
            STR("# Who may call what. Printed by `stagedoor routes --audit`; a change here is a "
                "change of rights.\n"));
    buf_printf(&b, "%-11s  %-6s  %-52s  %-6s  %-14s  %s\n", "who", "method", "path", "does",
               "guarded by", "module");
    for (size_t i = 0; i < count; i++) {
        const struct route *r = rows[i].route;
        buf_printf(&b, "%-11s  %-6s  %-52s  %-6s  %-14s  %s\n", auth_names[r->auth],
                   method_names[r->method], r->path, does(r), guards(r), rows[i].module->name);
    }
    return buf_str(&b);
}

struct str server_route_list(struct arena *a, const struct module *const *modules, size_t n)
{
    struct buf b = { .arena = a };
    size_t count;
    struct row *rows = rows_of(a, modules, n, &count);

    for (size_t i = 0; i < count; i++)
        buf_printf(&b, "%-6s  %-52s  %s\n", method_names[rows[i].route->method],
                   rows[i].route->path, rows[i].route->summary);
    return buf_str(&b);
}
