/* till.c -- see till.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "test/till.h"
#include "core/events.h"
#include "core/exec.h"
#include "core/jobs.h"
#include "core/start.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* --- the provider ----------------------------------------------------------------------------------------------- */

static void put(char *to, size_t size, struct str s)
{
    must(s.n < size);
    memcpy(to, s.p, s.n);
    to[s.n] = 0;
}

static struct when now_of(const struct fake_pay *p)
{
    return (struct when) { __atomic_load_n(&p->now->us, __ATOMIC_ACQUIRE) };
}

static struct fake_object *find(struct fake_pay *p, struct str text, bool by_key)
{
    for (size_t i = 0; i < p->n; i++)
        if (str_is(text, by_key ? p->objects[i].key : p->objects[i].ref))
            return &p->objects[i];
    return NULL;
}

static void set(struct fake_pay *p, struct fake_object *o, enum pay_state state)
{
    if (o->state != PAY_SUCCEEDED && state == PAY_SUCCEEDED) {
        p->taken += o->amount.minor;
        p->taken_n++;
    }
    o->state = state;
}

static struct fake_object *make(struct fake_pay *p, const struct pay_request *r, bool hosted)
{
    struct fake_object *o = find(p, r->key, true);

    if (o != NULL) {
        must(o->amount.minor == r->amount.minor && str_is(r->reference, o->reference));
        return o;
    }
    must(p->n < FAKE_OBJECTS);
    o = &p->objects[p->n++];
    *o = (struct fake_object) { .amount = r->amount, .hosted = hosted, .state = PAY_PENDING };
    o->made = now_of(p);
    put(o->key, sizeof(o->key), r->key);
    put(o->reference, sizeof(o->reference), r->reference);
    snprintf(o->ref, sizeof(o->ref), "%s_%zu", hosted ? "cs" : "pi", p->n);
    if (hosted)
        return o;
    set(p, o,
        p->mood == FAKE_DECLINES ? PAY_DECLINED
        : p->mood == FAKE_ASKS   ? PAY_ACTION_REQUIRED
                                 : PAY_SUCCEEDED);
    if (o->state == PAY_DECLINED)
        put(o->decline, sizeof(o->decline), STR("The card was declined."));
    return o;
}

static void tell(struct arena *a, const struct fake_object *f, struct pay_outcome *o)
{
    *o = (struct pay_outcome) { .state = f->state, .amount = f->amount, .fee = -1 };
    o->provider_ref = str_copy(a, str_of(f->ref));
    o->reference = str_copy(a, str_of(f->reference));
    o->customer = STR("cus_1");
    if (f->decline[0] != 0 && f->state != PAY_SUCCEEDED)
        o->decline = str_copy(a, str_of(f->decline));
    if (f->state == PAY_SUCCEEDED) {
        o->method = STR("pm_1");
        o->fee = 25 + f->amount.minor * 29 / 1000;
    }
    if ((f->hosted && f->state == PAY_PENDING) || f->state == PAY_ACTION_REQUIRED)
        o->url = str_printf(a, "http://pay.test/%s", f->ref);
}

static enum err call(struct fake_pay *p, struct arena *a, const struct pay_request *r, bool hosted,
                     struct pay_outcome *result)
{
    enum err e = E_OK;

    pthread_mutex_lock(&p->lock);
    p->calls++;
    if (p->mood == FAKE_DOWN)
        e = E_PROVIDER_UNAVAILABLE;
    else if (p->mood != FAKE_LOSES_BEFORE) {
        struct fake_object *o = make(p, r, hosted);
        o->told |= p->mood != FAKE_LOSES_AFTER;
        tell(a, o, result);
        result->amount.minor += p->mood == FAKE_LIES ? 100 : 0;
    }
    if (p->mood == FAKE_LOSES_AFTER || p->mood == FAKE_LOSES_BEFORE) {
        *result = (struct pay_outcome) { .state = PAY_UNKNOWN, .fee = -1 };
        result->provider_ref = str_printf(a, "find:%.*s", STR_FMT(r->key));
    }
    pthread_mutex_unlock(&p->lock);
    return e;
}

static enum err fake_checkout(struct pay *p, struct arena *a, const struct pay_request *r,
                              struct pay_outcome *o)
{
    return call((struct fake_pay *)p, a, r, true, o);
}

static enum err fake_charge(struct pay *p, struct arena *a, const struct pay_request *r,
                            struct pay_outcome *o)
{
    must(r->customer.p != NULL && r->method.p != NULL);
    return call((struct fake_pay *)p, a, r, false, o);
}

static enum err fake_query(struct pay *pay, struct arena *a, struct str ref, struct pay_outcome *o)
{
    struct fake_pay *p = (struct fake_pay *)pay;
    bool by_key = str_starts(ref, "find:");
    enum err e = E_OK;

    pthread_mutex_lock(&p->lock);
    p->calls++;
    struct fake_object *f = find(p, by_key ? str_cut(ref, 5, ref.n) : ref, by_key);
    if (f != NULL && f->hosted && f->state == PAY_PENDING && now_of(p).us - f->made.us > DAY)
        f->state = PAY_EXPIRED;
    if (p->mood == FAKE_DOWN)
        e = E_PROVIDER_UNAVAILABLE;
    else if (f == NULL)
        e = E_NOT_FOUND;
    else
        tell(a, f, o);
    pthread_mutex_unlock(&p->lock);
    return e;
}

/* Body: "event ref", or "event" alone. */
static enum err fake_verify(struct pay *p, struct arena *a, struct str body, struct str signature,
                            struct when now, struct str *event, struct str *provider_ref)
{
    (void)p, (void)now, (void)a;
    if (!str_is(signature, "good"))
        return E_BAD_SIGNATURE;
    *provider_ref = str_split(body, ' ', event);
    return E_OK;
}

static const struct pay_ops fake_ops = {
    .name = "stripe",
    .capabilities = PAY_CAN_HOSTED | PAY_CAN_OFF_SESSION,
    .checkout = fake_checkout,
    .charge = fake_charge,
    .query = fake_query,
    .verify = fake_verify,
};

void fake_pay_settle(struct fake_pay *p, struct str ref, enum pay_state state, const char *decline)
{
    pthread_mutex_lock(&p->lock);
    struct fake_object *o = find(p, ref, false);
    must(o != NULL);
    set(p, o, state);
    put(o->decline, sizeof(o->decline), decline == NULL ? STR("") : str_of(decline));
    pthread_mutex_unlock(&p->lock);
}

struct fake_object *fake_pay_newest(struct fake_pay *p)
{
    must(p->n > 0);
    return &p->objects[p->n - 1];
}

/* --- the program ------------------------------------------------------------------------------------------------ */

static struct when till_real(struct clock *k)
{
    struct till *t = (struct till *)((char *)k - offsetof(struct till, env.clock));

    struct when now = { __atomic_load_n(&t->real.us, __ATOMIC_ACQUIRE) };
    return t->ticks_from_us == 0 ? now : when_after(now, monotonic_us() - t->ticks_from_us);
}

static struct settings *settings_of(struct till *t, const char *const *list)
{
    char *args[16], *none[] = { NULL };
    struct settings *s = NULL;
    struct str why = STR("");
    size_t n = 0;

    for (; list != NULL && list[n] != NULL; n++) {
        must(n < COUNT(args));
        args[n] = (char *)(uintptr_t)str_printf(&t->arena, "--%s", list[n]).p;
    }
    if (!settings_load(&t->arena, t->env.modules, t->env.modules_n, STR_NONE, none, args, n, &s,
                       &why))
        FAIL("%.*s", STR_FMT(why));
    REQUIRE(s != NULL);
    return s;
}

static struct till *till_make(const char *engine, const struct module *const *modules, size_t n,
                              const char *const *settings, struct when real, bool ticks)
{
    struct till *t = calloc(1, sizeof(*t));

    must(t != NULL);
    const struct module **all = arena_array(&t->arena, const struct module *, n + 1);
    all[0] = &core_module;
    memcpy(all + 1, modules, n * sizeof(*all));
    t->bed = bed_open(engine);
    t->env = t->bed->env;
    t->env.log = t->log = log_open(STDERR_FILENO, LOG_LEVEL_ERROR); /* retries are no news here */
    t->env.modules = all;
    t->env.modules_n = n + 1;
    t->env.clock.real = till_real;
    t->real = real;
    t->ticks_from_us = ticks ? monotonic_us() : 0;
    t->env.settings = settings_of(t, settings);
    t->env.public_url = STR("http://stage.test");
    pthread_mutex_init(&t->pay.lock, NULL);
    t->pay.pay.ops = &fake_ops;
    t->pay.now = &t->real;
    t->env.pay = &t->pay.pay;
    REQUIRE(env_start(&t->env, 0) == E_OK);
    return t;
}

struct till *till_open(const char *engine, const struct module *const *modules, size_t n,
                       const char *const *settings)
{
    return till_make(engine, modules, n, settings,
                     civil_when((struct civil) { 2026, 1, 31, 9, 30, 0, 0 }), false);
}

struct till *till_open_at(const char *engine, const struct module *const *modules, size_t n,
                          const char *const *settings, struct when real)
{
    return till_make(engine, modules, n, settings, real, true);
}

void till_close(struct till *t)
{
    env_stop(&t->env);
    log_close(t->log);
    bed_close(t->bed);
    arena_done(&t->arena);
    free(t);
}

void till_forward(struct till *t, int64_t us)
{
    __atomic_add_fetch(&t->real.us, us, __ATOMIC_ACQ_REL);
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
static bool events_wait(struct till *t)
{
    int64_t n = 0;

    for (size_t m = 0; m < t->env.modules_n; m++)
        n += t->env.modules[m]->subscribers_n > 0;
    return n > 0 && till_run(t, READ, events_waiting, &n) == E_OK && n > 0;
}

void till_drain(struct till *t)
{
    for (;;) {
        while (events_drain(&t->env) + jobs_drain(&t->env) > 0)
            ;
        if (!events_wait(t))
            return;
        nanosleep(&(struct timespec) { 0, 2000000 }, NULL);
    }
}

void till_pass(struct till *t, int64_t us, int64_t step_us)
{
    for (; us > 0; us -= step_us) {
        till_forward(t, us < step_us ? us : step_us);
        till_drain(t);
    }
}

enum err till_run(struct till *t, enum tx tx, handler *run, void *prepared)
{
    struct arena a = { 0 };
    struct call c;

    call_begin(&c, &t->env, &a);
    c.prepared = prepared;
    enum err e = exec_transaction(t->env.exec, &c, tx, run);
    arena_done(&a);
    return e;
}

struct question {
    const char *sql;
    int64_t answer;
};

static enum err take_int(void *context, struct db_statement *s, const struct db_value *cells)
{
    (void)s;
    ((struct question *)context)->answer = cells[0].i;
    return E_OK;
}

static enum err ask_int(struct call *c)
{
    struct question *q = c->prepared;
    struct db_statement *s;

    struct db_text text = db_text_of(c->arena, c->db->engine, q->sql);
    TRY(c->db->ops->prepare(c->db, text.text.p, NULL, 0, &s));
    enum err e = c->db->ops->query(c->db, s, NULL, 0, take_int, q, NULL);
    c->db->ops->drop(c->db, s);
    return e;
}

enum err till_try(struct till *t, const char *sql)
{
    return till_run(t, WRITE, ask_int, &(struct question) { sql, 0 });
}

int64_t till_int(struct till *t, const char *sql)
{
    struct question q = { sql, INT64_MIN };

    if (till_run(t, WRITE, ask_int, &q) != E_OK) {
        FAIL("it does not run: %s", sql);
        unit_end();
    }
    return q.answer;
}

/* --- requests --------------------------------------------------------------------------------------------------- */

/* Fills params when the path fits the template. */
static bool path_fits(const struct route *r, struct str path, struct call *c, void *params)
{
    struct str at = str_of(r->path), want, have;
    bool fits = true;

    while (fits && at.p != NULL && path.p != NULL) {
        at = str_split(at, '/', &want);
        path = str_split(path, '/', &have);
        if (str_starts(want, "{")) {
            const struct field *f = shape_field(r->params, str_cut(want, 1, want.n - 2));
            must(f != NULL);
            fits = field_decode_text(f, have, c->arena, (char *)params + f->offset, &c->problem) ==
                   E_OK;
        } else {
            fits = str_eq(want, have);
        }
    }
    return fits && at.p == NULL && path.p == NULL;
}

static const struct route *route_of(struct till *t, enum method method, struct str path,
                                    struct call *c)
{
    for (size_t m = 0; m < t->env.modules_n; m++)
        for (size_t i = 0; i < t->env.modules[m]->routes_n; i++) {
            const struct route *r = &t->env.modules[m]->routes[i];
            void *params = r->params == NULL ? NULL : arena_alloc(c->arena, r->params->size);
            if (r->method == method && path_fits(r, path, c, params)) {
                c->params = params;
                return r;
            }
        }
    return NULL;
}

static enum err decode(struct call *c, struct str query, const char *json)
{
    const struct route *r = c->route;
    const char *why = NULL;

    if (r->query != NULL) {
        void *q = arena_alloc(c->arena, r->query->size);
        TRY(shape_decode_query(r->query, query, c->arena, q, &c->problem));
        c->query = q;
    }
    if (r->in != NULL) {
        const struct json *j = json_parse(c->arena, str_of(json), &why);
        void *in = arena_alloc(c->arena, r->in->size);
        if (j == NULL)
            return E_BAD_JSON;
        TRY(shape_decode(r->in, j, c->arena, in, &c->problem));
        c->in = in;
    }
    return E_OK;
}

static struct str header(const struct call *c, const char *name)
{
    return strcmp(name, "Stripe-Signature") == 0 ? c->idempotency_key : STR_NONE;
}

/* Waits on another thread than the jobs': an awaited one is drained here. */
struct asked {
    struct till *t;
    struct call *c;
    enum err result;
    bool over; /* atomic */
};

static void *run_asked(void *arg)
{
    struct asked *q = arg;

    q->result = exec_run_wait(q->t->env.exec, q->c);
    __atomic_store_n(&q->over, true, __ATOMIC_RELEASE);
    return NULL;
}

static enum err run_request(struct till *t, struct call *c)
{
    struct asked q = { .t = t, .c = c };
    pthread_t thread;

    if (c->route->await == NULL)
        return exec_run_wait(t->env.exec, c);
    must(pthread_create(&thread, NULL, run_asked, &q) == 0);
    while (!__atomic_load_n(&q.over, __ATOMIC_ACQUIRE)) {
        jobs_drain(&t->env);
        till_forward(t, t->hurry_us);
        nanosleep(&(struct timespec) { 0, 1000000 }, NULL);
    }
    pthread_join(thread, NULL);
    return q.result;
}

struct till_reply till_ask_by(struct till *t, struct arena *arena, struct id who,
                              enum method method, const char *path, const char *json,
                              const char *key)
{
    struct call c;
    struct str clean, query = str_split(str_of(path), '?', &clean);
    struct till_reply reply = { 0 };

    call_begin(&c, &t->env, arena);
    c.route = route_of(t, method, clean, &c);
    if (c.route == NULL) {
        reply.result = E_NOT_FOUND;
        return reply;
    }
    c.who = c.actor.account = who;
    c.header = header;
    c.body = json == NULL ? STR_NONE : str_of(json);
    c.idempotency_key = str_of(key);
    c.request_hash = sha256_of(str_printf(arena, "%s %s", path, json == NULL ? "" : json));
    must(!c.route->idempotent || key != NULL);
    reply.result = decode(&c, query, json);
    if (reply.result == E_OK)
        reply.result = run_request(t, &c);
    if (reply.result == E_OK && c.reply.body.p == NULL)
        call_encode(&c);
    reply.status = c.reply.status;
    reply.body = str_copy(arena, c.reply.body);
    reply.detail = c.problem.detail;
    reply.field = c.problem.field;
    return reply;
}

struct till_reply till_ask(struct till *t, struct id who, enum method method, const char *path,
                           const char *json, const char *key)
{
    return till_ask_by(t, &t->arena, who, method, path, json, key);
}

struct str till_member(struct till *t, struct till_reply r, const char *name)
{
    const char *why = NULL;
    const struct json *j = json_parse(&t->arena, r.body, &why);
    struct str rest = str_of(name), part;

    while (j != NULL && rest.p != NULL) {
        int64_t at;
        rest = str_split(rest, '.', &part);
        if (j->kind == J_LIST)
            j = str_int(part, &at) && at >= 0 && (size_t)at < j->n ? &j->items[at] : NULL;
        else
            j = json_get(j, str_copy(&t->arena, part).p);
    }
    if (j == NULL)
        return STR_NONE;
    if (j->kind == J_INTEGER)
        return str_printf(&t->arena, "%" PRId64, j->integer);
    if (j->kind == J_BOOL)
        return j->boolean ? STR("true") : STR("false");
    return j->text;
}
