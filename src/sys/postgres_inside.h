/* postgres_inside.h -- what the files of the PostgreSQL driver share; nobody else includes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SYS_POSTGRES_INSIDE_H
#define SYS_POSTGRES_INSIDE_H

#include "base/check.h"
#include "sys/postgres.h"

#include <libpq-fe.h>

enum { POSTGRES_ARGS_MAX = 22, POSTGRES_BINARY = 1 };
#define POSTGRES_TRANSACTION "SELECT pg_current_xact_id()::text"

struct postgres_engine {
    struct engine engine;
    char url[];
};

struct postgres {
    struct db db;
    PGconn *handle;
    bool write;
    int64_t generation; /* grows with each new connection: statements of older ones are gone */
    int64_t names;      /* of statements */
    const char *begin;  /* not yet sent: goes with the first statement */
    bool writing;       /* the transaction is a WRITE */
    bool answer_due;    /* of a READ's COMMIT, or of an announcement */
    char *announcement; /* goes out behind the COMMIT */
    char timeline[16];
    char transaction[24]; /* id of the open WRITE, for pg_xact_status; empty for a READ */
};

/* postgres_connection.c */
PGconn *postgres_dial(const char *url, bool write);
bool postgres_is_connected(const struct postgres *k);
/* A new connection instead of the old one, set up. */
enum err postgres_connect(struct postgres *k);
/* The same, only when it is needed. Takes first what nobody waited for. */
enum err postgres_ensure(struct postgres *k);
/* In a transaction: BEGIN has gone out. */
enum err postgres_begun(struct postgres *k);
/* ... and where nothing is open, there is a connection. */
enum err postgres_ready(struct postgres *k);
/* Notes the id of the open WRITE from POSTGRES_TRANSACTION's result. */
void postgres_learn(struct postgres *k, const PGresult *r);
/* The result's error as ours; frees it. What is a bug, or the operator should know, is logged. */
enum err postgres_finish(struct postgres *k, PGresult *r, const char *sql);
enum err postgres_execute(struct postgres *k, const char *sql);
/* A text of one row and column; frees r. */
bool postgres_value(PGresult *r, char *to, size_t size);

/* postgres_query.c */
enum err postgres_prepare(struct db *db, const char *text, const struct db_value *args, size_t n,
                          struct db_statement **result);
void postgres_drop(struct db *db, struct db_statement *base);
enum err postgres_query(struct db *db, struct db_statement *base, const struct db_value *args,
                        size_t n, db_row *row, void *context, int64_t *changed);

#endif
