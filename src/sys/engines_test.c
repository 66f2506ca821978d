/* engines_test.c -- the contract of core/db.h, on both engines. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/db.h"
#include "core/schema_files.h"
#include "test/engine.h"

#include <string.h>

enum mood { CALM, CROSS };
static const char *const moods[] = { "calm", "cross", NULL };

struct thing {
    struct id id, owner;
    struct str name;
    enum mood mood;
    bool open;
    int64_t count, rank;
    struct when made;
    struct money price, fee;
};
static const struct field thing_fields[] = {
    ID(thing, id, ID_POST, "Thing"),
    ID(thing, owner, ID_USER, "Whose", .optional = true),
    TEXT(thing, name, "Name", .max = 1000, .optional = true),
    ENUM(thing, mood, moods, "Mood"),
    BOOL(thing, open, "Open"),
    INTEGER(thing, count, "Count", .min = INT64_MIN, .max = INT64_MAX),
    INTEGER(thing, rank, "Rank", .optional = true),
    WHEN(thing, made, "When", .optional = true),
    MONEY(thing, price, "Price", .optional = true),
    MONEY(thing, fee, "Fee", .optional = true),
};
STATIC_SHAPE(thing);
typedef LIST_OF(thing) thing_list;

static const char create[] =
    "CREATE TABLE thing (id INTEGER PRIMARY KEY, owner INTEGER, name TEXT, mood TEXT,"
    " open INTEGER, count INTEGER, rank INTEGER, made INTEGER, price INTEGER, fee INTEGER,"
    " currency TEXT, bytes BLOB, UNIQUE (name)) STRICT;"
    "CREATE TABLE other (id INTEGER PRIMARY KEY, name TEXT) STRICT;";

static struct bed *bed_with_things(const char *engine)
{
    struct bed *b = bed_open(engine);

    CHECK_OK(b->db->ops->begin(b->db, true));
    CHECK_OK(b->db->ops->script(b->db, db_translate(&b->arena, b->env.engine, str_of(create))));
    CHECK_OK(b->db->ops->commit(b->db));
    return b;
}

static void begin(struct bed *b)
{
    CHECK_OK(b->db->ops->begin(b->db, true));
}

static void commit(struct bed *b)
{
    CHECK_OK(b->db->ops->commit(b->db));
}

static enum err add(struct bed *b, int64_t id, struct str name)
{
    return db_run(&b->call,
                  "INSERT INTO thing (id, name, mood, open, count) VALUES ($1, $2, $3, $4, $5)", id,
                  name, NAMED(moods, CALM), true, 0);
}

static int64_t count(struct bed *b)
{
    int64_t n = -1;

    CHECK_OK(db_int(&b->call, &n, "SELECT count(*) FROM thing"));
    return n;
}

ENGINES(every_type_comes_back_as_it_went)
{
    struct bed *b = bed_with_things(engine);
    struct call *c = &b->call;
    struct thing t = { 0 };

    begin(b);
    CHECK_OK(db_run(
        c,
        "INSERT INTO thing (id, owner, name, mood, open, count, rank, made, price, fee, currency)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        (struct id) { INT64_MAX }, (struct id) { 7 }, STR("Zoë 🎭 'q' \\ \n"), NAMED(moods, CROSS),
        true, INT64_MIN + 1, 5, (struct when) { 1 }, -3, 0, (struct currency) { "JPY" }));
    commit(b);
    CHECK_OK(b->db->ops->begin(b->db, false));
    CHECK_OK(db_one(c, thing, &t,
                    "SELECT currency, id, owner, name, mood, open, count, rank, made, price, fee"
                    " FROM thing WHERE id = $1",
                    (struct id) { INT64_MAX }));
    commit(b);
    CHECK(t.id.v == INT64_MAX && t.owner.v == 7);
    CHECK_STR(t.name, "Zoë 🎭 'q' \\ \n");
    CHECK(t.mood == CROSS && t.open);
    CHECK_INT(t.count, INT64_MIN + 1);
    CHECK_INT(t.rank, 5);
    CHECK_INT(t.made.us, 1);
    CHECK(t.price.minor == -3 && t.fee.minor == 0);
    CHECK_STR(str_of(t.price.currency.code), "JPY");
    CHECK_STR(str_of(t.fee.currency.code), "JPY");
    bed_close(b);
}

ENGINES(null_gives_none)
{
    struct bed *b = bed_with_things(engine);
    struct call *c = &b->call;
    struct thing t = { .name = STR("before"), .rank = 9 };

    begin(b);
    CHECK_OK(db_run(c,
                    "INSERT INTO thing (id, owner, name, rank, made, price, fee, currency)"
                    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                    1, ID_NONE, STR_NONE, INT_NONE, (struct when) { 0 }, 3, INT_NONE,
                    (struct currency) { "EUR" }));
    CHECK_OK(db_one(
        c, thing, &t,
        "SELECT id, owner, name, mood, open, count, rank, made, price, fee, currency FROM thing"));
    CHECK(!id_some(t.owner) && t.name.p == NULL && t.mood == CALM && !t.open && t.count == 0);
    CHECK(t.rank == INT_NONE && !when_some(t.made) && money_some(t.price) && !money_some(t.fee));
    /* Fields without a column are none too. */
    CHECK_OK(db_one(c, thing, &t, "SELECT id FROM thing"));
    CHECK(t.id.v == 1 && t.rank == INT_NONE && t.count == 0 && !money_some(t.price));
    CHECK_OK(db_run(c, "UPDATE thing SET name = $1 WHERE id = $2", STR(""), 1));
    CHECK_OK(db_one(c, thing, &t, "SELECT name FROM thing"));
    CHECK_STR(t.name, "");
    commit(b);
    bed_close(b);
}

ENGINES(bytes_keep_every_value)
{
    struct bed *b = bed_with_things(engine);
    struct call *c = &b->call;
    unsigned char all[512];
    struct bytes bytes = { all, sizeof(all) }, none = { NULL, 0 };
    struct thing t;
    int64_t n;

    for (size_t i = 0; i < sizeof(all); i++)
        all[i] = (unsigned char)i;
    begin(b);
    CHECK_OK(db_run(c, "INSERT INTO thing (id, bytes) VALUES ($1, $2)", 1, bytes));
    CHECK_OK(db_one(c, thing, &t, "SELECT bytes AS name FROM thing WHERE bytes = $1", bytes));
    REQUIRE(t.name.n == sizeof(all));
    CHECK(memcmp(t.name.p, all, sizeof(all)) == 0);
    CHECK_OK(db_int(c, &n, "SELECT length(bytes) FROM thing"));
    CHECK_INT(n, sizeof(all));
    CHECK_OK(db_run(c, "UPDATE thing SET bytes = $1", none));
    CHECK_OK(db_int(c, &n, "SELECT count(*) FROM thing WHERE bytes IS NULL"));
    CHECK_INT(n, 1);
    commit(b);
    bed_close(b);
}

ENGINES(none_found_leaves_the_result)
{
    struct bed *b = bed_with_things(engine);
    struct call *c = &b->call;
    struct thing t = { .count = 77 };
    thing_list all;
    int64_t n = 77;

    begin(b);
    CHECK_INT(db_one(c, thing, &t, "SELECT id FROM thing WHERE id = $1", 5), E_NOT_FOUND);
    CHECK_INT(t.count, 77);
    CHECK_INT(db_int(c, &n, "SELECT id FROM thing WHERE id = $1", 5), E_NOT_FOUND);
    CHECK_INT(n, 77);
    CHECK_INT(db_hit(c, "UPDATE thing SET count = 1 WHERE id = $1", 5), E_NOT_FOUND);
    CHECK_OK(db_list(c, thing, &all, "SELECT id FROM thing"));
    CHECK_INT(all.n, 0);
    CHECK_OK(db_int(c, &n, "SELECT CAST(sum(count) AS INTEGER) FROM thing"));
    CHECK_INT(n, 0);
    CHECK_OK(add(b, 5, STR("a")));
    CHECK_OK(db_hit(c, "UPDATE thing SET count = 1 WHERE id = $1", 5));
    CHECK_OK(db_int(
        c, &n, "SELECT CASE WHEN EXISTS (SELECT 1 FROM thing WHERE id = $1) THEN 1 ELSE 0 END", 5));
    CHECK_INT(n, 1);
    CHECK_OK(db_int(c, &n, "SELECT EXISTS (SELECT 1 FROM thing WHERE id = $1)", 5));
    CHECK_INT(n, 1);
    commit(b);
    bed_close(b);
}

ENGINES(unique_is_taken_and_ends_the_transaction)
{
    struct bed *b = bed_with_things(engine);
    struct db *db = b->db;

    begin(b);
    CHECK_OK(add(b, 1, STR("a")));
    commit(b);
    begin(b);
    CHECK_OK(add(b, 2, STR("b")));
    CHECK_INT(add(b, 3, STR("a")), E_TAKEN);
    CHECK_INT(add(b, 4, STR("d")), E_TAKEN); /* whoever goes on hears it again */
    CHECK_INT(db->ops->commit(db), E_TAKEN);
    begin(b);
    CHECK_INT(count(b), 1);
    CHECK_INT(add(b, 1, STR("x")), E_TAKEN);
    db->ops->rollback(db);
    begin(b);
    CHECK_OK(db_run(&b->call, "INSERT INTO other (id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                    1, STR("x")));
    CHECK_OK(db_run(&b->call, "INSERT INTO other (id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                    1, STR("x")));
    commit(b);
    bed_close(b);
}

ENGINES(savepoints_undo_one_call_of_a_batch)
{
    struct bed *b = bed_with_things(engine);
    struct db *db = b->db;

    begin(b);
    for (int64_t i = 1; i <= 6; i++) {
        CHECK_OK(db->ops->savepoint(db));
        CHECK_OK(add(b, i, str_printf(&b->arena, "n%d", (int)i)));
        if (i == 2) {
            db->ops->rollback_to(db);
        } else if (i == 4) {
            CHECK_INT(add(b, 40, STR("n1")), E_TAKEN);
            db->ops->rollback_to(db);
        } else if (i == 5) {
            CHECK_INT(add(b, 50, STR("n1")), E_TAKEN);
            CHECK_INT(db->ops->release(db), E_TAKEN); /* undoes */
        } else {
            CHECK_OK(db->ops->release(db));
        }
    }
    commit(b);
    begin(b);
    CHECK_INT(count(b), 3); /* 1, 3, 6 */
    db->ops->rollback(db);
    begin(b);
    CHECK_OK(db->ops->savepoint(db));
    CHECK_OK(add(b, 9, STR("n9")));
    CHECK_OK(db->ops->release(db));
    db->ops->rollback(db);
    begin(b);
    CHECK_INT(count(b), 3);
    commit(b);
    bed_close(b);
}

static void walk(struct bed *b, bool ascending, int64_t first, int64_t step)
{
    struct call *c = &b->call;
    struct str cursor = STR_NONE;
    int64_t expected = first, seen = 0, fresh = 10000000;

    do {
        begin(b);
        if (ascending)
            CHECK_OK(
                db_page(c, thing, cursor, 7,
                        "SELECT id, name FROM thing WHERE mood = $1 AND id > $cursor ORDER BY id",
                        NAMED(moods, CALM)));
        else
            CHECK_OK(db_page(c, thing, cursor, 7,
                             "SELECT name, id FROM thing WHERE id < $cursor AND mood = $1"
                             " ORDER BY id DESC",
                             NAMED(moods, CALM)));
        const struct thing *t = PAGE(c, thing);
        for (size_t i = 0; i < c->page.n; i++, expected += step, seen++)
            CHECK_INT(t[i].id.v, expected);
        cursor = str_copy(&b->arena, c->page.next);
        /* New rows before what was seen, and some beyond: those seen already stay as they were. */
        if (!ascending)
            CHECK_OK(add(b, fresh++, STR_NONE));
        commit(b);
    } while (cursor.p != NULL && seen < 2000);
    CHECK_INT(seen, 1000);
}

ENGINES(pages_walk_all_rows_both_ways)
{
    struct bed *b = bed_with_things(engine);

    begin(b);
    for (int64_t i = 1; i <= 1000; i++)
        CHECK_OK(add(b, i * 10, str_printf(&b->arena, "n%d", (int)i)));
    commit(b);
    walk(b, true, 10, 10);
    walk(b, false, 10000, -10);
    bed_close(b);
}

ENGINES(page_ends_exactly_at_the_limit)
{
    struct bed *b = bed_with_things(engine);
    struct call *c = &b->call;

    begin(b);
    CHECK_OK(db_page(c, thing, STR_NONE, 3, "SELECT id FROM thing WHERE id > $cursor ORDER BY id"));
    CHECK(c->page.n == 0 && c->page.next.p == NULL);
    for (int64_t i = 1; i <= 3; i++)
        CHECK_OK(add(b, i, STR_NONE));
    CHECK_OK(db_page(c, thing, STR_NONE, 3, "SELECT id FROM thing WHERE id > $cursor ORDER BY id"));
    CHECK(c->page.n == 3 && c->page.next.p == NULL);
    CHECK_OK(db_page(
        c, thing, STR_NONE, 2,
        "SELECT name, 100 - id AS cursor FROM thing WHERE 100 - id > $cursor ORDER BY 100 - id"));
    CHECK(c->page.n == 2 && c->page.next.p != NULL);
    CHECK_OK(db_page(
        c, thing, c->page.next, 2,
        "SELECT id, 100 - id AS cursor FROM thing WHERE 100 - id > $cursor ORDER BY 100 - id"));
    CHECK(c->page.n == 1 && PAGE(c, thing)[0].id.v == 1);
    commit(b);
    bed_close(b);
}

static enum err page_from(struct call *c, struct str cursor)
{
    return db_page(c, thing, cursor, 2, "SELECT id FROM thing WHERE id > $cursor ORDER BY id");
}

ENGINES(cursors_not_ours_are_refused)
{
    static const struct route one = { .path = "/v1/one" }, two = { .path = "/v1/two" };
    struct bed *b = bed_with_things(engine);
    struct call *c = &b->call;

    begin(b);
    for (int64_t i = 1; i <= 5; i++)
        CHECK_OK(add(b, i, STR_NONE));
    c->route = &one;
    CHECK_OK(page_from(c, STR_NONE));
    struct str good = c->page.next;
    REQUIRE(good.p != NULL && good.n <= 40);
    CHECK_OK(page_from(c, good));
    c->route = &two; /* another list's */
    CHECK_INT(page_from(c, good), E_INVALID);
    CHECK_STR(c->problem.field, "cursor");
    c->route = &one;
    for (size_t i = 0; i <= good.n; i++) {
        char garbled[64];
        memcpy(garbled, good.p, good.n);
        CHECK_INT(page_from(c, (struct str) { garbled, i }), i == good.n ? E_OK : E_INVALID);
        garbled[i < good.n ? i : 0] ^= 1;
        CHECK_INT(page_from(c, (struct str) { garbled, good.n }), E_INVALID);
    }
    CHECK_INT(page_from(c, STR("")), E_INVALID);
    CHECK_INT(page_from(c, STR("cur_0000000000000000000000000000000000")), E_INVALID);
    CHECK_OK(page_from(c, good)); /* a bad cursor breaks nothing */
    commit(b);
    bed_close(b);
}

ENGINES(lists_of_ids_are_one_argument)
{
    struct bed *b = bed_with_things(engine);
    struct call *c = &b->call;
    struct id ids[1000];
    thing_list found;

    begin(b);
    for (int64_t i = 0; i < 1000; i++) {
        ids[i].v = i * 2 + 1;
        CHECK_OK(add(b, i + 1, STR_NONE));
    }
    static const size_t sizes[] = { 0, 1, 1000 }, expected[] = { 0, 1, 500 },
                        others[] = { 1000, 999, 500 };
    for (size_t i = 0; i < COUNT(sizes); i++) {
        CHECK_OK(db_list(c, thing, &found, "SELECT id FROM thing WHERE id IN_LIST($1) ORDER BY id",
                         db_ids(c, ids, sizes[i])));
        CHECK_INT(found.n, expected[i]);
        for (size_t j = 0; j < found.n; j++)
            CHECK_INT(found.v[j].id.v, j * 2 + 1);
        CHECK_OK(db_list(c, thing, &found, "SELECT id FROM thing WHERE NOT (id IN_LIST($1))",
                         db_ids(c, ids, sizes[i])));
        CHECK_INT(found.n, others[i]);
    }
    /* The same twice is once; the ends of the numbers are numbers. */
    struct id odd[] = { { 3 }, { INT64_MAX }, { 3 }, { -1 }, { INT64_MIN }, { 0 } };
    CHECK_OK(add(b, INT64_MAX, STR_NONE));
    CHECK_OK(add(b, INT64_MIN + 1, STR_NONE));
    CHECK_OK(db_list(c, thing, &found, "SELECT id FROM thing WHERE id IN_LIST($1) ORDER BY id",
                     db_ids(c, odd, COUNT(odd))));
    CHECK_INT(found.n, 2);
    CHECK_INT(found.v[0].id.v, 3);
    CHECK_INT(found.v[1].id.v, INT64_MAX);
    odd[0].v = INT64_MIN + 1;
    CHECK_OK(db_list(c, thing, &found, "SELECT id FROM thing WHERE id IN_LIST($1) ORDER BY id",
                     db_ids(c, odd, 1)));
    CHECK_INT(found.n, 1);
    CHECK_INT(found.v[0].id.v, INT64_MIN + 1);
    commit(b);
    bed_close(b);
}

ENGINES(statements_are_prepared_once)
{
    static const char sql[] = "SELECT $2, $1"; /* the second stands first */
    struct bed *b = bed_with_things(engine);
    struct db_value args[] = { db_of_int(1), db_of_str(STR("x")) };
    struct db_statement *one, *two;

    begin(b);
    CHECK_OK(db_statement_of(b->db, sql, args, 2, &one));
    CHECK_OK(db_statement_of(b->db, sql, args, 2, &two));
    CHECK(one == two);
    CHECK_INT(one->params, 2);
    CHECK_INT(one->columns, 2);
    commit(b);
    bed_close(b);
}

ENGINES(parameters_go_by_number)
{
    struct bed *b = bed_with_things(engine);
    struct call *c = &b->call;
    struct thing t;

    begin(b);
    CHECK_OK(
        db_one(c, thing, &t,
               "INSERT INTO thing (name, id, count) VALUES ($2, $1, $1) RETURNING id, name, count",
               5, STR("five")));
    CHECK(t.id.v == 5 && t.count == 5);
    CHECK_STR(t.name, "five");
    commit(b);
    bed_close(b);
}

ENGINES(readers_do_not_write_and_see_a_snapshot)
{
    struct bed *b = bed_with_things(engine);
    struct db *reader = engine_connect(b->env.engine, false);
    struct call r = b->call;
    int64_t n;

    r.db = reader;
    CHECK_OK(reader->ops->begin(reader, false));
    CHECK_OK(db_int(&r, &n, "SELECT count(*) FROM thing"));
    CHECK_INT(n, 0);
    begin(b);
    CHECK_OK(add(b, 1, STR_NONE));
    commit(b);
    CHECK_OK(db_int(&r, &n, "SELECT count(*) FROM thing"));
    CHECK_INT(n, 0);
    CHECK_OK(reader->ops->commit(reader));
    CHECK_OK(reader->ops->begin(reader, false));
    CHECK_OK(db_int(&r, &n, "SELECT count(*) FROM thing"));
    CHECK_INT(n, 1);
    CHECK_INT(db_run(&r, "DELETE FROM thing"), E_INTERNAL);
    reader->ops->rollback(reader);
    begin(b);
    CHECK_INT(count(b), 1);
    commit(b);
    db_close(reader);
    bed_close(b);
}

ENGINES(wrong_sql_is_our_bug)
{
    struct bed *b = bed_with_things(engine);

    begin(b);
    CHECK_INT(db_run(&b->call, "SELEKT 1"), E_INTERNAL);
    b->db->ops->rollback(b->db);
    begin(b);
    CHECK_INT(db_run(&b->call, "DELETE FROM nothing"), E_INTERNAL);
    b->db->ops->rollback(b->db);
    begin(b);
    CHECK_INT(count(b), 0);
    commit(b);
    bed_close(b);
}

ENGINES(migrations_run_once)
{
    struct bed *b = bed_open(engine);
    int64_t n = -1, expected = (int64_t)schema_files_n;

    for (int i = 0; i < 2; i++)
        CHECK_OK(db_migrate(b->env.engine, b->log, NULL, 0));
    CHECK(expected > 0);
    begin(b);
    CHECK_OK(db_int(&b->call, &n, "SELECT count(*) FROM schema_version"));
    CHECK_INT(n, expected);
    CHECK_OK(db_run(&b->call, "UPDATE schema_version SET hash = 'x' WHERE name = $1",
                    str_of(schema_files[0].name)));
    commit(b);
    CHECK_INT(db_migrate(b->env.engine, b->log, NULL, 0), E_CONFLICT);
    bed_close(b);
}
