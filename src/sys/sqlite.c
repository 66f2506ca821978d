/* sqlite.c -- driver of SQLite.
 *
 * WAL with synchronous=FULL: a commit that returned is on the disk. One connection writes (the writer thread of
 * core/exec.c), each loop thread has a read-only one. Nothing but a process from outside (a backup, the sqlite3 tool) can
 * make us wait for a lock, and then not for long: BUSY_MS, and E_BUSY. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/sqlite.h"
#include "base/when.h"
#include "sys/sqlite_ids.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUSY_MS = 2000, EXIT_UNKNOWN_COMMIT = 70 };

/* What every connection needs, and what the writer needs more. page_size counts for a new file only; 8 KiB pages were
 * slower. A checkpoint each 4,000 pages (16 MB) instead of 1,000 makes a tenth to a fifth more writes a second, because
 * hot pages are copied less often; a thread of its own for checkpoints gained nothing that could be measured. */
#define PRAGMAS                                                                                    \
    "PRAGMA trusted_schema=OFF; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY;"                 \
    " PRAGMA mmap_size=268435456; PRAGMA cell_size_check=ON;"
#define READER_PRAGMAS PRAGMAS " PRAGMA query_only=ON; PRAGMA cache_size=-8192;"
#define WRITER_PRAGMAS                                                                             \
    "PRAGMA page_size=4096; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" PRAGMAS             \
    " PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=4000; PRAGMA "                           \
    "journal_size_limit=67108864;"

struct sqlite_engine {
    struct engine engine;
    char path[];
};

enum fixed {
    BEGIN_READ,
    BEGIN_WRITE,
    COMMIT,
    ROLLBACK,
    SAVEPOINT,
    RELEASE,
    ROLLBACK_TO,
    FIXED_COUNT,
};

static const char *const fixed_texts[FIXED_COUNT] = {
    [BEGIN_READ] = "BEGIN",
    [BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [SAVEPOINT] = "SAVEPOINT one_call",
    [RELEASE] = "RELEASE one_call",
    [ROLLBACK_TO] = "ROLLBACK TO one_call",
};

struct connection {
    struct db db;
    sqlite3 *handle;
    sqlite3_stmt *fixed[FIXED_COUNT];
    /* SQLite ended the transaction by itself (disk full, I/O error): what it was; everything answers it until rollback. */
    enum err lost;
    int checkpoint_pages; /* so long may the WAL become before it is put back */
    bool full, behind;    /* told already: no room; the WAL cannot be put back */
};

struct statement {
    struct db_statement base;
    sqlite3_stmt *handle;
    size_t arguments;
    size_t *argument_of;    /* SQLite's parameter i is our $argument_of[i] + 1 */
    struct db_value *cells; /* of the row at hand */
};

/* --- errors ----------------------------------------------------------------------------------------------------- */

static void log_failure(struct connection *k, int code, const char *sql)
{
    log_error(k->db.engine->log, "sqlite.failed", L_INT("code", code),
              L_STR("message", str_of(sqlite3_errmsg(k->handle))), L_STR("sql", str_of(sql)));
}

/* Once, until there is room again: each request would say it. */
static enum err full(struct connection *k, const char *sql)
{
    if (!k->full)
        log_error(k->db.engine->log, "sqlite.full", L_STR("sql", str_of(sql)),
                  L_STR("why", STR("the disk is full: nothing can be written, reading goes on")));
    k->full = true;
    return E_STORAGE_FULL;
}

static bool is_no_memory(int code)
{
    return code == SQLITE_IOERR_NOMEM || (code & 0xff) == SQLITE_NOMEM;
}

/* Codes are extended. What is not named here is a bug of ours or a broken disk: logged. */
static enum err error_of(struct connection *k, int code, const char *sql)
{
    switch (code) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return E_OK;
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        return E_TAKEN;
    default:
        break;
    }
    if (is_no_memory(code))
        return E_NO_MEMORY;
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_INTERRUPT:
        return E_BUSY;
    case SQLITE_FULL:
        return full(k, sql);
    default:
        log_failure(k, code, sql);
        return E_INTERNAL;
    }
}

/* ... of a statement inside a transaction, which it may have ended. */
static enum err error_inside(struct connection *k, int code, const char *sql)
{
    enum err e = error_of(k, code, sql);

    if (e != E_OK && k->db.open_transaction && sqlite3_get_autocommit(k->handle))
        k->lost = e;
    return e;
}

static int step_fixed(struct connection *k, enum fixed which)
{
    int code = sqlite3_step(k->fixed[which]);

    sqlite3_reset(k->fixed[which]);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* --- statements ------------------------------------------------------------------------------------------------- */

static void sqlite_drop(struct db *db, struct db_statement *base)
{
    struct statement *s = (struct statement *)base;

    (void)db;
    sqlite3_finalize(s->handle);
    for (size_t i = 0; i < s->base.columns; i++)
        free((char *)s->base.names[i].p);
    free(s->argument_of);
    free(s->cells);
    free(s->base.names);
    free(s);
}

/* To SQLite "$2" is a name, and gets the next free index where it first stands. False: no memory. */
static bool find_arguments(struct statement *s)
{
    s->arguments = (size_t)sqlite3_bind_parameter_count(s->handle);
    /* One more: none at all may be NULL, which is to say no memory. */
    s->argument_of = calloc(s->arguments + 1, sizeof(s->argument_of[0]));
    if (s->argument_of == NULL)
        return false;
    for (size_t i = 0; i < s->arguments; i++) {
        const char *name = sqlite3_bind_parameter_name(s->handle, (int)i + 1);
        int64_t number = 0;
        must(name != NULL && str_int(str_of(name + 1), &number) && number > 0);
        s->argument_of[i] = (size_t)number - 1;
    }
    return true;
}

static bool find_columns(struct statement *s)
{
    size_t n = (size_t)sqlite3_column_count(s->handle);

    s->base.names = calloc(n + 1, sizeof(s->base.names[0]));
    s->cells = calloc(n + 1, sizeof(s->cells[0]));
    for (size_t i = 0; i < n && s->base.names != NULL && s->cells != NULL; i++) {
        /* A copy: SQLite's own goes when it plans the statement anew, as it does for arguments that a partial index asks. */
        const char *name = sqlite3_column_name(s->handle, (int)i);
        s->base.names[i] = str_of(name == NULL ? NULL : strdup(name));
        if (s->base.names[i].p == NULL)
            return false; /* NOLINT(clang-analyzer-unix.Malloc): the names have them */
        s->base.columns++;
    }
    return s->base.columns == n;
}

static enum err sqlite_prepare(struct db *db, const char *text, const struct db_value *args,
                               size_t n, struct db_statement **result)
{
    struct connection *k = (struct connection *)db;
    sqlite3_stmt *handle = NULL;
    const char *rest;

    (void)args, (void)n;
    int code = sqlite3_prepare_v3(k->handle, text, -1, SQLITE_PREPARE_PERSISTENT, &handle, &rest);
    if (code != SQLITE_OK)
        return error_inside(k, code, text);
    must(handle != NULL && str_trim(str_of(rest)).n == 0); /* one statement, not several */
    struct statement *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        sqlite3_finalize(handle);
        return E_NO_MEMORY;
    }
    s->handle = handle;
    if (!find_arguments(s) || !find_columns(s)) {
        sqlite_drop(db, &s->base);
        return E_NO_MEMORY;
    }
    *result = &s->base;
    return E_OK;
}

static int bind_one(sqlite3_stmt *handle, int at, const struct db_value *v)
{
    switch (v->kind) {
    case DB_INT:
        return sqlite3_bind_int64(handle, at, v->i);
    case DB_TEXT:
        return sqlite3_bind_text64(handle, at, v->s.p, v->s.n, SQLITE_STATIC, SQLITE_UTF8);
    case DB_BLOB:
        return sqlite3_bind_blob64(handle, at, v->s.p, v->s.n, SQLITE_STATIC);
    case DB_NULL:
        break;
    }
    return sqlite3_bind_null(handle, at);
}

static int bind_all(struct statement *s, const struct db_value *args, size_t n)
{
    for (size_t i = 0; i < s->arguments; i++) {
        must(s->argument_of[i] < n);
        int code = bind_one(s->handle, (int)i + 1, &args[s->argument_of[i]]);
        if (code != SQLITE_OK)
            return code;
    }
    return SQLITE_OK;
}

/* SQLite gives NULL for empty bytes, and when it had no memory to put them together. */
static bool read_bytes(sqlite3_stmt *handle, int at, enum db_kind kind, struct db_value *v)
{
    const void *p = kind == DB_TEXT ? (const void *)sqlite3_column_text(handle, at)
                                    : sqlite3_column_blob(handle, at);
    size_t n = (size_t)sqlite3_column_bytes(handle, at);

    *v = (struct db_value) { .kind = kind, .s = { p == NULL ? "" : p, n } };
    return p != NULL || sqlite3_errcode(sqlite3_db_handle(handle)) != SQLITE_NOMEM;
}

/* False: no memory. */
static bool read_cell(sqlite3_stmt *handle, int at, struct db_value *v)
{
    switch (sqlite3_column_type(handle, at)) {
    case SQLITE_INTEGER:
        *v = (struct db_value) { .kind = DB_INT, .i = sqlite3_column_int64(handle, at) };
        return true;
    case SQLITE_TEXT:
        return read_bytes(handle, at, DB_TEXT, v);
    case SQLITE_BLOB:
        return read_bytes(handle, at, DB_BLOB, v);
    case SQLITE_NULL:
        *v = (struct db_value) { .kind = DB_NULL };
        return true;
    default:
        must_failed("a real number in a result: there are none in this house, CAST it", __FILE__,
                    __LINE__);
    }
}

/* Steps to the end. Returns SQLite's code; *e is the caller's own reason to stop, or E_OK. */
static int step_all(struct statement *s, db_row *row, void *context, enum err *e)
{
    int code;

    while ((code = sqlite3_step(s->handle)) == SQLITE_ROW) {
        must(row != NULL); /* a row came where none can be taken */
        *e = E_OK;
        for (size_t i = 0; i < s->base.columns && *e == E_OK; i++)
            if (!read_cell(s->handle, (int)i, &s->cells[i]))
                *e = E_NO_MEMORY;
        if (*e == E_OK)
            *e = row(context, &s->base, s->cells);
        if (*e != E_OK)
            break;
    }
    return code;
}

static enum err sqlite_query(struct db *db, struct db_statement *base, const struct db_value *args,
                             size_t n, db_row *row, void *context, int64_t *changed)
{
    struct connection *k = (struct connection *)db;
    struct statement *s = (struct statement *)base;
    enum err e = E_OK;

    if (k->lost != E_OK)
        return k->lost;
    int code = bind_all(s, args, n);
    if (code == SQLITE_OK)
        code = step_all(s, row, context, &e);
    if (changed != NULL)
        *changed = sqlite3_changes64(k->handle);
    if (e == E_OK)
        e = error_inside(k, code, base->sql);
    sqlite3_reset(s->handle);
    return e;
}

static enum err sqlite_script(struct db *db, struct str sql)
{
    struct connection *k = (struct connection *)db;
    enum err e = k->lost;

    if (e == E_OK)
        e = error_inside(k, sqlite3_exec(k->handle, sql.p, NULL, NULL, NULL), sql.p);
    if (db->open_transaction && e != E_OK)
        db->broken = e;
    return e;
}

/* --- transactions ----------------------------------------------------------------------------------------------- */

static enum err sqlite_begin(struct db *db, bool write)
{
    struct connection *k = (struct connection *)db;

    must(!db->open_transaction);
    enum err e = error_of(k, step_fixed(k, write ? BEGIN_WRITE : BEGIN_READ), "BEGIN");
    db->open_transaction = e == E_OK;
    db->broken = E_OK;
    return e;
}

static void sqlite_rollback(struct db *db)
{
    struct connection *k = (struct connection *)db;

    /* When SQLite has ended it already there is nothing to undo; otherwise this cannot fail in a way that matters: the
     * next BEGIN would say so. */
    if (db->open_transaction && !sqlite3_get_autocommit(k->handle))
        error_of(k, step_fixed(k, ROLLBACK), "ROLLBACK");
    db->open_transaction = false;
    db->broken = E_OK;
    k->lost = E_OK;
}

/* The process ends, and recovery at the next start is the only truth: whoever says "failed" may lie, whoever goes on may
 * build on sand. Written without the log, whose thread may not live to write it. */
_Noreturn static void stop(const struct connection *k, int code, const char *event, const char *why)
{
    dprintf(
        STDERR_FILENO,
        "{\"level\":\"error\",\"event\":\"%s\",\"code\":%d,\"message\":\"%s\",\"system\":\"%s\","
        "\"why\":\"%s: the program stops, the next start finds out\"}\n",
        event, code, sqlite3_errstr(code), strerror(sqlite3_system_errno(k->handle)), why);
    _exit(EXIT_UNKNOWN_COMMIT);
}

/* After an I/O error in COMMIT nobody knows whether the transaction will be there after a crash. */
_Noreturn static void stop_in_commit(const struct connection *k, int code)
{
    stop(k, code, "sqlite.commit_unknown", "nobody knows whether this commit is on the disk");
}

static void room_again(struct connection *k)
{
    if (k->full && sqlite3_changes64(k->handle) > 0) {
        log_info(k->db.engine->log, "sqlite.room_again",
                 L_INT("changes", sqlite3_changes64(k->handle)));
        k->full = false;
    }
}

/* Memory may run out behind the last write of a COMMIT: it is undone for all who read, but its frames lie whole in the log,
 * and recovery after a crash would find them. The next commit writes over them; then, and only then, it has failed for sure. */
static void bury(struct connection *k, int code)
{
    for (int i = 0; i < 20; i++) {
        if (!sqlite3_get_autocommit(k->handle))
            step_fixed(k, ROLLBACK);
        else if (sqlite3_exec(k->handle, "PRAGMA user_version=1", NULL, NULL, NULL) == SQLITE_OK)
            return;
        sleep_ms(10L << (i < 7 ? i : 7));
    }
    stop_in_commit(k, code);
}

static enum err sqlite_commit(struct db *db)
{
    struct connection *k = (struct connection *)db;
    enum err e = k->lost != E_OK ? k->lost : db->broken;

    must(db->open_transaction);
    if (e == E_OK) {
        int code = step_fixed(k, COMMIT);
        if (is_no_memory(code))
            bury(k, code);
        else if ((code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CORRUPT)
            stop_in_commit(k, code);
        e = error_of(k, code, "COMMIT");
    }
    if (e != E_OK)
        sqlite_rollback(db);
    else
        room_again(k);
    db->open_transaction = false;
    return e;
}

static enum err sqlite_savepoint(struct db *db)
{
    struct connection *k = (struct connection *)db;

    must(db->open_transaction && db->broken == E_OK);
    if (k->lost != E_OK)
        return k->lost;
    return error_inside(k, step_fixed(k, SAVEPOINT), "SAVEPOINT");
}

static void sqlite_rollback_to(struct db *db)
{
    struct connection *k = (struct connection *)db;

    db->broken = E_OK;
    if (k->lost != E_OK)
        return; /* the whole batch is gone; its commit will say so */
    if (error_inside(k, step_fixed(k, ROLLBACK_TO), "ROLLBACK TO") == E_OK)
        error_inside(k, step_fixed(k, RELEASE), "RELEASE");
}

static enum err sqlite_release(struct db *db)
{
    struct connection *k = (struct connection *)db;
    enum err e = k->lost != E_OK ? k->lost : db->broken;

    if (e == E_OK)
        e = error_inside(k, step_fixed(k, RELEASE), "RELEASE");
    if (e != E_OK)
        sqlite_rollback_to(db);
    return e;
}

/* BEGIN IMMEDIATE is alone already, and there is no time limit. */
static enum err sqlite_alone(struct db *db)
{
    must(db->open_transaction);
    return E_OK;
}

static enum err sqlite_announce(struct db *db, struct str text)
{
    (void)db, (void)text;
    return E_OK; /* there are no other nodes */
}

/* --- connections ------------------------------------------------------------------------------------------------ */

static void sqlite_close(struct db *db)
{
    struct connection *k = (struct connection *)db;

    for (int i = 0; i < FIXED_COUNT; i++)
        sqlite3_finalize(k->fixed[i]);
    must(sqlite3_close(k->handle) == SQLITE_OK); /* all statements were dropped */
    free(k);
}

static const struct db_ops connection_ops = {
    .prepare = sqlite_prepare,
    .drop = sqlite_drop,
    .query = sqlite_query,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .savepoint = sqlite_savepoint,
    .release = sqlite_release,
    .rollback_to = sqlite_rollback_to,
    .alone = sqlite_alone,
    .script = sqlite_script,
    .announce = sqlite_announce,
    .close = sqlite_close,
};

/* What PRAGMA wal_autocheckpoint does, but a failure is told. A write that failed loses nothing: the WAL grows, and the next
 * checkpoint writes it again. A sync that failed is worse than SQLite takes it for. A checkpoint that a reader cuts short
 * counts what it copied as done and leaves the sync to the one that gets through; when that sync fails, the kernel forgets
 * those pages too ("fsyncgate"), and nobody would write them again before the WAL begins anew. Recovery does: it puts back
 * the whole WAL. */
static int put_back(void *context, sqlite3 *handle, const char *name, int pages)
{
    struct connection *k = context;

    if (pages < k->checkpoint_pages)
        return SQLITE_OK;
    int extended = sqlite3_wal_checkpoint_v2(handle, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    int code = extended & 0xff;
    if (extended == SQLITE_IOERR_FSYNC)
        stop(k, extended, "sqlite.checkpoint_not_synced",
             "pages that were put back may not be on the disk");
    bool good = code == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED;
    if (!good && !k->behind)
        log_error(k->db.engine->log, "sqlite.checkpoint_failed", L_INT("code", code),
                  L_STR("message", str_of(sqlite3_errstr(code))), L_INT("wal_pages", pages));
    k->behind = !good;
    return SQLITE_OK;
}

static int checkpoints_start(struct connection *k)
{
    sqlite3_stmt *s = NULL;
    int code = sqlite3_prepare_v2(k->handle, "PRAGMA wal_autocheckpoint", -1, &s, NULL);

    if (code == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        k->checkpoint_pages = sqlite3_column_int(s, 0);
    sqlite3_finalize(s);
    sqlite3_wal_hook(k->handle, put_back, k);
    return code;
}

static int connection_start(struct connection *k, const char *path, bool write)
{
    int flags = write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
    int code = sqlite3_open_v2(path, &k->handle, flags | SQLITE_OPEN_NOMUTEX, NULL);

    if (code != SQLITE_OK)
        return code;
    sqlite3_extended_result_codes(k->handle, 1);
    sqlite3_busy_timeout(k->handle, BUSY_MS);
    sqlite3_db_config(k->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    code = sqlite3_exec(k->handle, write ? WRITER_PRAGMAS : READER_PRAGMAS, NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite_ids_add(k->handle);
    if (write && code == SQLITE_OK)
        code = checkpoints_start(k);
    for (int i = 0; i < FIXED_COUNT && code == SQLITE_OK; i++)
        code = sqlite3_prepare_v3(k->handle, fixed_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                                  &k->fixed[i], NULL);
    return code;
}

static enum err engine_open(struct engine *base, bool write, struct db **result)
{
    struct sqlite_engine *e = (struct sqlite_engine *)base;
    struct connection *k = calloc(1, sizeof(*k));

    if (k == NULL)
        return E_NO_MEMORY;
    k->db = (struct db) { .ops = &connection_ops, .engine = base };
    int code = connection_start(k, e->path, write);
    if (code == SQLITE_OK) {
        *result = &k->db;
        return E_OK;
    }
    enum err error = error_of(k, code, "open");
    sqlite_close(&k->db);
    return error == E_INTERNAL ? E_UNAVAILABLE : error;
}

static void engine_listen(struct engine *e, const struct db_listener *l)
{
    (void)e, (void)l;
}

static void engine_close(struct engine *e)
{
    free(e);
}

/* One writer needs no row locks, and sees no transaction but finished ones: what it numbers is in the order of commits.
 * Longest first. */
static const struct db_word words[] = {
    { "FOR UPDATE SKIP LOCKED", "" },
    { "FOR UPDATE", "" },
    { "SKIP LOCKED", "" },
    { "TX_ID($1)", "$1" },
    { "TX_HORIZON()", "9223372036854775807" },
    { NULL, NULL },
};

static const struct engine_ops ops = {
    .name = "sqlite",
    .single_writer = true,
    .words = words,
    .in_list = "IN (SELECT value FROM ids(%s))",
    .open = engine_open,
    .listen = engine_listen,
    .close = engine_close,
};

/* What a dead process left in the WAL may stand in the kernel's cache and nowhere else. Before recovery takes it for
 * committed, somebody is told so and a checkpoint builds on it, it is synced. When it was a sync that failed, the kernel
 * holds those pages for clean and will not write them again (Linux, "fsyncgate"): so they are dropped from the cache, and
 * recovery reads what the disk really has. */
static bool wal_settle(const struct sqlite_engine *e)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s-wal", e->path);

    must(n > 0 && (size_t)n < sizeof(path));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return true; /* there is none; or the opening that follows will complain */
    bool good = fsync(fd) == 0;
    if (good)
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    else
        log_error(e->engine.log, "sqlite.wal_not_synced", L_STR("path", str_of(path)),
                  L_STR("why", str_of(strerror(errno))));
    close(fd);
    return good;
}

struct engine *sqlite_open(struct str path, struct log *log)
{
    struct sqlite_engine *e = calloc(1, sizeof(*e) + path.n + 1);
    struct db *db = NULL;

    must(e != NULL);
    /* No counting of memory behind a global lock. Refused, and no harm, when SQLite is running already. */
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    e->engine = (struct engine) { .ops = &ops, .log = log };
    memcpy(e->path, path.p, path.n);
    if (!wal_settle(e) || engine_open(&e->engine, true, &db) != E_OK) {
        free(e);
        return NULL;
    }
    db_close(db);
    return &e->engine;
}
