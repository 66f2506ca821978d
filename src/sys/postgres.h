/* postgres.h -- the engine of a cluster: PostgreSQL 14 or newer (core/db.h says the contract). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SYS_POSTGRES_H
#define SYS_POSTGRES_H

#include "base/log.h"
#include "core/db.h"

/* url: as libpq takes it ("postgresql://…" or "host=… dbname=…"). Does not connect yet: a server that is away is E_UNAVAILABLE
 * of engine->ops->open, and may come back. NULL, with a line in the log, when the URL is none. engine->ops->close frees it,
 * after all connections are closed. */
struct engine *postgres_open(struct str url, struct log *log);

#endif
