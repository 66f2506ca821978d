/* sql_literals.h -- every SQL statement that src passes to db_*, listed by tools/sql_literals at build time. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_SQL_LITERALS_H
#define TEST_SQL_LITERALS_H

#include "base/str.h"

struct sql_literal {
    const char *where; /* "src/services/tip/tip.c:31" */
    bool page;         /* of db_page: has $cursor, gets its LIMIT there */
    const char *sql;
};

extern const struct sql_literal sql_literals[];
extern const size_t sql_literals_n;

#endif
