/* power.c -- the VFS and its record; see power.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "test/power_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct file {
    sqlite3_file base;
    struct power *p;
    int name, inode;    /* -1: not recorded */
    bool folder_wanted; /* SQLite syncs the folder after the first sync of a journal or a WAL */
    sqlite3_file *real;
};

/* --- the record ------------------------------------------------------------------------------------------------- */

static void lock(struct power *p)
{
    must(pthread_mutex_lock(&p->lock) == 0);
}

static void unlock(struct power *p)
{
    must(pthread_mutex_unlock(&p->lock) == 0);
}

void power_note(struct power *p, struct op op, const void *data)
{
    must(p->ops_n < OPS_MAX && op.n <= BYTES_MAX - p->bytes_n);
    op.data = p->bytes_n;
    if (data != NULL) {
        memcpy(p->bytes + p->bytes_n, data, op.n);
        p->bytes_n += op.n;
    }
    p->ops[p->ops_n] = op;
    /* Read without the lock by those who ask where they are. */
    __atomic_store_n(&p->ops_n, p->ops_n + 1, __ATOMIC_RELEASE);
}

size_t power_now(struct power *p)
{
    return __atomic_load_n(&p->ops_n, __ATOMIC_ACQUIRE);
}

static int name_of(struct power *p, const char *path)
{
    for (int i = 0; i < p->names_n; i++)
        if (strcmp(p->names[i].path, path) == 0)
            return i;
    must(p->names_n < NAMES_MAX && strlen(path) < sizeof(p->names[0].path));
    struct name *n = &p->names[p->names_n];
    snprintf(n->path, sizeof(n->path), "%s", path);
    n->inode = -1;
    return p->names_n++;
}

/* The code that this operation has to fail with, or SQLITE_OK. */
static int fault_of(struct power *p, enum power_operation kind)
{
    if ((p->fault.kinds & kind) == 0)
        return SQLITE_OK;
    p->seen++;
    bool now =
        p->fault.at > 0 && (p->seen == p->fault.at || (p->fault.forever && p->seen > p->fault.at));
    p->failed += now;
    return now ? p->fault.code : SQLITE_OK;
}

static void killed(int fault)
{
    if (fault == POWER_KILLS)
        _exit(POWER_KILLED);
}

/* --- files ------------------------------------------------------------------------------------------------------ */

static struct file *file_of(sqlite3_file *f)
{
    return (struct file *)f;
}

static int file_close(sqlite3_file *base)
{
    sqlite3_file *real = file_of(base)->real;

    return real->pMethods->xClose(real);
}

static int file_read(sqlite3_file *base, void *to, int n, sqlite3_int64 at)
{
    sqlite3_file *real = file_of(base)->real;

    return real->pMethods->xRead(real, to, n, at);
}

/* Records and does the first `n` bytes of a write. */
static int write_some(struct file *f, const void *from, int n, sqlite3_int64 at)
{
    struct op op = { OP_WRITE, f->name, f->inode, at, (size_t)n, 0 };

    if (n == 0)
        return SQLITE_OK;
    power_note(f->p, op, from);
    return f->real->pMethods->xWrite(f->real, from, n, at);
}

static int file_write(sqlite3_file *base, const void *from, int n, sqlite3_int64 at)
{
    struct file *f = file_of(base);

    if (f->inode < 0)
        return f->real->pMethods->xWrite(f->real, from, n, at);
    lock(f->p);
    int fault = fault_of(f->p, POWER_WRITE);
    int code = write_some(f, from, fault == SQLITE_OK ? n : n / 2, at);
    killed(fault);
    unlock(f->p);
    return fault != SQLITE_OK ? fault : code;
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    struct file *f = file_of(base);

    if (f->inode < 0)
        return f->real->pMethods->xTruncate(f->real, size);
    lock(f->p);
    int code = fault_of(f->p, POWER_WRITE);
    killed(code);
    if (code == SQLITE_OK) {
        power_note(f->p, (struct op) { OP_TRUNCATE, f->name, f->inode, size, 0, 0 }, NULL);
        code = f->real->pMethods->xTruncate(f->real, size);
    }
    unlock(f->p);
    return code;
}

/* The real disk is not asked: the record is the disk. */
static int file_sync(sqlite3_file *base, int flags)
{
    struct file *f = file_of(base);

    (void)flags;
    if (f->inode < 0)
        return SQLITE_OK;
    lock(f->p);
    int code = fault_of(f->p, POWER_SYNC);
    killed(code);
    bool good = code == SQLITE_OK;
    power_note(f->p, (struct op) { good ? OP_SYNC : OP_SYNC_LOST, f->name, f->inode, 0, 0, 0 },
               NULL);
    if (good && f->folder_wanted) {
        power_note(f->p, (struct op) { .kind = OP_FOLDER_SYNC }, NULL);
        f->folder_wanted = false;
    }
    unlock(f->p);
    return code;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *size)
{
    sqlite3_file *real = file_of(base)->real;

    return real->pMethods->xFileSize(real, size);
}

static int file_lock(sqlite3_file *base, int level)
{
    sqlite3_file *real = file_of(base)->real;

    return real->pMethods->xLock(real, level);
}

static int file_unlock(sqlite3_file *base, int level)
{
    sqlite3_file *real = file_of(base)->real;

    return real->pMethods->xUnlock(real, level);
}

static int file_check_lock(sqlite3_file *base, int *result)
{
    sqlite3_file *real = file_of(base)->real;

    return real->pMethods->xCheckReservedLock(real, result);
}

/* PRAGMAs come by here before SQLite reads their value: the text is its own copy of it. */
static void pragma_replace(struct power *p, char **words)
{
    for (int i = 0; i < PRAGMAS_MAX; i++) {
        struct pragma *g = &p->pragmas[i];
        if (g->name[0] == 0 || words[2] == NULL || sqlite3_stricmp(g->name, words[1]) != 0)
            continue;
        must(strlen(g->value) <= strlen(words[2]));
        memcpy(words[2], g->value, strlen(g->value) + 1);
    }
}

static int file_control(sqlite3_file *base, int what, void *arg)
{
    struct file *f = file_of(base);

    if (what == SQLITE_FCNTL_PRAGMA)
        pragma_replace(f->p, arg);
    return f->real->pMethods->xFileControl(f->real, what, arg);
}

static int file_sector_size(sqlite3_file *base)
{
    sqlite3_file *real = file_of(base)->real;

    return real->pMethods->xSectorSize(real);
}

static int file_characteristics(sqlite3_file *base)
{
    sqlite3_file *real = file_of(base)->real;

    return real->pMethods->xDeviceCharacteristics(real);
}

static int file_shm_map(sqlite3_file *base, int page, int size, int extend, void volatile **p)
{
    sqlite3_file *real = file_of(base)->real;

    return real->pMethods->xShmMap(real, page, size, extend, p);
}

static int file_shm_lock(sqlite3_file *base, int at, int n, int flags)
{
    sqlite3_file *real = file_of(base)->real;

    return real->pMethods->xShmLock(real, at, n, flags);
}

static void file_shm_barrier(sqlite3_file *base)
{
    sqlite3_file *real = file_of(base)->real;

    real->pMethods->xShmBarrier(real);
}

static int file_shm_unmap(sqlite3_file *base, int and_delete)
{
    sqlite3_file *real = file_of(base)->real;

    return real->pMethods->xShmUnmap(real, and_delete);
}

static int file_fetch(sqlite3_file *base, sqlite3_int64 at, int n, void **p)
{
    sqlite3_file *real = file_of(base)->real;

    return real->pMethods->xFetch(real, at, n, p);
}

static int file_unfetch(sqlite3_file *base, sqlite3_int64 at, void *p)
{
    sqlite3_file *real = file_of(base)->real;

    return real->pMethods->xUnfetch(real, at, p);
}

static const sqlite3_io_methods methods = {
    .iVersion = 3,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
    .xFetch = file_fetch,
    .xUnfetch = file_unfetch,
};

/* --- the kernel ------------------------------------------------------------------------------------------------- */

/* The driver speaks of the WAL with the kernel, too, before SQLite opens it: these two stand in front of libc's. */
static struct power *the_power;

/* The recorded file that this is, or NULL. */
static struct name *name_of_fd(int fd)
{
    char link[40], path[300];

    if (the_power == NULL || !the_power->recording)
        return NULL;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof(path) - 1);
    path[n < 0 ? 0 : n] = 0;
    for (int i = 0; i < the_power->names_n; i++)
        if (the_power->names[i].inode >= 0 && strcmp(the_power->names[i].path, path) == 0)
            return &the_power->names[i];
    return NULL;
}

int fsync(int fd)
{
    struct name *n = name_of_fd(fd);

    if (n == NULL)
        return (int)syscall(SYS_fsync, fd);
    lock(the_power);
    power_note(the_power, (struct op) { OP_SYNC, 0, n->inode, 0, 0, 0 }, NULL);
    unlock(the_power);
    return 0;
}

/* The cache forgets what is clean: from now on the file reads as the disk has it. */
int posix_fadvise(int fd, off_t at, off_t n, int advice)
{
    struct name *name = name_of_fd(fd);

    (void)at, (void)n;
    if (name != NULL && advice == POSIX_FADV_DONTNEED)
        power_forget(the_power, name->path, name->inode);
    return 0;
}

/* --- the VFS ---------------------------------------------------------------------------------------------------- */

static struct power *power_of(sqlite3_vfs *v)
{
    return v->pAppData;
}

/* A file that this has not seen being made: all of it is on the disk. */
static void note_old(struct power *p, struct file *f)
{
    char block[4096];
    sqlite3_int64 size = 0;

    must(f->real->pMethods->xFileSize(f->real, &size) == SQLITE_OK);
    power_note(p, (struct op) { OP_CREATE, f->name, f->inode, 0, 0, 0 }, NULL);
    for (sqlite3_int64 at = 0; at < size;) {
        int n = size - at < (sqlite3_int64)sizeof(block) ? (int)(size - at) : (int)sizeof(block);
        must(f->real->pMethods->xRead(f->real, block, n, at) == SQLITE_OK);
        power_note(p, (struct op) { OP_WRITE, f->name, f->inode, at, (size_t)n, 0 }, block);
        at += n;
    }
    power_note(p, (struct op) { OP_SYNC, f->name, f->inode, 0, 0, 0 }, NULL);
    power_note(p, (struct op) { .kind = OP_FOLDER_SYNC }, NULL);
}

static int open_recorded(struct power *p, struct file *f, const char *path, int flags, int *out)
{
    bool there = access(path, F_OK) == 0; /* to xAccess an empty file is none */
    int code = SQLITE_OK;

    f->name = name_of(p, path);
    struct name *n = &p->names[f->name];
    if (!there)
        code = fault_of(p, POWER_WRITE);
    killed(code);
    if (code == SQLITE_OK)
        code = p->real->xOpen(p->real, path, f->real, flags, out);
    if (code != SQLITE_OK)
        return code;
    f->folder_wanted = (flags & SQLITE_OPEN_CREATE) != 0 &&
                       (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
    if (!there || n->inode < 0) {
        must(p->inodes_n < INODES_MAX);
        n->inode = f->inode = p->inodes_n++;
        if (there)
            note_old(p, f);
        else
            power_note(p, (struct op) { OP_CREATE, f->name, f->inode, 0, 0, 0 }, NULL);
    }
    f->inode = n->inode;
    return SQLITE_OK;
}

static int vfs_open(sqlite3_vfs *v, const char *path, sqlite3_file *base, int flags, int *out)
{
    enum { RECORDED = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL };
    struct power *p = power_of(v);
    struct file *f = file_of(base);
    int code;

    *f = (struct file) { .p = p, .inode = -1, .real = (sqlite3_file *)(f + 1) };
    if (p->recording && (flags & RECORDED) != 0 && path != NULL) {
        lock(p);
        code = open_recorded(p, f, path, flags, out);
        unlock(p);
    } else {
        code = p->real->xOpen(p->real, path, f->real, flags, out);
    }
    /* SQLite closes whatever has methods, also what did not open. */
    base->pMethods = code == SQLITE_OK ? &methods : NULL;
    return code;
}

static int vfs_delete(sqlite3_vfs *v, const char *path, int sync_folder)
{
    struct power *p = power_of(v);

    if (!p->recording)
        return p->real->xDelete(p->real, path, 0);
    lock(p);
    int name = name_of(p, path), code = fault_of(p, POWER_WRITE);
    killed(code);
    if (code == SQLITE_OK)
        code = p->real->xDelete(p->real, path, 0);
    if (code == SQLITE_OK) {
        power_note(p, (struct op) { OP_DELETE, name, p->names[name].inode, 0, 0, 0 }, NULL);
        p->names[name].inode = -1;
        if (sync_folder)
            power_note(p, (struct op) { .kind = OP_FOLDER_SYNC }, NULL);
    }
    unlock(p);
    return code;
}

static int vfs_access(sqlite3_vfs *v, const char *path, int flags, int *result)
{
    sqlite3_vfs *real = power_of(v)->real;

    return real->xAccess(real, path, flags, result);
}

static int vfs_full_path(sqlite3_vfs *v, const char *path, int n, char *result)
{
    sqlite3_vfs *real = power_of(v)->real;

    return real->xFullPathname(real, path, n, result);
}

static int vfs_random(sqlite3_vfs *v, int n, char *to)
{
    sqlite3_vfs *real = power_of(v)->real;

    return real->xRandomness(real, n, to);
}

static int vfs_sleep(sqlite3_vfs *v, int us)
{
    sqlite3_vfs *real = power_of(v)->real;

    return real->xSleep(real, us);
}

static int vfs_time(sqlite3_vfs *v, sqlite3_int64 *now)
{
    sqlite3_vfs *real = power_of(v)->real;

    return real->xCurrentTimeInt64(real, now);
}

static int vfs_error(sqlite3_vfs *v, int n, char *to)
{
    sqlite3_vfs *real = power_of(v)->real;

    return real->xGetLastError(real, n, to);
}

static void lock_make(struct power *p)
{
    pthread_mutexattr_t shared;

    pthread_mutexattr_init(&shared);
    pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&p->lock, &shared);
    pthread_mutexattr_destroy(&shared);
}

struct power *power_open(void)
{
    sqlite3_vfs *real = sqlite3_vfs_find(NULL);
    struct power *p = mmap(NULL, sizeof(*p) + BYTES_MAX, PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    must(real != NULL && p != MAP_FAILED);
    p->real = real;
    p->recording = true;
    lock_make(p);
    p->vfs = (sqlite3_vfs) { .iVersion = 2,
                             .szOsFile = (int)sizeof(struct file) + real->szOsFile,
                             .mxPathname = real->mxPathname,
                             .zName = "power",
                             .pAppData = p,
                             .xOpen = vfs_open,
                             .xDelete = vfs_delete,
                             .xAccess = vfs_access,
                             .xFullPathname = vfs_full_path,
                             .xRandomness = vfs_random,
                             .xSleep = vfs_sleep,
                             .xGetLastError = vfs_error,
                             .xCurrentTimeInt64 = vfs_time };
    must(sqlite3_vfs_register(&p->vfs, 1) == SQLITE_OK);
    the_power = p;
    return p;
}

void power_close(struct power *p)
{
    the_power = NULL;
    sqlite3_vfs_unregister(&p->vfs);
    sqlite3_vfs_register(p->real, 1);
    munmap(p, sizeof(*p) + BYTES_MAX);
}

void power_pragma(struct power *p, const char *name, const char *value)
{
    int i = 0;

    while (p->pragmas[i].name[0] != 0 && strcmp(p->pragmas[i].name, name) != 0)
        i++;
    must(i < PRAGMAS_MAX);
    snprintf(p->pragmas[i].name, sizeof(p->pragmas[i].name), "%s", name);
    snprintf(p->pragmas[i].value, sizeof(p->pragmas[i].value), "%s", value);
}

void power_record(struct power *p, bool on)
{
    p->recording = on;
}

void power_child_died(struct power *p)
{
    lock_make(p);
}

void power_fail(struct power *p, struct power_fault fault)
{
    lock(p);
    p->fault = fault;
    p->seen = p->failed = 0;
    unlock(p);
}

void power_heal(struct power *p)
{
    lock(p);
    p->fault.at = 0;
    unlock(p);
}

int64_t power_seen(struct power *p)
{
    lock(p);
    int64_t n = p->seen;
    unlock(p);
    return n;
}

int64_t power_failed(struct power *p)
{
    lock(p);
    int64_t n = p->failed;
    unlock(p);
    return n;
}
