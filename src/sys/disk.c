/* disk.c -- blobs on a local disk: folder/ab/ab34…, named by their SHA-256 in hex; unfinished ones in folder/tmp.
 *
 * A blob appears whole or not at all: it is written under another name, synced, renamed, and its folder is synced. The
 * name comes from the hash alone, so no text of a client ever becomes a path. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/disk.h"
#include "base/check.h"
#include "base/file.h"
#include "base/when.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FOLDER_MODE = 0700, HEX = SHA256_HEX, PROMISED_S = 15 * 60 };

struct disk {
    struct blobs blobs;
    pthread_mutex_t lock; /* between keep and remove of the same bytes */
    struct log *log;
    size_t n;      /* length of folder */
    char folder[]; /* no slash at the end */
};

struct path {
    char p[PATH_MAX];
};

static enum err failed(const struct disk *d, const char *what, const char *path)
{
    int code = errno;

    if (code == ENOENT)
        return E_NOT_FOUND;
    log_error(d->log, "disk.failed", L_STR("what", str_of(what)), L_STR("path", str_of(path)),
              L_STR("why", str_of(strerror(code))));
    return code == ENOSPC || code == EDQUOT ? E_STORAGE_FULL : E_INTERNAL;
}

/* folder/ab, or folder/ab/ab34… */
static struct path path_of(const struct disk *d, const struct sha256 *hash, bool whole)
{
    static const char digits[] = "0123456789abcdef";
    struct path path;
    char hex[HEX + 1] = { 0 };

    for (size_t i = 0; i < SHA256_BYTES; i++) {
        hex[2 * i] = digits[hash->b[i] >> 4];
        hex[2 * i + 1] = digits[hash->b[i] & 15];
    }
    int n = snprintf(path.p, sizeof(path.p), "%s/%.2s%s%s", d->folder, hex, whole ? "/" : "",
                     whole ? hex : "");
    must(n > 0 && (size_t)n < sizeof(path.p));
    return path;
}

static struct str disk_temporary(struct blobs *b, struct arena *a)
{
    struct disk *d = (struct disk *)b;
    unsigned char name[16];

    random_fill(name, sizeof(name));
    struct str hex = hex_print(a, name, sizeof(name));
    return str_printf(a, "%s/tmp/%.*s", d->folder, STR_FMT(hex));
}

/* Is it a name that disk_temporary gave? A path from anywhere else is our bug, and a dangerous one. */
static bool is_temporary(const struct disk *d, struct str path)
{
    struct str name = str_cut(path, d->n + sizeof("/tmp/") - 1, path.n);

    return str_starts(path, d->folder) && str_starts(str_cut(path, d->n, path.n), "/tmp/") &&
           name.n > 0 && name.p[0] != '.' && memchr(name.p, '/', name.n) == NULL &&
           memchr(path.p, 0, path.n) == NULL && path.n < PATH_MAX;
}

static enum err sync_path(const struct disk *d, const char *path, int flags)
{
    return file_sync(path, flags | O_NOFOLLOW) ? E_OK : failed(d, "fsync", path);
}

static enum err make_folder(const struct disk *d, const char *path)
{
    return mkdir(path, FOLDER_MODE) == 0 || errno == EEXIST ? E_OK : failed(d, "mkdir", path);
}

/* The bytes are there already, and somebody is about to name them: a remove() that looked for names a moment earlier must
 * not take them away. Its time of change is set ahead, and until then remove() answers E_BUSY. */
static bool promise(const char *path)
{
    struct timespec times[2];

    clock_gettime(CLOCK_REALTIME, &times[0]);
    times[0].tv_sec += PROMISED_S;
    times[1] = times[0];
    return utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) == 0;
}

static enum err move_there(struct disk *d, const char *from, const char *to)
{
    pthread_mutex_lock(&d->lock);
    bool there = promise(to);
    bool good = there || rename(from, to) == 0;
    enum err e = good ? E_OK : failed(d, "rename", to);
    pthread_mutex_unlock(&d->lock);
    if (there)
        unlink(from);
    return e;
}

static enum err disk_keep(struct blobs *b, struct str path, const struct sha256 *hash)
{
    struct disk *d = (struct disk *)b;
    struct path from, folder = path_of(d, hash, false), to = path_of(d, hash, true);

    must(is_temporary(d, path));
    memcpy(from.p, path.p, path.n);
    from.p[path.n] = 0;
    TRY(sync_path(d, from.p, 0));
    TRY(move_there(d, from.p, to.p));
    /* Also when it was there: another thread may have renamed it a moment ago and not have come to this line. */
    return sync_path(d, folder.p, O_DIRECTORY);
}

static enum err disk_blob_open(struct blobs *b, const struct sha256 *hash, int *fd, int64_t *size)
{
    struct disk *d = (struct disk *)b;
    struct path path = path_of(d, hash, true);
    struct stat s;
    int opened = open(path.p, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    if (opened < 0)
        return failed(d, "open", path.p);
    if (fstat(opened, &s) != 0) {
        enum err e = failed(d, "fstat", path.p);
        close(opened);
        return e;
    }
    *fd = opened;
    *size = s.st_size;
    return E_OK;
}

static enum err disk_path(struct blobs *b, const struct sha256 *hash, struct arena *a,
                          struct str *result)
{
    struct disk *d = (struct disk *)b;
    struct path path = path_of(d, hash, true);
    struct stat s;

    if (lstat(path.p, &s) != 0)
        return failed(d, "lstat", path.p);
    *result = str_copy(a, str_of(path.p));
    return E_OK;
}

static bool is_promised(const char *path)
{
    struct timespec now;
    struct stat s;

    clock_gettime(CLOCK_REALTIME, &now);
    return lstat(path, &s) == 0 && s.st_mtim.tv_sec > now.tv_sec;
}

static enum err disk_remove(struct blobs *b, const struct sha256 *hash)
{
    struct disk *d = (struct disk *)b;
    struct path path = path_of(d, hash, true);
    enum err e = E_BUSY;

    pthread_mutex_lock(&d->lock);
    if (!is_promised(path.p))
        e = unlink(path.p) == 0 || errno == ENOENT ? E_OK : failed(d, "unlink", path.p);
    pthread_mutex_unlock(&d->lock);
    return e;
}

static void disk_close(struct blobs *b)
{
    pthread_mutex_destroy(&((struct disk *)b)->lock);
    free(b);
}

static const struct blob_ops ops = {
    .temporary = disk_temporary,
    .keep = disk_keep,
    .open = disk_blob_open,
    .path = disk_path,
    .remove = disk_remove,
    .close = disk_close,
};

/* What a crash left in tmp; younger files may belong to a program that runs. */
static void sweep(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    struct stat s;

    if (folder == NULL)
        return;
    while ((entry = readdir(folder)) != NULL)
        if (fstatat(dirfd(folder), entry->d_name, &s, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(s.st_mode) && (int64_t)s.st_mtime * SECOND < when_real_now().us - DAY)
            unlinkat(dirfd(folder), entry->d_name, 0);
    closedir(folder);
}

/* All 256, and all of them synced, before there is a blob: a name is durable when each folder above it is, and one that was
 * found there may be another's (a thread's, a dead process's) who has not come to syncing it. */
static enum err make_all(const struct disk *d)
{
    struct sha256 hash = { { 0 } };

    for (int i = 0; i < 256; i++) {
        hash.b[0] = (unsigned char)i;
        TRY(make_folder(d, path_of(d, &hash, false).p));
    }
    return sync_path(d, d->folder, O_DIRECTORY);
}

/* The folder that holds ours. */
static enum err sync_above(const struct disk *d)
{
    struct path above;

    snprintf(above.p, sizeof(above.p), "%s/..", d->folder);
    return sync_path(d, above.p, O_DIRECTORY);
}

static enum err prepare_folder(struct disk *d)
{
    struct path tmp;

    if (d->n + HEX + sizeof("/tmp//ab") >= sizeof(tmp.p)) {
        errno = ENAMETOOLONG;
        return failed(d, "open", d->folder);
    }
    if (mkdir(d->folder, FOLDER_MODE) != 0 && errno != EEXIST)
        return failed(d, "mkdir", d->folder);
    snprintf(tmp.p, sizeof(tmp.p), "%s/tmp", d->folder);
    TRY(make_folder(d, tmp.p));
    TRY(make_all(d));
    TRY(sync_above(d));
    sweep(tmp.p);
    return E_OK;
}

struct blobs *disk_open(struct str folder, struct log *log)
{
    struct disk *d = calloc(1, sizeof(*d) + folder.n + 1);

    must(d != NULL && folder.n > 0);
    d->blobs.ops = &ops;
    pthread_mutex_init(&d->lock, NULL);
    d->log = log;
    d->n = str_ends(folder, "/") ? folder.n - 1 : folder.n;
    memcpy(d->folder, folder.p, d->n);
    enum err e = prepare_folder(d);
    if (e == E_OK)
        return &d->blobs;
    if (e == E_NOT_FOUND)
        log_error(log, "disk.failed", L_STR("why", STR("the folder above it is missing")),
                  L_STR("path", folder));
    free(d);
    return NULL;
}
