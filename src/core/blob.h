/* blob.h -- bytes at rest, named by their SHA-256. Drivers: sys/disk.c; later S3. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_BLOB_H
#define CORE_BLOB_H

#include "base/crypto.h"
#include "core/err.h"

struct blobs;

struct blob_ops {
    /* A fresh, private path on the same device, for an upload or a result; its directory exists. */
    struct str (*temporary)(struct blobs *b, struct arena *a);
    /* Takes the finished file: fsync, rename to its name, fsync of the folder. Nothing happens when
     * it is there already (the file is then removed). E_STORAGE_FULL, E_INTERNAL. */
    enum err (*keep)(struct blobs *b, struct str path, const struct sha256 *hash);
    /* A readable descriptor (the caller closes it) and the size. E_NOT_FOUND. */
    enum err (*open)(struct blobs *b, const struct sha256 *hash, int *fd, int64_t *size);
    /* The path, for a jailed child that must read the file; lasts until removal. E_NOT_FOUND. */
    enum err (*path)(struct blobs *b, const struct sha256 *hash, struct arena *a,
                     struct str *result);
    /* E_OK when it is not there; E_BUSY when the same bytes were kept again in the last quarter of an hour: ask later
     * whether anything names them. */
    enum err (*remove)(struct blobs *b, const struct sha256 *hash);
    void (*close)(struct blobs *b);
};

struct blobs {
    const struct blob_ops *ops;
};

/* Hashes a finished file and keeps it. */
enum err blob_keep_file(struct blobs *b, struct str path, struct sha256 *hash);

#endif
