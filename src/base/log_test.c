/* log_test.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/json.h"
#include "base/when.h"
#include "test/unit.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static struct str contents(struct arena *a, int fd)
{
    struct buf b = { .arena = a };
    ssize_t n;

    lseek(fd, 0, SEEK_SET);
    while ((n = read(fd, buf_room(&b, 4096), 4096)) > 0)
        b.n += (size_t)n;
    return buf_str(&b);
}

TEST(log_writes_one_json_object_a_line)
{
    struct arena a = { 0 };
    int fd = memfd_create("log", 0);
    struct log *l = log_open(fd, LOG_LEVEL_INFO);
    const char *why;

    log_info(l, "http.request", L_STR("path", STR("/a\n\"b\"")), L_INT("status", 200));
    LOG_(l, LOG_LEVEL_DEBUG, "not.written", L_INT("x", 1));
    log_error(l, "db.failed", L_STR("agent", STR("caf\xe9 \xff")));
    log_info(NULL, "nowhere", L_INT("x", 1));
    log_close(l);

    struct str rest = contents(&a, fd), line;
    rest = str_split(rest, '\n', &line);
    const struct json *j = json_parse(&a, line, &why);
    REQUIRE(j != NULL);
    CHECK_STR(json_text(j, "level"), "info");
    CHECK_STR(json_text(j, "event"), "http.request");
    CHECK_STR(json_text(j, "path"), "/a\n\"b\"");
    CHECK_INT(json_number(j, "status", 0), 200);
    struct when w;
    CHECK(when_parse(json_text(j, "time"), &w));
    /* Bytes from outside may be anything; the line is JSON all the same. */
    rest = str_split(rest, '\n', &line);
    j = json_parse(&a, line, &why);
    REQUIRE(j != NULL);
    CHECK_STR(json_text(j, "agent"), "caf\xef\xbf\xbd \xef\xbf\xbd");
    CHECK_STR(rest, "");
    close(fd);
    arena_done(&a);
}

TEST(log_never_waits_for_a_slow_reader)
{
    int ends[2];

    REQUIRE(pipe(ends) == 0);
    struct log *l = log_open(ends[1], LOG_LEVEL_INFO);
    int64_t began = monotonic_us();
    for (int i = 0; i < 40000; i++)
        log_info(l, "flood", L_INT("i", i),
                 L_STR("fill", STR("0123456789012345678901234567890123456789")));
    CHECK(monotonic_us() - began < 8 * SECOND);
    CHECK(log_dropped(l) > 0);
    /* What was taken comes out, whole lines, when somebody reads. */
    pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        char block[65536];
        close(ends[1]);
        while (read(ends[0], block, sizeof(block)) > 0)
            ;
        _exit(0);
    }
    log_close(l);
    close(ends[0]);
    close(ends[1]);
}
