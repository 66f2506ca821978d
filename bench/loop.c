/* loop.c -- the bare SQLite loop that a durable write is compared with: three inserts and three updates an item, 64 items in
 * a commit, synchronous=FULL, prepared once. Nothing that stores money the same way on the same disk can be much faster.
 *
 *   loop FILE SECONDS      prints items a second */
/* SPDX-License-Identifier: Apache-2.0 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BATCH = 64, STATEMENTS = 6, ACCOUNTS = 1000 };

static sqlite3 *db;

static void good(int code)
{
    if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW)
        return;
    fprintf(stderr, "loop: %s\n", sqlite3_errmsg(db));
    exit(1);
}

static void run(const char *sql)
{
    good(sqlite3_exec(db, sql, NULL, NULL, NULL));
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void make_tables(void)
{
    run("PRAGMA page_size=4096; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        "PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=4000; BEGIN;"
        "CREATE TABLE journal (id INTEGER PRIMARY KEY, ikey TEXT NOT NULL UNIQUE, at INTEGER NOT "
        "NULL) STRICT;"
        "CREATE TABLE entry (journal INTEGER NOT NULL, line INTEGER NOT NULL, account INTEGER NOT "
        "NULL,"
        " amount INTEGER NOT NULL, PRIMARY KEY (journal, line)) STRICT;"
        "CREATE TABLE balance (account INTEGER PRIMARY KEY, posted INTEGER NOT NULL) STRICT;"
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999)"
        " INSERT INTO balance SELECT i, 0 FROM n; COMMIT;");
}

static void step(sqlite3_stmt *s)
{
    good(sqlite3_step(s));
    good(sqlite3_reset(s));
}

static void item(sqlite3_stmt *const *s, long i)
{
    char key[40];

    snprintf(key, sizeof(key), "charge:%016lx", i * 2654435761L);
    sqlite3_bind_int64(s[0], 1, i);
    sqlite3_bind_text(s[0], 2, key, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s[0], 3, i);
    step(s[0]);
    for (int line = 1; line <= 2; line++) {
        sqlite3_bind_int64(s[line], 1, i);
        sqlite3_bind_int64(s[line], 2, line);
        sqlite3_bind_int64(s[line], 3, i % ACCOUNTS);
        step(s[line]);
    }
    for (int u = 3; u < STATEMENTS; u++) {
        sqlite3_bind_int64(s[u], 1, (i * 7 + u) % ACCOUNTS);
        step(s[u]);
    }
}

int main(int argc, char **argv)
{
    static const char *const texts[STATEMENTS] = {
        "INSERT INTO journal (id, ikey, at) VALUES (?, ?, ?)",
        "INSERT INTO entry (journal, line, account, amount) VALUES (?, ?, ?, 100)",
        "INSERT INTO entry (journal, line, account, amount) VALUES (?, ?, ?, -100)",
        "UPDATE balance SET posted = posted + 1 WHERE account = ?",
        "UPDATE balance SET posted = posted + 2 WHERE account = ?",
        "UPDATE balance SET posted = posted - 3 WHERE account = ?",
    };
    sqlite3_stmt *s[STATEMENTS];
    long i = 0;

    if (argc != 3 || sqlite3_open(argv[1], &db) != SQLITE_OK)
        return 2;
    make_tables();
    for (int k = 0; k < STATEMENTS; k++)
        good(sqlite3_prepare_v2(db, texts[k], -1, &s[k], NULL));
    double began = now(), seconds = atof(argv[2]);
    while (now() - began < seconds) {
        run("BEGIN IMMEDIATE");
        for (int k = 0; k < BATCH; k++)
            item(s, ++i);
        run("COMMIT");
    }
    printf("%.0f\n", (double)i / (now() - began));
    return 0;
}
