/* sql_test.c -- every SQL literal of the program is taken by both engines, with the schema as the migrations leave it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/db.h"
#include "test/engine.h"
#include "test/sql_literals.h"

#include <string.h>

ENGINES_SECONDS(every_statement_can_be_prepared, 60)
{
    struct bed *b = bed_open(engine);

    REQUIRE(db_migrate(b->env.engine, b->log, NULL, 0) == E_OK);
    for (size_t i = 0; i < sql_literals_n; i++) {
        const struct sql_literal *q = &sql_literals[i];
        struct db_statement *s;
        if (db_statement_of(b->db, q->sql, NULL, 0, &s) != E_OK) {
            FAIL("%s: %s does not take: %s", q->where, engine, q->sql);
            continue;
        }
        if (q->page != (strstr(q->sql, "$cursor") != NULL))
            FAIL("%s: $cursor stands in the SQL of db_page, and only there", q->where);
    }
    bed_close(b);
}

/* The control: what is wrong must not be taken, or the test above would prove nothing. */
ENGINES(a_wrong_statement_cannot_be_prepared)
{
    struct bed *b = bed_open(engine);
    struct db_statement *s;

    REQUIRE(db_migrate(b->env.engine, b->log, NULL, 0) == E_OK);
    CHECK(db_statement_of(b->db, "SELECT no_such_column FROM job", NULL, 0, &s) != E_OK);
    CHECK(db_statement_of(b->db, "SELECT id FROM no_such_table", NULL, 0, &s) != E_OK);
    bed_close(b);
}
