/* routes_test.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/routes.h"
#include "test/unit.h"

static const struct route table[] = {
    { .method = GET, .path = "/v1/creators/{handle}" },
    { .method = GET, .path = "/v1/creators/me" },
    { .method = PATCH, .path = "/v1/creators/me" },
    { .method = POST, .path = "/v1/creators/me/tiers" },
    { .method = GET, .path = "/v1/creators/{handle}/posts" },
    { .method = GET, .path = "/@{handle}" },
    { .method = GET, .path = "/{page}" },
    { .method = GET, .path = "/" },
    { .method = GET, .path = "/m/{token}/{asset}/{size}.webp" },
};
static const struct module one = { "one", MODULE_ROUTES(table) };
static const struct module *const modules[] = { &one };

struct fixture {
    struct arena arena;
    struct routes routes;
};

static const struct match *match(struct fixture *f, enum method method, const char *path)
{
    struct match *m = arena_new(&f->arena, struct match);

    if (f->routes.n == 0)
        routes_build(&f->routes, &f->arena, modules, 1);
    routes_match(&f->routes, method, str_of(path), m);
    return m;
}

TEST(routes_literal_wins_over_parameter)
{
    struct fixture f = { 0 };

    CHECK(match(&f, GET, "/v1/creators/me")->route == &table[1]);
    CHECK(match(&f, GET, "/v1/creators/ana")->route == &table[0]);
    CHECK_STR(match(&f, GET, "/v1/creators/ana")->values[0], "ana");
    CHECK(match(&f, GET, "/v1/creators/me/posts")->route == &table[4]);
    CHECK(match(&f, GET, "/@ana")->route == &table[5]);
    CHECK(match(&f, GET, "/@")->route == &table[6]);
    CHECK(match(&f, GET, "/")->route == &table[7]);
    arena_done(&f.arena);
}

TEST(routes_tell_missing_from_not_allowed)
{
    struct fixture f = { 0 };

    CHECK(match(&f, GET, "/v1/nothing/here")->pattern == NULL);
    CHECK(match(&f, GET, "/v1/creators/ana/")->pattern == NULL);
    CHECK(match(&f, GET, "//")->pattern == NULL);
    CHECK(match(&f, GET, "/a/b/c/d/e/f/g/h/i/j/k/l/m/n")->pattern == NULL);
    const struct match *m = match(&f, DELETE, "/v1/creators/me");
    CHECK(m->pattern != NULL && m->route == NULL);
    CHECK_STR(routes_allow(&f.arena, m->allow), "GET, HEAD, PATCH, OPTIONS");
    CHECK_STR(routes_allow(&f.arena, match(&f, GET, "/v1/creators/me/tiers")->allow),
              "POST, OPTIONS");
    arena_done(&f.arena);
}

TEST(routes_parameters_with_ends)
{
    struct fixture f = { 0 };
    const struct match *m = match(&f, GET, "/m/tok/ast_1/full.webp");

    REQUIRE(m->route == &table[8]);
    CHECK_STR(m->values[0], "tok");
    CHECK_STR(m->values[1], "ast_1");
    CHECK_STR(m->values[2], "full");
    CHECK(match(&f, GET, "/m/tok/ast_1/.webp")->pattern == NULL);
    arena_done(&f.arena);
}
