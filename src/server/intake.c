/* intake.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/intake.h"

#include <errno.h>
#include <fcntl.h>

struct intake {
    struct str path;
    int fd;
    int64_t size;
    struct sha256_stream hash;
};

static enum err why(int error)
{
    return error == ENOSPC || error == EDQUOT || error == EFBIG ? E_STORAGE_FULL : E_INTERNAL;
}

struct intake *intake_open(struct env *e, struct arena *a, enum err *err)
{
    struct intake *t = arena_new(a, struct intake);

    t->path = e->blobs->ops->temporary(e->blobs, a);
    t->fd = t->path.p == NULL
                ? -1
                : open(t->path.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (t->fd < 0) {
        *err = why(errno);
        return NULL;
    }
    sha256_begin(&t->hash);
    return t;
}

enum err intake_add(struct intake *t, const char *p, size_t n)
{
    sha256_add(&t->hash, p, n);
    t->size += (int64_t)n;
    while (n > 0) {
        ssize_t took = write(t->fd, p, n);
        if (took < 0 && errno == EINTR)
            continue;
        if (took <= 0)
            return why(errno);
        p += took;
        n -= (size_t)took;
    }
    return E_OK;
}

enum err intake_end(struct intake *t, struct upload *result)
{
    int fd = t->fd;

    t->fd = -1;
    *result = (struct upload) { .path = t->path, .size = t->size };
    result->hash = sha256_end(&t->hash);
    return close(fd) == 0 ? E_OK : why(errno);
}

int64_t intake_size(const struct intake *t)
{
    return t->size;
}

void intake_drop(struct intake *t)
{
    if (t == NULL)
        return;
    if (t->fd >= 0)
        close(t->fd);
    unlink(t->path.p); /* gone already when a blob store took it */
}
