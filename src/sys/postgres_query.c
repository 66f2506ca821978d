/* postgres_query.c -- prepared statements and their rows, binary both ways. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/postgres_inside.h"

#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

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

struct statement {
    struct db_statement base;
    char *text;
    char name[24];
    int64_t generation;
    int parameters;
    Oid parameter_types[POSTGRES_ARGS_MAX];
    Oid *types; /* of the columns */
    struct db_value *cells;
};

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

void postgres_drop(struct db *db, struct db_statement *base)
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

static enum err prepare_on_server(struct postgres *k, struct statement *s)
{
    snprintf(s->name, sizeof(s->name), "s%" PRId64, ++k->names);
    TRY(postgres_finish(k,
                        PQprepare(k->handle, s->name, s->text, s->parameters,
                                  s->parameters > 0 ? s->parameter_types : NULL),
                        s->text));
    s->generation = k->generation;
    return E_OK;
}

/* False: no memory. */
static bool find_columns(struct statement *s, const PGresult *r)
{
    size_t n = (size_t)PQnfields(r);

    /* One more: none at all may be NULL, which is to say no memory. */
    s->base.names = calloc(n + 1, sizeof(s->base.names[0]));
    s->types = calloc(n + 1, sizeof(s->types[0]));
    s->cells = calloc(n + 1, sizeof(s->cells[0]));
    if (s->base.names == NULL || s->types == NULL || s->cells == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the names have it now */
        s->base.names[i] = str_of(strdup(PQfname(r, (int)i)));
        if (s->base.names[i].p == NULL)
            return false;
        s->types[i] = PQftype(r, (int)i);
        s->base.columns++;
    }
    return true;
}

static enum err describe(struct postgres *k, struct statement *s)
{
    PGresult *r = PQdescribePrepared(k->handle, s->name);

    bool good = PQresultStatus(r) != PGRES_COMMAND_OK || find_columns(s, r);
    enum err e = postgres_finish(k, r, s->text);
    return good ? e : E_NO_MEMORY;
}

enum err postgres_prepare(struct db *db, const char *text, const struct db_value *args, size_t n,
                          struct db_statement **result)
{
    struct postgres *k = (struct postgres *)db;
    struct statement *s;

    TRY(postgres_ready(k));
    must(n <= POSTGRES_ARGS_MAX);
    s = calloc(1, sizeof(*s));
    if (s == NULL || (s->text = strdup(text)) == NULL) {
        free(s);
        return E_NO_MEMORY;
    }
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
    const char *values[POSTGRES_ARGS_MAX];
    int lengths[POSTGRES_ARGS_MAX], formats[POSTGRES_ARGS_MAX];
    uint64_t integers[POSTGRES_ARGS_MAX];
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

/* One statement's result inside a pipeline, up to the NULL that ends it. */
static PGresult *next_result(PGconn *handle)
{
    PGresult *r = PQgetResult(handle), *more;

    if (r != NULL)
        while ((more = PQgetResult(handle)) != NULL)
            PQclear(more);
    return r;
}

/* BEGIN, the transaction's id and the statement in one round trip. */
static PGresult *run_with_begin(struct postgres *k, const struct statement *s,
                                const struct arguments *a)
{
    PGconn *h = k->handle;
    bool sent =
        PQenterPipelineMode(h) && PQsendQueryParams(h, k->begin, 0, NULL, NULL, NULL, NULL, 0) &&
        (!k->writing || PQsendQueryParams(h, POSTGRES_TRANSACTION, 0, NULL, NULL, NULL, NULL, 0)) &&
        PQsendQueryPrepared(h, s->name, s->parameters, a->values, a->lengths, a->formats,
                            POSTGRES_BINARY) &&
        PQpipelineSync(h);
    PGresult *begin = sent ? next_result(h) : NULL;
    PGresult *id = sent && k->writing ? next_result(h) : NULL;
    PGresult *r = sent ? next_result(h) : NULL;

    PQclear(sent ? PQgetResult(h) : NULL); /* the end of the pipeline */
    PQexitPipelineMode(h);
    postgres_learn(k, id);
    PQclear(id);
    if (PQresultStatus(begin) == PGRES_COMMAND_OK) {
        PQclear(begin);
        return r;
    }
    PQclear(r); /* it says no more than that it was not tried */
    return begin;
}

/* NULL: *e says why. */
static PGresult *run(struct postgres *k, struct statement *s, const struct arguments *a,
                     enum err *e)
{
    if (k->begin != NULL && k->db.open_transaction && s->generation == k->generation) {
        PGresult *r = run_with_begin(k, s, a);
        if (postgres_is_connected(k)) {
            k->begin = NULL;
            return r;
        }
        PQclear(r); /* nothing was done: once more, on a new connection */
    }
    *e = postgres_ready(k);
    if (*e == E_OK && s->generation != k->generation)
        *e = prepare_on_server(k, s);
    return *e != E_OK ? NULL
                      : PQexecPrepared(k->handle, s->name, s->parameters, a->values, a->lengths,
                                       a->formats, POSTGRES_BINARY);
}

enum err postgres_query(struct db *db, struct db_statement *base, const struct db_value *args,
                        size_t n, db_row *row, void *context, int64_t *changed)
{
    struct postgres *k = (struct postgres *)db;
    struct statement *s = (struct statement *)base;
    struct arguments a;
    enum err e = E_OK;

    must((int)n == s->parameters);
    for (size_t i = 0; i < n; i++)
        bind_one(&a, i, &args[i]);
    PGresult *r = run(k, s, &a, &e);
    if (e != E_OK)
        return e;
    if (PQresultStatus(r) == PGRES_TUPLES_OK)
        e = read_rows(s, r, row, context);
    if (changed != NULL)
        *changed = changed_by(r);
    enum err own = postgres_finish(k, r, s->text);
    return e != E_OK ? e : own;
}
