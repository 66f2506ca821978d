/* module.c -- a program with a hole in its tables does not start. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/module.h"

#include <string.h>

const char *const method_names[] = { "GET", "POST", "PUT", "PATCH", "DELETE", NULL };
const char *const auth_names[] = { "unset", "anyone", "fan",         "creator", "moderator",
                                   "admin", "signed", "development", NULL };

static const struct field page_query_fields[] = {
    CURSOR(page_query, cursor),
    LIMIT(page_query, limit),
};
SHAPE(page_query);

static const struct field page_head_fields[] = {
    TEXT(page_head, title, "Title", .max = 200),
    TEXT(page_head, description, "For search engines and share cards", .max = 500),
    URL(page_head, image, "Path of a public picture", .optional = true),
    TEXT(page_head, data, "JSON: the app's first data", .max = 1000000, .optional = true),
    INTEGER(page_head, status, "HTTP status", .min = 200, .max = 599),
};
SHAPE(page_head);

/* Each {name} of the path is a field of .params, and the other way round. */
static void params_check(const struct route *r)
{
    size_t names = 0;

    for (const char *p = strchr(r->path, '{'); p != NULL; p = strchr(p + 1, '{')) {
        const char *end = strchr(p, '}');
        must(end != NULL && r->params != NULL);
        must(shape_field(r->params, (struct str) { p + 1, (size_t)(end - p - 1) }) != NULL);
        names++;
    }
    must(names == (r->params == NULL ? 0 : r->params->n));
}

static void route_check(const struct route *r)
{
    must(r->path[0] == '/' && r->run != NULL && r->summary != NULL);
    must(r->auth != AUTH_UNSET && r->tx != TX_UNSET);
    must(r->out == NULL || r->items == NULL);
    must((r->await == NULL) == (r->then == NULL));
    must(r->await == NULL || r->tx == WRITE);
    must(!r->idempotent || r->tx == WRITE);
    must(!r->cached || (r->tx == READ && r->method == GET));
    must(r->method != GET || (r->tx != WRITE && r->in == NULL));
    must(r->wire != WIRE_PAGE || r->out == &page_head_shape);
    params_check(r);
    const struct shape *shapes[] = { r->params, r->query, r->in, r->out, r->items };
    for (size_t i = 0; i < COUNT(shapes); i++)
        if (shapes[i] != NULL)
            shape_check(shapes[i]);
}

static void job_check(const struct job_kind *j)
{
    must(j->name != NULL && j->run != NULL && j->in != NULL);
    must(j->tx == WRITE || j->tx == NONE);
    must(j->lease_ms >= 1000 && j->tries >= 1);
    shape_check(j->in);
}

static void same_route_check(const struct module *const *modules, size_t n, const struct route *r)
{
    int same = 0;

    for (size_t m = 0; m < n; m++)
        for (size_t i = 0; i < modules[m]->routes_n; i++)
            same += modules[m]->routes[i].method == r->method &&
                    strcmp(modules[m]->routes[i].path, r->path) == 0;
    must(same == 1);
}

void module_check(const struct module *const *modules, size_t n)
{
    for (size_t m = 0; m < n; m++) {
        for (size_t i = 0; i < modules[m]->routes_n; i++) {
            route_check(&modules[m]->routes[i]);
            same_route_check(modules, n, &modules[m]->routes[i]);
        }
        for (size_t i = 0; i < modules[m]->jobs_n; i++)
            job_check(&modules[m]->jobs[i]);
        for (size_t i = 0; i < modules[m]->subscribers_n; i++)
            shape_check(modules[m]->subscribers[i].in);
        for (size_t i = 0; i < modules[m]->events_n; i++)
            shape_check(modules[m]->events[i]->shape);
    }
}
