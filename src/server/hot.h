/* hot.h -- files that are asked for again and again, in memory: one copy for all who may have them, and sent with one call
 * where a file takes many. Who may have them is not asked here.
 *
 * A file comes in when it is asked for the second time within a minute, and goes when others need its room, nobody has asked for
 * it since they last did, and nobody holds it: all that is held is counted, so there is never more than bytes_max. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_HOT_H
#define SERVER_HOT_H

#include "base/str.h"
#include "core/metrics.h"

enum { HOT_FILE_MAX = 2 << 20 }; /* bytes; a larger one stays a file */

struct hot;

struct hot_file {
    int refs; /* atomic */
    size_t n;
    char bytes[];
};

struct hot *hot_open(size_t bytes_max, struct metrics *m);
void hot_close(struct hot *h);
/* Somebody asks for the file with these contents: name stands for the bytes, as the hash of a blob does, and fd has them. One
 * reference for the caller, or NULL: send the file. */
struct hot_file *hot_ask(struct hot *h, struct str name, int fd, int64_t size, int64_t now_us);
void hot_drop(struct hot_file *f); /* NULL is allowed */

#endif
