/* jail_walls.c -- what a jailed program may touch and call.
 *
 * Both lists name what is allowed. The system calls are those that glibc's start, threads, memory and files need, as
 * libvips, libheif and ffmpeg were seen to use them, and their newer forms. Anything else is ENOSYS, not EPERM: every libc
 * knows how to go on without a call that the kernel does not have. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/jail_walls.h"
#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* --- Landlock ------------------------------------------------------------------------------------ */

/* Debian 12's header knows version 2; the kernel may know more. The kernel takes a longer struct than it knows as long
 * as the rest is zero. */
struct rules {
    uint64_t fs, net, scope;
};
enum {
    FS_TRUNCATE = 1 << 14,  /* version 3 */
    FS_IOCTL_DEV = 1 << 15, /* version 5 */
    NET_TCP = 3,            /* version 4: bind, connect */
    SCOPE_ALL = 3,          /* version 6: abstract unix sockets, signals */

    FS_VERSION_1 = (1 << 13) - 1,
    FS_READ_FILE = LANDLOCK_ACCESS_FS_READ_FILE,
    FS_READ = FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
    FS_RUN = FS_READ | LANDLOCK_ACCESS_FS_EXECUTE,
    FS_WRITE = FS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
               LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
               LANDLOCK_ACCESS_FS_REMOVE_DIR | FS_TRUNCATE,
    FS_OF_FILES = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_READ_FILE |
                  FS_TRUNCATE | FS_IOCTL_DEV,
};

struct place {
    const char *path;
    uint64_t access;
};

/* Absent ones are passed over: not every machine has each. */
static const struct place system_places[] = {
    { "/usr/lib", FS_RUN },
    { "/usr/lib64", FS_RUN },
    { "/lib", FS_RUN },
    { "/lib64", FS_RUN },
    { "/usr/local/lib", FS_RUN },
    { "/etc/ld.so.cache", FS_READ_FILE },
    { "/dev/null", FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE },
#if SANITIZED
    { "/proc", FS_READ },
#endif
};

int landlock_version(void)
{
    long v = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    return v > 0 ? (int)v : 0;
}

static uint64_t known_fs(int version)
{
    uint64_t fs = FS_VERSION_1;

    if (version >= 2)
        fs |= LANDLOCK_ACCESS_FS_REFER;
    if (version >= 3)
        fs |= FS_TRUNCATE;
    if (version >= 5)
        fs |= FS_IOCTL_DEV;
    return fs;
}

static bool allow_fd(int rules, uint64_t known, int fd, uint64_t access)
{
    struct landlock_path_beneath_attr beneath = { .allowed_access = access & known,
                                                  .parent_fd = fd };
    struct stat st;

    if (fstat(fd, &st) != 0)
        return false;
    if (!S_ISDIR(st.st_mode))
        beneath.allowed_access &= FS_OF_FILES;
    return syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) == 0;
}

static bool allow_path(int rules, uint64_t known, struct place p)
{
    int fd = open(p.path, O_PATH | O_CLOEXEC);
    bool ok = fd >= 0 && allow_fd(rules, known, fd, p.access);

    if (fd >= 0) {
        int e = errno;

        close(fd);
        errno = e;
    }
    return ok;
}

static bool allow_all(int rules, uint64_t known, const struct jail_task *t, int program, int dir)
{
    for (size_t i = 0; i < COUNT(system_places); i++)
        if (!allow_path(rules, known, system_places[i]) && errno != ENOENT)
            return false;
    for (size_t i = 0; i < JAIL_READ_ONLY_MAX && t->read_only[i] != NULL; i++)
        if (!allow_path(rules, known, (struct place) { t->read_only[i], FS_READ }))
            return false;
    return allow_fd(rules, known, program, FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE) &&
           (dir < 0 || allow_fd(rules, known, dir, FS_WRITE));
}

int landlock_rules(const struct jail_task *t, int program, int dir)
{
    int version = landlock_version(), fd;
    struct rules rules = {
        .fs = known_fs(version),
        .net = version >= 4 ? NET_TCP : 0,
        .scope = version >= 6 ? SCOPE_ALL : 0,
    };
    size_t size = version >= 6 ? sizeof rules : version >= 4 ? 16 : 8;

    must(version > 0);
    fd = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
    if (fd >= 0 && !allow_all(fd, rules.fs, t, program, dir)) {
        int e = errno;

        close(fd);
        errno = e;
        return -1;
    }
    return fd;
}

/* --- seccomp ------------------------------------------------------------------------------------- */

/* By name, so that one list serves every machine; libseccomp passes over those that this one lacks. */
static const char *const allowed_calls[] = {
    /* start, end, threads */
    "execve",
    "execveat",
    "exit",
    "exit_group",
    "arch_prctl",
    "set_tid_address",
    "set_robust_list",
    "get_robust_list",
    "rseq",
    "futex",
    "sched_yield",
    "sched_getaffinity",
    "sched_getparam",
    "sched_getscheduler",
    "sched_get_priority_max",
    "sched_get_priority_min",
    "restart_syscall",
    "membarrier",
    "getpid",
    "gettid",
    "getppid",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "getgroups",
    "getpriority",
    "getrusage",
    "getrlimit",
    "uname",
    "sysinfo",
    "getcpu",
    "get_mempolicy",
    "landlock_create_ruleset",
    "landlock_add_rule",
    "landlock_restrict_self",
    "seccomp",
    /* signals, to oneself */
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "rt_sigpending",
    "rt_sigtimedwait",
    "sigaltstack",
    /* memory */
    "brk",
    "mmap",
    "mmap2",
    "munmap",
    "mprotect",
    "mremap",
    "madvise",
    "msync",
    "mincore",
    "mlock",
    "munlock",
    /* time and chance */
    "clock_gettime",
    "clock_getres",
    "clock_nanosleep",
    "nanosleep",
    "gettimeofday",
    "time",
    "times",
    "getrandom",
    /* open files */
    "read",
    "write",
    "readv",
    "writev",
    "pread64",
    "pwrite64",
    "preadv",
    "pwritev",
    "preadv2",
    "pwritev2",
    "lseek",
    "_llseek",
    "close",
    "close_range",
    "dup",
    "dup2",
    "dup3",
    "fcntl",
    "fcntl64",
    "pipe",
    "pipe2",
    "eventfd2",
    "poll",
    "ppoll",
    "select",
    "pselect6",
    "epoll_create1",
    "epoll_ctl",
    "epoll_wait",
    "epoll_pwait",
    "fsync",
    "fdatasync",
    "ftruncate",
    "ftruncate64",
    "fallocate",
    "fadvise64",
    "fadvise64_64",
    "sync_file_range",
    "readahead",
    "copy_file_range",
    /* names of files; Landlock says which */
    "open",
    "openat",
    "access",
    "faccessat",
    "faccessat2",
    "stat",
    "lstat",
    "fstat",
    "newfstatat",
    "fstatat64",
    "fstat64",
    "stat64",
    "lstat64",
    "statx",
    "statfs",
    "fstatfs",
    "statfs64",
    "fstatfs64",
    "readlink",
    "readlinkat",
    "getdents64",
    "getcwd",
    "chdir",
    "fchdir",
    "mkdir",
    "mkdirat",
    "unlink",
    "unlinkat",
    "rmdir",
    "rename",
    "renameat",
    "renameat2",
    "umask",
#if SANITIZED
    "personality",
    "tgkill",
    "kill",
    "setrlimit",
#endif
};

/* Calls that are harmless with some arguments only: (argument & mask) == value. */
struct rule {
    int call;
    unsigned argument;
    uint64_t mask, value;
};
enum { THREAD = CLONE_THREAD | CLONE_VM, SET_VMA = 0x53564d41 };
#define LOW UINT32_MAX

/* A new thread is a clone with flags in a register; clone3 hides them in memory, so it stays ENOSYS and glibc falls back.
 * Limits may be read, not set. */
static const struct rule allowed_some[] = {
    { SCMP_SYS(clone), 0, THREAD, THREAD },
    { SCMP_SYS(prlimit64), 2, SANITIZED ? 0 : UINT64_MAX, 0 },
    { SCMP_SYS(prctl), 0, LOW, PR_SET_NAME },
    { SCMP_SYS(prctl), 0, LOW, PR_GET_NAME },
    { SCMP_SYS(prctl), 0, LOW, PR_GET_DUMPABLE },
    { SCMP_SYS(prctl), 0, LOW, PR_CAPBSET_READ },
    { SCMP_SYS(prctl), 0, LOW, PR_SET_NO_NEW_PRIVS },
    { SCMP_SYS(prctl), 0, LOW, PR_SET_SECCOMP },
    { SCMP_SYS(prctl), 0, LOW, SET_VMA },
    { SCMP_SYS(ioctl), 1, LOW, TCGETS },
    { SCMP_SYS(ioctl), 1, LOW, FIONREAD },
    { SCMP_SYS(ioctl), 1, LOW, FIOCLEX },
    { SCMP_SYS(ioctl), 1, LOW, FIONBIO },
};

/* What a sealed worker loses. Not the right to make code: libvips' vector code (orc) is compiled at first use, and aborts
 * when it may not, even where it was switched off. */
static const struct rule sealed[] = {
    { SCMP_SYS(execve), 0, 0, 0 },
    { SCMP_SYS(execveat), 0, 0, 0 },
};

static bool allow(scmp_filter_ctx c, const char *name)
{
    int call = seccomp_syscall_resolve_name(name);

    return call < 0 || seccomp_rule_add(c, SCMP_ACT_ALLOW, call, 0) == 0;
}

static bool add_rule(scmp_filter_ctx c, uint32_t action, const struct rule *r)
{
    struct scmp_arg_cmp when = {
        .arg = r->argument,
        .op = SCMP_CMP_MASKED_EQ,
        .datum_a = r->mask,
        .datum_b = r->value,
    };

    return seccomp_rule_add_array(c, action, r->call, r->mask != 0 ? 1 : 0, &when) == 0;
}

/* libseccomp 2.5 writes a filter to a descriptor only. */
static bool export_program(struct arena *a, scmp_filter_ctx c, struct sock_fprog *result)
{
    int fd = memfd_create("seccomp", MFD_CLOEXEC);
    off_t size = -1;
    bool ok = false;

    if (fd < 0)
        return false;
    if (seccomp_export_bpf(c, fd) == 0)
        size = lseek(fd, 0, SEEK_END);
    if (size > 0 && size <= BPF_MAXINSNS * (off_t)sizeof(struct sock_filter)) {
        result->filter = arena_alloc(a, (size_t)size);
        result->len = (unsigned short)((size_t)size / sizeof(struct sock_filter));
        ok = pread(fd, result->filter, (size_t)size, 0) == size;
    }
    close(fd);
    return ok;
}

bool seccomp_works(void)
{
    uint32_t action = SECCOMP_RET_ERRNO;

    return syscall(SYS_seccomp, 2 /* SECCOMP_GET_ACTION_AVAIL */, 0, &action) == 0;
}

bool seccomp_program(struct arena *a, struct sock_fprog *result)
{
    scmp_filter_ctx c = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    bool ok = c != NULL;

    /* A sorted tree instead of a hundred comparisons for the last of the list. */
    ok = ok && seccomp_attr_set(c, SCMP_FLTATR_CTL_OPTIMIZE, 2) == 0;
    for (size_t i = 0; ok && i < COUNT(allowed_calls); i++)
        ok = allow(c, allowed_calls[i]);
    for (size_t i = 0; ok && i < COUNT(allowed_some); i++)
        ok = add_rule(c, SCMP_ACT_ALLOW, &allowed_some[i]);
    ok = ok && export_program(a, c, result);
    if (c != NULL)
        seccomp_release(c);
    return ok;
}

/* --- A worker's own last step -------------------------------------------------------------------- */

/* Files by path: only those of the folder we stand in. */
static bool seal_files(void)
{
    int version = landlock_version(), fd, dir;
    uint64_t fs = known_fs(version);
    bool ok;

    if (version == 0 || SANITIZED)
        return true;
    fd = (int)syscall(SYS_landlock_create_ruleset, &fs, sizeof fs, 0);
    dir = open(".", O_PATH | O_CLOEXEC);
    ok = fd >= 0 && dir >= 0 && allow_fd(fd, fs, dir, FS_WRITE) &&
         syscall(SYS_landlock_restrict_self, fd, 0) == 0;
    if (dir >= 0)
        close(dir);
    if (fd >= 0)
        close(fd);
    return ok;
}

static bool seal_calls(void)
{
    scmp_filter_ctx c = seccomp_init(SCMP_ACT_ALLOW);
    bool ok = c != NULL;

    for (size_t i = 0; ok && i < COUNT(sealed); i++)
        ok = add_rule(c, SCMP_ACT_ERRNO(EPERM), &sealed[i]);
    ok = ok && seccomp_load(c) == 0;
    if (c != NULL)
        seccomp_release(c);
    return ok;
}

bool jail_seal(void)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return false;
    return seal_files() && (!seccomp_works() || seal_calls());
}
