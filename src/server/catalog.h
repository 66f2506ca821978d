/* catalog.h -- the shapes and routes of the API, for those who print them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_CATALOG_H
#define SERVER_CATALOG_H

#include "core/module.h"

struct catalog_shape {
    const struct shape *shape;
    /* "CreatorCard"; of two different ones with one name, the later has its module's in front */
    struct str name;
};

struct catalog_route {
    const struct route *route;
    const struct module *module;
};

struct catalog {
    struct arena *arena;
    const struct module *const *modules;
    size_t modules_n;
    struct catalog_shape *shapes; /* what a shape nests stands before it */
    size_t shapes_n;
    struct catalog_route *routes; /* those of the API: no pages of the web app */
    size_t routes_n;
};

void catalog_build(struct catalog *c, struct arena *a, const struct module *const *modules,
                   size_t n);
struct str catalog_name(const struct catalog *c, const struct shape *s);
/* The status of success. */
int route_status(const struct route *r);
/* {…} or […] on one line -> indented by two spaces, with a newline at the end. */
struct str json_pretty(struct arena *a, struct str json);

#endif
