/* sqlite.h -- the embedded engine: one file, one writer, any number of readers (core/db.h says the contract). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SYS_SQLITE_H
#define SYS_SQLITE_H

#include "base/log.h"
#include "core/db.h"

/* Makes the file when there is none; its folder must exist. NULL, with a line in the log, when it cannot be opened.
 * engine->ops->close frees it, after all connections are closed. */
struct engine *sqlite_open(struct str path, struct log *log);

#endif
