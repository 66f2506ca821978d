/* db.c -- statements, arguments, rows and pages. What an engine does differently stands in its driver.
 *
 * The way of a query: the literal's address finds the prepared statement; the driver runs it; each row goes through the
 * statement's map (column -> field), made when the statement first fills that shape. No name is compared a second time. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/db.h"
#include "core/call.h"
#include "core/env.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 10000, ROWS_FIRST = 16, PAGE_MAX = 1000, ARGS_MAX = 22, TAG_DIGITS = 8 };
#define CURSOR_PREFIX "cur_"
enum { CURSOR_TEXT = sizeof(CURSOR_PREFIX) - 1 + ID_DIGITS + TAG_DIGITS };

/* --- arguments -------------------------------------------------------------------------------------------------- */

static struct db_value of_int(int64_t v, bool none)
{
    return (struct db_value) { .kind = none ? DB_NULL : DB_INT, .was = DB_INT, .i = v };
}

static struct db_value of_text(enum db_kind kind, struct str v)
{
    return (struct db_value) { .kind = v.p == NULL ? DB_NULL : kind, .was = kind, .s = v };
}

struct db_value db_of_id(struct id v)
{
    return of_int(v.v, !id_some(v));
}

struct db_value db_of_str(struct str v)
{
    return of_text(DB_TEXT, v);
}

struct db_value db_of_bytes(struct bytes v)
{
    return of_text(DB_BLOB, (struct str) { (const char *)v.p, v.n });
}

struct db_value db_of_when(struct when v)
{
    return of_int(v.us, !when_some(v));
}

struct db_value db_of_currency(struct currency v)
{
    const struct currency_facts *known = currency_facts(v);

    /* The table's own text, because v dies with this call. */
    must(known != NULL || v.code[0] == 0);
    return of_text(DB_TEXT, str_of(known == NULL ? NULL : known->currency.code));
}

struct db_value db_of_int(int64_t v)
{
    return of_int(v, v == INT_NONE);
}

struct db_value db_of_bool(bool v)
{
    return of_int(v, false);
}

struct str db_ids(struct call *c, const struct id *ids, size_t n)
{
    struct buf b = { .arena = c->arena };

    buf_char(&b, '[');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_char(&b, ',');
        buf_int(&b, ids[i].v);
    }
    buf_char(&b, ']');
    return buf_str(&b);
}

/* --- statements ------------------------------------------------------------------------------------------------- */

/* How the columns of a statement fill a shape. */
struct db_map {
    const struct shape *shape;
    void *blank;                  /* a struct with the none values of fields without a column */
    size_t currency;              /* the column that all MONEY fields share, or SIZE_MAX */
    const struct field *fields[]; /* by column; NULL: nothing to fill */
};

static size_t bucket(const char *sql)
{
    return (size_t)(((uintptr_t)sql * UINT64_C(0x9E3779B97F4A7C15)) >> 32) % DB_BUCKETS;
}

static void map_free(struct db_map *m)
{
    if (m != NULL)
        free(m->blank);
    free(m);
}

static enum err prepare(struct db *db, const char *sql, const struct db_value *args, size_t n,
                        struct db_statement **result)
{
    struct arena a = { .reserve = db->engine->reserve };
    struct db_text t = db_text_of(&a, db->engine, sql);
    struct db_value all[ARGS_MAX];
    struct db_statement *s = NULL;

    must(n + 2 <= ARGS_MAX);
    for (size_t i = 0; i < n; i++)
        all[i] = args[i];
    if (t.page)
        all[n] = all[n + 1] = db_of_int(0);
    enum err e = db->ops->prepare(db, t.text.p, args == NULL && n == 0 && t.params > 0 ? NULL : all,
                                  t.page ? n + 2 : n, &s);
    if (e == E_OK) {
        s->sql = sql;
        s->params = t.params;
        s->page = t.page;
        s->ascending = t.ascending;
        *result = s;
    }
    arena_done(&a);
    return e;
}

enum err db_statement_of(struct db *db, const char *sql, const struct db_value *args, size_t n,
                         struct db_statement **result)
{
    struct db_statement **in = &db->cache[bucket(sql)];

    for (struct db_statement *s = *in; s != NULL; s = s->next)
        if (s->sql == sql) {
            *result = s;
            return E_OK;
        }
    TRY(prepare(db, sql, args, n, result));
    (*result)->next = *in;
    *in = *result;
    return E_OK;
}

void db_close(struct db *db)
{
    if (db == NULL)
        return;
    for (size_t i = 0; i < DB_BUCKETS; i++)
        for (struct db_statement *s = db->cache[i], *next; s != NULL; s = next) {
            next = s->next;
            map_free(s->map);
            db->ops->drop(db, s);
        }
    db->ops->close(db);
}

/* Our bug, told with the statement: which is what one needs to find it. */
_Noreturn static void bug(const struct db_statement *s, size_t column, const char *what)
{
    char text[2000];

    snprintf(text, sizeof(text), "column \"%.*s\" %s: %s", STR_FMT(s->names[column]), what, s->sql);
    must_failed(text, __FILE__, __LINE__);
}

/* --- rows ------------------------------------------------------------------------------------------------------- */

static bool is_text(enum field_kind k)
{
    return k == FIELD_TEXT || k == FIELD_EMAIL || k == FIELD_HANDLE || k == FIELD_URL ||
           k == FIELD_CURSOR;
}

static bool is_column(enum field_kind k)
{
    return k != FIELD_NEST && k != FIELD_LIST && k != FIELD_IDS && k != FIELD_TEXTS;
}

static int64_t none_int(const struct field *f)
{
    if (!f->optional && !f->nullable)
        return 0;
    return f->fallback != 0 ? f->fallback : INT_NONE;
}

static void map_column(const struct db_statement *s, struct db_map *m, size_t i)
{
    struct str name = s->names[i];
    const struct field *f = shape_field(m->shape, name);

    if (f == NULL && str_is(name, "currency") && shape_has_money(m->shape))
        m->currency = i;
    else if (f == NULL && !str_is(name, "cursor"))
        bug(s, i, "is no field of the shape");
    if (f != NULL && !is_column(f->kind))
        bug(s, i, "is a nest or a list in the shape, which no column can fill");
    for (size_t j = 0; j < i; j++)
        if (str_eq(s->names[j], name))
            bug(s, i, "stands twice");
    m->fields[i] = f;
}

/* NULL: no memory. */
static struct db_map *map_make(const struct db_statement *s, const struct shape *shape)
{
    struct db_map *m = calloc(1, sizeof(*m) + s->columns * sizeof(m->fields[0]));

    if (m == NULL)
        return NULL;
    *m = (struct db_map) { .shape = shape, .currency = SIZE_MAX, .blank = calloc(1, shape->size) };
    if (m->blank == NULL) {
        free(m);
        return NULL;
    }
    for (size_t i = 0; i < s->columns; i++)
        map_column(s, m, i);
    for (size_t i = 0; i < s->columns; i++)
        if (m->fields[i] != NULL && m->fields[i]->kind == FIELD_MONEY && m->currency == SIZE_MAX)
            bug(s, i, "is money, but there is no column \"currency\"");
    for (size_t i = 0; i < shape->n; i++)
        if (shape->fields[i].kind == FIELD_INT)
            *(int64_t *)((char *)m->blank + shape->fields[i].offset) = none_int(&shape->fields[i]);
    return m;
}

/* A literal fills one shape, but for equal literals that the linker made one: then the map is made anew each time. */
static const struct db_map *map_of(struct db_statement *s, const struct shape *shape)
{
    if (s->map == NULL || s->map->shape != shape) {
        map_free(s->map);
        s->map = map_make(s, shape);
    }
    return s->map;
}

static void put_enum(const struct db_statement *s, size_t i, const struct field *f, struct str v,
                     void *at)
{
    int value = enum_value(f->names, v);

    if (value < 0)
        bug(s, i, "has a value that the enum does not know");
    memcpy(at, &value, sizeof(value));
}

static void put_int(const struct field *f, int64_t v, void *at)
{
    switch (f->kind) {
    case FIELD_ID:
        ((struct id *)at)->v = v;
        break;
    case FIELD_WHEN:
        ((struct when *)at)->us = v;
        break;
    case FIELD_BOOL:
        *(bool *)at = v != 0;
        break;
    case FIELD_MONEY:
        ((struct money *)at)->minor = v;
        break;
    default:
        *(int64_t *)at = v;
    }
}

static void put_cell(const struct db_statement *s, size_t i, const struct field *f,
                     const struct db_value *cell, struct arena *a, void *at)
{
    if (cell->kind == DB_NULL)
        return; /* as the blank has it */
    if (f->kind == FIELD_ENUM || is_text(f->kind)) {
        if (cell->kind == DB_INT)
            bug(s, i, "is a number, but the field is text");
        if (f->kind == FIELD_ENUM)
            put_enum(s, i, f, cell->s, at);
        else
            *(struct str *)at = str_copy(a, cell->s);
        return;
    }
    if (cell->kind != DB_INT)
        bug(s, i, "is text or bytes, but the field is a number");
    put_int(f, cell->i, at);
}

static struct currency currency_of(const struct db_statement *s, size_t i, struct db_value cell)
{
    struct currency c = { { 0 } };

    if (cell.kind == DB_NULL)
        return c;
    if (cell.kind != DB_TEXT || !currency_parse(cell.s, &c))
        bug(s, i, "has a value that is no currency");
    return c;
}

/* An amount that is NULL has no currency: that is how money says none. */
static void put_currency(const struct db_statement *s, const struct db_map *m,
                         const struct db_value *cells, char *row)
{
    struct currency c = currency_of(s, m->currency, cells[m->currency]);

    for (size_t i = 0; i < s->columns; i++)
        if (m->fields[i] != NULL && m->fields[i]->kind == FIELD_MONEY && cells[i].kind != DB_NULL)
            ((struct money *)(void *)(row + m->fields[i]->offset))->currency = c;
}

static enum err put_row(struct db_statement *s, const struct shape *shape,
                        const struct db_value *cells, struct arena *a, char *row)
{
    const struct db_map *m = map_of(s, shape);

    if (m == NULL)
        return E_NO_MEMORY;
    memcpy(row, m->blank, m->shape->size);
    for (size_t i = 0; i < s->columns; i++)
        if (m->fields[i] != NULL)
            put_cell(s, i, m->fields[i], &cells[i], a, row + m->fields[i]->offset);
    if (m->currency != SIZE_MAX)
        put_currency(s, m, cells, row);
    return E_OK;
}

/* --- queries ---------------------------------------------------------------------------------------------------- */

/* A transaction that ran out of memory is asked nothing more: it will be undone, and should not need more of the reserve. */
static enum err usable(const struct call *c)
{
    if (c->db->broken == E_OK && c->arena->starved && c->db->open_transaction)
        c->db->broken = E_NO_MEMORY;
    return c->db->broken;
}

static enum err query(struct call *c, const char *sql, const struct db_value *args, size_t n,
                      db_row *row, void *context, int64_t *changed)
{
    struct db *db = c->db;
    struct db_statement *s;
    enum err e = usable(c);

    if (e == E_OK)
        e = db_statement_of(db, sql, args, n, &s);
    if (e == E_OK) {
        must(s->params == n && !s->page); /* as many arguments as $n; pages through db_page */
        e = db->ops->query(db, s, args, n, row, context, changed);
    }
    if (e != E_OK && db->open_transaction)
        db->broken = e;
    return e;
}

struct rows {
    const struct shape *shape;
    struct arena *arena;
    char *v;
    size_t n, size;
};

static enum err take_one(void *context, struct db_statement *s, const struct db_value *cells)
{
    struct rows *r = context;

    must(r->n == 0); /* db_one: more than one row */
    TRY(put_row(s, r->shape, cells, r->arena, r->v));
    r->n = 1;
    return E_OK;
}

enum err db_one_(struct call *c, const struct shape *shape, void *out, const char *sql,
                 const struct db_value *args, size_t n)
{
    struct rows r = { .shape = shape, .arena = c->arena, .v = out, .size = 1 };

    TRY(query(c, sql, args, n, take_one, &r, NULL));
    return r.n == 0 ? E_NOT_FOUND : E_OK;
}

static void rows_grow(struct rows *r)
{
    size_t size = r->size == 0 ? ROWS_FIRST : r->size * 2;
    char *v = arena_alloc(r->arena, size * r->shape->size);

    if (r->n > 0)
        memcpy(v, r->v, r->n * r->shape->size);
    r->v = v;
    r->size = size;
}

static enum err take_all(void *context, struct db_statement *s, const struct db_value *cells)
{
    struct rows *r = context;

    must(r->n < ROWS_MAX); /* such a list is a page */
    if (r->n == r->size)
        rows_grow(r);
    TRY(put_row(s, r->shape, cells, r->arena, r->v + r->n++ * r->shape->size));
    return r->arena->starved ? E_NO_MEMORY
                             : E_OK; /* the rest of a long list would eat up the reserve */
}

enum err db_list_(struct call *c, const struct shape *shape, struct list *list, const char *sql,
                  const struct db_value *args, size_t n)
{
    struct rows r = { .shape = shape, .arena = c->arena };

    TRY(query(c, sql, args, n, take_all, &r, NULL));
    *list = (struct list) { r.v, r.n };
    return E_OK;
}

enum err db_run_(struct call *c, const char *sql, const struct db_value *args, size_t n)
{
    return query(c, sql, args, n, NULL, NULL, NULL);
}

enum err db_hit_(struct call *c, const char *sql, const struct db_value *args, size_t n)
{
    int64_t changed = 0;

    TRY(query(c, sql, args, n, NULL, NULL, &changed));
    return changed == 0 ? E_NOT_FOUND : E_OK;
}

struct one_int {
    bool found;
    int64_t v;
};

static enum err take_int(void *context, struct db_statement *s, const struct db_value *cells)
{
    struct one_int *r = context;

    must(!r->found && s->columns == 1); /* db_int: one row of one column */
    if (cells[0].kind != DB_NULL && cells[0].kind != DB_INT)
        bug(s, 0, "is no integer");
    *r = (struct one_int) { true, cells[0].kind == DB_INT ? cells[0].i : 0 };
    return E_OK;
}

enum err db_int_(struct call *c, int64_t *result, const char *sql, const struct db_value *args,
                 size_t n)
{
    struct one_int r = { 0 };

    TRY(query(c, sql, args, n, take_int, &r, NULL));
    if (!r.found)
        return E_NOT_FOUND;
    *result = r.v;
    return E_OK;
}

/* --- pages ------------------------------------------------------------------------------------------------------ */

/* A cursor is a key and a tag, so that nobody makes one up or takes it to another list. Not a secret, and no right. */
static void cursor_tag(struct call *c, const char key[ID_DIGITS], char tag[ID_DIGITS])
{
    struct str of =
        str_printf(c->arena, "%.*s%s", ID_DIGITS, key, c->route != NULL ? c->route->path : "");
    struct sha256 secret = env_key(c->env, "cursor"), mac;
    uint64_t v;

    mac = hmac_sha256((struct str) { (const char *)secret.b, sizeof(secret.b) }, of);
    memcpy(&v, mac.b, sizeof(v));
    base32_print(tag, v);
}

struct str db_cursor_print(struct call *c, int64_t key)
{
    char digits[ID_DIGITS], tag[ID_DIGITS];

    base32_print(digits, (uint64_t)key);
    cursor_tag(c, digits, tag);
    return str_printf(c->arena, CURSOR_PREFIX "%.*s%.*s", ID_DIGITS, digits, TAG_DIGITS,
                      tag + ID_DIGITS - TAG_DIGITS);
}

enum err db_cursor_parse(struct call *c, struct str text, int64_t *result)
{
    const char *digits = text.p + sizeof(CURSOR_PREFIX) - 1;
    char tag[ID_DIGITS];
    uint64_t key;

    if (text.n == CURSOR_TEXT && str_starts(text, CURSOR_PREFIX) && base32_parse(digits, &key)) {
        cursor_tag(c, digits, tag);
        if (bytes_equal(digits + ID_DIGITS, tag + ID_DIGITS - TAG_DIGITS, TAG_DIGITS)) {
            *result = (int64_t)key;
            return E_OK;
        }
    }
    return fail_field(c, E_INVALID, "cursor", "this cursor is not one that this list gave");
}

struct page_rows {
    struct rows rows; /* size: the limit */
    bool more;        /* there was a row beyond the limit */
    int64_t last;     /* key of the last row taken */
};

static size_t key_column(const struct db_statement *s)
{
    size_t id = s->columns;

    for (size_t i = 0; i < s->columns; i++) {
        if (str_is(s->names[i], "cursor"))
            return i;
        if (str_is(s->names[i], "id"))
            id = i;
    }
    must(id < s->columns); /* a page needs a column "cursor" or "id" */
    return id;
}

static enum err take_page(void *context, struct db_statement *s, const struct db_value *cells)
{
    struct page_rows *p = context;
    struct rows *r = &p->rows;

    p->more = r->n == r->size;
    if (p->more)
        return E_OK;
    TRY(put_row(s, r->shape, cells, r->arena, r->v + r->n++ * r->shape->size));
    if (r->n == r->size) {
        size_t key = key_column(s);
        if (cells[key].kind != DB_INT)
            bug(s, key, "is the key of a page, but no integer");
        p->last = cells[key].i;
    }
    return E_OK;
}

static enum err page_query(struct call *c, struct page_rows *p, struct str cursor, const char *sql,
                           const struct db_value *args, size_t n)
{
    struct db_value all[ARGS_MAX];
    struct db_statement *s;
    int64_t key;

    TRY(db_statement_of(c->db, sql, args, n, &s));
    must(s->page && s->params == n); /* $cursor is there, and as many arguments as $n */
    key = s->ascending ? INT64_MIN : INT64_MAX;
    if (cursor.p != NULL)
        TRY(db_cursor_parse(c, cursor, &key));
    for (size_t i = 0; i < n; i++)
        all[i] = args[i];
    all[n] = of_int(key, false);
    all[n + 1] = of_int((int64_t)p->rows.size + 1, false);
    enum err e = c->db->ops->query(c->db, s, all, n + 2, take_page, p, NULL);
    if (e != E_OK && c->db->open_transaction)
        c->db->broken = e;
    return e;
}

enum err db_page_(struct call *c, const struct shape *shape, struct str cursor, int64_t limit,
                  const char *sql, const struct db_value *args, size_t n)
{
    must(limit >= 1 && limit <= PAGE_MAX);
    struct page_rows p = { .rows = { .shape = shape, .arena = c->arena, .size = (size_t)limit } };

    TRY(usable(c));
    p.rows.v = arena_alloc(c->arena, p.rows.size * shape->size);
    TRY(page_query(c, &p, cursor, sql, args, n));
    c->page = (struct page) { .v = p.rows.v,
                              .n = p.rows.n,
                              .next = p.more ? db_cursor_print(c, p.last) : STR_NONE };
    return E_OK;
}
