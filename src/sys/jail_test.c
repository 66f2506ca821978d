/* jail_test.c -- a child that tries to get out.
 *
 * The test program is its own prisoner: started as "tests --as jail_attempt <what> <with>" it tries one thing and exits 0 when
 * it worked, 1 when it was refused. Each attempt runs twice: with all walls, where it must fail, and without them, where it
 * must work; an attempt that cannot succeed would prove nothing. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/when.h"
#include "sys/jail.h"
#include "sys/jail_walls.h"
#include "test/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- The prisoner -------------------------------------------------------------------------------- */

struct attempt {
    const char *name;
    bool (*run)(const char *with);
};

static bool try_read(const char *path)
{
    int fd = open(path, O_RDONLY);
    char c;

    return fd >= 0 && read(fd, &c, 1) == 1;
}

static bool try_write(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    return fd >= 0 && write(fd, "x", 1) == 1;
}

static bool try_connect(const char *port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    return fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0;
}

static bool try_unix_socket(const char *name)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un to = { .sun_family = AF_UNIX };

    snprintf(to.sun_path, sizeof to.sun_path, "%s", name);
    return fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0;
}

static bool try_fork(const char *with)
{
    pid_t pid = fork();

    (void)with;
    if (pid == 0)
        _exit(0);
    return pid > 0 && waitpid(pid, NULL, 0) == pid;
}

/* As far as a hundred; whoever gets there would get on. */
static bool try_fork_bomb(const char *with)
{
    int born = 0;

    (void)with;
    for (pid_t pid; born < 100 && (pid = fork()) >= 0; born++)
        if (pid == 0) {
            sleep(2);
            _exit(0);
        }
    return born == 100;
}

static bool try_execute(const char *program)
{
    execl(program, program, (char *)NULL);
    return false;
}

static bool try_memory(const char *with)
{
    size_t size = (size_t)1 << 30;
    char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)with;
    if (p == MAP_FAILED)
        return false;
    for (size_t i = 0; i < size; i += 1 << 20)
        p[i] = 1;
    return true;
}

static bool try_big_file(const char *path)
{
    static const char zeros[1 << 16];
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    for (int i = 0; i < 64; i++)
        if (write(fd, zeros, sizeof zeros) != (ssize_t)sizeof zeros)
            return false;
    return true;
}

static bool try_signal(const char *pid)
{
    return kill((pid_t)strtol(pid, NULL, 10), 0) == 0;
}

static bool try_secret(const char *name)
{
    return getenv(name) != NULL;
}

static bool try_descriptors(const char *with)
{
    (void)with;
    for (int fd = 3; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            return true;
    return false;
}

static bool try_call(const char *number)
{
    return syscall(strtol(number, NULL, 10), 0, 0, 0, 0, 0, 0) >= 0 || errno != ENOSYS;
}

static bool try_namespace(const char *with)
{
    (void)with;
    return unshare(CLONE_NEWUSER) == 0;
}

static bool try_raise_limit(const char *with)
{
    struct rlimit64 more = { 1 << 20, 1 << 20 };

    (void)with;
    return syscall(SYS_prlimit64, 0, RLIMIT_CORE, &more, NULL) == 0;
}

static void *thread_body(void *p)
{
    *(bool *)p = true;
    return NULL;
}

static bool try_threads(const char *with)
{
    bool ran[4] = { false };
    pthread_t t[4];

    (void)with;
    for (int i = 0; i < 4; i++)
        if (pthread_create(&t[i], NULL, thread_body, &ran[i]) != 0)
            return false;
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    return ran[0] && ran[1] && ran[2] && ran[3];
}

static bool sealed(bool (*try)(const char *), const char *with)
{
    if (!jail_seal())
        _exit(9);
    return try(with);
}
static bool try_read_sealed(const char *path)
{
    return sealed(try_read, path);
}
static bool try_execute_sealed(const char *path)
{
    return sealed(try_execute, path);
}
static bool try_threads_sealed(const char *with)
{
    return sealed(try_threads, with);
}
static bool try_write_sealed(const char *with)
{
    return sealed(try_write, with);
}

static bool try_echo(const char *with)
{
    char line[64] = { 0 };

    if (read(0, line, sizeof line - 1) < 0)
        return false;
    dprintf(1, "first %s\nsecond %s\nrest", line, with);
    dprintf(2, "last words");
    return true;
}

static bool try_spin(const char *with)
{
    (void)with;
    for (volatile int i = 0; i >= 0;)
        i = 0;
    return true;
}

static bool try_sleep(const char *with)
{
    (void)with;
    while (pause() != 0)
        ;
    return true;
}

static bool try_flood(const char *with)
{
    (void)with;
    while (write(1, "0123456789abcdef", 16) > 0)
        ;
    return true;
}

static bool try_crash(const char *with)
{
    (void)with;
    *(volatile int *)(uintptr_t)16 = 1;
    return true;
}

static bool try_abort(const char *with)
{
    (void)with;
    abort();
}

static bool try_beat(const char *with)
{
    int fd = open("beat", O_WRONLY | O_CREAT | O_APPEND, 0600);

    (void)with;
    while (write(fd, "x", 1) == 1)
        usleep(5000);
    return true;
}

static const struct attempt attempts[] = {
    { "read", try_read },
    { "write", try_write },
    { "connect", try_connect },
    { "unix-socket", try_unix_socket },
    { "fork", try_fork },
    { "fork-bomb", try_fork_bomb },
    { "execute", try_execute },
    { "memory", try_memory },
    { "big-file", try_big_file },
    { "signal", try_signal },
    { "secret", try_secret },
    { "descriptors", try_descriptors },
    { "call", try_call },
    { "namespace", try_namespace },
    { "raise-limit", try_raise_limit },
    { "threads", try_threads },
    { "read-sealed", try_read_sealed },
    { "execute-sealed", try_execute_sealed },
    { "threads-sealed", try_threads_sealed },
    { "write-sealed", try_write_sealed },
    { "echo", try_echo },
    { "spin", try_spin },
    { "sleep", try_sleep },
    { "flood", try_flood },
    { "crash", try_crash },
    { "abort", try_abort },
    { "beat", try_beat },
};

PROGRAM(jail_attempt)
{
    for (size_t i = 0; argc == 2 && i < COUNT(attempts); i++)
        if (strcmp(argv[0], attempts[i].name) == 0)
            return attempts[i].run(argv[1]) ? 0 : 1;
    return 9;
}

/* --- The warden ---------------------------------------------------------------------------------- */

static struct jail_task task_of(const char *argv[6], const char *what, const char *with)
{
    argv[0] = "/proc/self/exe";
    argv[1] = "--as";
    argv[2] = "jail_attempt";
    argv[3] = what;
    argv[4] = with;
    argv[5] = NULL;
    return (struct jail_task) {
        .argv = argv,
        .cpu_s = 5,
        .wall_s = 20,
        .memory_bytes = 512 << 20,
        .file_bytes = 1 << 20,
        .output_bytes = 4096,
    };
}

static enum jail_end attempt(const char *what, const char *with, unsigned without)
{
    struct arena a = { 0 };
    const char *argv[6];
    struct jail_task t = task_of(argv, what, with);
    struct jail_result r;

    t.without = without;
    t.read_write = unit_dir();
    jail_run(&a, &t, &r);
    if (r.end == JAIL_UNABLE)
        FAIL("%s: %s: %s", what, r.stage, strerror(r.status));
    if (r.end == JAIL_REFUSED && r.status != 1)
        FAIL("%s: status %d", what, r.status);
    arena_done(&a);
    return r.end;
}

/* Refused with all walls, works without the one that stands for it (others may hold as well) or without any. */
static void refused(const char *what, const char *with)
{
    enum jail_end end = attempt(what, with, 0);

    if (end != JAIL_REFUSED)
        FAIL("%s %s: got out, end %d", what, with, end);
    end = attempt(what, with, JAIL_ALL);
    if (end != JAIL_OK)
        FAIL("%s %s: control: could not do it without walls either, end %d", what, with, end);
}

static bool all_walls(void)
{
    return jail_probe() == JAIL_ALL;
}

#define NEED_ALL_WALLS()                                                                           \
    do {                                                                                           \
        if (!all_walls())                                                                          \
            SKIP("this machine lacks a wall of the jail");                                         \
    } while (0)

static const char *path_in(struct arena *a, const char *dir, const char *name)
{
    return str_printf(a, "%s/%s", dir, name).p;
}

static int listen_on(int *port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    REQUIRE(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 8) == 0);
    REQUIRE(getsockname(fd, (struct sockaddr *)&at, &n) == 0);
    *port = ntohs(at.sin_port);
    return fd;
}

TEST(jail_files_outside_are_closed)
{
    struct arena a = { 0 };
    const char *inside = "inside", *outside = "/tmp/stagedoor-jail-test";

    NEED_ALL_WALLS();
    refused("read", "/etc/passwd");
    if (!SANITIZED) {
        refused("read", "/proc/self/status");
        refused("read", "/proc/1/cmdline");
    }
    refused("read", "/usr/share/common-licenses/GPL-3");
    refused("write", outside);
    CHECK(unlink(outside) == 0);
    CHECK_INT(attempt("write", inside, 0), JAIL_OK);
    CHECK(access(path_in(&a, unit_dir(), inside), F_OK) == 0);
    CHECK_INT(attempt("read", "/usr/lib/os-release", 0), JAIL_OK);
    CHECK_INT(attempt("read", "/etc/passwd", JAIL_ALL & ~(unsigned)JAIL_FILES), JAIL_REFUSED);
    CHECK_INT(attempt("read", "/etc/passwd", JAIL_FILES), JAIL_OK);
    arena_done(&a);
}

TEST(jail_opens_what_is_named)
{
    struct arena a = { 0 };
    const char *argv[6];
    struct jail_task t = task_of(argv, "read", "/etc/passwd");
    struct jail_result r;

    t.read_only[0] = "/etc/passwd";
    CHECK_INT(jail_run(&a, &t, &r), JAIL_OK);
    t.read_only[0] = "/nowhere/at/all";
    CHECK_INT(jail_run(&a, &t, &r), landlock_version() > 0 ? JAIL_UNABLE : JAIL_OK);
    arena_done(&a);
}

TEST(jail_has_no_network)
{
    char port[16];
    int number, fd = listen_on(&number);

    NEED_ALL_WALLS();
    snprintf(port, sizeof port, "%d", number);
    refused("connect", port);
    /* Each of the walls alone suffices. */
    CHECK_INT(attempt("connect", port, JAIL_ALL & ~(unsigned)JAIL_CALLS), JAIL_REFUSED);
    CHECK_INT(attempt("connect", port, JAIL_ALL & ~(unsigned)(JAIL_NETWORK | JAIL_USERS)),
              JAIL_REFUSED);
    close(fd);
}

TEST(jail_has_no_unix_sockets)
{
    struct arena a = { 0 };
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    NEED_ALL_WALLS();
    snprintf(at.sun_path, sizeof at.sun_path, "%s", path_in(&a, unit_dir(), "socket"));
    REQUIRE(bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 8) == 0);
    CHECK(chmod(at.sun_path, 0777) == 0);
    refused("unix-socket", at.sun_path);
    close(fd);
    arena_done(&a);
}

TEST_SECONDS(jail_starts_no_process, 30)
{
    NEED_ALL_WALLS();
    refused("fork", "");
    refused("fork-bomb", "");
    refused("execute", "/usr/bin/true");
    CHECK_INT(attempt("fork", "", JAIL_CALLS), JAIL_OK);
    CHECK_INT(attempt("execute", "/usr/bin/true", JAIL_CALLS), JAIL_REFUSED);
    CHECK_INT(attempt("threads", "", 0), JAIL_OK);
}

/* For good, in this test's process. */
static void become_ordinary(void)
{
    if (geteuid() == 0 &&
        (chown(unit_dir(), 65533, 65533) != 0 || syscall(SYS_setresgid, 65533, 65533, 65533) != 0 ||
         syscall(SYS_setresuid, 65533, 65533, 65533) != 0))
        SKIP("cannot become another");
    /* A change of uid makes us undumpable, and /proc/self/exe unreadable. */
    REQUIRE(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
}

TEST(jail_signals_nobody)
{
    char pid[16];

    become_ordinary(); /* root's prisoner has another uid, which would refuse the control run too */
    NEED_ALL_WALLS();
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    refused("signal", pid);
    CHECK_INT(attempt("signal", pid, JAIL_CALLS), JAIL_REFUSED);
}

TEST(jail_memory_and_files_have_ends)
{
    const char *argv[6];
    struct arena a = { 0 };
    struct jail_task t = task_of(argv, "big-file", "big");
    struct jail_result r;

    t.read_write = unit_dir();
    CHECK_INT(jail_run(&a, &t, &r), JAIL_REFUSED);
    t.file_bytes = 64 << 20;
    CHECK_INT(jail_run(&a, &t, &r), JAIL_OK);
    t = task_of(argv, "raise-limit", "");
    CHECK_INT(jail_run(&a, &t, &r), JAIL_REFUSED);
    if (!SANITIZED) {
        t = task_of(argv, "memory", "");
        CHECK_INT(jail_run(&a, &t, &r), JAIL_REFUSED);
        t.memory_bytes = 0;
        CHECK_INT(jail_run(&a, &t, &r), JAIL_OK);
        CHECK(r.resident_bytes > 1 << 20);
    }
    arena_done(&a);
}

TEST(jail_inherits_nothing)
{
    int fd = open("/etc/passwd", O_RDONLY); /* without O_CLOEXEC: as a careless library would */

    REQUIRE(fd >= 0 && setenv("DATABASE_PASSWORD", "hunter2", 1) == 0);
    CHECK_INT(attempt("descriptors", "", 0), JAIL_REFUSED);
    CHECK_INT(attempt("secret", "DATABASE_PASSWORD", 0), JAIL_REFUSED);
    CHECK_INT(attempt("secret", "LC_ALL", 0), JAIL_OK);
    close(fd);
}

TEST(jail_calls_are_few)
{
    static const long forbidden[] = {
        SYS_ptrace,      SYS_mount,           SYS_bpf,        SYS_io_uring_setup,
        SYS_keyctl,      SYS_unshare,         SYS_setns,      SYS_reboot,
        SYS_init_module, SYS_perf_event_open, SYS_pivot_root, SYS_process_vm_readv,
        SYS_userfaultfd, SYS_socket,          SYS_clone3,     SYS_setuid,
        SYS_chmod,       SYS_symlink,         SYS_kcmp,       SYS_open_by_handle_at,
    };
    char number[16];

    if (!(jail_probe() & JAIL_CALLS))
        SKIP("no seccomp here");
    for (size_t i = 0; i < COUNT(forbidden); i++) {
        snprintf(number, sizeof number, "%ld", forbidden[i]);
        if (attempt("call", number, 0) != JAIL_REFUSED)
            FAIL("system call %s is open", number);
    }
    snprintf(number, sizeof number, "%d", SYS_getpid);
    CHECK_INT(attempt("call", number, 0), JAIL_OK);
    CHECK_INT(attempt("namespace", "", 0), JAIL_REFUSED);
    /* The control, where the machine lets anybody make one. */
    if (jail_probe() & JAIL_USERS)
        CHECK_INT(attempt("namespace", "", JAIL_ALL), JAIL_OK);
}

TEST(jail_sealed_worker_has_less)
{
    NEED_ALL_WALLS();
    if (SANITIZED)
        SKIP("sanitizers need what the seal takes");
    CHECK_INT(attempt("read", "/usr/lib/os-release", 0), JAIL_OK);
    CHECK_INT(attempt("read-sealed", "/usr/lib/os-release", 0), JAIL_REFUSED);
    CHECK_INT(attempt("execute-sealed", "/usr/bin/true", JAIL_ALL), JAIL_REFUSED);
    CHECK_INT(attempt("execute", "/usr/bin/true", JAIL_ALL), JAIL_OK);
    CHECK_INT(attempt("write-sealed", "sealed", 0), JAIL_OK);
    CHECK_INT(attempt("threads-sealed", "", 0), JAIL_OK);
}

static void add_line(void *context, struct str line)
{
    struct buf *b = context;

    buf_add(b, line);
    buf_char(b, '|');
}

TEST(jail_hands_back_words_and_lines)
{
    struct arena a = { 0 };
    struct buf lines = { .arena = &a };
    const char *argv[6];
    struct jail_task t = task_of(argv, "echo", "b");
    struct jail_result r;
    char name[] = "/tmp/stagedoor-jail-XXXXXX";
    int fd = mkstemp(name);

    REQUIRE(fd >= 0 && unlink(name) == 0 && write(fd, "a", 1) == 1 && lseek(fd, 0, SEEK_SET) == 0);
    t.input = fd;
    t.line = add_line;
    t.context = &lines;
    CHECK_INT(jail_run(&a, &t, &r), JAIL_OK);
    CHECK_STR(r.output, "first a\nsecond b\nrest");
    CHECK_STR(r.last_words, "last words");
    CHECK_STR(buf_str(&lines), "first a|second b|");
    CHECK(r.wall_us > 0 && r.cpu_us > 0 && r.resident_bytes > 0);
    close(fd);
    arena_done(&a);
}

static struct jail_result timed(struct arena *a, const char *what, int cpu_s, int wall_s)
{
    const char *argv[6];
    struct jail_task t = task_of(argv, what, "");
    struct jail_result r;

    t.cpu_s = cpu_s;
    t.wall_s = wall_s;
    jail_run(a, &t, &r);
    return r;
}

TEST_SLOW(jail_time_ends, 10)
{
    struct arena a = { 0 };
    struct jail_result r = timed(&a, "spin", 1, 20);

    CHECK_INT(r.end, JAIL_TIMEOUT);
    CHECK(r.wall_us < 10 * SECOND);
    r = timed(&a, "sleep", 5, 1);
    CHECK_INT(r.end, JAIL_TIMEOUT);
    CHECK(r.wall_us >= SECOND && r.wall_us < 5 * SECOND);
    arena_done(&a);
}

TEST(jail_tells_how_it_ended)
{
    struct arena a = { 0 };
    const char *argv[6];
    struct jail_task t = task_of(argv, "flood", "");
    struct jail_result r;

    CHECK_INT(jail_run(&a, &t, &r), JAIL_FLOODED);
    CHECK_INT(r.output.n, t.output_bytes);
    if (!SANITIZED) {
        t = task_of(argv, "crash", "");
        CHECK_INT(jail_run(&a, &t, &r), JAIL_CRASHED);
        t = task_of(argv, "abort", "");
        CHECK_INT(jail_run(&a, &t, &r), JAIL_CRASHED);
    }
    argv[0] = "/usr/bin/no-such-program";
    CHECK_INT(jail_run(&a, &t, &r), JAIL_UNABLE);
    CHECK_INT(r.status, ENOENT);
    CHECK_STR(r.stage, "program");
    argv[0] = "/etc/passwd";
    CHECK_INT(jail_run(&a, &t, &r), JAIL_UNABLE);
    CHECK_INT(r.status, EACCES);
    CHECK_STR(r.stage, "execute");
    arena_done(&a);
}

/* Root's prisoner is nobody: what it writes belongs to 65534, and root's own files are closed even without Landlock. */
TEST(jail_of_root_is_nobody)
{
    struct arena a = { 0 };
    struct stat st;
    const char *mine = path_in(&a, unit_dir(), "mine");

    if (geteuid() != 0)
        SKIP("not root");
    for (unsigned without = 0; without <= JAIL_USERS; without += JAIL_USERS) {
        CHECK_INT(attempt("write", "theirs", without), JAIL_OK);
        REQUIRE(stat(path_in(&a, unit_dir(), "theirs"), &st) == 0);
        CHECK_INT(st.st_uid, 65534);
        CHECK_INT(st.st_gid, 65534);
        CHECK_INT(st.st_mode & 0777, 0600);
        unlink(path_in(&a, unit_dir(), "theirs"));
        close(open(mine, O_WRONLY | O_CREAT, 0600));
        CHECK_INT(attempt("write", mine, JAIL_FILES | without), JAIL_REFUSED);
    }
    arena_done(&a);
}

TEST(jail_works_for_an_ordinary_user)
{
    become_ordinary();
    CHECK_INT(attempt("write", "inside", 0), JAIL_OK);
    CHECK_INT(attempt("read", "/etc/passwd", 0), JAIL_REFUSED);
    CHECK_INT(attempt("read", "/etc/passwd", JAIL_ALL), JAIL_OK);
    CHECK_INT(attempt("fork", "", 0), JAIL_REFUSED);
    CHECK_INT(attempt("threads", "", 0), JAIL_OK);
    CHECK_INT(attempt("threads", "", JAIL_USERS | JAIL_NETWORK | JAIL_PIDS), JAIL_OK);
}

static int64_t size_of(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
}

TEST(jail_dies_with_its_warden)
{
    struct arena a = { 0 };
    const char *beat = path_in(&a, unit_dir(), "beat");
    int64_t at;
    pid_t warden = fork();

    if (warden == 0) {
        attempt("beat", "", 0);
        _exit(0);
    }
    for (int i = 0; i < 400 && size_of(beat) < 3; i++)
        usleep(10000);
    CHECK(size_of(beat) >= 3);
    CHECK(kill(warden, SIGKILL) == 0 && waitpid(warden, NULL, 0) == warden);
    usleep(50000);
    at = size_of(beat);
    usleep(200000);
    CHECK_INT(size_of(beat), at);
    arena_done(&a);
}

struct worker {
    pthread_t thread;
    int good;
    bool stop;
};

static void *run_some(void *p)
{
    struct worker *w = p;

    for (int i = 0; i < 10; i++)
        w->good += attempt("threads", "", 0) == JAIL_OK;
    return NULL;
}

/* Holds malloc's lock as often as it can. */
static void *allocate(void *p)
{
    struct worker *w = p;

    while (!__atomic_load_n(&w->stop, __ATOMIC_RELAXED))
        free(malloc((size_t)1 << 18));
    return NULL;
}

TEST_SECONDS(jail_runs_from_many_threads, 30)
{
    struct worker run[3] = { 0 }, noise = { 0 };

    unit_dir();
    REQUIRE(pthread_create(&noise.thread, NULL, allocate, &noise) == 0);
    for (int i = 0; i < 3; i++)
        REQUIRE(pthread_create(&run[i].thread, NULL, run_some, &run[i]) == 0);
    for (int i = 0; i < 3; i++) {
        pthread_join(run[i].thread, NULL);
        CHECK_INT(run[i].good, 10);
    }
    __atomic_store_n(&noise.stop, true, __ATOMIC_RELAXED);
    pthread_join(noise.thread, NULL);
}
