/* tables.c -- see tables.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "test/tables.h"
#include "test/engine.h"

/* --- sums ------------------------------------------------------------------------------------------------------- */

struct reading {
    struct arena *arena;
    struct tables *tables;
    struct table_sum *sum;
};

static uint64_t mix(uint64_t h, const void *p, size_t n)
{
    const unsigned char *bytes = p;

    for (size_t i = 0; i < n; i++)
        h = (h ^ bytes[i]) * UINT64_C(0x100000001B3);
    return h ^ (h >> 29);
}

static enum err take_name(void *context, struct db_statement *s, const struct db_value *cells)
{
    struct reading *r = context;
    enum { TABLES_MAX = 200 };

    must(s->columns == 1 && r->tables->n < TABLES_MAX);
    if (r->tables->v == NULL)
        r->tables->v = arena_array(r->arena, struct table_sum, TABLES_MAX);
    r->tables->v[r->tables->n++] = (struct table_sum) { .name = str_copy(r->arena, cells[0].s) };
    return E_OK;
}

static enum err take_row(void *context, struct db_statement *s, const struct db_value *cells)
{
    struct reading *r = context;
    uint64_t h = UINT64_C(0xCBF29CE484222325);

    for (size_t i = 0; i < s->columns; i++) {
        if (str_is(s->names[i], "seen"))
            continue;
        h = mix(h, &cells[i].kind, sizeof(cells[i].kind));
        if (cells[i].kind == DB_INT)
            h = mix(h, &cells[i].i, sizeof(cells[i].i));
        else if (cells[i].kind != DB_NULL)
            h = mix(h, cells[i].s.p, cells[i].s.n);
    }
    r->sum->rows++;
    r->sum->sum += h;
    return E_OK;
}

static void read_all(struct db *db, struct str text, db_row *row, struct reading *r)
{
    struct db_statement *s = NULL;

    REQUIRE(db->ops->prepare(db, text.p, NULL, 0, &s) == E_OK);
    REQUIRE(db->ops->query(db, s, NULL, 0, row, r, NULL) == E_OK);
    db->ops->drop(db, s);
}

struct tables tables_read(struct arena *a, struct engine *e)
{
    struct tables t = { 0 };
    struct reading r = { a, &t, NULL };
    struct db *db = engine_connect(e, false);
    bool sqlite = strcmp(e->ops->name, "sqlite") == 0;

    read_all(db,
             sqlite ? STR("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE"
                          " 'sqlite\\_%' ESCAPE '\\' ORDER BY name")
                    : STR("SELECT CAST(tablename AS TEXT) FROM pg_tables"
                          " WHERE schemaname = current_schema() ORDER BY tablename"),
             take_name, &r);
    for (size_t i = 0; i < t.n; i++) {
        r.sum = &t.v[i];
        read_all(db, str_printf(a, "SELECT * FROM \"%.*s\"", STR_FMT(t.v[i].name)), take_row, &r);
    }
    db_close(db);
    return t;
}

struct str tables_changed(struct arena *a, struct tables before, struct tables after)
{
    struct buf b = { .arena = a };

    must(before.n == after.n && before.n > 0);
    for (size_t i = 0; i < before.n; i++)
        if (before.v[i].rows != after.v[i].rows || before.v[i].sum != after.v[i].sum)
            buf_printf(&b, "%s%.*s", b.n > 0 ? ", " : "", STR_FMT(before.v[i].name));
    return b.n == 0 ? STR_NONE : buf_str(&b);
}

/* --- counting --------------------------------------------------------------------------------------------------- */

static struct {
    bool wanted;
    const struct engine_ops *real;
    struct engine_ops engine;
    const struct db_ops *real_db;
    struct db_ops db;
    int64_t n; /* atomic */
} counting;

static enum err query(struct db *db, struct db_statement *s, const struct db_value *args, size_t n,
                      db_row *row, void *context, int64_t *changed)
{
    __atomic_add_fetch(&counting.n, 1, __ATOMIC_RELAXED);
    return counting.real_db->query(db, s, args, n, row, context, changed);
}

static enum err open_counted(struct engine *e, bool write, struct db **result)
{
    TRY(counting.real->open(e, write, result));
    must((*result)->ops == counting.real_db);
    (*result)->ops = &counting.db;
    return E_OK;
}

void statements_count(void)
{
    counting.wanted = true;
}

/* The first connection is only asked for its driver's functions: many threads open the others. */
void statements_watch(struct engine *e)
{
    struct db *first;

    if (!counting.wanted)
        return;
    must(counting.real == NULL);
    first = engine_connect(e, true);
    counting.real_db = first->ops;
    counting.db = *first->ops;
    counting.db.query = query;
    db_close(first);
    counting.real = e->ops;
    counting.engine = *e->ops;
    counting.engine.open = open_counted;
    e->ops = &counting.engine;
}

int64_t statements_so_far(void)
{
    return __atomic_load_n(&counting.n, __ATOMIC_RELAXED);
}
