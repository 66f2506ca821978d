/* postgres.c -- driver of PostgreSQL.
 *
 * READ is REPEATABLE READ, READ ONLY: one snapshot. WRITE is READ COMMITTED: rows are locked in a fixed order by those who
 * wrote the statements; serialisation failures, deadlocks and lock time-outs are E_BUSY and run again as a whole.
 * Statements are prepared on the server at first use, with the types of their arguments; values go both ways in binary.
 *
 * Round trips are what costs: BEGIN goes out together with the first statement, and the COMMIT of a READ, which can only
 * go well, is sent and not waited for. A READ of one statement is one round trip.
 *
 * A connection that is lost gives E_UNAVAILABLE and is made again at the next begin. Lost during COMMIT is another matter:
 * the server may have committed. Each WRITE therefore learns its transaction id with its BEGIN, and after such a loss the
 * server is asked what became of it (pg_xact_status). Only when it cannot tell -- away for a minute, or another timeline
 * after a failover, where the id may be somebody else's -- the process ends: saying "failed" could be a lie, and the
 * client, whose connection breaks, comes again with its idempotency key. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/postgres_inside.h"
#include "base/when.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { EXIT_UNKNOWN_COMMIT = 70, ASK_SECONDS = 60 };
#define CHANNEL     "stagedoor"
#define LISTEN      "SET application_name = 'stagedoor listens'; LISTEN " CHANNEL
#define NOTIFY      "SELECT pg_notify('" CHANNEL "', $1)"
#define BEGIN_READ  "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
#define BEGIN_WRITE "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"

/* --- transactions ----------------------------------------------------------------------------------------------- */

static enum err postgres_script(struct db *db, struct str sql)
{
    struct postgres *k = (struct postgres *)db;

    enum err e = postgres_ready(k);
    if (e == E_OK)
        e = postgres_execute(k, sql.p);
    if (db->open_transaction && e != E_OK)
        db->broken = e;
    return e;
}

static void ended(struct postgres *k)
{
    k->db.open_transaction = false;
    k->begin = NULL;
    k->transaction[0] = 0;
    free(k->announcement);
    k->announcement = NULL;
}

static enum err postgres_begin(struct db *db, bool write)
{
    struct postgres *k = (struct postgres *)db;

    must(!db->open_transaction && (k->write || !write));
    TRY(postgres_ensure(k));
    k->begin = write ? BEGIN_WRITE : BEGIN_READ;
    k->writing = write;
    db->open_transaction = true;
    db->broken = E_OK;
    return E_OK;
}

static void postgres_rollback(struct db *db)
{
    struct postgres *k = (struct postgres *)db;

    /* A connection that cannot roll back is of no more use; the server rolls back when it goes. */
    if (postgres_is_connected(k) && !k->answer_due &&
        PQtransactionStatus(k->handle) != PQTRANS_IDLE && postgres_execute(k, "ROLLBACK") != E_OK) {
        PQfinish(k->handle);
        k->handle = NULL;
    }
    ended(k);
    db->broken = E_OK;
}

enum fate { FATE_UNKNOWN, FATE_IN_PROGRESS, FATE_COMMITTED, FATE_ABORTED };

static enum fate ask_fate(struct postgres *k, const char *timeline)
{
    const char *values[] = { k->transaction };
    char answer[24] = "";

    if (postgres_connect(k) != E_OK)
        return FATE_IN_PROGRESS;
    if (strcmp(k->timeline, timeline) != 0)
        return FATE_UNKNOWN;
    PGresult *r = PQexecParams(k->handle, "SELECT coalesce(pg_xact_status($1::xid8), '')", 1, NULL,
                               values, NULL, NULL, 0);
    if (!postgres_value(r, answer, sizeof(answer)) || strcmp(answer, "in progress") == 0)
        return FATE_IN_PROGRESS;
    return strcmp(answer, "committed") == 0 ? FATE_COMMITTED
           : strcmp(answer, "aborted") == 0 ? FATE_ABORTED
                                            : FATE_UNKNOWN;
}

_Noreturn static void stop(const struct postgres *k)
{
    dprintf(STDERR_FILENO,
            "{\"level\":\"error\",\"event\":\"postgres.commit_unknown\",\"transaction\":\"%s\"}\n",
            k->transaction);
    _exit(EXIT_UNKNOWN_COMMIT);
}

/* The connection went while the server was committing. */
static enum err commit_lost(struct postgres *k)
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

/* COMMIT, and behind it, in a transaction of its own, the announcement. Inside of ours it would make all commits of the
 * cluster wait for each other, because NOTIFY holds a lock until its transaction is on the disk. Both leave in one packet: a
 * process that dies after its commit has announced it. Announcing what then was not committed does no harm. */
static bool send_commit(struct postgres *k)
{
    const char *values[] = { k->announcement };

    return PQenterPipelineMode(k->handle) &&
           PQsendQueryParams(k->handle, "COMMIT", 0, NULL, NULL, NULL, NULL, 0) &&
           PQpipelineSync(k->handle) &&
           PQsendQueryParams(k->handle, NOTIFY, 1, NULL, values, NULL, NULL, 0) &&
           PQpipelineSync(k->handle);
}

/* The answer to COMMIT; that to the announcement is not waited for. */
static PGresult *commit_and_announce(struct postgres *k)
{
    PGresult *r = NULL;

    if (send_commit(k)) {
        r = PQgetResult(k->handle);
        PQclear(PQgetResult(k->handle)); /* NULL: its end */
        PQclear(PQgetResult(k->handle)); /* the end of the first pipeline */
    }
    k->answer_due = true;
    return r;
}

static bool announced_again(struct postgres *k)
{
    const char *values[] = { k->announcement };

    return k->announcement == NULL ||
           postgres_finish(k, PQexecParams(k->handle, NOTIFY, 1, NULL, values, NULL, NULL, 0),
                           NOTIFY) == E_OK ||
           postgres_is_connected(k); /* refused, not lost: it would be again */
}

static enum err commit_write(struct postgres *k)
{
    PGresult *r = k->announcement != NULL ? commit_and_announce(k) : PQexec(k->handle, "COMMIT");
    bool told =
        PQresultErrorField(r, PG_DIAG_SQLSTATE) != NULL || PQresultStatus(r) == PGRES_COMMAND_OK;
    bool undone = PQresultStatus(r) == PGRES_COMMAND_OK && strcmp(PQcmdStatus(r), "COMMIT") != 0;
    enum err e = postgres_finish(k, r, "COMMIT");

    /* The server says ROLLBACK to the COMMIT of a broken transaction; core knows of it before, so this is our bug. */
    must(!undone);
    if (postgres_is_connected(k) && told)
        return e;
    /* Without a word of the server's own the error is libpq's, which had no memory for the answer; whatever that was. */
    do /* nobody is told that it is done before the other nodes are */
        e = commit_lost(k);
    while (e == E_OK && !announced_again(k));
    return e;
}

static enum err commit_now(struct postgres *k)
{
    if (k->begin != NULL)
        return E_OK; /* nothing was ever asked */
    if (k->writing && k->transaction[0] == 0)
        return E_NO_MEMORY; /* its id, by which its fate could be asked, was lost on the way */
    if (k->writing)
        return commit_write(k);
    k->answer_due = PQsendQuery(k->handle, "COMMIT") == 1;
    return E_OK;
}

static enum err postgres_commit(struct db *db)
{
    struct postgres *k = (struct postgres *)db;
    enum err e = db->broken;

    must(db->open_transaction);
    if (e == E_OK)
        e = commit_now(k);
    if (e != E_OK)
        postgres_rollback(db);
    ended(k);
    return e;
}

static enum err postgres_savepoint(struct db *db)
{
    struct postgres *k = (struct postgres *)db;

    must(db->open_transaction && db->broken == E_OK);
    TRY(postgres_begun(k));
    return postgres_execute(k, "SAVEPOINT one_call");
}

static void postgres_rollback_to(struct db *db)
{
    enum err e = postgres_execute((struct postgres *)db,
                                  "ROLLBACK TO SAVEPOINT one_call; RELEASE SAVEPOINT one_call");

    db->broken = e; /* the connection went: so did the batch */
}

static enum err postgres_release(struct db *db)
{
    enum err e = db->broken;

    if (e == E_OK)
        e = postgres_execute((struct postgres *)db, "RELEASE SAVEPOINT one_call");
    if (e != E_OK)
        postgres_rollback_to(db);
    return e;
}

static enum err postgres_alone(struct db *db)
{
    struct postgres *k = (struct postgres *)db;

    must(db->open_transaction);
    TRY(postgres_begun(k));
    return postgres_execute(k, "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;"
                               " SELECT pg_advisory_xact_lock(7224161890)");
}

static enum err postgres_announce(struct db *db, struct str text)
{
    struct postgres *k = (struct postgres *)db;

    must(db->open_transaction && k->writing && k->announcement == NULL && text.n < 8000);
    k->announcement = strndup(text.p, text.n);
    if (k->announcement == NULL)
        return E_NO_MEMORY;
    return db->broken != E_OK ? db->broken : postgres_begun(k);
}

/* --- connections ------------------------------------------------------------------------------------------------ */

static void postgres_close(struct db *db)
{
    struct postgres *k = (struct postgres *)db;

    ended(k);
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
    struct postgres *k = calloc(1, sizeof(*k));

    if (k == NULL)
        return E_NO_MEMORY;
    k->db = (struct db) { .ops = &connection_ops, .engine = e };
    k->write = write;
    enum err error = postgres_connect(k);
    if (error == E_OK)
        *result = &k->db;
    else
        postgres_close(&k->db);
    return error;
}

/* --- other nodes ------------------------------------------------------------------------------------------------ */

/* A line that is cut is noticed at once, one that is dead (a cable, a frozen server) never. So the listener speaks to himself
 * by the same way as the others speak to him: his own word comes back behind all that was announced before it. */
#define BEAT "beat"
enum { BEAT_US = 250000, DEAD_US = 2000000 };

struct hearing {
    const struct db_listener *to;
    PGconn *handle;
    bool begun;       /* LISTEN was answered */
    int64_t spoke_us; /* when the server was told something last */
    bool waits;       /* for LISTEN's answer, or for his word to come back */
};

static bool is_stopped(const struct db_listener *l)
{
    return __atomic_load_n(l->stop, __ATOMIC_ACQUIRE);
}

static bool speak(struct hearing *h)
{
    const char *values[] = { BEAT };

    h->spoke_us = monotonic_us();
    h->waits = true;
    return h->begun ? PQsendQueryParams(h->handle, NOTIFY, 1, NULL, values, NULL, NULL, 0) == 1
                    : PQsendQuery(h->handle, LISTEN) == 1;
}

/* LISTEN first, then his word several times a second, one at a time. False: what was said last is not answered. */
static bool beat(struct hearing *h)
{
    int64_t passed_us = monotonic_us() - h->spoke_us;

    if (h->waits)
        return passed_us < DEAD_US;
    return (h->begun && passed_us < BEAT_US) || speak(h);
}

static void told(struct hearing *h, const PGnotify *n)
{
    bool own = n->be_pid == PQbackendPID(h->handle);

    if (strcmp(n->extra, BEAT) != 0)
        h->to->heard(h->to->context, str_of(n->extra));
    else if (own && h->waits) {
        h->waits = false;
        h->to->current(h->to->context, h->spoke_us);
    }
}

/* The answers to what was said. What was announced while nobody listened is told by none. */
static bool take_answers(struct hearing *h)
{
    PGresult *r;

    while (!PQisBusy(h->handle)) {
        if ((r = PQgetResult(h->handle)) == NULL) {
            if (!h->begun && h->waits) {
                h->begun = true;
                h->waits = false;
                h->to->heard(h->to->context, STR_NONE);
            }
            return true;
        }
        ExecStatusType status = PQresultStatus(r);
        PQclear(r);
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
            return false;
    }
    return true;
}

/* Hands out what has come; false when the connection is lost. Nothing here waits for the server: a line that is dead must
 * not hold the thread. */
static bool hear(struct hearing *h)
{
    struct pollfd p = { .fd = PQsocket(h->handle), .events = POLLIN };
    PGnotify *n;

    if (!beat(h) || (poll(&p, 1, 100) > 0 && !PQconsumeInput(h->handle)))
        return false;
    while ((n = PQnotifies(h->handle)) != NULL) {
        told(h, n);
        PQfreemem(n);
    }
    return take_answers(h) && PQstatus(h->handle) == CONNECTION_OK;
}

/* From one connection to its loss. */
static void listen_once(const char *url, const struct db_listener *l)
{
    struct hearing h = { .to = l, .handle = postgres_dial(url, false) };
    bool good = PQstatus(h.handle) == CONNECTION_OK;

    while (good && !is_stopped(l))
        good = hear(&h);
    PQfinish(h.handle);
}

static void engine_listen(struct engine *e, const struct db_listener *l)
{
    while (!is_stopped(l)) {
        listen_once(((struct postgres_engine *)e)->url, l);
        if (!is_stopped(l))
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
    { "TX_ID($1)", "(pg_current_xact_id()::text::bigint)" },
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
    struct postgres_engine *e = calloc(1, sizeof(*e) + url.n + 1);
    char *why = NULL;

    must(e != NULL);
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
