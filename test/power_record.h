/* power_record.h -- what power.c writes down and power_image.c reads. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_POWER_RECORD_H
#define TEST_POWER_RECORD_H

#include "test/power.h"

#include <pthread.h>
#include <sqlite3.h>

enum { OPS_MAX = 1 << 20, NAMES_MAX = 8, INODES_MAX = 512, PRAGMAS_MAX = 4 };
#define BYTES_MAX ((size_t)3 << 30) /* address space; memory comes as it is written */

enum op_kind {
    OP_CREATE,
    OP_DELETE,
    OP_FOLDER_SYNC,
    OP_WRITE,
    OP_TRUNCATE,
    OP_SYNC,
    OP_SYNC_LOST,
    OP_TURNED_OUT
};

struct op {
    enum op_kind kind;
    int name, inode;
    int64_t at; /* in the file; of a truncation the new length */
    size_t n, data;
};

struct pragma {
    char name[40], value[16];
};

struct name {
    char path[300];
    int inode; /* -1: there is no such file */
};

/* In shared memory. */
struct power {
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    pthread_mutex_t lock;
    bool recording;
    struct pragma pragmas[PRAGMAS_MAX];
    struct name names[NAMES_MAX];
    int names_n, inodes_n;
    struct power_fault fault;
    int64_t seen, failed;
    size_t ops_n, bytes_n;
    struct op ops[OPS_MAX];
    char bytes[];
};

/* Adds one to the record. */
void power_note(struct power *p, struct op op, const void *data);
/* Makes the real file what the disk has of this inode. */
void power_forget(struct power *p, const char *path, int inode);

#endif
