/* unit.c -- runs the tests that registered themselves, each in a process and a process group of its own.
 *
 * The parent keeps -j children going and takes each child's output from a file of its own, so that the report of a
 * failure is never mixed up. A child tells its result by its exit code alone, and 0 is not among the good ones: a test
 * that calls exit(0) half-way has failed. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "test/unit.h"
#include "base/when.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_PASSED = 42, EXIT_FAILED = 1, EXIT_SKIPPED = 77, JOBS_MAX = 64, PATH_BYTES = 256 };

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { PATIENCE = 4 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { PATIENCE = 4 };
#else
enum { PATIENCE = 1 };
#endif
#else
enum { PATIENCE = 1 };
#endif

#define NOTE_MARK "note: "

/* --- In the child: results of the test that runs ------------------------------------------------ */

/* The one place with globals: tests register before main, and checks carry no context. */
static struct unit_test *tests, *left_out;
static struct unit_program *programs;
static int failures; /* atomic */
static const struct unit_test *this_test;
static bool in_process;
static jmp_buf way_out;
static char dir[PATH_BYTES];

void unit_register(struct unit_test *t)
{
    t->next = tests;
    tests = t;
}

void unit_register_program(struct unit_program *p)
{
    p->next = programs;
    programs = p;
}

void unit_fail(const char *file, int line, const char *format, ...)
{
    char text[2048];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    printf("%s:%d: %s\n", file, line, text);
    __atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED);
}

bool unit_check(bool good, const char *file, int line, const char *what)
{
    if (!good)
        unit_fail(file, line, "not so: %s", what);
    return good;
}

bool unit_int(const char *file, int line, const char *what, int64_t got, int64_t want)
{
    if (got != want)
        unit_fail(file, line, "%s is %" PRId64 ", should be %" PRId64, what, got, want);
    return got == want;
}

bool unit_str(const char *file, int line, const char *what, struct str got, struct str want)
{
    bool good = str_eq(got, want) && (got.p == NULL) == (want.p == NULL);

    if (!good)
        unit_fail(file, line, "%s is %s%.*s%s, should be %s%.*s%s", what, got.p ? "\"" : "none",
                  STR_FMT(got), got.p ? "\"" : "", want.p ? "\"" : "none", STR_FMT(want),
                  want.p ? "\"" : "");
    return good;
}

int unit_failures(void)
{
    return __atomic_load_n(&failures, __ATOMIC_RELAXED);
}

const struct unit_test *unit_this(void)
{
    return this_test;
}

struct str unit_same(struct str s)
{
    return s;
}

/* The way out of a test before its end. In a forked test it may be another thread that leaves. */
_Noreturn static void leave(int code)
{
    if (in_process)
        longjmp(way_out, code);
    fflush(stdout);
    _exit(code);
}

_Noreturn void unit_end(void)
{
    leave(EXIT_FAILED);
}

void unit_note(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    printf("%s", NOTE_MARK);
    vprintf(format, args);
    va_end(args);
    printf("\n");
}

bool unit_number(const char *text, int64_t least, int64_t most, int64_t *n)
{
    int64_t got;

    if (!str_int(str_of(text), &got) || got < least || got > most)
        return false;
    *n = got;
    return true;
}

static const struct setting {
    const char *name;
    int64_t least, most;
} settings[] = {
    { "STAGEDOOR_SEED", INT64_MIN, INT64_MAX },
    { "STAGEDOOR_POWER", 10, 1000000 },
    { "STAGEDOOR_FAULT", 1, INT64_MAX },
    { "STAGEDOOR_FAULTS", 1, 1000000 },
};

static const char *given(const char *name)
{
    const char *text = getenv(name);

    return text != NULL && text[0] != 0 ? text : NULL;
}

int64_t unit_setting(const char *name, int64_t otherwise)
{
    for (size_t i = 0; i < COUNT(settings); i++)
        if (strcmp(settings[i].name, name) == 0) {
            const char *text = given(name);
            must(text == NULL ||
                 unit_number(text, settings[i].least, settings[i].most, &otherwise));
            return otherwise;
        }
    must(false); /* it stands in the table, or nobody would refuse it */
    return otherwise;
}

/* What stands in the environment and would be misunderstood. */
static bool settings_are_good(void)
{
    const char *torture = given("STAGEDOOR_TORTURE");
    int64_t n;

    for (size_t i = 0; i < COUNT(settings); i++) {
        const struct setting *s = &settings[i];
        const char *text = given(s->name);
        if (text != NULL && !unit_number(text, s->least, s->most, &n)) {
            fprintf(stderr, "tests: %s is a number from %" PRId64 " to %" PRId64 ", not %s\n",
                    s->name, s->least, s->most, text);
            return false;
        }
    }
    if (torture != NULL && strcmp(torture, "all") != 0)
        fprintf(stderr, "tests: STAGEDOOR_TORTURE is all or nothing, not %s\n", torture);
    return torture == NULL || strcmp(torture, "all") == 0;
}

uint64_t unit_seed(void)
{
    int64_t seed = unit_setting("STAGEDOOR_SEED", monotonic_us() ^ ((int64_t)getpid() << 20));

    unit_note("seed %" PRId64, seed);
    return (uint64_t)seed;
}

_Noreturn void unit_skip(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    leave(EXIT_SKIPPED);
}

_Noreturn void unit_missing(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    leave(getenv("STAGEDOOR_TEST_WHOLE") != NULL ? EXIT_FAILED : EXIT_SKIPPED);
}

/* The name holds the pid, so the parent can remove the folder of a child that was killed. */
static void dir_name(char path[PATH_BYTES], pid_t pid)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(path, PATH_BYTES, "%s/stagedoor-unit.%d", tmp ? tmp : "/tmp", (int)pid);
}

const char *unit_postgres(void)
{
    const char *url = getenv("STAGEDOOR_TEST_POSTGRES");

    if (url == NULL || url[0] == 0)
        unit_missing("PostgreSQL is not there: ./dev test brings it");
    return url;
}

static int remove_entry(const char *path, const struct stat *s, int kind, struct FTW *where)
{
    (void)s, (void)kind, (void)where;
    return remove(path);
}

const char *unit_dir(void)
{
    if (dir[0] == 0) {
        dir_name(dir, getpid());
        nftw(dir, remove_entry, 16,
             FTW_DEPTH | FTW_PHYS); /* of a run that was killed, under the same number */
        if (mkdir(dir, 0700) != 0) {
            unit_fail(__FILE__, __LINE__, "mkdir %s: %s", dir, strerror(errno));
            unit_end();
        }
    }
    return dir;
}

static void remove_dir_of(pid_t pid)
{
    char path[PATH_BYTES];

    dir_name(path, pid);
    if (access(path, F_OK) == 0)
        nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

void unit_dir_clear(void)
{
    remove_dir_of(getpid());
    dir[0] = 0;
}

/* --- In the parent ------------------------------------------------------------------------------ */

struct child {
    const struct unit_test *test; /* NULL: a free place */
    pid_t pid;
    int output;
    int64_t started_us, limit_us;
    bool hung;
};

struct options {
    int jobs;
    bool verbose, list;
    char **filters;
    int filters_n;
};

struct totals {
    int passed, failed, skipped;
};

static void put(const char *before, const struct unit_test *t, const char *after)
{
    printf("%s %s (%s:%d)%s\n", before, t->name, t->file, t->line, after);
}

static void show_output(int fd)
{
    char block[4096];
    ssize_t n;

    fflush(stdout);
    lseek(fd, 0, SEEK_SET);
    while ((n = read(fd, block, sizeof(block))) > 0)
        fwrite(block, 1, (size_t)n, stdout);
    fflush(stdout);
}

static void show_notes(const struct unit_test *t, int fd)
{
    char line[1000];
    FILE *f = fdopen(dup(fd), "r");

    must(f != NULL);
    rewind(f);
    while (fgets(line, sizeof(line), f) != NULL)
        if (strncmp(line, NOTE_MARK, sizeof(NOTE_MARK) - 1) == 0)
            printf("%s%s: %s", NOTE_MARK, t->name, line + sizeof(NOTE_MARK) - 1);
    fclose(f);
}

static int run_here(const struct unit_test *t)
{
    failures = 0;
    this_test = t;
    int code = setjmp(way_out);
    if (code == 0)
        t->run();
    return code != 0 ? code : failures > 0 ? EXIT_FAILED : EXIT_PASSED;
}

/* Not in a quick run: told and counted like one that cannot run. */
static bool left_for_later(const struct unit_test *t, struct totals *n)
{
    if (!t->slow || getenv("STAGEDOOR_TEST_QUICK") == NULL)
        return false;
    n->skipped++;
    put("SKIP", t, ": for the whole check");
    return true;
}

static void child_start(struct child *k, const struct unit_test *t)
{
    *k = (struct child) { .test = t, .started_us = monotonic_us() };
    k->limit_us = t->seconds * PATIENCE * SECOND;
    k->output = memfd_create("output", MFD_CLOEXEC);
    must(k->output >= 0);
    fflush(stdout);
    k->pid = fork();
    must(k->pid >= 0);
    if (k->pid > 0)
        return;
    setpgid(0, 0);
    signal(SIGCHLD, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(k->output, STDOUT_FILENO);
    dup2(k->output, STDERR_FILENO);
    setvbuf(stdout, NULL, _IOLBF, 0);
    this_test = t;
    t->run();
    fflush(stdout);
    /* exit, not _exit: the leak check of ASan runs there. */
    exit(failures > 0 ? EXIT_FAILED : EXIT_PASSED);
}

static const char *verdict(const struct child *k, int status, char text[64])
{
    if (k->hung)
        snprintf(text, 64, ": hung for %d s", (int)(k->limit_us / SECOND));
    else if (WIFSIGNALED(status))
        snprintf(text, 64, ": crashed (%s)", strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) != EXIT_FAILED)
        snprintf(text, 64, ": exit code %d", WEXITSTATUS(status));
    else
        text[0] = 0;
    return text;
}

static void child_ended(struct child *k, int status, const struct options *o, struct totals *n)
{
    char text[64];
    int code = WIFEXITED(status) && !k->hung ? WEXITSTATUS(status) : -1;

    kill(-k->pid, SIGKILL); /* what it may have left behind */
    if (code == EXIT_PASSED) {
        n->passed++;
        show_notes(k->test, k->output);
        if (o->verbose) {
            snprintf(text, sizeof(text), "  %" PRId64 " ms",
                     (monotonic_us() - k->started_us) / 1000);
            put("pass", k->test, text);
        }
    } else if (code == EXIT_SKIPPED) {
        n->skipped++;
        put("SKIP", k->test, ":");
        show_output(k->output);
    } else {
        n->failed++;
        put("FAIL", k->test, verdict(k, status, text));
        show_output(k->output);
    }
    fflush(stdout);
    close(k->output);
    remove_dir_of(k->pid);
    k->test = NULL;
}

/* Waits until a child ends or its time is over. */
static void reap(struct child *children, const struct options *o, struct totals *n)
{
    int status;
    pid_t pid;
    sigset_t chld;
    struct timespec tick = { 0, 50 * 1000 * 1000 };

    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    sigtimedwait(&chld, NULL, &tick);
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (int i = 0; i < o->jobs; i++)
            if (children[i].test != NULL && children[i].pid == pid)
                child_ended(&children[i], status, o, n);
    for (int i = 0; i < o->jobs; i++) {
        struct child *k = &children[i];
        if (k->test != NULL && !k->hung && monotonic_us() - k->started_us > k->limit_us) {
            k->hung = true;
            kill(-k->pid, SIGKILL);
        }
    }
}

static int busy(const struct child *children, int jobs)
{
    int n = 0;

    for (int i = 0; i < jobs; i++)
        n += children[i].test != NULL;
    return n;
}

static void run_forked(const struct unit_test *t, const struct options *o, struct totals *n)
{
    struct child children[JOBS_MAX] = { { 0 } };
    sigset_t chld;

    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    sigprocmask(SIG_BLOCK, &chld, NULL);
    while (t != NULL || busy(children, o->jobs) > 0) {
        for (int i = 0; i < o->jobs && t != NULL; i++)
            if (children[i].test == NULL) {
                if (!left_for_later(t, n))
                    child_start(&children[i], t);
                t = t->next;
            }
        reap(children, o, n);
    }
}

static void run_in_process(const struct unit_test *t, struct totals *n)
{
    for (; t != NULL; t = t->next) {
        put("run ", t, "");
        switch (run_here(t)) {
        case EXIT_PASSED:
            n->passed++;
            break;
        case EXIT_SKIPPED:
            n->skipped++;
            break;
        default:
            n->failed++;
            put("FAIL", t, "");
        }
        remove_dir_of(getpid());
        dir[0] = 0;
    }
}

static bool fits(const struct unit_test *t, const char *filter)
{
    return strstr(t->name, filter) != NULL || strstr(t->file, filter) != NULL;
}

static bool chosen(const struct unit_test *t, const struct options *o)
{
    for (int i = 0; i < o->filters_n; i++)
        if (fits(t, o->filters[i]))
            return true;
    return o->filters_n == 0;
}

/* Each NAME chooses something: one that was mistyped does not go unnoticed beside others. */
static bool names_are_good(const struct options *o)
{
    for (int i = 0; i < o->filters_n; i++) {
        const struct unit_test *t = tests;
        while (t != NULL && !(o->filters[i][0] != 0 && fits(t, o->filters[i])))
            t = t->next;
        if (t == NULL) {
            fprintf(stderr, "tests: no test has the name \"%s\"; -l lists them\n", o->filters[i]);
            return false;
        }
    }
    return true;
}

/* By file and line; when many run at once those first that may take longest, so that none is left over at the end. */
static bool before(const struct unit_test *a, const struct unit_test *b, const struct options *o)
{
    int c = strcmp(a->file, b->file);

    if (o->jobs > 1 && !o->list && a->seconds != b->seconds)
        return a->seconds > b->seconds;
    return c != 0 ? c < 0 : a->line < b->line;
}

/* The chosen ones, in the order of file and line. */
static struct unit_test *choose(struct unit_test *from, const struct options *o)
{
    struct unit_test *sorted = NULL;

    while (from != NULL) {
        struct unit_test *t = from, **at = &sorted;
        from = t->next;
        if (!chosen(t, o)) {
            t->next = left_out; /* kept: the leak check asks for those that were made with malloc */
            left_out = t;
            continue;
        }
        while (*at != NULL && before(*at, t, o))
            at = &(*at)->next;
        t->next = *at;
        *at = t;
    }
    return sorted;
}

static int usage(void)
{
    printf("tests [-j N] [-v] [-l] [-1] [NAME...]\n"
           "  NAME  run the tests whose name or file contains it\n"
           "  -j N  this many at once\n"
           "  -v    tell each test and its time\n"
           "  -l    list the tests\n"
           "  -1    all in this process, for a debugger\n");
    return 2;
}

static bool parse(int argc, char **argv, struct options *o)
{
    int64_t jobs;
    int c;

    while ((c = getopt(argc, argv, "j:vl1h")) != -1) {
        if (c == 'j' && unit_number(optarg, 1, JOBS_MAX, &jobs))
            o->jobs = (int)jobs;
        else if (c == 'v')
            o->verbose = true;
        else if (c == 'l')
            o->list = true;
        else if (c == '1')
            in_process = true;
        else
            return false;
    }
    o->filters = argv + optind;
    o->filters_n = argc - optind;
    return true;
}

static int run_program(int argc, char **argv)
{
    for (struct unit_program *p = programs; p != NULL; p = p->next)
        if (strcmp(p->name, argv[2]) == 0) {
            int code = p->run(argc - 3, argv + 3);
            fflush(stdout);
            remove_dir_of(getpid());
            /* Not exit: the leak check needs what a jail takes. */
            _exit(code);
        }
    fprintf(stderr, "there is no program %s\n", argv[2]);
    return 2;
}

int main(int argc, char **argv)
{
    struct options o = { .jobs = 1 };
    struct totals n = { 0 };

    if (!settings_are_good())
        return 2;
    if (argc >= 3 && strcmp(argv[1], "--as") == 0)
        return run_program(argc, argv);
    if (!parse(argc, argv, &o))
        return usage();
    if (!names_are_good(&o))
        return 2;
    tests = choose(tests, &o);
    if (o.list) {
        for (const struct unit_test *t = tests; t != NULL; t = t->next)
            put("", t, "");
        return 0;
    }
    if (in_process)
        run_in_process(tests, &n);
    else
        run_forked(tests, &o, &n);
    printf("%d passed, %d failed", n.passed, n.failed);
    if (n.skipped > 0)
        printf(", %d skipped", n.skipped);
    printf("\n");
    return n.failed > 0 || n.passed + n.skipped == 0;
}
