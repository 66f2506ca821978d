/* image_worker.c -- one picture, one process, one decode.
 *
 * Order of defence: our own look at the first bytes chooses the one loader that stays open; sizes are read from the header
 * and bounded before a pixel is decoded; once the libraries are loaded the process seals itself (jail_seal). Of the
 * result, every metadata field is removed, and the file is scrubbed as well: libvips 8.14 writes EXIF all the same. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/image_worker.h"
#include "base/check.h"
#include "sys/image_plan.h"
#include "sys/jail.h"
#include "sys/webp_scrub.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <gmodule.h>
#include <vips/vips.h>

enum { EXIT_REFUSED = 1, EXIT_UNABLE = 2, THREADS = 2 };

/* --- libvips, opened at run time ----------------------------------------------------------------- */

#define FUNCTIONS(F)                                                                               \
    F(vips_init)                                                                                   \
    F(vips_version)                                                                                \
    F(vips_block_untrusted_set)                                                                    \
    F(vips_operation_block_set)                                                                    \
    F(vips_concurrency_set)                                                                        \
    F(vips_cache_set_max)                                                                          \
    F(vips_error_buffer)                                                                           \
    F(vips_source_new_from_descriptor)                                                             \
    F(vips_image_new_from_source)                                                                  \
    F(vips_image_get_width)                                                                        \
    F(vips_image_get_height)                                                                       \
    F(vips_image_get_orientation_swap)                                                             \
    F(vips_image_hasalpha)                                                                         \
    F(vips_image_get_fields)                                                                       \
    F(vips_image_remove)                                                                           \
    F(vips_image_copy_memory)                                                                      \
    F(vips_copy)                                                                                   \
    F(vips_thumbnail_source)                                                                       \
    F(vips_thumbnail_image)                                                                        \
    F(vips_colourspace)                                                                            \
    F(vips_cast_uchar)                                                                             \
    F(vips_flatten)                                                                                \
    F(vips_gaussblur)                                                                              \
    F(vips_webpsave_buffer)                                                                        \
    F(g_module_open)                                                                               \
    F(g_object_unref)                                                                              \
    F(g_strfreev)                                                                                  \
    F(g_free)

struct vips {
#define MEMBER(f) __typeof__(f) *f;
    FUNCTIONS(MEMBER)
};

struct function {
    const char *name;
    size_t at;
};

static const struct function functions[] = {
#define ENTRY(f) { #f, offsetof(struct vips, f) },
    FUNCTIONS(ENTRY)
};

/* --- Words to the parent ------------------------------------------------------------------------- */

struct work {
    const struct vips *vips;
    struct arena *arena;
    const struct image_plan *plan;
    enum image_kind kind;
    int percent;
};

FORMAT(1, 2) static int unable(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vdprintf(STDERR_FILENO, format, args);
    va_end(args);
    return EXIT_UNABLE;
}

static int refuse(enum image_refusal why, const char *detail)
{
    int n = (int)strcspn(detail, "\r\n");

    dprintf(STDOUT_FILENO, "refused %s %.*s\n", image_refusal_code(why), n, detail);
    return EXIT_REFUSED;
}

static int damaged(const struct work *w)
{
    const char *said = w->vips->vips_error_buffer();

    return refuse(strstr(said, "out of memory") != NULL ? IMAGE_TOO_HEAVY : IMAGE_DAMAGED, said);
}

static void progress(struct work *w, int percent)
{
    must(percent >= w->percent && percent <= 100);
    w->percent = percent;
    dprintf(STDOUT_FILENO, "progress %d\n", percent);
}

/* --- Making ready -------------------------------------------------------------------------------- */

static bool find_functions(void *library, struct vips *v)
{
    for (size_t i = 0; i < COUNT(functions); i++) {
        void *f = dlsym(library, functions[i].name);

        if (f == NULL)
            return false;
        memcpy((char *)v + functions[i].at, &f, sizeof f);
    }
    return true;
}

/* HEIF is a module of its own on Debian. vips_init would load it with four others (ImageMagick, poppler, ...), twice the
 * start-up time and much more code to attack; so it is sent to look in an empty place, and this one is opened by hand.
 * Where libvips has HEIF built in there is no such file, and nothing to do. */
static void open_heif(void *library, const struct vips *v)
{
    char folder[4096], path[4200];

    if (dlinfo(library, RTLD_DI_ORIGIN, folder) != 0)
        return;
    snprintf(path, sizeof path, "%s/vips-modules-%d.%d/vips-heif.so", folder, v->vips_version(0),
             v->vips_version(1));
    v->g_module_open(path, G_MODULE_BIND_LAZY);
}

static const char *loader_of(enum image_kind kind)
{
    static const char *const loaders[] = {
        [KIND_JPEG] = "VipsForeignLoadJpeg", [KIND_PNG] = "VipsForeignLoadPng",
        [KIND_WEBP] = "VipsForeignLoadWebp", [KIND_GIF] = "VipsForeignLoadNsgif",
        [KIND_HEIC] = "VipsForeignLoadHeif", [KIND_AVIF] = "VipsForeignLoadHeif",
    };

    must(kind < KIND_ACCEPTED);
    return loaders[kind];
}

static bool open_vips(struct vips *v, enum image_kind kind)
{
    void *library = dlopen("libvips.so.42", RTLD_NOW | RTLD_GLOBAL);

    if (library == NULL || !find_functions(library, v))
        return false;
    setenv("VIPSHOME", "/nonexistent", 1);
    setenv("VIPS_DISC_THRESHOLD", "4g", 1); /* no temporary files: the limit of memory decides */
    if (v->vips_init("stagedoor") != 0)
        return false;
    if (kind == KIND_HEIC || kind == KIND_AVIF)
        open_heif(library, v);
    v->vips_block_untrusted_set(TRUE);
    v->vips_operation_block_set("VipsForeignLoad", TRUE);
    v->vips_operation_block_set(loader_of(kind), FALSE);
    v->vips_concurrency_set(THREADS);
    v->vips_cache_set_max(0);
    return true;
}

/* --- Pictures ------------------------------------------------------------------------------------ */

/* Each of these gives back what it was given, so that steps chain: in comes an image that we own or NULL, out comes one
 * that we own or NULL. */
static VipsImage *replace(const struct work *w, VipsImage *old, VipsImage *new, int failed)
{
    if (old != NULL)
        w->vips->g_object_unref(old);
    if (failed && new != NULL)
        w->vips->g_object_unref(new);
    return failed ? NULL : new;
}

static VipsImage *to_srgb(const struct work *w, VipsImage *in)
{
    VipsImage *out = NULL;
    int failed =
        in == NULL || w->vips->vips_colourspace(in, &out, VIPS_INTERPRETATION_sRGB, (void *)NULL);

    in = replace(w, in, out, failed);
    out = NULL;
    failed = in == NULL || w->vips->vips_cast_uchar(in, &out, (void *)NULL);
    return replace(w, in, out, failed);
}

static VipsImage *to_memory(const struct work *w, VipsImage *in)
{
    VipsImage *out = in != NULL ? w->vips->vips_image_copy_memory(in) : NULL;

    return replace(w, in, out, out == NULL);
}

/* A copy, because fields of a shared image may not be touched. */
static VipsImage *without_metadata(const struct work *w, VipsImage *in)
{
    VipsImage *out = NULL;
    char **fields;

    if (in == NULL || w->vips->vips_copy(in, &out, (void *)NULL))
        return replace(w, in, out, true);
    fields = w->vips->vips_image_get_fields(out);
    for (size_t i = 0; fields != NULL && fields[i] != NULL; i++)
        w->vips->vips_image_remove(out, fields[i]); /* the built-in ones stay by themselves */
    w->vips->g_strfreev(fields);
    return replace(w, in, out, false);
}

/* Flattened as well: a hole in the picture would show its sharp outline. */
static VipsImage *blurred(const struct work *w, VipsImage *in, int sigma)
{
    VipsImage *out = NULL;
    int failed;

    if (in != NULL && w->vips->vips_image_hasalpha(in)) {
        failed = w->vips->vips_flatten(in, &out, (void *)NULL);
        in = replace(w, in, out, failed);
    }
    out = NULL;
    failed = in == NULL || w->vips->vips_gaussblur(in, &out, (double)sigma, (void *)NULL);
    return replace(w, in, out, failed);
}

/* The one decode: upright, sRGB, no larger than the first step. */
static VipsImage *decode(const struct work *w, VipsSource *source, int width, int height)
{
    const struct image_plan *p = w->plan;
    VipsInteresting crop = !p->shaped       ? VIPS_INTERESTING_NONE
                           : p->by_interest ? VIPS_INTERESTING_ATTENTION
                                            : VIPS_INTERESTING_CENTRE;
    VipsImage *out = NULL;
    int failed = w->vips->vips_thumbnail_source(
        source, &out, width, "height", height, "size", VIPS_SIZE_DOWN, "crop", crop,
        "export_profile", "srgb", "option_string", "[fail_on=error]", (void *)NULL);

    out = to_srgb(w, replace(w, NULL, out, failed));
    return to_memory(w, without_metadata(w, out));
}

/* From the step before, which stays. */
static VipsImage *shrink(const struct work *w, VipsImage *from, const struct image_step *s)
{
    VipsImage *out = NULL;
    int failed = w->vips->vips_thumbnail_image(from, &out, s->width, "height", s->height, "size",
                                               VIPS_SIZE_DOWN, (void *)NULL);

    out = replace(w, NULL, out, failed);
    if (s->blur > 0)
        out = blurred(w, out, s->blur);
    return to_memory(w, without_metadata(w, out));
}

/* --- Renditions ---------------------------------------------------------------------------------- */

static bool write_file(const char *name, struct bytes b)
{
    char path[64];
    int fd;
    size_t done = 0;
    ssize_t n = 1;

    snprintf(path, sizeof path, "%s.webp", name);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    while (fd >= 0 && done < b.n && n > 0) {
        n = write(fd, b.p + done, b.n - done);
        done += n > 0 ? (size_t)n : 0;
    }
    return fd >= 0 && close(fd) == 0 && done == b.n;
}

static int save(struct work *w, VipsImage *image, const struct image_step *s)
{
    struct bytes file = { NULL, 0 }, clean;
    struct webp_facts facts;
    void *p = NULL;
    bool good;

    if (w->vips->vips_webpsave_buffer(image, &p, &file.n, "Q", s->quality, "effort", s->effort,
                                      "strip", TRUE, (void *)NULL))
        return unable("cannot encode: %s", w->vips->vips_error_buffer());
    file.p = p;
    good = webp_scrub(w->arena, file, &clean, &facts);
    w->vips->g_free(p);
    if (!good)
        return unable("libvips wrote a WebP that we cannot read");
    if (!write_file(s->name, clean))
        return unable("cannot write %s: %s", s->name, strerror(errno));
    dprintf(STDOUT_FILENO, "rendition %s %d %d %zu\n", s->name, facts.width, facts.height, clean.n);
    return 0;
}

static int make_all(struct work *w, VipsImage *first)
{
    const struct image_plan *p = w->plan;
    VipsImage *now = first;
    int status = 0;

    for (size_t i = 0; status == 0 && i < p->n; i++) {
        if (i > 0)
            now = replace(w, now, shrink(w, now, &p->steps[i]), false);
        status = now == NULL ? damaged(w) : save(w, now, &p->steps[i]);
        if (status == 0)
            progress(w, 60 + 40 * (int)(i + 1) / (int)p->n);
    }
    if (now != NULL)
        w->vips->g_object_unref(now);
    return status;
}

/* --- The picture's header ------------------------------------------------------------------------ */

/* Upright size into *width and *height; 0 or the exit status. */
static int read_size(const struct work *w, VipsSource *source, int *width, int *height)
{
    const struct vips *v = w->vips;
    VipsImage *image = v->vips_image_new_from_source(source, "", "access", VIPS_ACCESS_SEQUENTIAL,
                                                     "fail_on", VIPS_FAIL_ON_ERROR, (void *)NULL);
    bool turned;

    if (image == NULL)
        return damaged(w);
    turned = v->vips_image_get_orientation_swap(image);
    *width = turned ? v->vips_image_get_height(image) : v->vips_image_get_width(image);
    *height = turned ? v->vips_image_get_width(image) : v->vips_image_get_height(image);
    v->g_object_unref(image);
    if (*width < 1 || *height < 1)
        return refuse(IMAGE_DAMAGED, "no size");
    if (*width > IMAGE_SIDE_MAX || *height > IMAGE_SIDE_MAX ||
        (int64_t)*width * *height > IMAGE_PIXELS_MAX)
        return refuse(IMAGE_TOO_MANY_PIXELS, "by its header");
    return 0;
}

static int process(struct work *w, VipsSource *source)
{
    int width = 0, height = 0, w1, h1;
    int status = read_size(w, source, &width, &height);
    VipsImage *first;

    if (status != 0)
        return status;
    progress(w, 5);
    image_plan_size(w->plan, width, height, &w1, &h1);
    first = decode(w, source, w1, h1);
    if (first == NULL)
        return damaged(w);
    progress(w, 60);
    dprintf(STDOUT_FILENO, "source %s %d %d\n", image_kind_type(w->kind), width, height);
    status = make_all(w, first);
    if (status == 0)
        dprintf(STDOUT_FILENO, "done\n");
    return status;
}

static int run(struct work *w, int input)
{
    struct vips vips;
    VipsSource *source;
    int status;

    if (!open_vips(&vips, w->kind))
        return unable("cannot open libvips: %s", dlerror());
    if (!jail_seal())
        return unable("cannot seal: %s", strerror(errno));
    source = vips.vips_source_new_from_descriptor(input);
    if (source == NULL)
        return unable("cannot read: %s", vips.vips_error_buffer());
    w->vips = &vips;
    status = process(w, source);
    w->vips = NULL;
    vips.g_object_unref(source);
    return status;
}

/* --- The command --------------------------------------------------------------------------------- */

/* What needs no library: size and first bytes. 0 or the exit status. */
static int look(int input, enum image_kind *kind)
{
    unsigned char head[IMAGE_HEAD];
    struct stat st;
    ssize_t n;

    if (fstat(input, &st) != 0 || !S_ISREG(st.st_mode))
        return unable("the input is not a regular file");
    if (st.st_size > IMAGE_BYTES_MAX)
        return refuse(IMAGE_TOO_LARGE, "by its file");
    n = pread(input, head, sizeof head, 0);
    if (n < 0)
        return unable("cannot read: %s", strerror(errno));
    *kind = image_kind_of((struct bytes) { head, (size_t)n });
    return *kind < KIND_ACCEPTED ? 0 : refuse(image_plan_refusal(*kind), "by its first bytes");
}

int image_worker_main(int argc, char **argv)
{
    struct arena arena = { 0 };
    struct work w = { .arena = &arena };
    int input, status;

    w.plan = argc == 4 ? image_plan_named(argv[1]) : NULL;
    if (w.plan == NULL)
        return unable("use: image-worker post|avatar|banner INPUT FOLDER\n");
    input = strcmp(argv[2], "-") == 0 ? STDIN_FILENO : open(argv[2], O_RDONLY | O_CLOEXEC);
    if (input < 0 || chdir(argv[3]) != 0)
        return unable("cannot open: %s\n", strerror(errno));
    status = look(input, &w.kind);
    if (status == 0)
        status = run(&w, input);
    arena_done(&arena);
    return status;
}
