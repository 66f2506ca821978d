/* exec_test.c -- the runner's promises, on both engines: one transaction a call, one answer a key, every job to its end,
 * every event to each consumer once. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/exec.h"
#include "core/events.h"
#include "core/jobs.h"
#include "core/revisions.h"
#include "core/start.h"
#include "test/engine.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* --- a small service to run ------------------------------------------------------------------------------------- */

struct note {
    int64_t value;
};
static const struct field note_fields[] = { INTEGER(note, value, "A number", .min = -1000,
                                                    .max = 1000000) };
STATIC_SHAPE(note);
struct note_list {
    struct note *v;
    size_t n;
};

static enum err make_table(struct call *c)
{
    return db_run(c, "CREATE TABLE note (place INTEGER, value INTEGER NOT NULL)");
}

static enum err put(struct call *c, int64_t value)
{
    return db_run(c, "INSERT INTO note (place, value) VALUES ($1, $2)", new_id(c), value);
}

static enum err note_add(struct call *c)
{
    const struct note *in = IN(c, note);

    TRY(put(c, in->value));
    if (in->value < 0)
        return fail_field(c, E_INVALID, "value", "less than nothing");
    touch(c, (struct id) { in->value + 1 });
    OUT(c, note)->value = in->value;
    return E_OK;
}

static enum err note_later(struct call *c)
{
    return job_add(c, "test.note", JOB_NOW, IN(c, note), NULL);
}

static enum err note_then(struct call *c)
{
    int64_t n;

    TRY(db_int(c, &n, "SELECT count(*) FROM note"));
    OUT(c, note)->value = n;
    return E_OK;
}

static const struct route routes[] = {
    { POST, "/notes", note_add, "Add", .in = &note_shape, .out = &note_shape, .auth = ANYONE,
      .tx = WRITE },
    { POST, "/later", note_later, "Add by a job", .in = &note_shape, .out = &note_shape,
      .auth = ANYONE, .tx = WRITE, .await = "test.note", .then = note_then },
};

static enum err job_note(struct call *c)
{
    return put(c, IN(c, note)->value);
}

/* Fails on its first two tries, after having written. */
static enum err job_flaky(struct call *c)
{
    TRY(put(c, c->job_attempt));
    return c->job_attempt < 3 ? fail(c, E_CONFLICT, "not yet") : E_OK;
}

static enum err job_hopeless(struct call *c)
{
    return fail(c, E_CONFLICT, "never");
}

static enum err job_gave_up(struct call *c)
{
    return put(c, 999);
}

static const struct job_kind jobs[] = {
    { "test.note", job_note, .in = &note_shape, .tx = WRITE, .lease_ms = 1000, .tries = 3 },
    { "test.flaky", job_flaky, .in = &note_shape, .tx = WRITE, .lease_ms = 1000, .tries = 5 },
    { "test.hopeless", job_hopeless, .in = &note_shape, .tx = WRITE, .gave_up = job_gave_up,
      .lease_ms = 1000, .tries = 1 },
};

static const struct event_kind noted = { .name = "test.noted",
                                         .shape = &note_shape,
                                         .doc = "A number was noted" };
static const struct event_kind *const events[] = { &noted };

static enum err on_noted(struct call *c)
{
    return put(c, *(const int64_t *)c->in);
}

static const struct subscriber subscribers[] = { { "test.noted", on_noted, &note_shape } };

static const struct module test_module = { "test",
                                           MODULE_ROUTES(routes),
                                           MODULE_JOBS(jobs),
                                           MODULE_EVENTS(events),
                                           MODULE_SUBSCRIBERS(subscribers),
                                           .start = make_table };

/* --- a whole core around it ------------------------------------------------------------------------------------- */

struct core {
    struct bed *bed;
    struct env *env;
    const struct module *modules[2];
};

static struct when skewed(struct clock *k)
{
    (void)k;
    return when_real_now();
}

static struct core *core_open(const char *engine, int job_workers)
{
    struct core *k = calloc(1, sizeof(*k));
    struct str why;

    must(k != NULL);
    k->bed = bed_open(engine);
    k->env = &k->bed->env;
    k->modules[0] = &core_module;
    k->modules[1] = &test_module;
    k->env->modules = k->modules;
    k->env->modules_n = 2;
    k->env->clock.real = skewed;
    REQUIRE(settings_load(&k->bed->arena, k->modules, 2, STR(""), NULL, NULL, 0, &k->env->settings,
                          &why));
    REQUIRE(env_start(k->env, job_workers) == E_OK);
    return k;
}

static void core_close(struct core *k)
{
    env_stop(k->env);
    bed_close(k->bed);
    free(k);
}

struct answer {
    enum err result;
    struct str body;
    bool replayed;
    int status;
};

static struct answer request(struct core *k, struct arena *a, const struct route *r, int64_t value,
                             const char *key)
{
    struct note in = { value };
    struct call c;

    call_begin(&c, k->env, a);
    c.route = r;
    c.in = &in;
    c.who = (struct id) { 4711 };
    c.idempotency_key = str_of(key);
    c.request_hash = sha256_of(str_printf(a, "%s %d", r->path, (int)value));
    enum err e = exec_run_wait(k->env->exec, &c);
    call_encode(&c);
    return (struct answer) { e, c.reply.body, c.replayed, c.reply.status };
}

static enum err read_notes(struct call *c)
{
    return db_list(c, note, (struct note_list *)c->prepared,
                   "SELECT value FROM note ORDER BY place");
}

static struct note_list notes(struct core *k, struct arena *a)
{
    struct note_list list = { 0 };
    struct call c;

    call_begin(&c, k->env, a);
    c.prepared = &list;
    CHECK_OK(exec_transaction(k->env->exec, &c, READ, read_notes));
    return list;
}

/* --- one transaction a call ------------------------------------------------------------------------------------- */

struct crowd {
    struct core *core;
    int first;
    int failed;
};

enum { CROWD = 16, EACH = 40 };

static void *crowd_run(void *arg)
{
    struct crowd *w = arg;
    struct arena a = { 0 };

    for (int i = 0; i < EACH; i++) {
        /* every fourth is refused after it has written */
        int value = i % 4 == 3 ? -1 : w->first + i;
        w->failed += request(w->core, &a, &routes[0], value, NULL).result != E_OK;
    }
    arena_done(&a);
    return NULL;
}

ENGINES_SECONDS(a_refused_call_leaves_nothing_and_takes_nobody_with_it, 30)
{
    struct core *k = core_open(engine, 0);
    struct crowd crowd[CROWD];
    pthread_t threads[CROWD];
    struct arena a = { 0 };

    for (int i = 0; i < CROWD; i++) {
        crowd[i] = (struct crowd) { k, i * 100, 0 };
        must(pthread_create(&threads[i], NULL, crowd_run, &crowd[i]) == 0);
    }
    for (int i = 0; i < CROWD; i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(crowd[i].failed, EACH / 4);
    }
    struct note_list all = notes(k, &a);
    CHECK_INT(all.n, CROWD * EACH * 3 / 4);
    for (size_t i = 0; i < all.n; i++)
        CHECK(all.v[i].value >= 0);
    arena_done(&a);
    core_close(k);
}

ENGINES(a_commit_bumps_what_it_touched_before_the_answer)
{
    struct core *k = core_open(engine, 0);
    struct arena a = { 0 };
    uint32_t slot = revision_slot((struct id) { 8 });
    uint64_t before = revision_now(k->env->revisions);

    request(k, &a, &routes[0], -1, NULL);
    CHECK(revision_unchanged(k->env->revisions, slot, before));
    CHECK_OK(request(k, &a, &routes[0], 7, NULL).result);
    CHECK(!revision_unchanged(k->env->revisions, slot, before));
    arena_done(&a);
    core_close(k);
}

/* --- one answer a key ------------------------------------------------------------------------------------------- */

ENGINES(the_same_key_gives_the_same_answer_once)
{
    struct core *k = core_open(engine, 0);
    struct arena a = { 0 };

    struct answer first = request(k, &a, &routes[0], 5, "k1"),
                  again = request(k, &a, &routes[0], 5, "k1");
    CHECK_OK(first.result);
    CHECK_OK(again.result);
    CHECK(!first.replayed && again.replayed);
    CHECK_STR(again.body, "{\"value\":5}");
    CHECK_STR(first.body, again.body);
    CHECK_INT(request(k, &a, &routes[0], 6, "k1").result, E_KEY_REUSED);
    CHECK_INT(request(k, &a, &routes[0], -1, "k2").result, E_INVALID);
    CHECK_INT(request(k, &a, &routes[0], 8, "k2").result, E_OK); /* a refusal is not remembered */
    CHECK_INT(notes(k, &a).n, 2);
    arena_done(&a);
    core_close(k);
}

static void *same_key(void *arg)
{
    struct crowd *w = arg;
    struct arena a = { 0 };
    struct answer got = request(w->core, &a, &routes[0], 1, "one");

    w->failed = got.result != E_OK || !str_is(got.body, "{\"value\":1}");
    arena_done(&a);
    return NULL;
}

ENGINES(sixteen_at_once_with_one_key_write_once)
{
    struct core *k = core_open(engine, 0);
    struct crowd crowd[CROWD];
    pthread_t threads[CROWD];
    struct arena a = { 0 };

    for (int i = 0; i < CROWD; i++) {
        crowd[i] = (struct crowd) { k, 0, 0 };
        must(pthread_create(&threads[i], NULL, same_key, &crowd[i]) == 0);
    }
    for (int i = 0; i < CROWD; i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(crowd[i].failed, 0);
    }
    CHECK_INT(notes(k, &a).n, 1);
    arena_done(&a);
    core_close(k);
}

/* --- jobs ------------------------------------------------------------------------------------------------------- */

ENGINES(an_answer_waits_for_its_job_and_so_does_its_replay)
{
    struct core *k = core_open(engine, 2);
    struct arena a = { 0 };

    struct answer first = request(k, &a, &routes[1], 5, "k1"),
                  again = request(k, &a, &routes[1], 5, "k1");
    CHECK_OK(first.result);
    CHECK_STR(first.body, "{\"value\":1}");
    CHECK_STR(again.body, "{\"value\":1}");
    CHECK(again.replayed);
    CHECK_INT(first.status, 0);
    CHECK_INT(notes(k, &a).n, 1);
    arena_done(&a);
    core_close(k);
}

struct wish {
    const char *kind, *name;
    int64_t value;
    struct when at;
};

static enum err wish_add(struct call *c)
{
    const struct wish *w = c->prepared;
    struct note in = { w->value };

    if (w->name != NULL)
        return job_add_named(c, w->kind, str_of(w->name), w->at, &in);
    return job_add(c, w->kind, w->at, &in, NULL);
}

static void wish(struct core *k, struct wish w)
{
    struct arena a = { 0 };
    struct call c;

    call_begin(&c, k->env, &a);
    c.prepared = &w;
    CHECK_OK(exec_transaction(k->env->exec, &c, WRITE, wish_add));
    arena_done(&a);
}

static enum err make_due(struct call *c)
{
    return db_run(c, "UPDATE job SET due = 0 WHERE state = 'waiting' AND due_business = 0");
}

static void hurry(struct core *k)
{
    struct arena a = { 0 };
    struct call c;

    call_begin(&c, k->env, &a);
    CHECK_OK(exec_transaction(k->env->exec, &c, WRITE, make_due));
    arena_done(&a);
}

ENGINES(a_job_is_tried_again_and_a_failed_try_leaves_nothing)
{
    struct core *k = core_open(engine, 0);
    struct arena a = { 0 };

    wish(k, (struct wish) { .kind = "test.flaky" });
    for (int i = 0; i < 4; i++, hurry(k))
        jobs_drain(k->env);
    struct note_list all = notes(k, &a);
    CHECK_INT(all.n, 1);
    CHECK_INT(all.v[0].value, 3); /* only the third attempt's */
    arena_done(&a);
    core_close(k);
}

ENGINES(a_job_whose_tries_are_spent_is_put_aside)
{
    struct core *k = core_open(engine, 0);
    struct arena a = { 0 };
    struct call c;
    int64_t dead = 0;

    wish(k, (struct wish) { .kind = "test.hopeless" });
    jobs_drain(k->env);
    jobs_drain(k->env);
    struct note_list all = notes(k, &a);
    CHECK_INT(all.n, 1);
    CHECK_INT(all.v[0].value, 999);
    call_begin(&c, k->env, &a);
    c.db = exec_reader(k->env->exec);
    CHECK_OK(db_int(&c, &dead,
                    "SELECT count(*) FROM job WHERE state = 'dead' AND error LIKE '%never%'"));
    CHECK_INT(dead, 1);
    arena_done(&a);
    core_close(k);
}

ENGINES(of_a_name_one_waits_and_business_time_is_waited_for)
{
    struct core *k = core_open(engine, 0);
    struct arena a = { 0 };
    struct when tomorrow = when_after(env_now(k->env), DAY);

    wish(k, (struct wish) { .kind = "test.note", .name = "renew:1", .value = 1, .at = tomorrow });
    wish(k, (struct wish) { .kind = "test.note", .name = "renew:1", .value = 2, .at = tomorrow });
    jobs_drain(k->env);
    CHECK_INT(notes(k, &a).n, 0);
    __atomic_store_n(&k->env->clock.offset_us, DAY + SECOND, __ATOMIC_RELEASE);
    jobs_drain(k->env);
    struct note_list all = notes(k, &a);
    CHECK_INT(all.n, 1);
    CHECK_INT(all.v[0].value, 1);
    arena_done(&a);
    core_close(k);
}

static enum err lose_lease(struct call *c)
{
    return db_run(
        c,
        "UPDATE job SET state = 'running', attempt = 1, leased_until = 1 WHERE kind = 'test.note'");
}

ENGINES(a_job_of_a_dead_worker_is_taken_over)
{
    struct core *k = core_open(engine, 0);
    struct arena a = { 0 };
    struct call c;

    wish(k, (struct wish) { .kind = "test.note", .value = 3 });
    call_begin(&c, k->env, &a);
    CHECK_OK(exec_transaction(k->env->exec, &c, WRITE, lose_lease));
    jobs_drain(k->env);
    CHECK_INT(notes(k, &a).n, 1);
    arena_done(&a);
    core_close(k);
}

/* --- events ----------------------------------------------------------------------------------------------------- */

static enum err emit_ten(struct call *c)
{
    for (int64_t i = 0; i < 10; i++) {
        struct note value = { i };
        TRY(event_add(c, &noted, ID_NONE, &value));
    }
    return E_OK;
}

static enum err read_places(struct call *c)
{
    int64_t *n = c->prepared;

    return db_int(c, n, "SELECT count(DISTINCT tx) FROM event");
}

/* The hub's thread and this one consume side by side, as two nodes do. */
ENGINES(a_subscriber_gets_each_event_once_and_in_order)
{
    struct core *k = core_open(engine, 0);
    struct arena a = { 0 };
    struct call c;

    for (int i = 0; i < 3; i++) {
        call_begin(&c, k->env, &a);
        CHECK_OK(exec_transaction(k->env->exec, &c, WRITE, emit_ten));
        events_drain(k->env);
    }
    while (notes(k, &a).n < 30)
        events_drain(k->env);
    struct note_list all = notes(k, &a);
    CHECK_INT(all.n, 30);
    for (size_t i = 0; i < all.n; i++)
        CHECK_INT(all.v[i].value, i % 10);
    /* Where one writes at a time each has a place of its own, so that what was read before is not looked at again. */
    int64_t places = 0;
    call_begin(&c, k->env, &a);
    c.prepared = &places;
    CHECK_OK(exec_transaction(k->env->exec, &c, READ, read_places));
    CHECK_INT(places, strcmp(engine, "sqlite") == 0 ? 30 : 3);
    arena_done(&a);
    core_close(k);
}
