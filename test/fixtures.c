/* fixtures.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "test/fixtures.h"
#include "sys/jail_walls.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

void fixtures_make(void)
{
    int status = 0;

    if (SANITIZED_THREADS)
        SKIP("libvips' own threads and locks are unknown to ThreadSanitizer");
    pid_t pid = fork();
    if (pid == 0) {
        execl("test/fixtures/make.sh", "make.sh", FIXTURES, (char *)NULL);
        _exit(127);
    }
    REQUIRE(pid > 0 && waitpid(pid, &status, 0) == pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        MISSING("no fixtures: run in the project's folder, with libvips-tools, webp, "
                "libheif-examples and libimage-exiftool-perl");
    REQUIRE(status == 0);
}

struct str fixture_read(struct arena *a, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct buf b = { .arena = a };
    ssize_t n = 1;

    if (fd < 0)
        FAIL("there is no %s", path);
    REQUIRE(fd >= 0);
    while (n > 0) {
        n = read(fd, buf_room(&b, 65536), 65536);
        b.n += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    return b.n == 0 ? STR("") : buf_str(&b);
}
