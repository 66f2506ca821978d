/* fault.h -- makes the n-th allocation, SQL statement or blob operation of this process fail.
 *
 *   fault_arm(FAULT_MEMORY, 17, false);
 *   ... the work ...
 *   bool struck = fault_disarm();
 *
 * malloc and its kin are replaced in the test program, so what the libraries ask for counts too; not under a thread
 * sanitizer. Engines and blob stores are wrapped: fault_engine, fault_blobs. One fault at a time; all threads count, but
 * those that are spared. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_FAULT_H
#define TEST_FAULT_H

#include "core/blob.h"
#include "core/db.h"

enum fault {
    FAULT_MEMORY,
    FAULT_SQL_IO,   /* E_INTERNAL: a broken disk */
    FAULT_SQL_BUSY, /* E_BUSY: run it again */
    FAULT_SQL_AWAY, /* E_UNAVAILABLE */
    FAULT_SQL_LOST, /* a control: it says that it was done, and was not */
    FAULT_LEAK,     /* a control: memory is given, and lost when it is freed */
    FAULT_BLOB,
    FAULTS,
};
extern const char *const fault_names[];

/* Whether this build can: FAULT_MEMORY and FAULT_LEAK are not in every one. */
bool fault_possible(enum fault what);
/* The n-th from now on fails, once or with all that follow. */
void fault_arm(enum fault what, int64_t n, bool ever);
/* True when it struck. *count (may be NULL): how many there were. */
bool fault_disarm(int64_t *count);
bool fault_struck(void);
/* As if none had struck yet. */
void fault_forget(void);
/* What this thread does is the test's own business. Returns what it was. */
bool fault_spare(bool spared);
/* No WRITE is committed: each ends as if its COMMIT had failed. For looking how it would go. */
void fault_dry(bool dry);
bool fault_is_dry(void);

/* Blocks of memory in use. */
int64_t fault_live(void);

/* Take what they wrap, and close it. */
struct engine *fault_engine(struct engine *inner);
struct blobs *fault_blobs(struct blobs *inner);

#endif
