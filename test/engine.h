/* engine.h -- a fresh, empty database for a test, on either engine.
 *
 *   ENGINES(page_walks_every_row)            two tests: ..._on_sqlite and ..._on_postgres
 *   {
 *       struct bed *b = bed_open(engine);
 *       CHECK_OK(db_run(&b->call, "..."));
 *       bed_close(b);
 *   }
 *
 * PostgreSQL is that of unit_postgres(). Each test gets a schema of its own there, so that they can
 * run at the same time. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_ENGINE_H
#define TEST_ENGINE_H

#include "core/call.h"
#include "core/env.h"
#include "test/unit.h"

#define ENGINES(name)                ENGINES_SECONDS(name, 20)
#define ENGINES_SECONDS(name, limit) ENGINES_AS_(name, TEST_SECONDS, limit)
#define ENGINES_SLOW(name, limit)    ENGINES_AS_(name, TEST_SLOW, limit)
#define ENGINES_AS_(name, test, limit)                                                             \
    static void name(const char *engine);                                                          \
    test(name##_on_sqlite, limit)                                                                  \
    {                                                                                              \
        name("sqlite");                                                                            \
    }                                                                                              \
    test(name##_on_postgres, limit)                                                                \
    {                                                                                              \
        name("postgres");                                                                          \
    }                                                                                              \
    static void name(const char *engine)

/* A new database, without tables: "sqlite" in unit_dir(), or "postgres". Closed by engine->ops->close. */
/* Set by a test that wants its engine wrapped (fault.h); NULL otherwise. */
extern struct engine *(*engine_wrap)(struct engine *inner);
struct engine *engine_fresh(const char *name, struct log *log);
/* A connection, or the test ends. */
struct db *engine_connect(struct engine *e, bool write);

/* A call on a writing connection to a fresh database; the test begins and commits as it likes. */
struct bed {
    struct env env;
    struct arena arena;
    struct log *log;
    struct db *db;
    struct call call;
};
struct bed *bed_open(const char *engine);
void bed_close(struct bed *b);

#endif
