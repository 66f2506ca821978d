/* db_test.c -- what needs no engine: words, lists and pages in the text of a statement; arguments. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/call.h"
#include "test/unit.h"

static const struct db_word words[] = {
    { "FOR UPDATE SKIP LOCKED", "" },
    { "FOR UPDATE", "(locked)" },
    { "INTEGER", "BIGINT" },
    { "TX_ID($1)", "$1*2" },
    { NULL, NULL },
};
static const struct engine_ops ops = { .name = "fake",
                                       .words = words,
                                       .in_list = "IN any(%s::ids)" };
static const struct engine fake = { .ops = &ops };

TEST(words_are_replaced_whole_and_outside_of_literals)
{
    static const struct {
        const char *from, *to;
    } rows[] = {
        { "x INTEGER", "x BIGINT" },
        { "CAST(sum(x) AS INTEGER)", "CAST(sum(x) AS BIGINT)" },
        { "INTEGERS xINTEGER _INTEGER INTEGER2", "INTEGERS xINTEGER _INTEGER INTEGER2" },
        { "integer", "integer" },
        { "'INTEGER' INTEGER 'it''s INTEGER'", "'INTEGER' BIGINT 'it''s INTEGER'" },
        { "\"INTEGER\"", "\"INTEGER\"" },
        { "-- INTEGER\nINTEGER", "-- INTEGER\nBIGINT" },
        { "/* INTEGER */INTEGER", "/* INTEGER */BIGINT" },
        { "id FOR UPDATE", "id (locked)" },
        { "id FOR UPDATE SKIP LOCKED", "id " },
        { "tx < TX_ID($1) AND TX_ID($1)>1", "tx < $1*2 AND $1*2>1" },
        { "a IN_LIST($12) AND b IN_LIST($1)", "a IN any($12::ids) AND b IN any($1::ids)" },
        { "'IN_LIST($1)' xIN_LIST($1)", "'IN_LIST($1)' xIN_LIST($1)" },
        { "'not closed INTEGER", "'not closed INTEGER" },
        { "", "" },
    };
    struct arena a = { 0 };

    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_STR(db_translate(&a, &fake, str_of(rows[i].from)), rows[i].to);
    arena_done(&a);
}

TEST(pages_get_two_more_parameters)
{
    struct arena a = { 0 };
    struct db_text t;

    t = db_text_of(&a, &fake, "SELECT id FROM x WHERE y = $1 AND id < $cursor ORDER BY id DESC");
    CHECK_STR(t.text, "SELECT id FROM x WHERE y = $1 AND id < $2 ORDER BY id DESC LIMIT $3");
    CHECK(t.page && !t.ascending);
    CHECK_INT(t.params, 1);
    t = db_text_of(&a, &fake, "SELECT id FROM x WHERE id > $cursor AND y IN_LIST($11) ORDER BY id");
    CHECK_STR(t.text,
              "SELECT id FROM x WHERE id > $12 AND y IN any($11::ids) ORDER BY id LIMIT $13");
    CHECK(t.page && t.ascending);
    t = db_text_of(&a, &fake, "SELECT '$cursor $9' FROM x WHERE y = $2 AND z = $1");
    CHECK_STR(t.text, "SELECT '$cursor $9' FROM x WHERE y = $2 AND z = $1");
    CHECK(!t.page);
    CHECK_INT(t.params, 2);
    arena_done(&a);
}

TEST(none_values_are_null_of_their_type)
{
    struct arena a = { 0 };
    struct call c = { .arena = &a };

    CHECK_INT(db_of_id(ID_NONE).kind, DB_NULL);
    CHECK_INT(db_of_id(ID_NONE).was, DB_INT);
    CHECK_INT(db_of_str(STR_NONE).kind, DB_NULL);
    CHECK_INT(db_of_str(STR_NONE).was, DB_TEXT);
    CHECK_INT(db_of_str(STR("")).kind, DB_TEXT);
    CHECK_INT(db_of_bytes((struct bytes) { NULL, 0 }).was, DB_BLOB);
    CHECK_INT(db_of_when((struct when) { 0 }).kind, DB_NULL);
    CHECK_INT(db_of_int(INT_NONE).kind, DB_NULL);
    CHECK_INT(db_of_int(0).kind, DB_INT);
    CHECK_INT(db_of_bool(false).kind, DB_INT);
    CHECK_INT(db_of_currency((struct currency) { "" }).kind, DB_NULL);
    CHECK_STR(db_of_currency((struct currency) { "JPY" }).s, "JPY");
    CHECK_STR(db_ids(&c, NULL, 0), "[]");
    CHECK_STR(db_ids(&c, (struct id[]) { { 1 }, { 22 } }, 2), "[1,22]");
    arena_done(&a);
}
