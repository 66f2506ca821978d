/* file.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

bool file_sync(const char *path, int flags)
{
    int fd = open(path, flags | O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    bool good = fsync(fd) == 0;
    int code = errno;
    close(fd);
    errno = code;
    return good;
}
