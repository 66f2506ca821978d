/* unit.h -- the harness of all tests in C.
 *
 *   TEST(tip_below_minimum_is_refused)
 *   {
 *       CHECK_INT(tip_minimum(EUR), 100);
 *   }
 *
 * A test registers itself and runs in its own process: a crash, a hang (10 s) or a leak under ASan is a failure of
 * that test alone. A failed CHECK is told and the test goes on; a failed REQUIRE ends it. Checks may stand in helper
 * functions and in other threads. `build/debug-gcc/tests -h` tells how to choose, and how to stay in one process
 * for the debugger. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_UNIT_H
#define TEST_UNIT_H

#include "base/check.h"
#include "base/str.h"

struct unit_test {
    const char *name, *file;
    int line, seconds;
    void (*run)(void);
    struct unit_test *next;
    bool slow;
};

struct unit_program {
    const char *name;
    int (*run)(int argc, char **argv);
    struct unit_program *next;
};

#define TEST(name) TEST_SECONDS(name, 10)
/* ... with another limit; sanitizer builds get four times as long. */
#define TEST_SECONDS(name, limit) TEST_AS_(name, limit, false)
/* One that takes long and looks where few changes reach: `./dev check --quick` (STAGEDOOR_TEST_QUICK) goes without it. */
#define TEST_SLOW(name, limit) TEST_AS_(name, limit, true)
#define TEST_AS_(name, limit, is_slow)                                                             \
    static void test_##name(void);                                                                 \
    __attribute__((constructor)) static void register_##name(void)                                 \
    {                                                                                              \
        static struct unit_test t = { #name,       __FILE__, __LINE__, (limit),                    \
                                      test_##name, NULL,     (is_slow) };                          \
        unit_register(&t);                                                                         \
    }                                                                                              \
    static void test_##name(void)

/* A program of a test's own, for what must happen in another process image: /proc/self/exe --as NAME ARGUMENT... runs its
 * body, with argc and argv of the arguments, and exits with what it returns. */
#define PROGRAM(name)                                                                              \
    static int program_##name(int argc, char **argv);                                              \
    __attribute__((constructor)) static void register_##name(void)                                 \
    {                                                                                              \
        static struct unit_program p = { #name, program_##name, NULL };                            \
        unit_register_program(&p);                                                                 \
    }                                                                                              \
    static int program_##name(int argc, char **argv)

#define CHECK(cond)          unit_check((cond), __FILE__, __LINE__, #cond)
#define CHECK_OK(error)      unit_int(__FILE__, __LINE__, #error, (int64_t)(error), 0)
#define CHECK_INT(got, want) unit_int(__FILE__, __LINE__, #got, (int64_t)(got), (int64_t)(want))
/* got and want: struct str or char *, in any mixture. None (NULL) differs from "". */
#define CHECK_STR(got, want) unit_str(__FILE__, __LINE__, #got, UNIT_STR(got), UNIT_STR(want))
#define REQUIRE(cond)                                                                              \
    do {                                                                                           \
        if (!unit_check((cond), __FILE__, __LINE__, #cond))                                        \
            unit_end();                                                                            \
    } while (0)
/* For tests over tables: a sentence of your own. */
#define FAIL(...) unit_fail(__FILE__, __LINE__, __VA_ARGS__)
/* This machine or this build cannot do what the test needs: a wall of the kernel, a sanitizer in the
 * way. Counted and told; never for a bug of ours. */
#define SKIP(...) unit_skip(__VA_ARGS__)
/* The same for what `./dev check` brings: PostgreSQL, pictures, the built web app. Skipped by hand; a
 * failure in a whole check (STAGEDOOR_TEST_WHOLE), which must not pass because half of it was away. */
#define MISSING(...) unit_missing(__VA_ARGS__)

/* A figure to be told although the test passes. */
#define NOTE(...) unit_note(__VA_ARGS__)

/* For a test with chance in it: STAGEDOOR_SEED, or another each time; told either way. */
uint64_t unit_seed(void);
/* A number of the environment; `otherwise` when it is not set, or empty. The names and their bounds stand in unit.c: what
 * is no such number is refused before anything runs. */
int64_t unit_setting(const char *name, int64_t otherwise);
/* A number that somebody gave, from least to most. */
bool unit_number(const char *text, int64_t least, int64_t most, int64_t *n);

/* How many checks of this process have failed. */
int unit_failures(void);
/* The test that runs; for those that share a function. */
const struct unit_test *unit_this(void);

/* An empty folder of this test's own; removed afterwards, however the test ends. */
const char *unit_dir(void);
/* The next unit_dir() is an empty one again. */
void unit_dir_clear(void);

/* URL of a PostgreSQL that tests may fill with schemas of their own; skips the test when there is
 * none. ./dev check and ./dev test start one and pass it in STAGEDOOR_TEST_POSTGRES. */
const char *unit_postgres(void);

#define UNIT_STR(x) _Generic((x), struct str : unit_same, char * : str_of, const char * : str_of)(x)
struct str unit_same(struct str s);
void unit_register(struct unit_test *t);
void unit_register_program(struct unit_program *p);
bool unit_check(bool good, const char *file, int line, const char *what);
bool unit_int(const char *file, int line, const char *what, int64_t got, int64_t want);
bool unit_str(const char *file, int line, const char *what, struct str got, struct str want);
void unit_fail(const char *file, int line, const char *format, ...) FORMAT(3, 4);
void unit_note(const char *format, ...) FORMAT(1, 2);
_Noreturn void unit_skip(const char *format, ...) FORMAT(1, 2);
_Noreturn void unit_missing(const char *format, ...) FORMAT(1, 2);
_Noreturn void unit_end(void);

#endif
