/* power.h -- a disk that can lose its power, fail and fill up, under the real driver of SQLite.
 *
 * A VFS that stands in front of SQLite's own, as the default one, so that the driver opens its files through it and is not
 * changed for it. It writes down each write, truncation, sync, creation and deletion. From this record it makes images: what
 * the disk would hold if the power had gone at that moment. What was synced is there; of what was not, anything may be.
 *
 *   struct power *p = power_open();        before the database is opened
 *   ... the program runs ...
 *   struct images *i = images_open(p, seed);
 *   images_forward(i, at);                 at never falls; power_now() gave it
 *   image_write(i, folder);                as test.db, test.db-wal, test.db-journal
 *
 * The model, as SQLite and POSIX have it: a write is split in sectors, each of which is there or not, in any order; those
 * bytes of a sector that were not written stay (power-safe overwrite, which SQLite assumes, too); a length is there or not;
 * a name is there for sure when its folder was synced; a sync that failed has synced nothing, and the next one will not
 * bring it back, because the kernel holds those pages for clean (ext4, XFS). What the process reads is the kernel's cache:
 * a killed process finds there what the disk may not have.
 *
 * The record is in memory that is shared with children: one may die, and another go on with the same disk. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_POWER_H
#define TEST_POWER_H

#include "test/unit.h"

struct power;

struct power *power_open(void);
void power_close(struct power *p);
/* Instead of what the driver says: PRAGMA name = value. The value must not be longer than the driver's. */
void power_pragma(struct power *p, const char *name, const char *value);
/* Off: files are opened as if this were not here. */
void power_record(struct power *p, bool on);
/* A child died, perhaps in the middle of a write. */
void power_child_died(struct power *p);
/* How many operations there were. */
size_t power_now(struct power *p);

/* --- a disk that fails ------------------------------------------------------------------------------------------ */

enum power_operation {
    POWER_WRITE = 1, /* and truncating, creating, deleting */
    POWER_SYNC = 2,
};

/* The at-th operation of these kinds from now on (0: none) answers with SQLite's code, and all after it when forever.
 * A write that fails has written half. POWER_KILLS instead of a code: the process is gone at that moment, before a sync or
 * in the middle of a write. */
enum { POWER_KILLS = -1, POWER_KILLED = 71 /* its exit code */ };
struct power_fault {
    int64_t at;
    unsigned kinds;
    int code;
    bool forever;
};
void power_fail(struct power *p, struct power_fault fault);
void power_heal(struct power *p);
/* How many operations of the kinds there were since; how many of them failed. */
int64_t power_seen(struct power *p);
int64_t power_failed(struct power *p);

/* --- images ----------------------------------------------------------------------------------------------------- */

/* What happened to what was not synced. */
enum fate {
    FATE_LOST,
    FATE_KEPT,
    FATE_TORN,      /* kept up to some point, and a part of what was written there */
    FATE_REORDERED, /* each write kept or not, in any order */
    FATE_SHREDDED,  /* each sector kept or not, a few full of rubbish, in any order */
    FATE_COUNT,
};
extern const char *const fate_names[];

struct images;

struct images *images_open(struct power *p, uint64_t seed);
void images_close(struct images *i);
void images_forward(struct images *i, size_t at);
enum fate image_write(struct images *i, const char *folder);
/* One for images, in unit_dir(). */
const char *image_folder(void);
/* The same chance that images are made with: 0 to n - 1. */
uint64_t images_chance(struct images *i, uint64_t n);

#endif
