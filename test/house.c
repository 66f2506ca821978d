/* house.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "test/house.h"
#include "test/fault.h"
#include "core/events.h"
#include "core/exec.h"
#include "core/jobs.h"
#include "core/settings.h"
#include "core/start.h"
#include "services/account/account.h"

#include <stdlib.h>
#include <string.h>

/* How far real time was moved, in all houses of a test: who asks for the time knows only his clock. Atomic. */
static int64_t moved_us;

static struct when moved_now(struct clock *k)
{
    (void)k;
    return when_after(when_real_now(), __atomic_load_n(&moved_us, __ATOMIC_ACQUIRE));
}

static enum err keep_mail(struct mailer *m, struct arena *a, const struct mail *mail)
{
    struct house *h = (struct house *)(void *)((char *)m - offsetof(struct house, mailer));

    (void)a;
    bool was = fault_spare(true);
    REQUIRE(h->mails_n < HOUSE_MAILS);
    h->mails[h->mails_n++] = (struct mail) { .to = str_copy(&h->mails_arena, mail->to),
                                             .subject = str_copy(&h->mails_arena, mail->subject),
                                             .text = str_copy(&h->mails_arena, mail->text),
                                             .id = str_copy(&h->mails_arena, mail->id) };
    fault_spare(was);
    return E_OK;
}

struct house *house_open(const char *engine, const struct module *const *modules, size_t n,
                         const char *setting, const char *other_setting)
{
    struct house *h = calloc(1, sizeof(*h));
    char *args[] = { (char *)(uintptr_t)setting, (char *)(uintptr_t)other_setting };
    size_t args_n = setting == NULL ? 0 : other_setting == NULL ? 1 : 2;
    struct str why = STR_NONE;

    must(h != NULL);
    __atomic_store_n(&moved_us, 0, __ATOMIC_RELEASE);
    h->bed = bed_open(engine);
    h->env = &h->bed->env;
    h->arena = &h->bed->arena;
    h->mailer.send = keep_mail;
    h->env->modules = modules;
    h->env->modules_n = n;
    h->env->clock.real = moved_now;
    h->env->mailer = &h->mailer;
    h->env->development = true;
    h->env->authenticate = account_authenticate;
    h->env->public_url = STR("http://127.0.0.1:8080");
    if (!settings_load(h->arena, modules, n, STR_NONE, NULL, args, args_n, &h->env->settings, &why))
        FAIL("%.*s", STR_FMT(why));
    REQUIRE(h->env->settings != NULL);
    REQUIRE(env_start(h->env, 0) == E_OK);
    return h;
}

void house_close(struct house *h)
{
    env_stop(h->env);
    bed_close(h->bed);
    arena_done(&h->mails_arena);
    free(h);
}

static enum err events_waiting(struct call *c)
{
    int64_t *n = c->prepared;

    return db_int(c, n,
                  "SELECT count(*) FROM event WHERE (SELECT count(*) FROM event_cursor) < $1"
                  " OR (tx, id) > (SELECT tx, id FROM event_cursor ORDER BY tx, id LIMIT 1)",
                  *n);
}

/* On PostgreSQL an event can be read only when every older transaction of the cluster has ended, those of other tests too. */
static bool events_wait(struct house *h)
{
    struct arena a = { 0 };
    struct call c;
    int64_t n = 0;

    for (size_t m = 0; m < h->env->modules_n; m++)
        n += h->env->modules[m]->subscribers_n > 0;
    if (n == 0)
        return false;
    /* Where torture strikes this question, it is asked again: that it failed does not tell that nothing waits. */
    enum err e = E_INTERNAL;
    for (int i = 0; i < 3 && e != E_OK; i++) {
        call_begin(&c, h->env, &a);
        c.prepared = &n;
        e = exec_transaction(h->env->exec, &c, READ, events_waiting);
    }
    arena_done(&a);
    return e == E_OK && n > 0;
}

/* Twice nothing: where torture strikes the question for the next, there seems to be none. */
static void drain(struct house *h)
{
    for (int nothing = 0; nothing < 2;)
        nothing = events_drain(h->env) + jobs_drain(h->env) > 0 ? 0 : nothing + 1;
}

void house_jobs(struct house *h)
{
    for (;;) {
        drain(h);
        if (!events_wait(h))
            return;
        nanosleep(&(struct timespec) { 0, 2000000 }, NULL);
    }
}

void house_shift(int64_t us)
{
    __atomic_add_fetch(&moved_us, us, __ATOMIC_ACQ_REL);
}

void house_pass(struct house *h, int64_t us)
{
    house_shift(us);
    house_jobs(h);
}

static const struct route *route_of(struct house *h, enum method method, const char *path)
{
    for (size_t m = 0; m < h->env->modules_n; m++)
        for (size_t i = 0; i < h->env->modules[m]->routes_n; i++) {
            const struct route *r = &h->env->modules[m]->routes[i];
            if (r->method == method && strcmp(r->path, path) == 0)
                return r;
        }
    FAIL("there is no route %s %s", method_names[method], path);
    unit_end();
}

static enum err may(struct call *c)
{
    switch (c->route->auth) {
    case ANYONE:
    case SIGNED:
    case DEVELOPMENT:
        return E_OK;
    case CREATOR:
        if (id_some(c->who) && !c->actor.creator)
            return E_NOT_CREATOR;
        break;
    case MODERATOR:
        if (id_some(c->who) && c->actor.role == ROLE_USER)
            return E_FORBIDDEN;
        break;
    case ADMIN:
        if (id_some(c->who) && c->actor.role != ROLE_ADMIN)
            return E_FORBIDDEN;
        break;
    case FAN:
    case AUTH_UNSET:
        break;
    }
    return id_some(c->who) ? E_OK : E_SIGNED_OUT;
}

static enum err who_is(struct call *c, struct str token)
{
    if (token.p == NULL)
        return E_OK;
    c->db = exec_reader(c->env->exec);
    TRY(c->env->authenticate(c, token, &c->actor));
    c->who = c->actor.account;
    c->db = NULL;
    return E_OK;
}

static enum err decode(struct call *c, const char *param, const char *json)
{
    const struct route *r = c->route;
    struct str text = str_of(json);
    const char *why = NULL;

    if (r->params != NULL) {
        void *v = arena_alloc(c->arena, r->params->size);
        const struct field *f = &r->params->fields[0];
        c->params = v;
        TRY(field_decode_text(f, str_of(param), c->arena, (char *)v + f->offset, &c->problem));
    }
    if (r->query != NULL) {
        void *v = arena_alloc(c->arena, r->query->size);
        struct str q = str_starts(text, "?") ? str_cut(text, 1, text.n) : STR("");
        c->query = v;
        TRY(shape_decode_query(r->query, q, c->arena, v, &c->problem));
    }
    if (r->in != NULL) {
        void *v = arena_alloc(c->arena, r->in->size);
        const struct json *j = json_parse(c->arena, text, &why);
        c->in = v;
        if (j == NULL)
            return E_BAD_JSON;
        TRY(shape_decode(r->in, j, c->arena, v, &c->problem));
    }
    return E_OK;
}

static void keep_answer(struct house *h)
{
    const char *why = NULL;

    call_encode(&h->call);
    if (h->call.reply.body.p != NULL)
        h->body = json_parse(h->arena, h->call.reply.body, &why);
    for (size_t i = 0; i < h->call.reply.headers_n; i++)
        if (strcmp(h->call.reply.headers[i].name, "Set-Cookie") == 0) {
            struct str pair, name;
            str_split(h->call.reply.headers[i].value, ';', &pair);
            h->cookie = str_split(pair, '=', &name);
        }
}

enum err ask(struct house *h, struct str token, enum method method, const char *path,
             const char *param, const char *json)
{
    struct call *c = &h->call;

    call_begin(c, h->env, h->arena);
    h->body = NULL;
    h->cookie = STR_NONE;
    c->route = route_of(h, method, path);
    c->address = STR("192.0.2.7");
    c->agent = STR("house\x01/\xff 1.0");
    enum err e = who_is(c, token);
    if (e == E_OK)
        e = may(c);
    if (e == E_OK)
        e = decode(c, param, json);
    if (e == E_OK)
        e = exec_run_wait(h->env->exec, c);
    if (e == E_OK)
        keep_answer(h);
    return e;
}

struct str answer(struct house *h, const char *member)
{
    const struct json *j = h->body;
    struct str rest = str_of(member), name;
    int64_t i;

    while (j != NULL && rest.p != NULL) {
        rest = str_split(rest, '.', &name);
        if (j->kind == J_LIST)
            j = str_int(name, &i) && i >= 0 && (size_t)i < j->n ? &j->items[i] : NULL;
        else
            j = json_get(j, str_copy(h->arena, name).p);
    }
    if (j == NULL || j->kind == J_NULL)
        return STR_NONE;
    if (j->kind == J_BOOL)
        return j->boolean ? STR("true") : STR("false");
    if (j->kind == J_INTEGER)
        return str_printf(h->arena, "%lld", (long long)j->integer);
    return j->kind == J_TEXT ? j->text : str_printf(h->arena, "%zu items", j->n);
}

struct str blamed(struct house *h)
{
    return h->call.problem.field;
}

struct str mailed_token(struct house *h)
{
    static const char mark[] = "?token=";

    if (h->mails_n == 0)
        return STR_NONE;
    const char *at = strstr(h->mails[h->mails_n - 1].text.p, mark);
    if (at == NULL)
        return STR_NONE;
    struct str line, text = str_of(at + sizeof(mark) - 1);
    str_split(text, '\n', &line);
    return line;
}
