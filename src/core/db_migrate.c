/* db_migrate.c -- brings a database to the schema that this program was built with.
 *
 * Each file runs once, in a transaction of its own together with its line in schema_version: a crash leaves whole files
 * only, and the next start goes on. Nodes that start together wait for each other, then find nothing to do. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crypto.h"
#include "base/log.h"
#include "base/when.h"
#include "core/db.h"
#include "core/module.h"
#include "core/schema_files.h"

static const char create_version[] = "CREATE TABLE IF NOT EXISTS schema_version ("
                                     " name TEXT PRIMARY KEY,"
                                     " hash TEXT NOT NULL,"
                                     " applied INTEGER NOT NULL) STRICT";
static const char select_version[] = "SELECT hash FROM schema_version WHERE name = $1";
static const char insert_version[] = "INSERT INTO schema_version (name, hash, applied)"
                                     " VALUES ($1, $2, $3)";

struct version {
    struct arena *arena;
    struct str hash; /* none: not yet run */
};

static enum err take_hash(void *context, struct db_statement *s, const struct db_value *cells)
{
    struct version *v = context;

    (void)s;
    v->hash = str_copy(v->arena, cells[0].s);
    return E_OK;
}

static enum err run(struct db *db, const char *sql, const struct db_value *args, size_t n,
                    db_row *row, void *context)
{
    struct db_statement *s;

    TRY(db_statement_of(db, sql, args, n, &s));
    return db->ops->query(db, s, args, n, row, context, NULL);
}

static enum err script(struct db *db, struct arena *a, struct str sql)
{
    return db->ops->script(db, db_translate(a, db->engine, sql));
}

/* A migration may say a part twice: what stands between a line "-- on sqlite" or "-- on postgres" and the next such line
 * or "-- on both" is left out on the other engine. For what has no common words: triggers. */
static struct str for_engine(struct arena *a, const struct engine *e, struct str sql)
{
    struct str mine = str_printf(a, "-- on %s", e->ops->name), line;
    struct buf b = { .arena = a };
    bool left_out = false;

    while (sql.n > 0) {
        sql = str_split(sql, '\n', &line);
        if (str_starts(line, "-- on "))
            left_out = !str_eq(line, mine) && !str_is(line, "-- on both");
        if (!left_out) {
            buf_add(&b, line);
            buf_char(&b, '\n');
        }
    }
    return buf_str(&b);
}

/* In the transaction, alone. *ran: the file was new. */
static enum err migrate_file(struct db *db, struct arena *a, const struct schema_file *f, bool *ran)
{
    struct sha256 hash = sha256_of(f->sql);
    struct str name = str_of(f->name), hex = hex_print(a, hash.b, sizeof(hash.b));
    struct version v = { .arena = a };

    TRY(db->ops->alone(db));
    TRY(script(db, a, str_of(create_version)));
    TRY(run(db, select_version, (struct db_value[]) { db_of_str(name) }, 1, take_hash, &v));
    *ran = v.hash.p == NULL;
    if (!*ran)
        return str_eq(v.hash, hex) ? E_OK : E_CONFLICT;
    TRY(script(db, a, for_engine(a, db->engine, f->sql)));
    return run(db, insert_version,
               (struct db_value[]) { db_of_str(name), db_of_str(hex), db_of_when(when_real_now()) },
               3, NULL, NULL);
}

static enum err migrate(struct db *db, const struct schema_file *f, struct log *log)
{
    struct arena a = { 0 };
    bool ran = false;
    enum err e = db->ops->begin(db, true);

    if (e == E_OK) {
        e = migrate_file(db, &a, f, &ran);
        if (e == E_OK)
            e = db->ops->commit(db);
        else
            db->ops->rollback(db);
    }
    if (e != E_OK)
        log_error(log, "schema.failed", L_STR("file", str_of(f->name)),
                  L_STR("why", e == E_CONFLICT ? STR("the file was changed after it was run")
                                               : err_code(&a, e)));
    else if (ran)
        log_info(log, "schema.applied", L_STR("file", str_of(f->name)));
    arena_done(&a);
    return e;
}

/* The second word of the file's name is its owner. */
static bool is_ours(const struct schema_file *f, const struct module *const *modules, size_t n)
{
    struct str number, owner;

    if (modules == NULL)
        return true;
    str_split(str_split(str_of(f->name), '-', &number), '-', &owner);
    for (size_t i = 0; i < n; i++)
        if (str_is(owner, modules[i]->name))
            return true;
    return str_is(owner, "core");
}

enum err db_migrate(struct engine *engine, struct log *log, const struct module *const *modules,
                    size_t n)
{
    struct db *db;
    enum err e = engine->ops->open(engine, true, &db);

    if (e != E_OK)
        return e;
    for (size_t i = 0; i < schema_files_n && e == E_OK; i++)
        if (is_ours(&schema_files[i], modules, n))
            e = migrate(db, &schema_files[i], log);
    db_close(db);
    return e;
}
