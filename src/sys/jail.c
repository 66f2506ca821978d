/* jail.c -- forks, walls in, executes, watches.
 *
 * The parent makes a struct cell: descriptors, rules, filter, limits, all ready. The child (cell_enter) turns them on in
 * the one order that works and executes. It may call nothing but raw system calls: in a program with threads, another
 * thread may have held any lock at the moment of the fork; and glibc's setuid would signal threads that are not there.
 *
 * As root the child becomes uid 65534 of the machine: mapped into its user namespace by the parent while the child waits
 * at a gate, or plainly where there are no user namespaces. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/jail.h"
#include "base/check.h"
#include "base/when.h"
#include "sys/jail_walls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The child of a fork in a threaded program: nothing may be called behind our back there. */
#if defined(__clang__)
#define RAW __attribute__((no_sanitize("address", "thread", "undefined")))
#else
#define RAW __attribute__((no_sanitize_address, no_sanitize_thread, no_sanitize_undefined))
#endif

enum {
    NOBODY = 65534,
    FD_PROGRAM = 3, /* the child's numbers; both are closed by the exec */
    FD_REPORT = 4,
    FD_HIGH = 64, /* the parent's copies stand above the child's numbers */
    OPEN_FILES = 64,
    MANY_FILES = 1 << 16,
    STACK_BYTES = 8 << 20,
    WORDS_MAX = 4096,
    UNABLE_STATUS = 127,
    LIMITS = 6,
};

/* Tried from the best to none. Root may have the second where user namespaces are off. */
static const unsigned namespace_walls[] = {
    JAIL_USERS | JAIL_NETWORK | JAIL_PIDS,
    JAIL_NETWORK | JAIL_PIDS,
    0,
};

struct limit {
    int resource;
    struct rlimit64 value;
};

/* All that the child needs. */
struct cell {
    int program, dir, input, rules; /* -1: none */
    int out[2], err[2], report[2], gate[2];
    const char *const *argv, *const *env;
    struct sock_fprog filter;
    struct limit limits[LIMITS];
    int nice;
    unsigned walls;
    uid_t become; /* (uid_t)-1: stay */
};

/* What a child says of its failure; fits into a pipe at once. */
struct report {
    char stage[24];
    int error;
};

/* --- The child ----------------------------------------------------------------------------------- */

RAW static _Noreturn void give_up(const struct cell *cell, const char *stage)
{
    struct report r = { .error = errno };

    for (size_t i = 0; i + 1 < sizeof r.stage && stage[i] != 0; i++)
        r.stage[i] = stage[i];
    syscall(SYS_write, cell->report[1], &r, sizeof r);
    for (;;)
        syscall(SYS_exit_group, UNABLE_STATUS);
}

/* Handlers of ours end with the exec anyway; what we ignore would stay ignored. A file that grows past its limit is an
 * error to the writer and no signal, in and out of a process namespace alike. */
RAW static void enter_signals(void)
{
    unsigned long action[8] = { 0 }, none[2] = { 0 };

    for (int s = 1; s < NSIG; s++)
        syscall(SYS_rt_sigaction, s, action, NULL, 8);
    action[0] = 1; /* SIG_IGN */
    syscall(SYS_rt_sigaction, SIGXFSZ, action, NULL, 8);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, none, NULL, 8);
}

RAW static void enter_descriptors(struct cell *cell)
{
    const int from[] = { cell->input, cell->out[1], cell->err[1], cell->program, cell->report[1] };

    for (int to = 0; to <= FD_REPORT; to++)
        if (syscall(SYS_dup3, from[to], to, to >= FD_PROGRAM ? O_CLOEXEC : 0) != to)
            give_up(cell, "descriptors");
    cell->program = FD_PROGRAM;
    cell->report[1] = FD_REPORT;
}

RAW static void enter_limits(const struct cell *cell)
{
    for (size_t i = 0; i < LIMITS; i++)
        if (syscall(SYS_prlimit64, 0, cell->limits[i].resource, &cell->limits[i].value, NULL) != 0)
            give_up(cell, "limits");
    if (cell->nice != 0)
        syscall(SYS_setpriority, PRIO_PROCESS, 0, cell->nice);
}

RAW static void enter_uid(const struct cell *cell)
{
    uid_t u = cell->become;

    if (u == (uid_t)-1)
        return;
    if (syscall(SYS_setgroups, 0, NULL) != 0 || syscall(SYS_setresgid, u, u, u) != 0 ||
        syscall(SYS_setresuid, u, u, u) != 0)
        give_up(cell, "uid");
}

/* The bounding set too, so that no file can give any back. */
RAW static void enter_capabilities(const struct cell *cell)
{
    struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct none[2] = { { 0 }, { 0 } };

    for (int c = 0; c < 64; c++)
        syscall(SYS_prctl, PR_CAPBSET_DROP, c, 0, 0, 0);
    if (syscall(SYS_capset, &head, none) != 0)
        give_up(cell, "capabilities");
}

RAW static void enter_walls(const struct cell *cell)
{
    /* After the change of uid, which clears it. */
    if (syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
        give_up(cell, "parent's death");
    if (syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        give_up(cell, "no new privileges");
    if ((cell->walls & JAIL_FILES) && syscall(SYS_landlock_restrict_self, cell->rules, 0) != 0)
        give_up(cell, "landlock");
    if (syscall(SYS_close_range, FD_REPORT + 1, ~0U, 0) != 0)
        for (int fd = FD_REPORT + 1; fd < MANY_FILES; fd++)
            syscall(SYS_close, fd);
    if ((cell->walls & JAIL_CALLS) &&
        syscall(SYS_prctl, PR_SET_SECCOMP, 2 /* filter */, &cell->filter, 0, 0) != 0)
        give_up(cell, "seccomp");
}

RAW static _Noreturn void cell_enter(struct cell *cell)
{
    unsigned char go;

    syscall(SYS_setsid);
    syscall(SYS_umask, 077);
    if (syscall(SYS_read, cell->gate[0], &go, 1) != 1)
        give_up(cell, "gate");
    if (go == 0)
        cell->become = (uid_t)-1;
    enter_signals();
    if (cell->dir >= 0 && syscall(SYS_fchdir, cell->dir) != 0)
        give_up(cell, "folder");
    if (cell->dir < 0 && syscall(SYS_chdir, "/") != 0)
        give_up(cell, "folder");
    enter_descriptors(cell);
    enter_limits(cell);
    enter_uid(cell);
    enter_capabilities(cell);
    enter_walls(cell);
    syscall(SYS_execveat, FD_PROGRAM, "", cell->argv, cell->env, AT_EMPTY_PATH);
    give_up(cell, "execute");
}

/* --- The parent: before -------------------------------------------------------------------------- */

static int close_at(int *fd)
{
    int e = errno;

    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    errno = e;
    return -1;
}

/* Copies a descriptor above the child's numbers, so that putting one in its place never runs over another. */
static int high_copy(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, FD_HIGH);
}

static int high_open(const char *path, int flags)
{
    int low = open(path, flags | O_CLOEXEC), high = low < 0 ? -1 : high_copy(low);

    close_at(&low);
    return high;
}

static bool high_pipe(int ends[2])
{
    int low[2];

    if (pipe2(low, O_CLOEXEC) != 0)
        return false;
    for (int i = 0; i < 2; i++) {
        ends[i] = high_copy(low[i]);
        close_at(&low[i]);
    }
    return ends[0] >= 0 && ends[1] >= 0;
}

static void cell_close(struct cell *cell)
{
    int *all[] = { &cell->program, &cell->dir,     &cell->input,     &cell->rules,
                   &cell->out[0],  &cell->out[1],  &cell->err[0],    &cell->err[1],
                   &cell->gate[0], &cell->gate[1], &cell->report[0], &cell->report[1] };

    for (size_t i = 0; i < COUNT(all); i++)
        close_at(all[i]);
}

/* The parent keeps reading ends and the gate. */
static void cell_keep_ours(struct cell *cell)
{
    int *theirs[] = { &cell->program, &cell->input,   &cell->rules,    &cell->out[1],
                      &cell->err[1],  &cell->gate[0], &cell->report[1] };

    for (size_t i = 0; i < COUNT(theirs); i++)
        close_at(theirs[i]);
}

/* Never above what we have ourselves: lowering needs no right. */
static struct limit limit_of(int resource, int64_t value)
{
    struct limit l = { .resource = resource };
    struct rlimit64 now;

    must(syscall(SYS_prlimit64, 0, resource, NULL, &now) == 0);
    l.value.rlim_max = (rlim64_t)value < now.rlim_max ? (rlim64_t)value : now.rlim_max;
    l.value.rlim_cur = l.value.rlim_max;
    return l;
}

static void cell_limits(struct cell *cell, const struct jail_task *t)
{
    const int64_t unlimited = -1;                     /* RLIM_INFINITY */
    bool bounded = t->memory_bytes > 0 && !SANITIZED; /* shadow memory is terabytes of addresses */

    cell->limits[0] = limit_of(RLIMIT_CPU, t->cpu_s);
    cell->limits[1] = limit_of(RLIMIT_AS, bounded ? t->memory_bytes : unlimited);
    cell->limits[2] = limit_of(RLIMIT_FSIZE, t->file_bytes);
    cell->limits[3] = limit_of(RLIMIT_NOFILE, OPEN_FILES);
    cell->limits[4] = limit_of(RLIMIT_CORE, 0);
    cell->limits[5] = limit_of(RLIMIT_STACK, STACK_BYTES);
}

/* Returns what could not be made, or NULL. */
static const char *cell_prepare(struct arena *a, const struct jail_task *t, struct cell *cell)
{
    static const char *const plain[] = {
        "LC_ALL=C.UTF-8",
#if SANITIZED
        "ASAN_OPTIONS=detect_leaks=0", /* it would ptrace */
#endif
        NULL,
    };

    cell->argv = t->argv;
    cell->env = t->env != NULL ? t->env : plain;
    cell->nice = t->nice;
    cell_limits(cell, t);
    cell->program = high_open(t->argv[0], O_PATH);
    if (cell->program < 0)
        return "program";
    cell->input = t->input > 0 ? high_copy(t->input) : high_open("/dev/null", O_RDONLY);
    if (cell->input < 0)
        return "input";
    if (t->read_write != NULL) {
        cell->dir = high_open(t->read_write, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        if (cell->dir < 0)
            return "folder";
    }
    if (!high_pipe(cell->out) || !high_pipe(cell->err) || !high_pipe(cell->report) ||
        !high_pipe(cell->gate))
        return "pipes";
    if (!(t->without & JAIL_FILES) && landlock_version() > 0) {
        int low = landlock_rules(t, cell->program, cell->dir);

        cell->rules = low < 0 ? -1 : high_copy(low);
        close_at(&low);
        if (cell->rules < 0)
            return "landlock rules";
        cell->walls |= JAIL_FILES;
    }
    if (!(t->without & JAIL_CALLS) && seccomp_works()) {
        if (!seccomp_program(a, &cell->filter))
            return "seccomp program";
        cell->walls |= JAIL_CALLS;
    }
    return NULL;
}

/* --- The parent: fork ---------------------------------------------------------------------------- */

static unsigned long clone_flags(unsigned walls)
{
    unsigned long flags = 0;

    if (walls & JAIL_USERS)
        flags |= CLONE_NEWUSER;
    if (walls & JAIL_NETWORK)
        flags |= CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
    if (walls & JAIL_PIDS)
        flags |= CLONE_NEWPID;
    return flags;
}

/* As fork, straight into new namespaces: unshare would give a new process namespace to grandchildren only. */
static pid_t raw_fork(unsigned walls, int *pidfd)
{
    unsigned long flags = SIGCHLD | CLONE_PIDFD | clone_flags(walls);

    return (pid_t)syscall(SYS_clone, flags, NULL, pidfd, NULL, NULL);
}

static pid_t cell_fork(struct cell *cell, unsigned without, int *pidfd)
{
    sigset_t all, before;
    unsigned wish;
    pid_t pid = -1;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* no handler of ours may run in the child */
    for (size_t i = 0; pid < 0 && i < COUNT(namespace_walls); i++) {
        wish = namespace_walls[i] & ~without;
        cell->become = geteuid() != 0 ? (uid_t)-1 : wish & JAIL_USERS ? 0 : NOBODY;
        pid = raw_fork(wish, pidfd);
        if (pid == 0)
            cell_enter(cell);
        if (pid > 0)
            cell->walls |= wish;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pid;
}

static bool write_map(pid_t pid, const char *file)
{
    static const char map[] = "0 65534 1\n";
    char path[64];
    int fd;
    bool ok;

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    ok = fd >= 0 && write(fd, map, sizeof map - 1) == (ssize_t)sizeof map - 1;
    close_at(&fd);
    return ok;
}

/* As root: gives the child its new uid, and the folder to that uid. Where a map is refused (we are root of a container
 * without the right) the child stays who it is, without capabilities. Then opens the gate. */
static bool cell_release(const struct cell *cell, pid_t pid)
{
    unsigned char go = 0;

    if (cell->become == NOBODY ||
        (cell->become == 0 && write_map(pid, "uid_map") && write_map(pid, "gid_map")))
        go = cell->dir < 0 || fchown(cell->dir, NOBODY, NOBODY) == 0;
    return write(cell->gate[1], &go, 1) == 1;
}

/* --- The parent: while it runs ------------------------------------------------------------------- */

struct tap {
    int fd;
    struct buf text;
    size_t max, told; /* told: bytes given to the listener as lines */
};

struct watch {
    const struct jail_task *task;
    int pidfd;
    struct tap out, err;
    int64_t deadline_us;
    bool late, flooded;
};

/* Reads what is there; false at the end of the stream. Bytes over the limit are read and dropped. */
static bool tap_read(struct tap *t, bool *over)
{
    char bytes[4096];
    ssize_t n = read(t->fd, bytes, sizeof bytes);
    size_t room = t->max - t->text.n;

    if (n <= 0)
        return n < 0 && (errno == EINTR || errno == EAGAIN);
    if ((size_t)n > room)
        *over = true;
    buf_add(&t->text, (struct str) { bytes, (size_t)n < room ? (size_t)n : room });
    return true;
}

static void tell_lines(struct watch *w)
{
    struct tap *t = &w->out;
    const char *end;

    while (w->task->line != NULL && t->told < t->text.n &&
           (end = memchr(t->text.p + t->told, '\n', t->text.n - t->told)) != NULL) {
        size_t at = t->told, n = (size_t)(end - t->text.p) - at;

        t->told += n + 1;
        w->task->line(w->task->context, (struct str) { t->text.p + at, n });
    }
}

static void watch_kill(const struct watch *w)
{
    syscall(SYS_pidfd_send_signal, w->pidfd, SIGKILL, NULL, 0);
}

static void watch_drain(struct watch *w, struct tap *t, short events, bool *over)
{
    if (events != 0 && !tap_read(t, over))
        close_at(&t->fd);
    if (t == &w->out)
        tell_lines(w);
}

static int64_t left_ms(const struct watch *w)
{
    int64_t us = w->deadline_us - monotonic_us();

    return us <= 0 ? 0 : us / 1000 + 1;
}

/* Until the child is dead and both streams have ended. Nobody else can hold them: it cannot fork. Should a wall be missing
 * and somebody hold them all the same, the second deadline ends the wait. */
static void watch_run(struct watch *w)
{
    bool dead = false, ignored = false;

    while (!dead || w->out.fd >= 0 || w->err.fd >= 0) {
        struct pollfd p[] = { { .fd = dead ? -1 : w->pidfd, .events = POLLIN },
                              { .fd = w->out.fd, .events = POLLIN },
                              { .fd = w->err.fd, .events = POLLIN } };
        int n = poll(p, COUNT(p), (int)left_ms(w));

        if (n < 0 && errno != EINTR)
            n = 0;
        if (n == 0) {
            if (dead || w->late)
                return;
            w->late = true;
            watch_kill(w);
            w->deadline_us += SECOND;
        }
        if (n <= 0)
            continue;
        watch_drain(w, &w->out, p[1].revents, &w->flooded);
        watch_drain(w, &w->err, p[2].revents, &ignored);
        if (w->flooded)
            watch_kill(w);
        if (p[0].revents != 0) {
            dead = true;
            w->deadline_us = monotonic_us() + SECOND / 10;
        }
    }
}

/* --- The parent: after --------------------------------------------------------------------------- */

static int64_t tv_us(struct timeval t)
{
    return (int64_t)t.tv_sec * SECOND + t.tv_usec;
}

static enum jail_end unable(struct jail_result *r, const char *stage, int error)
{
    r->end = JAIL_UNABLE;
    r->stage = stage;
    r->status = error;
    return r->end;
}

static enum jail_end end_of(const struct watch *w, const struct jail_result *r, bool signalled)
{
    /* The limit counts ticks, the usage counts time less what the hypervisor stole: they may differ by much. */
    bool cpu_gone = r->cpu_us >= (int64_t)w->task->cpu_s * SECOND / 2;

    if (!signalled)
        return r->status == 0 ? JAIL_OK : JAIL_REFUSED;
    if (w->flooded)
        return JAIL_FLOODED;
    if (w->late || r->status == SIGXCPU || (r->status == SIGKILL && cpu_gone))
        return JAIL_TIMEOUT;
    return r->status == SIGKILL ? JAIL_KILLED : JAIL_CRASHED;
}

static enum jail_end cell_reap(struct arena *a, const struct cell *cell, const struct watch *w,
                               struct jail_result *r)
{
    struct report said = { 0 };
    struct rusage use;
    siginfo_t info = { 0 };

    while (syscall(SYS_waitid, P_PIDFD, w->pidfd, &info, WEXITED, &use) != 0)
        if (errno != EINTR)
            return unable(r, "wait", errno);
    r->cpu_us = tv_us(use.ru_utime) + tv_us(use.ru_stime);
    r->resident_bytes = (int64_t)use.ru_maxrss << 10;
    r->status = info.si_status;
    if (read(cell->report[0], &said, sizeof said) == (ssize_t)sizeof said) {
        said.stage[sizeof said.stage - 1] = 0;
        return unable(r, str_copy(a, str_of(said.stage)).p, said.error);
    }
    return r->end = end_of(w, r, info.si_code != CLD_EXITED);
}

static enum jail_end cell_watch(struct arena *a, struct cell *cell, const struct jail_task *t,
                                int pidfd, struct jail_result *r)
{
    int64_t start = monotonic_us();
    struct watch w = {
        .task = t,
        .pidfd = pidfd,
        .out = { .fd = cell->out[0], .text = { .arena = a }, .max = t->output_bytes },
        .err = { .fd = cell->err[0], .text = { .arena = a }, .max = WORDS_MAX },
        .deadline_us = start + t->wall_s * SECOND,
    };

    watch_run(&w);
    cell->out[0] = w.out.fd;
    cell->err[0] = w.err.fd;
    r->output = buf_str(&w.out.text);
    r->last_words = buf_str(&w.err.text);
    r->wall_us = monotonic_us() - start;
    return cell_reap(a, cell, &w, r);
}

enum jail_end jail_run(struct arena *a, const struct jail_task *t, struct jail_result *result)
{
    struct cell cell = {
        .program = -1,
        .dir = -1,
        .input = -1,
        .rules = -1,
        .out = { -1, -1 },
        .err = { -1, -1 },
        .report = { -1, -1 },
        .gate = { -1, -1 },
        .walls = JAIL_LIMITS,
    };
    const char *failed;
    int pidfd = -1;
    pid_t pid;

    must(t->argv != NULL && t->argv[0] != NULL && t->cpu_s > 0 && t->wall_s > 0);
    *result = (struct jail_result) { .stage = "", .output = STR(""), .last_words = STR("") };
    failed = cell_prepare(a, t, &cell);
    if (failed != NULL) {
        unable(result, failed, errno);
        goto out;
    }
    pid = cell_fork(&cell, t->without, &pidfd);
    if (pid < 0) {
        unable(result, "fork", errno);
        goto out;
    }
    cell_keep_ours(&cell);
    result->walls = cell.walls;
    if (!cell_release(&cell, pid))
        syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
    cell_watch(a, &cell, t, pidfd, result);
out:
    close_at(&pidfd);
    cell_close(&cell);
    return result->end;
}

/* --- What there is ------------------------------------------------------------------------------- */

RAW static bool namespaces_work(unsigned walls)
{
    siginfo_t info;
    int pidfd = -1;
    pid_t pid = raw_fork(walls, &pidfd);

    while (pid == 0)
        syscall(SYS_exit_group, 0);
    if (pid < 0)
        return false;
    syscall(SYS_waitid, P_PIDFD, pidfd, &info, WEXITED, NULL);
    close(pidfd);
    return true;
}

unsigned jail_probe(void)
{
    unsigned walls = JAIL_LIMITS;
    size_t i = 0;

    while (namespace_walls[i] != 0 && !namespaces_work(namespace_walls[i]))
        i++;
    walls |= namespace_walls[i];
    if (landlock_version() > 0)
        walls |= JAIL_FILES;
    if (seccomp_works())
        walls |= JAIL_CALLS;
    return walls;
}

const char *jail_wall_name(enum jail_wall wall)
{
    switch (wall) {
    case JAIL_USERS:
        return "user namespaces";
    case JAIL_NETWORK:
        return "network namespaces";
    case JAIL_PIDS:
        return "process namespaces";
    case JAIL_FILES:
        return "Landlock";
    case JAIL_CALLS:
        return "seccomp";
    case JAIL_LIMITS:
        return "limits";
    case JAIL_ALL:
        break;
    }
    return "all walls";
}
