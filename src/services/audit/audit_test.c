/* audit_test.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "services/audit/audit.h"
#include "core/db.h"
#include "core/exec.h"
#include "core/jobs.h"
#include "core/settings.h"
#include "core/start.h"
#include "test/engine.h"

static const struct module *const modules[] = { &core_module, &audit_module };

static struct bed *open_bed(const char *engine)
{
    struct bed *b = bed_open(engine);
    struct str why;

    b->env.modules = modules;
    b->env.modules_n = COUNT(modules);
    REQUIRE(settings_load(&b->arena, modules, COUNT(modules), STR_NONE, NULL, NULL, 0,
                          &b->env.settings, &why));
    REQUIRE(env_start(&b->env, 0) == E_OK);
    return b;
}

static void close_bed(struct bed *b)
{
    env_stop(&b->env);
    bed_close(b);
}

static enum err in_transaction(struct bed *b, enum tx tx, handler *run, void *prepared)
{
    struct call c;

    call_begin(&c, &b->env, &b->arena);
    c.address = STR("192.0.2.7");
    c.prepared = prepared;
    return exec_transaction(b->env.exec, &c, tx, run);
}

static enum err add_three(struct call *c)
{
    TRY(audit_add(c, "account.signed_up", (struct id) { 7 }, STR("first")));
    TRY(audit_add(c, "session.revoked", (struct id) { 8 }, STR_NONE));
    return audit_add(c, "clock.advanced", ID_NONE, STR("third\n\"quoted\""));
}

static enum err verify(struct call *c)
{
    return audit_verify(c, c->prepared);
}

static struct audit_report report_of(struct bed *b)
{
    struct audit_report r = { .records = -1 };

    CHECK_OK(in_transaction(b, READ, verify, &r));
    return r;
}

/* The seal's job waits for the end of its span of time. */
static void seal(struct bed *b)
{
    __atomic_add_fetch(&b->env.clock.offset_us, MINUTE, __ATOMIC_ACQ_REL); /* the hub reads it */
    jobs_drain(&b->env);
}

static enum err without_guard(struct call *c)
{
    const struct db_ops *ops = c->db->ops;
    bool sqlite = str_is(str_of(c->env->engine->ops->name), "sqlite");

    return ops->script(c->db, sqlite
                                  ? STR("DROP TRIGGER audit_stays; DROP TRIGGER audit_sealed_once;")
                                  : STR("ALTER TABLE audit DISABLE TRIGGER ALL"));
}

ENGINES(audit_chain_holds)
{
    struct bed *b = open_bed(engine);

    CHECK_INT(report_of(b).records, 0);
    for (int i = 0; i < 3; i++) {
        CHECK_OK(in_transaction(b, WRITE, add_three, NULL));
        CHECK_INT(report_of(b).unsealed, 3);
        seal(b);
        CHECK_INT(report_of(b).unsealed, 0);
        CHECK_INT(report_of(b).records, 3 * (i + 1));
        CHECK_INT(report_of(b).bad, 0);
    }
    close_bed(b);
}

static enum err add_and_fail(struct call *c)
{
    TRY(add_three(c));
    return fail(c, E_CONFLICT, NULL);
}

ENGINES(audit_record_goes_with_its_deed)
{
    struct bed *b = open_bed(engine);

    CHECK_INT(in_transaction(b, WRITE, add_and_fail, NULL), E_CONFLICT);
    CHECK_INT(report_of(b).unsealed, 0);
    close_bed(b);
}

static enum err change_detail(struct call *c)
{
    return db_run(c, "UPDATE audit SET detail = 'nothing' WHERE position = 5");
}

static enum err change_unsealed(struct call *c)
{
    return db_run(c, "UPDATE audit SET actor = 99 WHERE position IS NULL");
}

static enum err remove_one(struct call *c)
{
    return db_run(c, "DELETE FROM audit WHERE position = 5");
}

static enum err remove_last(struct call *c)
{
    return db_run(c, "DELETE FROM audit WHERE position = 6");
}

static enum err unseal(struct call *c)
{
    return db_run(c, "UPDATE audit SET position = NULL, hash = NULL WHERE position = 6");
}

/* Two records of one position's neighbours change places. */
static enum err swap(struct call *c)
{
    TRY(db_run(c, "UPDATE audit SET position = 100 WHERE position = 2"));
    TRY(db_run(c, "UPDATE audit SET position = 2 WHERE position = 3"));
    return db_run(c, "UPDATE audit SET position = 3 WHERE position = 100");
}

static struct bed *six_records(const char *engine)
{
    struct bed *b = open_bed(engine);

    for (int i = 0; i < 2; i++) {
        CHECK_OK(in_transaction(b, WRITE, add_three, NULL));
        seal(b);
    }
    CHECK_INT(report_of(b).records, 6);
    return b;
}

ENGINES(audit_records_cannot_be_changed)
{
    static handler *const attacks[] = { change_detail, remove_one, remove_last,
                                        unseal,        swap,       change_unsealed };
    struct bed *b = six_records(engine);

    CHECK_OK(in_transaction(b, WRITE, add_three, NULL));
    for (size_t i = 0; i < COUNT(attacks); i++)
        if (in_transaction(b, WRITE, attacks[i], NULL) == E_OK)
            FAIL("attack %zu went through", i);
    CHECK_INT(report_of(b).bad, 0);
    CHECK_INT(report_of(b).unsealed, 3);
    close_bed(b);
}

/* Who goes round the guard is found by the chain. */
static void attacked(const char *engine, handler *attack, int64_t bad, bool has_id)
{
    struct bed *b = six_records(engine);

    CHECK_OK(in_transaction(b, WRITE, without_guard, NULL));
    CHECK_OK(in_transaction(b, WRITE, attack, NULL));
    struct audit_report r = report_of(b);
    CHECK_INT(r.bad, bad);
    CHECK(id_some(r.bad_id) == has_id);
    CHECK(r.why.p != NULL);
    close_bed(b);
}

ENGINES(audit_verify_finds_a_changed_record)
{
    attacked(engine, change_detail, 5, true);
}

ENGINES(audit_verify_finds_a_missing_record)
{
    attacked(engine, remove_one, 5, false);
}

ENGINES(audit_verify_finds_a_cut_tail)
{
    attacked(engine, remove_last, 6, false);
}

ENGINES(audit_verify_finds_an_unsealed_tail)
{
    attacked(engine, unseal, 6, false);
}

ENGINES(audit_verify_finds_another_order)
{
    attacked(engine, swap, 2, true);
}
