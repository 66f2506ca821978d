/* house.h -- some modules of the program, running in a test: a database, jobs by hand, a clock to move, mails kept.
 *
 *   struct house *h = house_open(engine, modules, COUNT(modules));
 *   CHECK_OK(ask(h, nobody, POST, "/v1/accounts", NULL, "{\"email\":…}"));
 *   CHECK_STR(answer(h, "role"), "user");
 *
 * What the server adds (HTTP, limits, CSRF) is not here: scenarios see the whole. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_HOUSE_H
#define TEST_HOUSE_H

#include "test/engine.h"
#include "core/module.h"

enum { HOUSE_MAILS = 4000 };

struct house {
    struct bed *bed;
    struct env *env;
    struct arena *arena;
    struct mailer mailer;
    struct mail mails[HOUSE_MAILS]; /* copies, oldest first */
    size_t mails_n;
    struct arena mails_arena; /* of whoever runs the jobs, while somebody else asks */
    /* of the last ask() */
    struct call call;
    const struct json *body;
    /* value of Set-Cookie up to the ';', without its name; none when there was none */
    struct str cookie;
};

struct house *house_open(const char *engine, const struct module *const *modules, size_t n,
                         const char *setting, const char *other_setting);
void house_close(struct house *h);

/* Both clocks of all houses. */
void house_shift(int64_t us);
/* ... then every job that is due. */
void house_pass(struct house *h, int64_t us);
void house_jobs(struct house *h);

/* One request by whoever has the token (none: nobody). path: the route's; param: value of its one {parameter}, or NULL.
 * The rules of .auth are kept. json: "?a=b" is a query. */
enum err ask(struct house *h, struct str token, enum method method, const char *path,
             const char *param, const char *json);
/* A member of the last answer as text; items of a page by "0.name". None when absent. */
struct str answer(struct house *h, const char *member);
/* The field that the last answer blamed. */
struct str blamed(struct house *h);
/* The token in the last mail's link; none when there is none. */
struct str mailed_token(struct house *h);

#endif
