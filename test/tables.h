/* tables.h -- what stands in all tables, as sums: did anything change, and where? How many statements ran?
 *
 *   struct tables before = tables_read(a, engine);
 *   …
 *   struct str changed = tables_changed(a, before, tables_read(a, engine));      "tier, audit_record", or none */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_TABLES_H
#define TEST_TABLES_H

#include "core/db.h"

struct table_sum {
    struct str name;
    uint64_t rows, sum; /* of a hash of each row, so their order does not matter */
};
struct tables {
    struct table_sum *v;
    size_t n;
};

/* Columns named "seen" are left out: a session notes when it was used. */
struct tables tables_read(struct arena *a, struct engine *e);
struct str tables_changed(struct arena *a, struct tables before, struct tables after);

/* Statements of the next engine_fresh() are counted, on whatever connection they run. One engine a process. */
void statements_count(void);
int64_t statements_so_far(void);
/* engine_fresh's own: does nothing when nobody counts. */
void statements_watch(struct engine *e);

#endif
