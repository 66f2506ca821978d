/* fault.c -- see fault.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "test/fault_inside.h"
#include "base/check.h"
#include "base/when.h"

#include <stdlib.h>
#include <string.h>

const char *const fault_names[] = { "memory",   "sql-io", "sql-busy", "sql-away",
                                    "sql-lost", "leak",   "blob",     NULL };

/* Some wait for better times, and must see them come: what became of a COMMIT is asked for a minute. */
enum { EVER_US = 100000 };

/* --- the switch ------------------------------------------------------------------------------------------------- */

static struct {
    int armed; /* an enum fault + 1; 0: none. All atomic */
    int64_t at, seen, strikes;
    int64_t since_us; /* the first strike */
    bool ever, dry;
} the_fault;
static _Thread_local bool spared;

bool fault_possible(enum fault what)
{
    return (what != FAULT_MEMORY && what != FAULT_LEAK) || fault_memory_possible;
}

void fault_arm(enum fault what, int64_t n, bool ever)
{
    __atomic_store_n(&the_fault.at, n, __ATOMIC_RELAXED);
    __atomic_store_n(&the_fault.seen, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&the_fault.strikes, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&the_fault.ever, ever, __ATOMIC_RELAXED);
    __atomic_store_n(&the_fault.armed, (int)what + 1, __ATOMIC_RELEASE);
}

bool fault_struck(void)
{
    return __atomic_load_n(&the_fault.strikes, __ATOMIC_ACQUIRE) > 0;
}

void fault_forget(void)
{
    __atomic_store_n(&the_fault.strikes, 0, __ATOMIC_RELEASE);
}

bool fault_disarm(int64_t *count)
{
    __atomic_store_n(&the_fault.armed, 0, __ATOMIC_RELEASE);
    if (count != NULL)
        *count = __atomic_load_n(&the_fault.seen, __ATOMIC_ACQUIRE);
    return fault_struck();
}

bool fault_spare(bool now)
{
    bool was = spared;

    spared = now;
    return was;
}

void fault_dry(bool dry)
{
    __atomic_store_n(&the_fault.dry, dry, __ATOMIC_RELEASE);
}

bool fault_is_dry(void)
{
    return __atomic_load_n(&the_fault.dry, __ATOMIC_ACQUIRE);
}

__attribute__((no_sanitize("address", "undefined"))) bool fault_now(enum fault what)
{
    if (__atomic_load_n(&the_fault.armed, __ATOMIC_ACQUIRE) != (int)what + 1 || spared)
        return false;
    int64_t n = __atomic_add_fetch(&the_fault.seen, 1, __ATOMIC_ACQ_REL);
    int64_t at = __atomic_load_n(&the_fault.at, __ATOMIC_RELAXED);
    bool strikes = n == at || (n > at && __atomic_load_n(&the_fault.ever, __ATOMIC_RELAXED));
    if (!strikes)
        return false;
    if (n == at)
        __atomic_store_n(&the_fault.since_us, monotonic_us(), __ATOMIC_RELAXED);
    else if (monotonic_us() - __atomic_load_n(&the_fault.since_us, __ATOMIC_RELAXED) > EVER_US)
        return false;
    __atomic_add_fetch(&the_fault.strikes, 1, __ATOMIC_ACQ_REL);
    return true;
}

/* --- engines ---------------------------------------------------------------------------------------------------- */

struct faulty_db {
    struct db db;
    struct db *inner;
};

struct faulty_engine {
    struct engine engine;
    struct engine_ops ops;
    struct engine *inner;
};

static enum err sql_fault(void)
{
    if (fault_now(FAULT_SQL_IO))
        return E_INTERNAL;
    if (fault_now(FAULT_SQL_BUSY))
        return E_BUSY;
    return fault_now(FAULT_SQL_AWAY) ? E_UNAVAILABLE : E_OK;
}

/* Core writes .broken of the outer one, the driver of the inner. */
static struct db *into(struct db *db)
{
    struct db *inner = ((struct faulty_db *)db)->inner;

    inner->broken = db->broken;
    return inner;
}

static enum err out_of(struct db *db, enum err e)
{
    struct db *inner = ((struct faulty_db *)db)->inner;

    db->broken = inner->broken;
    db->open_transaction = inner->open_transaction;
    return e;
}

static enum err faulty_prepare(struct db *db, const char *text, const struct db_value *args,
                               size_t n, struct db_statement **result)
{
    struct db *inner = into(db);

    return out_of(db, inner->ops->prepare(inner, text, args, n, result));
}

static void faulty_drop(struct db *db, struct db_statement *s)
{
    struct db *inner = ((struct faulty_db *)db)->inner;

    inner->ops->drop(inner, s);
}

static enum err faulty_query(struct db *db, struct db_statement *s, const struct db_value *args,
                             size_t n, db_row *row, void *context, int64_t *changed)
{
    struct db *inner = into(db);

    TRY(sql_fault());
    if (row == NULL && fault_now(FAULT_SQL_LOST)) {
        if (changed != NULL)
            *changed = 1;
        return E_OK;
    }
    return out_of(db, inner->ops->query(inner, s, args, n, row, context, changed));
}

static enum err faulty_begin(struct db *db, bool write)
{
    struct db *inner = into(db);

    TRY(sql_fault());
    return out_of(db, inner->ops->begin(inner, write));
}

static void faulty_rollback(struct db *db)
{
    struct db *inner = into(db);

    inner->ops->rollback(inner);
    out_of(db, E_OK);
}

static enum err faulty_commit(struct db *db)
{
    struct db *inner = into(db);
    enum err e = sql_fault();

    if (e == E_OK && fault_is_dry())
        e = E_INTERNAL;
    if (e == E_OK)
        return out_of(db, inner->ops->commit(inner));
    faulty_rollback(db);
    return e;
}

static enum err faulty_savepoint(struct db *db)
{
    struct db *inner = into(db);

    TRY(sql_fault());
    return out_of(db, inner->ops->savepoint(inner));
}

static void faulty_rollback_to(struct db *db)
{
    struct db *inner = into(db);

    inner->ops->rollback_to(inner);
    out_of(db, E_OK);
}

static enum err faulty_release(struct db *db)
{
    struct db *inner = into(db);
    enum err e = sql_fault();

    if (e == E_OK)
        return out_of(db, inner->ops->release(inner));
    faulty_rollback_to(db);
    return e;
}

static enum err faulty_alone(struct db *db)
{
    struct db *inner = into(db);

    return out_of(db, inner->ops->alone(inner));
}

static enum err faulty_script(struct db *db, struct str sql)
{
    struct db *inner = into(db);

    return out_of(db, inner->ops->script(inner, sql));
}

static enum err faulty_announce(struct db *db, struct str text)
{
    struct db *inner = into(db);

    TRY(sql_fault());
    return out_of(db, inner->ops->announce(inner, text));
}

static void faulty_db_close(struct db *db)
{
    struct db *inner = ((struct faulty_db *)db)->inner;

    inner->ops->close(inner);
    free(db);
}

static const struct db_ops faulty_ops = {
    .prepare = faulty_prepare,
    .drop = faulty_drop,
    .query = faulty_query,
    .begin = faulty_begin,
    .commit = faulty_commit,
    .rollback = faulty_rollback,
    .savepoint = faulty_savepoint,
    .release = faulty_release,
    .rollback_to = faulty_rollback_to,
    .alone = faulty_alone,
    .script = faulty_script,
    .announce = faulty_announce,
    .close = faulty_db_close,
};

static enum err faulty_open(struct engine *e, bool write, struct db **result)
{
    struct engine *inner = ((struct faulty_engine *)e)->inner;
    bool was = fault_spare(true);
    struct faulty_db *k = calloc(1, sizeof(*k));

    must(k != NULL);
    fault_spare(was);
    k->db = (struct db) { .ops = &faulty_ops, .engine = e };
    enum err error = sql_fault();
    if (error == E_OK)
        error = inner->ops->open(inner, write, &k->inner);
    if (error == E_OK)
        *result = &k->db;
    else
        free(k);
    return error;
}

static void faulty_listen(struct engine *e, const struct db_listener *l)
{
    struct engine *inner = ((struct faulty_engine *)e)->inner;

    inner->ops->listen(inner, l);
}

static void faulty_engine_close(struct engine *e)
{
    struct engine *inner = ((struct faulty_engine *)e)->inner;

    inner->ops->close(inner);
    free(e);
}

struct engine *fault_engine(struct engine *inner)
{
    struct faulty_engine *e = calloc(1, sizeof(*e));

    must(e != NULL);
    e->inner = inner;
    e->ops = *inner->ops;
    e->ops.open = faulty_open;
    e->ops.listen = faulty_listen;
    e->ops.close = faulty_engine_close;
    e->engine = (struct engine) { .ops = &e->ops, .log = inner->log };
    return &e->engine;
}

/* --- blobs ------------------------------------------------------------------------------------------------------ */

struct faulty_blobs {
    struct blobs blobs;
    struct blobs *inner;
};

static struct blobs *inner_of(struct blobs *b)
{
    return ((struct faulty_blobs *)b)->inner;
}

static struct str faulty_temporary(struct blobs *b, struct arena *a)
{
    return inner_of(b)->ops->temporary(inner_of(b), a);
}

static enum err faulty_keep(struct blobs *b, struct str path, const struct sha256 *hash)
{
    return fault_now(FAULT_BLOB) ? E_STORAGE_FULL : inner_of(b)->ops->keep(inner_of(b), path, hash);
}

static enum err faulty_blob_open(struct blobs *b, const struct sha256 *hash, int *fd, int64_t *size)
{
    return fault_now(FAULT_BLOB) ? E_INTERNAL : inner_of(b)->ops->open(inner_of(b), hash, fd, size);
}

static enum err faulty_path(struct blobs *b, const struct sha256 *hash, struct arena *a,
                            struct str *result)
{
    return fault_now(FAULT_BLOB) ? E_INTERNAL
                                 : inner_of(b)->ops->path(inner_of(b), hash, a, result);
}

static enum err faulty_remove(struct blobs *b, const struct sha256 *hash)
{
    return fault_now(FAULT_BLOB) ? E_INTERNAL : inner_of(b)->ops->remove(inner_of(b), hash);
}

static void faulty_blobs_close(struct blobs *b)
{
    inner_of(b)->ops->close(inner_of(b));
    free(b);
}

struct blobs *fault_blobs(struct blobs *inner)
{
    static const struct blob_ops ops = {
        .temporary = faulty_temporary,
        .keep = faulty_keep,
        .open = faulty_blob_open,
        .path = faulty_path,
        .remove = faulty_remove,
        .close = faulty_blobs_close,
    };
    struct faulty_blobs *b = calloc(1, sizeof(*b));

    must(b != NULL);
    *b = (struct faulty_blobs) { { &ops }, inner };
    return &b->blobs;
}
