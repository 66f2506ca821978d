/* arena_test.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "test/unit.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static bool all_zero(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != 0)
            return false;
    return true;
}

TEST(arena_gives_zeroed_aligned_memory_of_its_own)
{
    struct arena a = { 0 };
    unsigned char *kept[300];

    /* Twice: after a reset the kept chunk is dirty. */
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < COUNT(kept); i++) {
            kept[i] = arena_alloc(&a, i);
            CHECK((uintptr_t)kept[i] % 16 == 0);
            CHECK(all_zero(kept[i], i));
            memset(kept[i], (int)i & 255, i);
        }
        for (size_t i = 0; i < COUNT(kept); i++)
            for (size_t j = 0; j < i; j++)
                if (kept[i][j] != (i & 255))
                    FAIL("block %zu was written over", i);
        arena_reset(&a);
    }
    arena_done(&a);
    CHECK(a.chunk == NULL);
}

TEST(arena_large_blocks_stand_alone)
{
    struct arena a = { 0 };

    arena_alloc(&a, 100);
    unsigned char *big = arena_alloc(&a, 1 << 20);
    CHECK(all_zero(big, 1 << 20));
    CHECK(a.total >= (1 << 20) + 100);
    arena_reset(&a);
    CHECK_INT(a.total, 0);
    /* Only an ordinary chunk is kept: a large one must not stay with a connection for ever. */
    arena_alloc(&a, 16);
    arena_done(&a);
}

TEST(arena_copies)
{
    struct arena a = { 0 };

    CHECK_STR((char *)arena_copy(&a, "tip", 4), "tip");
    CHECK(arena_copy(&a, NULL, 0) != NULL);
    CHECK(arena_array(&a, int64_t, 10) != NULL);
    arena_done(&a);
}

TEST(arena_refuses_what_no_cap_allows)
{
    pid_t pid = fork();

    REQUIRE(pid >= 0);
    if (pid == 0) {
        struct arena a = { 0 };
        close(STDERR_FILENO);
        arena_alloc(&a, ARENA_MAX + 1);
        _exit(0);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}
