/* postgres_connection.c -- making connections, losing them, reading errors. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/postgres_inside.h"

#include <stdio.h>
#include <string.h>

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

/* --- errors ----------------------------------------------------------------------------------------------------- */

static void log_failure(struct postgres *k, const char *state, const char *message, const char *sql)
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

bool postgres_is_connected(const struct postgres *k)
{
    return k->handle != NULL && PQstatus(k->handle) == CONNECTION_OK;
}

/* Frees r. What is a bug, or the operator should know, is logged. */
enum err postgres_finish(struct postgres *k, PGresult *r, const char *sql)
{
    ExecStatusType status = PQresultStatus(r);
    enum err e = E_OK;

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
        if (state == NULL)
            state = "";
        e = !postgres_is_connected(k) ? E_UNAVAILABLE
            : state[0] == 0           ? E_NO_MEMORY /* not the server's: libpq had none */
                                      : error_of_state(state);
        /* Not the details: they quote the row, with addresses and hashes. */
        const char *why = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
        if (e == E_INTERNAL || e == E_UNAVAILABLE || e == E_NO_MEMORY)
            log_failure(k, state, why != NULL ? why : PQerrorMessage(k->handle), sql);
    }
    PQclear(r);
    return e;
}

enum err postgres_execute(struct postgres *k, const char *sql)
{
    return postgres_finish(k, PQexec(k->handle, sql), sql);
}

/* --- connecting ------------------------------------------------------------------------------------------------- */

static void no_notice(void *context, const PGresult *r)
{
    (void)context, (void)r; /* "relation exists, skipping" */
}

/* NULL, to which libpq answers like to a bad connection: no memory. */
PGconn *postgres_dial(const char *url, bool write)
{
    /* What the URL says wins over what stands before it. */
    const char *const names[] = { "application_name",     "connect_timeout",
                                  "keepalives_idle",      "tcp_user_timeout",
                                  "target_session_attrs", "dbname",
                                  "client_encoding",      NULL };
    const char *const values[] = { "stagedoor", "5",    "30", "30000", write ? "read-write" : "any",
                                   url,         "UTF8", NULL };
    PGconn *handle = PQconnectdbParams(names, values, 1);

    PQsetNoticeReceiver(handle, no_notice, NULL);
    return handle;
}

bool postgres_value(PGresult *r, char *to, size_t size)
{
    bool good = PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) == 1;

    if (good)
        snprintf(to, size, "%s", PQgetvalue(r, 0, 0));
    PQclear(r);
    return good;
}

enum err postgres_connect(struct postgres *k)
{
    const char *url = ((struct postgres_engine *)k->db.engine)->url;

    PQfinish(k->handle);
    k->generation++;
    k->answer_due = false;
    k->handle = postgres_dial(url, k->write);
    if (!postgres_is_connected(k)) {
        log_failure(k, "", PQerrorMessage(k->handle), "connect");
        return E_UNAVAILABLE;
    }
    TRY(postgres_execute(k, SETUP));
    if (!k->write)
        TRY(postgres_execute(k, "SET default_transaction_read_only = on"));
    return postgres_value(PQexec(k->handle, TIMELINE), k->timeline, sizeof(k->timeline))
               ? E_OK
               : E_UNAVAILABLE;
}

/* Takes the answers that nobody waited for: up to the NULL of a query, or to the end of a pipeline. */
static void settle(struct postgres *k)
{
    bool pipeline = PQpipelineStatus(k->handle) != PQ_PIPELINE_OFF, end = !k->answer_due;
    int nothing = 0;
    PGresult *r;

    while (!end) {
        r = PQgetResult(k->handle);
        nothing = r == NULL ? nothing + 1 : 0;
        end = pipeline ? PQresultStatus(r) == PGRES_PIPELINE_SYNC : r == NULL;
        end = end || !postgres_is_connected(k) || nothing > 2;
        PQclear(r);
    }
    k->answer_due = false;
    if ((pipeline && !PQexitPipelineMode(k->handle)) || nothing > 2) {
        PQfinish(
            k->handle); /* out of step with the server: an answer was lost for want of memory */
        k->handle = NULL;
    }
}

enum err postgres_ensure(struct postgres *k)
{
    if (k->handle != NULL)
        settle(k);
    return postgres_is_connected(k) ? E_OK : postgres_connect(k);
}

void postgres_learn(struct postgres *k, const PGresult *r)
{
    if (PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) == 1)
        snprintf(k->transaction, sizeof(k->transaction), "%s", PQgetvalue(r, 0, 0));
}

static enum err send_begin(struct postgres *k)
{
    TRY(postgres_ensure(k));
    TRY(postgres_execute(k, k->begin));
    if (!k->writing)
        return E_OK;
    PGresult *r = PQexec(k->handle, POSTGRES_TRANSACTION);
    postgres_learn(k, r);
    return postgres_finish(k, r, POSTGRES_TRANSACTION);
}

/* Before anything that BEGIN cannot go along with. The server may have gone since the last call: as nothing was done yet,
 * a second connection may try. */
enum err postgres_begun(struct postgres *k)
{
    if (k->begin == NULL)
        return E_OK;
    enum err e = send_begin(k);
    if (e != E_OK && !postgres_is_connected(k))
        e = send_begin(k);
    if (e == E_OK)
        k->begin = NULL;
    return e;
}

/* Where nothing is open, a lost connection is made again; in a transaction the BEGIN goes out first. */
enum err postgres_ready(struct postgres *k)
{
    return k->db.open_transaction ? postgres_begun(k) : postgres_ensure(k);
}
