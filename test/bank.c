/* bank.c -- see bank.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "test/bank.h"
#include "core/jobs.h"
#include "core/settings.h"
#include "core/start.h"
#include "sandbox/sandbox.h"
#include "server/server.h"
#include "sys/sqlite.h"
#include "sys/stripe.h"

#include <stdlib.h>
#include <string.h>

enum { MODULES_MAX = 8 };

struct bank {
    struct env env;
    struct arena arena;
    struct server *server;
    struct pay *pay;
    const struct module *modules[MODULES_MAX];
};

static int port_of(struct arena *a, struct server *s)
{
    struct str why = STR_NONE;

    if (!server_listen(s, a, &why)) {
        FAIL("%.*s", STR_FMT(why));
        unit_end();
    }
    return server_port(s);
}

static void load_settings(struct bank *b, int house_port)
{
    struct str hook = str_printf(
        &b->arena, "--sandbox.webhook_url=http://127.0.0.1:%d/v1/webhooks/stripe", house_port);
    char *args[] = { arena_copy(&b->arena, hook.p, hook.n + 1),
                     arena_copy(&b->arena, "--http.port=0", sizeof("--http.port=0")),
                     arena_copy(&b->arena, "--http.rates=false", sizeof("--http.rates=false")) };
    struct str why = STR_NONE;

    if (!settings_load(&b->arena, b->env.modules, b->env.modules_n, STR_NONE, NULL, args,
                       COUNT(args), &b->env.settings, &why))
        FAIL("%.*s", STR_FMT(why));
    REQUIRE(b->env.settings != NULL);
}

static void env_make(struct bank *b, struct house *h, int house_port)
{
    must(sandbox_modules_n + 2 <= MODULES_MAX);
    b->modules[0] = &core_module;
    b->modules[1] = &server_module;
    memcpy(b->modules + 2, sandbox_modules, sandbox_modules_n * sizeof(b->modules[0]));
    b->env = (struct env) { .modules = b->modules,
                            .modules_n = sandbox_modules_n + 2,
                            .log = h->env->log,
                            .clock = h->env->clock,
                            .random = h->env->random,
                            .development = true };
    b->env.engine = sqlite_open(str_printf(&b->arena, "%s/bank.db", unit_dir()), h->env->log);
    REQUIRE(b->env.engine != NULL);
    load_settings(b, house_port);
}

struct bank *bank_open(struct house *h, struct server *s)
{
    struct bank *b = calloc(1, sizeof(*b));

    must(b != NULL);
    env_make(b, h, port_of(h->arena, s));
    REQUIRE(env_start(&b->env, 0) == E_OK);
    b->server = server_open(&b->env);
    b->env.public_url = str_printf(&b->arena, "http://127.0.0.1:%d", port_of(&b->arena, b->server));
    b->pay = stripe_open(&(struct stripe_options) { .url = b->env.public_url,
                                                    .key = STR("sk_test_stagedoor"),
                                                    .webhook_secrets = STR("whsec_stagedoor"),
                                                    .log = h->env->log,
                                                    .random = h->env->random });
    h->env->pay = b->pay;
    return b;
}

struct env *bank_env(struct bank *b)
{
    return &b->env;
}

void bank_close(struct bank *b)
{
    CHECK(server_close(b->server, 5));
    env_stop(&b->env);
    b->env.engine->ops->close(b->env.engine);
    b->pay->ops->close(b->pay);
    arena_done(&b->arena);
    free(b);
}

void bank_jobs(struct bank *b, struct house *h)
{
    do
        house_jobs(h);
    while (jobs_drain(&b->env) > 0);
}

void bank_pass(struct bank *b, int64_t us)
{
    __atomic_add_fetch(&b->env.clock.offset_us, us, __ATOMIC_ACQ_REL);
}

static int submit(struct bank *b, struct arena *a, struct str url, struct str form,
                  struct str *location)
{
    struct str own = b->env.public_url;
    struct http_call h = { .method = "POST",
                           .type = STR("application/x-www-form-urlencoded"),
                           .body = form };

    h.target = str_starts(url, own.p) ? str_cut(url, own.n, url.n) : url;
    server_call(b->server, a, &h);
    *location = http_call_header(&h, "Location");
    return h.status;
}

int bank_pay(struct bank *b, struct arena *a, struct str url, struct str card, struct str *location)
{
    struct str form =
        str_printf(a, "number=%.*s&expiry=12%%2F2098&cvc=123&name=A+Fan", STR_FMT(card));

    return submit(b, a, url, form, location);
}

int bank_confirm(struct bank *b, struct arena *a, struct str url, struct str answer,
                 struct str *location)
{
    return submit(b, a, url, str_printf(a, "outcome=%.*s", STR_FMT(answer)), location);
}

void bank_fault(struct bank *b, struct arena *a, const char *form)
{
    struct http_call h = { .method = "POST",
                           .target = STR("/v1/test_helpers/faults"),
                           .token = STR("sk_test_stagedoor"),
                           .type = STR("application/x-www-form-urlencoded"),
                           .body = str_of(form) };

    server_call(b->server, a, &h);
    CHECK_INT(h.status, 200);
}
