/* recorder.c -- preloaded into the program, writes down what its writing connection executes, values included, so that loop.c
 * can execute the very same. SQLite's calls are taken by their names; nothing in the program knows of it.
 *
 *   BENCH_STATEMENTS=FILE LD_PRELOAD=recorder.so stagedoor serve ...
 *
 * The file: 'T' n text, a statement's text when it is met first (they are numbered from 0); 'S' number values, one execution, in
 * which values are a count and, each, 'i' integer, 't' or 'b' n bytes, 'n'. Numbers are as the machine has them: 32 bits,
 * integers 64. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATEMENTS = 512, VALUES = 32 };

struct value {
    char kind;
    int64_t i;
    const void *p;
    uint32_t n;
};

struct statement {
    sqlite3_stmt *handle;
    char *text;
    int running;
    uint32_t values_n;
    struct value values[VALUES];
};

/* The writer's: known by its BEGIN IMMEDIATE, and the only thread that comes past here. At the start there is another before. */
static sqlite3 *writer; /* atomic */
static struct statement statements[STATEMENTS];
static uint32_t statements_n;
static FILE *file;

static int (*real_step)(sqlite3_stmt *);
static int (*real_reset)(sqlite3_stmt *);
static int (*real_int64)(sqlite3_stmt *, int, sqlite3_int64);
static int (*real_text64)(sqlite3_stmt *, int, const char *, sqlite3_uint64, void (*)(void *), unsigned char);
static int (*real_blob64)(sqlite3_stmt *, int, const void *, sqlite3_uint64, void (*)(void *));
static int (*real_null)(sqlite3_stmt *, int);

static void *named(const char *name)
{
    void *p = dlsym(RTLD_NEXT, name);

    if (p == NULL)
        abort();
    return p;
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("BENCH_STATEMENTS");

    if (dlsym(RTLD_NEXT, "sqlite3_step") == NULL)
        return; /* a program in front of it, as taskset */
    *(void **)&real_step = named("sqlite3_step");
    *(void **)&real_reset = named("sqlite3_reset");
    *(void **)&real_int64 = named("sqlite3_bind_int64");
    *(void **)&real_text64 = named("sqlite3_bind_text64");
    *(void **)&real_blob64 = named("sqlite3_bind_blob64");
    *(void **)&real_null = named("sqlite3_bind_null");
    file = path == NULL ? NULL : fopen(path, "we");
    if (file == NULL)
        abort();
}

static void put(const void *p, size_t n)
{
    if (fwrite(p, 1, n, file) != n)
        abort();
}

static void put_bytes(char kind, const void *p, uint32_t n)
{
    put(&kind, 1);
    put(&n, sizeof(n));
    put(p, n);
}

/* NULL: not the writer's. */
static struct statement *statement_of(sqlite3_stmt *handle)
{
    sqlite3 *db = __atomic_load_n(&writer, __ATOMIC_ACQUIRE);

    if (db == NULL || sqlite3_db_handle(handle) != db)
        return NULL;
    const char *text = sqlite3_sql(handle); /* none: one of SQLite's own */
    if (text == NULL)
        return NULL;
    for (uint32_t i = 0; i < statements_n; i++) /* where one was ended another may stand */
        if (statements[i].handle == handle && strcmp(statements[i].text, text) == 0)
            return &statements[i];
    if (statements_n == STATEMENTS)
        abort();
    put_bytes('T', text, (uint32_t)strlen(text));
    statements[statements_n] = (struct statement) { .handle = handle, .text = strdup(text) };
    return &statements[statements_n++];
}

static void bound(sqlite3_stmt *handle, int at, struct value v)
{
    struct statement *s = statement_of(handle);

    if (s == NULL)
        return;
    if (at < 1 || at > VALUES)
        abort();
    if ((uint32_t)at > s->values_n)
        s->values_n = (uint32_t)at;
    s->values[at - 1] = v;
}

static void executed(const struct statement *s)
{
    uint32_t number = (uint32_t)(s - statements);

    put("S", 1);
    put(&number, sizeof(number));
    put(&s->values_n, sizeof(s->values_n));
    for (uint32_t i = 0; i < s->values_n; i++) {
        const struct value *v = &s->values[i];
        if (v->kind == 't' || v->kind == 'b') {
            put_bytes(v->kind, v->p, v->n);
        } else {
            put(&v->kind, 1);
            if (v->kind == 'i')
                put(&v->i, sizeof(v->i));
        }
    }
}

static void look_for_writer(sqlite3_stmt *handle)
{
    sqlite3 *db = sqlite3_db_handle(handle);
    const char *text = sqlite3_sql(handle);

    if (db == __atomic_load_n(&writer, __ATOMIC_ACQUIRE) || text == NULL || strcmp(text, "BEGIN IMMEDIATE") != 0)
        return;
    __atomic_store_n(&writer, db, __ATOMIC_RELEASE);
}

int sqlite3_step(sqlite3_stmt *handle)
{
    look_for_writer(handle);
    struct statement *s = statement_of(handle);
    if (s != NULL && !s->running) {
        executed(s);
        s->running = 1;
    }
    return real_step(handle);
}

int sqlite3_reset(sqlite3_stmt *handle)
{
    struct statement *s = statement_of(handle);

    if (s != NULL)
        s->running = 0;
    return real_reset(handle);
}

int sqlite3_bind_int64(sqlite3_stmt *handle, int at, sqlite3_int64 i)
{
    bound(handle, at, (struct value) { 'i', i, NULL, 0 });
    return real_int64(handle, at, i);
}

int sqlite3_bind_text64(sqlite3_stmt *handle, int at, const char *p, sqlite3_uint64 n, void (*done)(void *), unsigned char code)
{
    bound(handle, at, (struct value) { 't', 0, p, (uint32_t)n });
    return real_text64(handle, at, p, n, done, code);
}

int sqlite3_bind_blob64(sqlite3_stmt *handle, int at, const void *p, sqlite3_uint64 n, void (*done)(void *))
{
    bound(handle, at, (struct value) { 'b', 0, p, (uint32_t)n });
    return real_blob64(handle, at, p, n, done);
}

int sqlite3_bind_null(sqlite3_stmt *handle, int at)
{
    bound(handle, at, (struct value) { 'n', 0, NULL, 0 });
    return real_null(handle, at);
}
