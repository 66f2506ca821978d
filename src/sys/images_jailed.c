/* images_jailed.c -- see images_jailed.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/images_jailed.h"
#include "base/check.h"
#include "base/when.h"
#include "sys/image_plan.h"
#include "sys/jail.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert((int)IMAGE_RENDITIONS_MAX <= (int)RENDITIONS_MAX, "all of them fit");

enum { OLD_S = 3600 };

struct images_jailed {
    struct images images;
    struct blobs *blobs;
    struct log *log;
    struct arena arena; /* of the two texts below */
    const char *scratch, *program;
};

/* --- One picture --------------------------------------------------------------------------------- */

static enum image_purpose purpose_of(const char *name)
{
    const struct image_plan *plan = image_plan_named(name);
    enum image_purpose p = IMAGE_POST;

    must(plan != NULL);
    while (image_plan_of(p) != plan)
        p++;
    return p;
}

static bool write_all(int fd, struct bytes b)
{
    while (b.n > 0) {
        ssize_t n = write(fd, b.p, b.n);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        b = (struct bytes) { b.p + n, b.n - (size_t)n };
    }
    return true;
}

static enum err put_file(const struct images_jailed *m, struct str path, struct bytes b)
{
    int fd = open(path.p, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), code;
    bool good = fd >= 0 && write_all(fd, b);

    code = errno;
    if (fd >= 0)
        close(fd); /* the blob store syncs it */
    if (good)
        return E_OK;
    if (fd >= 0)
        unlink(path.p);
    log_error(m->log, "images.write_failed", L_STR("path", path),
              L_STR("why", str_of(strerror(code))));
    return code == ENOSPC || code == EDQUOT ? E_STORAGE_FULL : E_INTERNAL;
}

/* All of them or none. */
static enum err put_files(const struct images_jailed *m, struct arena *a,
                          const struct image_outcome *o, struct image_made *made)
{
    for (size_t i = 0; i < o->n; i++) {
        const struct image_rendition *r = &o->renditions[i];
        struct str path = m->blobs->ops->temporary(m->blobs, a);
        enum err e = put_file(m, path, r->webp);

        if (e != E_OK) {
            while (i > 0)
                unlink(made->renditions[--i].path.p);
            return e;
        }
        made->renditions[i] = (struct rendition) {
            .name = str_of(r->name),
            .path = path,
            .width = r->width,
            .height = r->height,
            .bytes = (int64_t)r->webp.n,
        };
    }
    made->n = o->n;
    return E_OK;
}

static enum err refused(const struct images_jailed *m, const struct image_outcome *o,
                        struct image_made *result)
{
    log_info(m->log, "images.refused", L_STR("code", str_of(image_refusal_code(o->refusal))),
             L_STR("detail", o->detail), L_INT("wall_ms", o->wall_us / 1000));
    *result = (struct image_made) { .refused = str_of(image_refusal_text(o->refusal)) };
    return E_UNSUPPORTED_IMAGE;
}

static enum err done(const struct images_jailed *m, struct arena *a, const struct image_outcome *o,
                     struct image_made *result)
{
    struct image_made made = { .type = str_of(o->type), .width = o->width, .height = o->height };

    TRY(put_files(m, a, o, &made));
    log_info(m->log, "images.made", L_STR("type", made.type), L_INT("width", made.width),
             L_INT("height", made.height), L_INT("wall_ms", o->wall_us / 1000),
             L_INT("cpu_ms", o->cpu_us / 1000), L_INT("resident_bytes", o->resident_bytes));
    *result = made;
    return E_OK;
}

static enum err jailed_make(struct images *images, struct arena *a, struct str source_path,
                            const char *purpose, void (*progress)(void *context, int percent),
                            void *context, struct image_made *result)
{
    const struct images_jailed *m = (const struct images_jailed *)images;
    struct image_request r = { .purpose = purpose_of(purpose),
                               .scratch = m->scratch,
                               .program = m->program,
                               .progress = progress,
                               .context = context };
    struct image_outcome o = { .detail = STR("the source cannot be opened") };
    enum image_result end = IMAGE_FAILED;

    r.input = open(str_copy(a, source_path).p, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (r.input >= 0) {
        end = image_process(a, &r, &o);
        close(r.input);
    }
    switch (end) {
    case IMAGE_DONE:
        return done(m, a, &o, result);
    case IMAGE_REFUSED:
        return refused(m, &o, result);
    case IMAGE_FAILED:
        break;
    }
    log_error(m->log, "images.failed", L_STR("why", o.detail), L_INT("wall_ms", o.wall_us / 1000));
    return E_BUSY;
}

/* --- Opening ------------------------------------------------------------------------------------- */

static void remove_files(int folder, const char *name)
{
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *e;

    while (d != NULL && (e = readdir(d)) != NULL)
        unlinkat(fd, e->d_name, 0);
    if (d != NULL)
        closedir(d);
    unlinkat(folder, name, AT_REMOVEDIR);
}

static bool is_old(int folder, const char *name)
{
    struct stat st;

    return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) &&
           when_real_now().us / SECOND - st.st_mtime > OLD_S;
}

static bool sweep(const char *scratch)
{
    DIR *d = opendir(scratch);
    const struct dirent *e;

    if (d == NULL)
        return false;
    while ((e = readdir(d)) != NULL)
        if (strncmp(e->d_name, "image-", 6) == 0 && is_old(dirfd(d), e->d_name))
            remove_files(dirfd(d), e->d_name);
    closedir(d);
    return true;
}

static void tell_missing_walls(struct log *log)
{
    struct arena a = { 0 };
    struct buf missing = { .arena = &a };
    unsigned walls = jail_probe();

    for (unsigned w = 1; w < JAIL_ALL; w <<= 1)
        if (!(walls & w))
            buf_printf(&missing, "%s%s", missing.n > 0 ? ", " : "",
                       jail_wall_name((enum jail_wall)w));
    if (missing.n > 0)
        log_warn(log, "jail.weaker", L_STR("missing", buf_str(&missing)),
                 L_STR("detail", STR("pictures are still decoded in a process of their own, behind "
                                     "the walls that remain")));
    arena_done(&a);
}

static void jailed_close(struct images *images)
{
    struct images_jailed *m = (struct images_jailed *)images;

    arena_done(&m->arena);
    free(m);
}

struct images *images_jailed_open(struct blobs *blobs, struct str scratch, const char *program,
                                  struct log *log)
{
    struct images_jailed *m = calloc(1, sizeof *m);

    must(m != NULL);
    m->images = (struct images) { .make = jailed_make, .close = jailed_close };
    m->blobs = blobs;
    m->log = log;
    m->scratch = str_copy(&m->arena, scratch).p;
    m->program = program != NULL ? str_copy(&m->arena, str_of(program)).p : NULL;
    if ((mkdir(m->scratch, 0700) == 0 || errno == EEXIST) && sweep(m->scratch)) {
        tell_missing_walls(log);
        return &m->images;
    }
    log_error(log, "images.no_scratch", L_STR("path", scratch),
              L_STR("why", str_of(strerror(errno))));
    jailed_close(&m->images);
    return NULL;
}
