/* engine.c -- fresh databases for tests. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "test/engine.h"
#include "base/when.h"
#include "sys/postgres.h"
#include "sys/sqlite.h"
#include "test/tables.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A schema of this process's own in the shared cluster, that the connections find first. */
static struct engine *fresh_postgres(struct arena *a, struct log *log)
{
    const char *url = unit_postgres();
    PGconn *handle = PQconnectdb(url);
    PGresult *r = PQexec(handle, str_printf(a,
                                            "SET client_min_messages = error;"
                                            " DROP SCHEMA IF EXISTS test_%d CASCADE;"
                                            " CREATE SCHEMA test_%d",
                                            getpid(), getpid())
                                     .p);
    if (PQresultStatus(r) != PGRES_COMMAND_OK)
        FAIL("%s", PQerrorMessage(handle));
    PQclear(r);
    PQfinish(handle);
    return postgres_open(str_printf(a, "%s%coptions=-csearch_path%%3Dtest_%d", url,
                                    strchr(url, '?') != NULL ? '&' : '?', getpid()),
                         log);
}

struct engine *(*engine_wrap)(struct engine *inner);

struct engine *engine_fresh(const char *name, struct log *log)
{
    struct arena a = { 0 };
    struct engine *e;

    if (strcmp(name, "postgres") == 0)
        e = fresh_postgres(&a, log);
    else
        e = sqlite_open(str_printf(&a, "%s/test.db", unit_dir()), log);
    arena_done(&a);
    REQUIRE(e != NULL);
    statements_watch(e);
    return engine_wrap != NULL ? engine_wrap(e) : e;
}

struct db *engine_connect(struct engine *e, bool write)
{
    struct db *db = NULL;

    CHECK_OK(e->ops->open(e, write, &db));
    REQUIRE(db != NULL);
    return db;
}

static struct when now(struct clock *k)
{
    (void)k;
    return when_real_now();
}

struct bed *bed_open(const char *engine)
{
    struct bed *b = calloc(1, sizeof(*b));

    must(b != NULL && crypto_init());
    b->log = log_open(STDERR_FILENO, LOG_LEVEL_WARN);
    b->env = (struct env) { .log = b->log, .clock = { .real = now }, .random = random_fill };
    b->env.engine = engine_fresh(engine, b->log);
    b->db = engine_connect(b->env.engine, true);
    b->call =
        (struct call) { .env = &b->env, .arena = &b->arena, .db = b->db, .now = when_real_now() };
    return b;
}

void bed_close(struct bed *b)
{
    db_close(b->db);
    b->env.engine->ops->close(b->env.engine);
    log_close(b->log);
    arena_done(&b->arena);
    free(b);
}
