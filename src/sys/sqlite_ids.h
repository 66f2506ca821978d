/* sqlite_ids.h -- the table that IN_LIST reads on SQLite. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SYS_SQLITE_IDS_H
#define SYS_SQLITE_IDS_H

#include <sqlite3.h>

/* Adds to a connection the table-valued function ids(text): one row, column "value", for each number of '[1,2,3]' (as
 * db_ids makes it). An error code of SQLite. */
int sqlite_ids_add(sqlite3 *db);

#endif
