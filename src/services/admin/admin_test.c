/* admin_test.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "services/admin/admin.h"
#include "services/account/account.h"
#include "services/audit/audit.h"
#include "core/start.h"
#include "test/house.h"

static const struct module *const modules[] = { &core_module,    &audit_module,    &account_module,
                                                &session_module, &recovery_module, &admin_module };
static const struct str nobody;

static struct house *open_house(const char *engine)
{
    return house_open(engine, modules, COUNT(modules), "--account.quick_hash=true",
                      "--account.admin_email=root@example.org");
}

static struct str person(struct house *h, const char *name)
{
    const char *json = str_printf(h->arena,
                                  "{\"email\":\"%s@example.org\",\"password\":\"violet-ferry-24\","
                                  "\"name\":\"%s\"}",
                                  name, name)
                           .p;

    CHECK_OK(ask(h, nobody, POST, "/v1/accounts", NULL, json));
    return h->cookie;
}

ENGINES(development_clock_goes_forwards_and_stays)
{
    struct house *h = open_house(engine);

    CHECK_OK(ask(h, nobody, GET, "/v1/development/clock", NULL, NULL));
    CHECK_STR(answer(h, "offset_s"), "0");
    CHECK_OK(ask(h, nobody, POST, "/v1/development/clock", NULL, "{\"advance_s\":86400}"));
    CHECK_STR(answer(h, "offset_s"), "86400");
    CHECK_OK(ask(h, nobody, POST, "/v1/development/clock", NULL, "{\"advance_s\":1}"));
    CHECK_STR(answer(h, "offset_s"), "86401");
    CHECK_INT(ask(h, nobody, POST, "/v1/development/clock", NULL, "{\"advance_s\":-1}"), E_INVALID);
    CHECK_INT(ask(h, nobody, POST, "/v1/development/clock", NULL, "{\"advance_s\":0}"), E_INVALID);
    CHECK_INT(ask(h, nobody, POST, "/v1/development/clock", NULL, "{\"advance_s\":9999999999}"),
              E_INVALID);
    env_stop(h->env);
    h->env->clock.offset_us = 0;
    REQUIRE(env_start(h->env, 0) == E_OK);
    CHECK_INT(h->env->clock.offset_us, 86401 * SECOND);
    env_stop(h->env);
    h->env->clock.offset_us = 0;
    h->env->development = false;
    REQUIRE(env_start(h->env, 0) == E_OK);
    CHECK_INT(h->env->clock.offset_us, 0);
    house_close(h);
}

ENGINES(development_clock_has_an_end)
{
    struct house *h = open_house(engine);
    enum err e = E_OK;
    int n = 0;

    for (; n < 20 && e == E_OK; n++)
        e = ask(h, nobody, POST, "/v1/development/clock", NULL, "{\"advance_s\":316224000}");
    CHECK_INT(e, E_INVALID);
    CHECK_STR(blamed(h), "advance_s");
    CHECK_INT(n, 11);
    CHECK_OK(ask(h, nobody, GET, "/v1/development/clock", NULL, NULL));
    CHECK_STR(answer(h, "offset_s"), "3162240000");
    house_close(h);
}

/* The operator, who has read the mail. */
static struct str admin(struct house *h)
{
    struct str root = person(h, "root");

    house_jobs(h);
    CHECK_OK(ask(h, nobody, POST, "/v1/email-verifications/confirm", NULL,
                 str_printf(h->arena, "{\"token\":\"%.*s\"}", STR_FMT(mailed_token(h))).p));
    CHECK_OK(ask(h, root, GET, "/v1/me", NULL, NULL));
    return root;
}

ENGINES(roles_are_given_by_admins)
{
    struct house *h = open_house(engine);
    struct str root = admin(h), root_id = answer(h, "id");
    struct str ana = person(h, "ana"), id = answer(h, "id");
    const char *path = "/v1/admin/accounts/{account}/role", *moderator = "{\"role\":\"moderator\"}";

    CHECK_INT(ask(h, nobody, PUT, path, id.p, moderator), E_SIGNED_OUT);
    CHECK_INT(ask(h, ana, PUT, path, id.p, moderator), E_FORBIDDEN);
    CHECK_INT(ask(h, root, PUT, path, root_id.p, moderator), E_CONFLICT);
    CHECK_INT(ask(h, root, PUT, path, "usr_0000000000001", moderator), E_NOT_FOUND);
    CHECK_INT(ask(h, root, PUT, path, id.p, "{\"role\":\"god\"}"), E_INVALID);
    CHECK_OK(ask(h, root, PUT, path, id.p, moderator));
    CHECK_INT(ask(h, ana, GET, "/v1/me", NULL, NULL), E_SIGNED_OUT); /* other rights, a new login */
    CHECK_OK(ask(h, nobody, POST, "/v1/sessions", NULL,
                 "{\"email\":\"ana@example.org\",\"password\":\"violet-ferry-24\"}"));
    struct str session = h->cookie;
    CHECK_OK(ask(h, session, GET, "/v1/me", NULL, NULL));
    CHECK_STR(answer(h, "role"), "moderator");
    CHECK_OK(ask(h, root, PUT, path, id.p, moderator)); /* the same again ends nothing */
    CHECK_OK(ask(h, session, GET, "/v1/me", NULL, NULL));
    CHECK_OK(ask(h, root, GET, "/v1/admin/audit", NULL, "?limit=2"));
    CHECK_STR(answer(h, "items.0.action"), "account.logged_in");
    CHECK_STR(answer(h, "items.1.action"), "account.role_changed");
    CHECK_STR(answer(h, "items.1.object"), id);
    CHECK_STR(answer(h, "items.1.actor"), root_id);
    house_pass(h, 2 * HOUR); /* staff is logged out after an idle hour */
    CHECK_INT(ask(h, root, GET, "/v1/me", NULL, NULL), E_SIGNED_OUT);
    house_close(h);
}

ENGINES(accounts_are_listed_for_admins)
{
    struct house *h = open_house(engine);
    struct str root = admin(h), ana = person(h, "ana");

    CHECK_INT(ask(h, ana, GET, "/v1/admin/accounts", NULL, ""), E_FORBIDDEN);
    CHECK_OK(ask(h, root, GET, "/v1/admin/accounts", NULL, "?limit=1"));
    CHECK_STR(answer(h, "items.0.email"), "ana@example.org");
    CHECK(answer(h, "items.0.password").p == NULL);
    CHECK_OK(ask(h, root, GET, "/v1/admin/accounts", NULL,
                 str_printf(h->arena, "?limit=1&cursor=%.*s", STR_FMT(answer(h, "next"))).p));
    CHECK_STR(answer(h, "items.0.email"), "root@example.org");
    CHECK_OK(ask(h, root, GET, "/v1/admin/accounts", NULL, "?email=ANA%40example.org"));
    CHECK_STR(answer(h, "items"), "1 items");
    CHECK_OK(ask(h, root, GET, "/v1/admin/accounts", NULL, "?email=no%40example.org"));
    CHECK_STR(answer(h, "items"), "0 items");
    house_close(h);
}

static enum err no_mail(struct mailer *m, struct arena *a, const struct mail *mail)
{
    (void)m;
    (void)a;
    (void)mail;
    return E_UNAVAILABLE;
}

ENGINES(dead_jobs_are_seen_and_run_again)
{
    struct house *h = open_house(engine);
    struct str root = admin(h), ana;
    enum err (*send)(struct mailer *, struct arena *, const struct mail *) = h->mailer.send;

    h->mailer.send = no_mail;
    ana = person(h, "ana");
    for (int i = 0; i < 10;
         i++) /* the waits between ten tries, within the hour that the link works */
        house_pass(h, (i < 8 ? 200 : i < 9 ? 390 : 770) * SECOND);
    CHECK_OK(ask(h, nobody, POST, "/v1/sessions", NULL,
                 "{\"email\":\"root@example.org\",\"password\":\"violet-ferry-24\"}"));
    root = h->cookie;
    CHECK_INT(ask(h, ana, GET, "/v1/admin/jobs/dead", NULL, ""), E_FORBIDDEN);
    CHECK_OK(ask(h, root, GET, "/v1/admin/jobs/dead", NULL, ""));
    CHECK_STR(answer(h, "items.0.kind"), "account.mail");
    struct str id = answer(h, "items.0.id");
    h->mailer.send = send;
    CHECK_OK(ask(h, root, POST, "/v1/admin/jobs/{job}/run", id.p, NULL));
    CHECK_INT(ask(h, root, POST, "/v1/admin/jobs/{job}/run", id.p, NULL), E_NOT_FOUND);
    house_jobs(h);
    CHECK_INT(ask(h, root, POST, "/v1/admin/jobs/{job}/run", id.p, NULL), E_NOT_FOUND);
    CHECK_OK(ask(h, root, GET, "/v1/admin/jobs/dead", NULL, ""));
    CHECK_STR(answer(h, "items"), "0 items");
    house_close(h);
}
