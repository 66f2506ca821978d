/* postgres.c -- driver of PostgreSQL.
 *
 * READ is REPEATABLE READ, READ ONLY: one snapshot. WRITE is READ COMMITTED: rows are locked in a fixed order by those who
 * wrote the statements; serialisation failures, deadlocks and lock time-outs are E_BUSY and run again as a whole.
 * Statements are prepared on the server at first use, with the types of their arguments; values go both ways in binary.
 *
 * A connection that is lost gives E_UNAVAILABLE and is made again at the next begin. Lost during COMMIT is another matter:
 * the server may have committed. Each WRITE therefore learns its transaction id with its BEGIN, and after such a loss the
 * server is asked what became of it (pg_xact_status). Only when it cannot tell -- away for a minute, or another timeline
 * after a failover, where the id may be somebody else's -- the process ends: saying "failed" could be a lie, and the
 * client, whose connection breaks, comes again with its idempotency key. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/postgres.h"
#include "base/when.h"

#include <endian.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ARGS_MAX = 22, EXIT_UNKNOWN_COMMIT = 70, ASK_SECONDS = 60, RESULT_BINARY = 1 };
enum {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_NAME = 19,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_OID = 26,
    OID_UNKNOWN = 705,
    OID_BPCHAR = 1042,
    OID_VARCHAR = 1043
};
#define CHANNEL "stagedoor"

/* A server that does not wait for the disk would lose what we acknowledged; other settings of synchronous_commit (remote
 * ones) are the operator's. Answers with the timeline. */
#define SETUP                                                                                      \
    "SET statement_timeout = '10s'; SET lock_timeout = '3s';"                                      \
    " SET idle_in_transaction_session_timeout = '30s'; SET jit = off;"                             \
    " SELECT set_config('synchronous_commit', 'on', false)"                                        \
    " WHERE current_setting('synchronous_commit') = 'off';"
#define TIMELINE                                                                                   \
    "SELECT CASE WHEN pg_is_in_recovery() THEN '' ELSE"                                            \
    " substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END"

struct postgres_engine {
    struct engine engine;
    char url[];
};

struct connection {
    struct db db;
    PGconn *handle;
    bool write;
    int64_t generation; /* grows with each new connection: statements of older ones are gone */
    int64_t names;      /* of statements */
    char timeline[16];
    char transaction[24]; /* id of the open WRITE, for pg_xact_status */
};

struct statement {
    struct db_statement base;
    char *text;
    char name[24];
    int64_t generation;
    int parameters;
    Oid parameter_types[ARGS_MAX];
    Oid *types; /* of the columns */
    struct db_value *cells;
};

static void *some(size_t n, size_t size)
{
    void *p = calloc(n == 0 ? 1 : n, size);

    must(p != NULL);
    return p;
}

/* --- errors ----------------------------------------------------------------------------------------------------- */

static void log_failure(struct connection *k, const char *state, const char *message,
                        const char *sql)
{
    log_error(k->db.engine->log, "postgres.failed", L_STR("sqlstate", str_of(state)),
              L_STR("message", str_trim(str_of(message))), L_STR("sql", str_of(sql)));
}

static const struct {
    const char *state; /* a code, or a class of two */
    enum err e;
} states[] = {
    { "40001", E_BUSY },         /* serialisation */
    { "40P01", E_BUSY },         /* deadlock */
    { "55P03", E_BUSY },         /* lock_timeout */
    { "23505", E_TAKEN },        /* unique */
    { "53100", E_STORAGE_FULL }, /* disk full */
    { "22021", E_INVALID },      /* bytes that are not UTF-8, or NUL, in a text */
    { "57014",
      E_UNAVAILABLE }, /* statement_timeout: not to be tried again at once, therefore not E_BUSY */
    { "25P03", E_UNAVAILABLE }, /* idle in transaction for too long */
    { "53", E_UNAVAILABLE },    /* too many connections, out of memory */
    { "57P", E_UNAVAILABLE },   /* the server shuts down or starts */
    { "08", E_UNAVAILABLE },    /* the connection */
};

static enum err error_of_state(const char *state)
{
    for (size_t i = 0; i < COUNT(states); i++)
        if (strncmp(state, states[i].state, strlen(states[i].state)) == 0)
            return states[i].e;
    return E_INTERNAL;
}

static bool is_connected(const struct connection *k)
{
    return k->handle != NULL && PQstatus(k->handle) == CONNECTION_OK;
}

/* Frees r. What is a bug, or the operator should know, is logged. */
static enum err finish(struct connection *k, PGresult *r, const char *sql)
{
    ExecStatusType status = PQresultStatus(r);
    enum err e = E_OK;

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
        if (state == NULL)
            state = "";
        e = is_connected(k) ? error_of_state(state) : E_UNAVAILABLE;
        if (e == E_INTERNAL || e == E_UNAVAILABLE)
            log_failure(k, state, PQerrorMessage(k->handle), sql);
    }
    PQclear(r);
    return e;
}

static enum err execute(struct connection *k, const char *sql)
{
    return finish(k, PQexec(k->handle, sql), sql);
}

/* --- connecting ------------------------------------------------------------------------------------------------- */

static void no_notice(void *context, const PGresult *r)
{
    (void)context, (void)r; /* "relation exists, skipping" */
}

static PGconn *dial(const char *url, bool write)
{
    /* What the URL says wins over what stands before it. */
    const char *const names[] = { "application_name",     "connect_timeout",
                                  "keepalives_idle",      "tcp_user_timeout",
                                  "target_session_attrs", "dbname",
                                  "client_encoding",      NULL };
    const char *const values[] = { "stagedoor", "5",    "30", "30000", write ? "read-write" : "any",
                                   url,         "UTF8", NULL };
    PGconn *handle = PQconnectdbParams(names, values, 1);

    must(handle != NULL);
    PQsetNoticeReceiver(handle, no_notice, NULL);
    return handle;
}

static bool value_of(PGresult *r, char *to, size_t size)
{
    bool good = PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) == 1;

    if (good)
        snprintf(to, size, "%s", PQgetvalue(r, 0, 0));
    PQclear(r);
    return good;
}

static enum err connect_now(struct connection *k)
{
    const char *url = ((struct postgres_engine *)k->db.engine)->url;

    PQfinish(k->handle);
    k->generation++;
    k->handle = dial(url, k->write);
    if (!is_connected(k)) {
        log_failure(k, "", PQerrorMessage(k->handle), "connect");
        return E_UNAVAILABLE;
    }
    TRY(execute(k, SETUP));
    if (!k->write)
        TRY(execute(k, "SET default_transaction_read_only = on"));
    return value_of(PQexec(k->handle, TIMELINE), k->timeline, sizeof(k->timeline)) ? E_OK
                                                                                   : E_UNAVAILABLE;
}

static enum err ensure(struct connection *k)
{
    return is_connected(k) ? E_OK : connect_now(k);
}

/* --- statements ------------------------------------------------------------------------------------------------- */

static Oid type_of(const struct db_value *v)
{
    switch (v->kind == DB_NULL ? v->was : v->kind) {
    case DB_INT:
        return OID_INT8;
    case DB_BLOB:
        return OID_BYTEA;
    case DB_TEXT:
    case DB_NULL:
        break;
    }
    return OID_TEXT;
}

static void postgres_drop(struct db *db, struct db_statement *base)
{
    struct statement *s = (struct statement *)base;

    (void)db; /* the server forgets it with the connection */
    for (size_t i = 0; i < base->columns; i++)
        free((char *)(uintptr_t)base->names[i].p);
    free(base->names);
    free(s->types);
    free(s->cells);
    free(s->text);
    free(s);
}

static enum err prepare_on_server(struct connection *k, struct statement *s)
{
    snprintf(s->name, sizeof(s->name), "s%" PRId64, ++k->names);
    TRY(finish(k,
               PQprepare(k->handle, s->name, s->text, s->parameters,
                         s->parameters > 0 ? s->parameter_types : NULL),
               s->text));
    s->generation = k->generation;
    return E_OK;
}

static void find_columns(struct statement *s, const PGresult *r)
{
    size_t n = (size_t)PQnfields(r);

    s->base.names = some(n, sizeof(s->base.names[0]));
    s->types = some(n, sizeof(s->types[0]));
    s->cells = some(n, sizeof(s->cells[0]));
    for (size_t i = 0; i < n; i++) {
        char *name = strdup(PQfname(r, (int)i));
        must(name != NULL);
        s->base.names[i] = str_of(name);
        s->types[i] = PQftype(r, (int)i);
    }
    s->base.columns = n;
}

static enum err describe(struct connection *k, struct statement *s)
{
    PGresult *r = PQdescribePrepared(k->handle, s->name);

    if (PQresultStatus(r) == PGRES_COMMAND_OK)
        find_columns(s, r);
    return finish(k, r, s->text);
}

static enum err postgres_prepare(struct db *db, const char *text, const struct db_value *args,
                                 size_t n, struct db_statement **result)
{
    struct connection *k = (struct connection *)db;
    struct statement *s;

    if (!db->open_transaction)
        TRY(ensure(k));
    must(n <= ARGS_MAX);
    s = some(1, sizeof(*s));
    s->text = strdup(text);
    must(s->text != NULL);
    s->parameters = args == NULL ? 0 : (int)n;
    for (size_t i = 0; args != NULL && i < n; i++)
        s->parameter_types[i] = type_of(&args[i]);
    enum err e = prepare_on_server(k, s);
    if (e == E_OK)
        e = describe(k, s);
    if (e == E_OK)
        *result = &s->base;
    else
        postgres_drop(db, &s->base);
    return e;
}

struct arguments {
    const char *values[ARGS_MAX];
    int lengths[ARGS_MAX], formats[ARGS_MAX];
    uint64_t integers[ARGS_MAX];
};

static void bind_one(struct arguments *a, size_t i, const struct db_value *v)
{
    a->formats[i] = 1;
    a->values[i] = NULL;
    if (v->kind == DB_NULL)
        return;
    if (v->kind == DB_INT) {
        a->integers[i] = htobe64((uint64_t)v->i);
        a->values[i] = (const char *)&a->integers[i];
        a->lengths[i] = sizeof(a->integers[i]);
        return;
    }
    must(v->s.n <= INT32_MAX);
    a->values[i] = v->s.p;
    a->lengths[i] = (int)v->s.n;
}

_Noreturn static void unknown_type(const struct statement *s, size_t column)
{
    char text[2000];

    snprintf(text, sizeof(text),
             "column \"%.*s\" has PostgreSQL's type %u, which we do not read; CAST it: %s",
             STR_FMT(s->base.names[column]), s->types[column], s->text);
    must_failed(text, __FILE__, __LINE__);
}

static struct db_value integer(int64_t v)
{
    return (struct db_value) { .kind = DB_INT, .i = v };
}

static struct db_value read_cell(const struct statement *s, const PGresult *r, int row, size_t i)
{
    const char *p = PQgetvalue(r, row, (int)i);
    struct str text = { p, (size_t)PQgetlength(r, row, (int)i) };
    uint64_t v8;
    uint32_t v4;
    uint16_t v2;

    if (PQgetisnull(r, row, (int)i))
        return (struct db_value) { .kind = DB_NULL };
    switch (s->types[i]) {
    case OID_INT8:
        memcpy(&v8, p, sizeof(v8));
        return integer((int64_t)be64toh(v8));
    case OID_INT4:
        memcpy(&v4, p, sizeof(v4));
        return integer((int32_t)be32toh(v4));
    case OID_INT2:
        memcpy(&v2, p, sizeof(v2));
        return integer((int16_t)be16toh(v2));
    case OID_BOOL:
        return integer(*p != 0);
    case OID_BYTEA:
        return (struct db_value) { .kind = DB_BLOB, .s = text };
    case OID_TEXT:
    case OID_VARCHAR:
    case OID_BPCHAR:
    case OID_NAME:
    case OID_UNKNOWN:
        return (struct db_value) { .kind = DB_TEXT, .s = text };
    default:
        unknown_type(s, i);
    }
}

static enum err read_rows(struct statement *s, const PGresult *r, db_row *row, void *context)
{
    int n = PQntuples(r);

    must(n == 0 || row != NULL); /* a row came where none can be taken */
    for (int i = 0; i < n; i++) {
        for (size_t j = 0; j < s->base.columns; j++)
            s->cells[j] = read_cell(s, r, i, j);
        TRY(row(context, &s->base, s->cells));
    }
    return E_OK;
}

/* "" for statements that change nothing. */
static int64_t changed_by(PGresult *r)
{
    int64_t n = 0;

    return str_int(str_of(PQcmdTuples(r)), &n) ? n : 0;
}

static enum err postgres_query(struct db *db, struct db_statement *base,
                               const struct db_value *args, size_t n, db_row *row, void *context,
                               int64_t *changed)
{
    struct connection *k = (struct connection *)db;
    struct statement *s = (struct statement *)base;
    struct arguments a;

    if (!db->open_transaction)
        TRY(ensure(k));
    if (s->generation != k->generation)
        TRY(prepare_on_server(k, s));
    must((int)n == s->parameters);
    for (size_t i = 0; i < n; i++)
        bind_one(&a, i, &args[i]);
    PGresult *r =
        PQexecPrepared(k->handle, s->name, (int)n, a.values, a.lengths, a.formats, RESULT_BINARY);
    enum err e = E_OK;
    if (PQresultStatus(r) == PGRES_TUPLES_OK)
        e = read_rows(s, r, row, context);
    if (changed != NULL)
        *changed = changed_by(r);
    enum err own = finish(k, r, s->text);
    return e != E_OK ? e : own;
}

static enum err postgres_script(struct db *db, struct str sql)
{
    return execute((struct connection *)db, sql.p);
}

/* --- transactions ----------------------------------------------------------------------------------------------- */

static enum err begin_write(struct connection *k)
{
    static const char sql[] = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;"
                              " SELECT pg_current_xact_id()::text";
    PGresult *r = PQexec(k->handle, sql);

    if (PQresultStatus(r) == PGRES_TUPLES_OK)
        snprintf(k->transaction, sizeof(k->transaction), "%s", PQgetvalue(r, 0, 0));
    return finish(k, r, sql);
}

static enum err begin_once(struct connection *k, bool write)
{
    TRY(ensure(k));
    return write ? begin_write(k) : execute(k, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
}

static void postgres_rollback(struct db *db)
{
    struct connection *k = (struct connection *)db;

    /* A connection that cannot roll back is of no more use; the server rolls back when it goes. */
    if (is_connected(k) && PQtransactionStatus(k->handle) != PQTRANS_IDLE &&
        execute(k, "ROLLBACK") != E_OK) {
        PQfinish(k->handle);
        k->handle = NULL;
    }
    db->open_transaction = false;
    db->broken = E_OK;
}

static enum err postgres_begin(struct db *db, bool write)
{
    struct connection *k = (struct connection *)db;

    must(!db->open_transaction);
    enum err e = begin_once(k, write);
    /* The server may have gone since the last call: nothing was done yet, so a second connection may try. */
    if (e == E_UNAVAILABLE && !is_connected(k))
        e = begin_once(k, write);
    if (e != E_OK)
        postgres_rollback(db);
    db->open_transaction = e == E_OK;
    db->broken = E_OK;
    return e;
}

static void sleep_ms(int ms)
{
    struct timespec t = { ms / 1000, (ms % 1000) * 1000000L };

    nanosleep(&t, NULL);
}

enum fate { FATE_UNKNOWN, FATE_IN_PROGRESS, FATE_COMMITTED, FATE_ABORTED };

static enum fate ask_fate(struct connection *k, const char *timeline)
{
    const char *values[] = { k->transaction };
    char answer[24] = "";

    if (connect_now(k) != E_OK)
        return FATE_IN_PROGRESS;
    if (strcmp(k->timeline, timeline) != 0)
        return FATE_UNKNOWN;
    PGresult *r = PQexecParams(k->handle, "SELECT coalesce(pg_xact_status($1::xid8), '')", 1, NULL,
                               values, NULL, NULL, 0);
    if (!value_of(r, answer, sizeof(answer)) || strcmp(answer, "in progress") == 0)
        return FATE_IN_PROGRESS;
    return strcmp(answer, "committed") == 0 ? FATE_COMMITTED
           : strcmp(answer, "aborted") == 0 ? FATE_ABORTED
                                            : FATE_UNKNOWN;
}

_Noreturn static void stop(const struct connection *k)
{
    dprintf(STDERR_FILENO,
            "{\"level\":\"error\",\"event\":\"postgres.commit_unknown\",\"transaction\":\"%s\"}\n",
            k->transaction);
    _exit(EXIT_UNKNOWN_COMMIT);
}

/* The connection went while the server was committing. */
static enum err commit_lost(struct connection *k)
{
    int64_t end = monotonic_us() + ASK_SECONDS * SECOND;
    char timeline[sizeof(k->timeline)];
    enum fate fate;

    memcpy(timeline, k->timeline, sizeof(timeline));
    while ((fate = ask_fate(k, timeline)) == FATE_IN_PROGRESS && monotonic_us() < end)
        sleep_ms(100);
    if (fate == FATE_UNKNOWN || fate == FATE_IN_PROGRESS)
        stop(k);
    log_warn(k->db.engine->log, "postgres.commit_asked",
             L_STR("transaction", str_of(k->transaction)),
             L_STR("fate", fate == FATE_COMMITTED ? STR("committed") : STR("aborted")));
    return fate == FATE_COMMITTED ? E_OK : E_UNAVAILABLE;
}

static enum err commit_now(struct connection *k)
{
    PGresult *r = PQexec(k->handle, "COMMIT");
    bool undone = PQresultStatus(r) == PGRES_COMMAND_OK && strcmp(PQcmdStatus(r), "COMMIT") != 0;
    enum err e = finish(k, r, "COMMIT");

    /* The server says ROLLBACK to the COMMIT of a broken transaction; core knows of it before, so this is our bug. */
    must(!undone);
    if (!is_connected(k) && k->transaction[0] != 0)
        return commit_lost(k);
    return e;
}

static enum err postgres_commit(struct db *db)
{
    struct connection *k = (struct connection *)db;
    enum err e = db->broken;

    must(db->open_transaction);
    if (e == E_OK)
        e = commit_now(k);
    if (e != E_OK)
        postgres_rollback(db);
    db->open_transaction = false;
    k->transaction[0] = 0;
    return e;
}

static enum err postgres_savepoint(struct db *db)
{
    must(db->open_transaction && db->broken == E_OK);
    return execute((struct connection *)db, "SAVEPOINT one_call");
}

static void postgres_rollback_to(struct db *db)
{
    enum err e = execute((struct connection *)db,
                         "ROLLBACK TO SAVEPOINT one_call; RELEASE SAVEPOINT one_call");

    db->broken = e; /* the connection went: so did the batch */
}

static enum err postgres_release(struct db *db)
{
    enum err e = db->broken;

    if (e == E_OK)
        e = execute((struct connection *)db, "RELEASE SAVEPOINT one_call");
    if (e != E_OK)
        postgres_rollback_to(db);
    return e;
}

static enum err postgres_alone(struct db *db)
{
    must(db->open_transaction);
    return execute((struct connection *)db,
                   "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;"
                   " SELECT pg_advisory_xact_lock(7224161890)");
}

static enum err postgres_announce(struct db *db, struct str text)
{
    static const char sql[] = "SELECT pg_notify('" CHANNEL "', $1)";
    struct connection *k = (struct connection *)db;
    const Oid type = OID_TEXT;
    const int length = (int)text.n, binary = 1;

    must(db->open_transaction && text.n < 8000);
    if (db->broken != E_OK)
        return db->broken;
    enum err e = finish(
        k, PQexecParams(k->handle, sql, 1, &type, &text.p, &length, &binary, RESULT_BINARY), sql);
    db->broken = e;
    return e;
}

/* --- connections ------------------------------------------------------------------------------------------------ */

static void postgres_close(struct db *db)
{
    struct connection *k = (struct connection *)db;

    PQfinish(k->handle);
    free(k);
}

static const struct db_ops connection_ops = {
    .prepare = postgres_prepare,
    .drop = postgres_drop,
    .query = postgres_query,
    .begin = postgres_begin,
    .commit = postgres_commit,
    .rollback = postgres_rollback,
    .savepoint = postgres_savepoint,
    .release = postgres_release,
    .rollback_to = postgres_rollback_to,
    .alone = postgres_alone,
    .script = postgres_script,
    .announce = postgres_announce,
    .close = postgres_close,
};

static enum err engine_open(struct engine *e, bool write, struct db **result)
{
    struct connection *k = some(1, sizeof(*k));

    k->db = (struct db) { .ops = &connection_ops, .engine = e };
    k->write = write;
    enum err error = connect_now(k);
    if (error == E_OK)
        *result = &k->db;
    else
        postgres_close(&k->db);
    return error;
}

/* --- other nodes ------------------------------------------------------------------------------------------------ */

struct listener {
    void (*heard)(void *context, struct str text);
    void *context;
    const bool *stop;
};

static bool is_stopped(const struct listener *l)
{
    return __atomic_load_n(l->stop, __ATOMIC_ACQUIRE);
}

/* Hands out what has come; false when the connection is lost. */
static bool hear(PGconn *handle, const struct listener *l)
{
    struct pollfd p = { .fd = PQsocket(handle), .events = POLLIN };
    PGnotify *n;

    if (poll(&p, 1, 200) > 0 && !PQconsumeInput(handle))
        return false;
    while ((n = PQnotifies(handle)) != NULL) {
        l->heard(l->context, str_of(n->extra));
        PQfreemem(n);
    }
    return PQstatus(handle) == CONNECTION_OK;
}

/* From one connection to its loss. What was announced while nobody listened is told by none. */
static void listen_once(const char *url, const struct listener *l)
{
    PGconn *handle = dial(url, false);
    PGresult *r;

    if (PQstatus(handle) == CONNECTION_OK) {
        r = PQexec(handle, "LISTEN " CHANNEL);
        bool good = PQresultStatus(r) == PGRES_COMMAND_OK;
        PQclear(r);
        if (good)
            l->heard(l->context, STR_NONE);
        while (good && !is_stopped(l))
            good = hear(handle, l);
    }
    PQfinish(handle);
}

static void engine_listen(struct engine *e, void (*heard)(void *context, struct str text),
                          void *context, const bool *stop)
{
    struct listener l = { heard, context, stop };

    while (!is_stopped(&l)) {
        listen_once(((struct postgres_engine *)e)->url, &l);
        if (!is_stopped(&l))
            sleep_ms(200);
    }
}

static void engine_close(struct engine *e)
{
    free(e);
}

/* Longest first. */
static const struct db_word words[] = {
    { "INTEGER PRIMARY KEY AUTOINCREMENT", "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY" },
    { "INTEGER", "BIGINT" },
    { "BLOB", "BYTEA" },
    { "STRICT, WITHOUT ROWID", "" },
    { "WITHOUT ROWID", "" },
    { "STRICT", "" },
    { "TX_ID()", "(pg_current_xact_id()::text::bigint)" },
    { "TX_HORIZON()", "(pg_snapshot_xmin(pg_current_snapshot())::text::bigint)" },
    { NULL, NULL },
};

static const struct engine_ops ops = {
    .name = "postgres",
    .single_writer = false,
    .words = words,
    .in_list = "= ANY (translate(%s, '[]', '{}')::bigint[])",
    .open = engine_open,
    .listen = engine_listen,
    .close = engine_close,
};

struct engine *postgres_open(struct str url, struct log *log)
{
    struct postgres_engine *e = some(1, sizeof(*e) + url.n + 1);
    char *why = NULL;

    e->engine = (struct engine) { .ops = &ops, .log = log };
    memcpy(e->url, url.p, url.n);
    PQconninfoOption *options = PQconninfoParse(e->url, &why);
    if (options != NULL) {
        PQconninfoFree(options);
        return &e->engine;
    }
    /* The message may hold the password: libpq quotes what it could not read. */
    log_error(log, "postgres.url", L_STR("why", STR("this is no URL of a PostgreSQL database")));
    PQfreemem(why);
    free(e);
    return NULL;
}
