/* routes.h -- which route a path belongs to.
 *
 * The tables are made into patterns, one a path, ordered so that a literal segment stands before a parameter: the first
 * pattern that fits is the right one. A segment is a literal, or a parameter with literal ends: "@{handle}", "{file}.webp". */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_ROUTES_H
#define SERVER_ROUTES_H

#include "core/module.h"

enum { SEGMENTS_MAX = 12, METHODS = DELETE + 1 };

struct segment {
    struct str before, name, after; /* name: none for a literal, which stands in before */
};

struct pattern {
    const char *path; /* "/v1/posts/{post}" */
    size_t number;    /* its place among all, for the metrics */
    size_t n;
    struct segment segments[SEGMENTS_MAX];
    const struct route *routes[METHODS]; /* by method; NULL when it has none */
};

struct routes {
    struct pattern *patterns;
    size_t n;
    size_t first[SEGMENTS_MAX + 2]; /* where the patterns of so many segments begin */
};

void routes_build(struct routes *r, struct arena *a, const struct module *const *modules, size_t n);

struct match {
    const struct pattern *pattern;   /* the first that fits the path; NULL: none */
    const struct route *route;       /* NULL: no pattern that fits has this method */
    unsigned allow;                  /* bits of the methods that those which fit do have */
    struct str values[SEGMENTS_MAX]; /* of the parameters, in order, still percent-encoded */
};
/* path: as it came, without the query. */
void routes_match(const struct routes *r, enum method method, struct str path, struct match *m);

/* "GET, HEAD, POST, OPTIONS" */
struct str routes_allow(struct arena *a, unsigned allow);

#endif
