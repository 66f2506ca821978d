/* loop.c -- the bare SQLite loop that a durable write is compared with: 64 items in a commit, synchronous=FULL, statements prepared
 * once. An item is three inserts and three updates, as one that moves money has at least; or what the program executed
 * for a write, which recorder.c wrote down. Nothing that stores the same in the same way on the same disk can be much faster.
 *
 *   loop FILE SECONDS              items
 *   loop FILE RECORD WRITES        executes the record, of so many writes, on the database that it was made on
 *
 * Prints how many a second, and how many microseconds of the processor each took. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/sqlite_ids.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

/* Seconds since it was begun; 0, 0 to begin. */
struct watch {
    double passed, worked;
};

static double seconds_of(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct watch since(struct watch w)
{
    return (struct watch) { seconds_of(CLOCK_MONOTONIC) - w.passed,
                            seconds_of(CLOCK_PROCESS_CPUTIME_ID) - w.worked };
}

static void tell(struct watch began, double n)
{
    struct watch w = since(began);

    printf("%.0f %.3f\n", n / w.passed, w.worked / n * 1e6);
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

static void own_items(double seconds)
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

    make_tables();
    for (int k = 0; k < STATEMENTS; k++)
        good(sqlite3_prepare_v2(db, texts[k], -1, &s[k], NULL));
    struct watch began = since((struct watch) { 0 });
    while (since(began).passed < seconds) {
        run("BEGIN IMMEDIATE");
        for (int k = 0; k < BATCH; k++)
            item(s, ++i);
        run("COMMIT");
    }
    tell(began, (double)i);
}

/* --- what was written down --------------------------------------------------------------------------- */

enum { RECORDED = 512 };

struct record {
    const char *at, *end;
    sqlite3_stmt *statements[RECORDED]; /* NULL: a transaction's or a savepoint's */
    int is_savepoint[RECORDED];
    uint32_t n;
};

static struct record record_of(const char *path)
{
    struct stat st;
    FILE *f = fopen(path, "re");
    char *p = f == NULL || fstat(fileno(f), &st) != 0 ? NULL : malloc((size_t)st.st_size);

    if (p == NULL || fread(p, 1, (size_t)st.st_size, f) != (size_t)st.st_size)
        exit(2);
    fclose(f);
    return (struct record) { .at = p, .end = p + st.st_size };
}

static const void *take(struct record *r, size_t n)
{
    const char *p = r->at;

    if ((size_t)(r->end - p) < n) {
        r->at = r->end; /* the program was ended in the middle of it */
        return NULL;
    }
    r->at += n;
    return p;
}

static uint32_t take_number(struct record *r)
{
    const void *p = take(r, sizeof(uint32_t));
    uint32_t n = 0;

    if (p != NULL)
        memcpy(&n, p, sizeof(n));
    return n;
}

static int starts(const char *text, uint32_t n, const char *word)
{
    return n >= strlen(word) && memcmp(text, word, strlen(word)) == 0;
}

static void take_text(struct record *r)
{
    static const char *const mine[] = { "SAVEPOINT", "BEGIN", "COMMIT", "RELEASE", "PRAGMA" };
    uint32_t n = take_number(r);
    const char *text = take(r, n);

    if (text == NULL || r->n == RECORDED)
        return;
    int own = 0; /* what the loop does in its own way */
    for (size_t i = 0; i < sizeof(mine) / sizeof(*mine); i++)
        own |= starts(text, n, mine[i]);
    r->is_savepoint[r->n] = starts(text, n, "SAVEPOINT");
    if (!own)
        good(sqlite3_prepare_v2(db, text, (int)n, &r->statements[r->n], NULL));
    r->n++;
}

static void take_value(struct record *r, sqlite3_stmt *s, int at)
{
    const char *kind = take(r, 1);
    sqlite3_int64 i;

    if (kind == NULL)
        return;
    if (*kind == 'i') {
        const void *p = take(r, sizeof(i));
        memcpy(&i, p == NULL ? &(sqlite3_int64) { 0 } : p, sizeof(i));
        good(sqlite3_bind_int64(s, at, i));
    } else if (*kind == 't' || *kind == 'b') {
        uint32_t n = take_number(r);
        const char *p = take(r, n);
        good(*kind == 't' ? sqlite3_bind_text(s, at, p, (int)n, SQLITE_STATIC) : sqlite3_bind_blob(s, at, p, (int)n, SQLITE_STATIC));
    } else {
        good(sqlite3_bind_null(s, at));
    }
}

/* Executes the next. 1: that was a savepoint, the beginning of an item. */
static int take_step(struct record *r)
{
    const char *what = take(r, 1);

    if (what == NULL)
        return 0;
    if (*what == 'T') {
        take_text(r);
        return 0;
    }
    uint32_t number = take_number(r), values = take_number(r);
    if (number >= r->n)
        return 0;
    sqlite3_stmt *s = r->statements[number];
    for (uint32_t i = 0; i < values; i++)
        take_value(r, s, (int)i + 1);
    if (s == NULL || r->at == r->end)
        return r->is_savepoint[number];
    while (sqlite3_step(s) == SQLITE_ROW)
        ;
    good(sqlite3_reset(s));
    return 0;
}

static void recorded_writes(const char *path, double writes)
{
    struct record r = record_of(path);
    long i = 0;

    run("PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=268435456;"
        " PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=67108864;");
    good(sqlite_ids_add(db));
    struct watch began = since((struct watch) { 0 });
    run("BEGIN IMMEDIATE");
    while (r.at < r.end)
        if (take_step(&r) && ++i % BATCH == 0)
            run("COMMIT; BEGIN IMMEDIATE");
    run("COMMIT");
    tell(began, writes);
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 4 || sqlite3_open(argv[1], &db) != SQLITE_OK)
        return 2;
    if (argc == 3)
        own_items(atof(argv[2]));
    else
        recorded_writes(argv[2], atof(argv[3]));
    return 0;
}
