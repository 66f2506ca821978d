/* blob.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/blob.h"

#include <fcntl.h>
#include <unistd.h>

static enum err hash_file(const char *path, struct sha256 *hash)
{
    char piece[65536];
    ssize_t n;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return E_INTERNAL;
    struct sha256_stream s;

    sha256_begin(&s);
    while ((n = read(fd, piece, sizeof(piece))) > 0)
        sha256_add(&s, piece, (size_t)n);
    *hash = sha256_end(&s);
    close(fd);
    return n == 0 ? E_OK : E_INTERNAL;
}

enum err blob_keep_file(struct blobs *b, struct str path, struct sha256 *hash)
{
    TRY(hash_file(path.p, hash));
    return b->ops->keep(b, path, hash);
}
