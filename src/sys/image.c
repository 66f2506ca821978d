/* image.c -- starts the worker, then checks every word it said and every byte it wrote. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/image.h"
#include "base/check.h"
#include "sys/image_plan.h"
#include "sys/jail.h"
#include "sys/webp_scrub.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Measured: a photograph of 12 megapixels takes 0.3 s and 70 MB, as HEIC 1.1 s and 150 MB; the worst honest one, a
 * progressive JPEG of 100 megapixels with full colour, 1.5 s and 650 MB. Eight bytes a pixel, interlaced, do not fit. */
enum { CPU_S = 60, WALL_S = 90, NICE = 5, OUTPUT_BYTES = 8192, DETAIL_MAX = 200 };
#define MEMORY_BYTES ((int64_t)1 << 30)
#define FILE_BYTES   ((int64_t)16 << 20) /* of one rendition */

struct refusal {
    const char *code, *text;
};

static const struct refusal refusals[] = {
    [IMAGE_EMPTY] = { "empty",
                      "The file is empty. Choose it again; the upload may have been cut." },
    [IMAGE_IS_TEXT] = { "text",
                        "This is a text file, not a photo. Upload JPEG, PNG, WebP, HEIC, AVIF or "
                        "GIF." },
    [IMAGE_IS_SVG] = { "svg", "SVG drawings are not accepted. Export it as PNG or JPEG." },
    [IMAGE_IS_PDF] = { "pdf", "This is a document, not a photo. Export its pages as PNG or JPEG." },
    [IMAGE_IS_VIDEO] = { "video",
                         "This is a video, not a photo. Upload JPEG, PNG, WebP, HEIC, AVIF or "
                         "GIF." },
    [IMAGE_UNKNOWN] = { "unknown",
                        "This kind of file is not accepted. Upload JPEG, PNG, WebP, HEIC, AVIF "
                        "or GIF." },
    [IMAGE_TOO_LARGE] = { "too_large", "The file is larger than 64 MB. Export it smaller." },
    [IMAGE_TOO_MANY_PIXELS] = { "too_many_pixels",
                                "The picture is larger than 100 megapixels or 20,000 "
                                "pixels on a side. Export it smaller." },
    [IMAGE_DAMAGED] = { "damaged",
                        "The picture is damaged or cut short. Choose it again, or export it "
                        "anew." },
    [IMAGE_TOO_HEAVY] = { "too_heavy", "The picture needs too much time or memory to read. Export "
                                       "it as a plain JPEG." },
};

const char *image_refusal_code(enum image_refusal refusal)
{
    must(refusal < IMAGE_REFUSALS);
    return refusals[refusal].code;
}

const char *image_refusal_text(enum image_refusal refusal)
{
    must(refusal < IMAGE_REFUSALS);
    return refusals[refusal].text;
}

/* --- The worker's words -------------------------------------------------------------------------- */

struct answer {
    const struct image_request *request;
    const struct image_plan *plan;
    struct arena *arena;
    struct image_outcome *outcome;
    int64_t sizes[IMAGE_RENDITIONS_MAX]; /* bytes, as announced */
    int percent;
    bool sourced, done, refused, nonsense;
};

static bool next_int(struct str *rest, int64_t least, int64_t most, int64_t *result)
{
    struct str word;

    *rest = str_split(*rest, ' ', &word);
    return str_int(word, result) && *result >= least && *result <= most;
}

static bool read_progress(struct answer *n, struct str rest)
{
    int64_t percent;

    if (!next_int(&rest, n->percent, 100, &percent) || rest.p != NULL)
        return false;
    n->percent = (int)percent;
    if (n->request->progress != NULL)
        n->request->progress(n->request->context, n->percent);
    return true;
}

static bool read_source(struct answer *n, struct str rest)
{
    struct str type;
    int64_t width, height;

    rest = str_split(rest, ' ', &type);
    if (n->sourced || !str_is(type, n->outcome->type) ||
        !next_int(&rest, 1, IMAGE_SIDE_MAX, &width) ||
        !next_int(&rest, 1, IMAGE_SIDE_MAX, &height) || rest.p != NULL)
        return false;
    n->outcome->width = (int)width;
    n->outcome->height = (int)height;
    n->sourced = true;
    return width * height <= IMAGE_PIXELS_MAX;
}

/* In the plan's order, within the plan's bounds, no larger than the source. */
static bool read_rendition(struct answer *n, struct str rest)
{
    struct image_outcome *o = n->outcome;
    const struct image_step *s = &n->plan->steps[o->n];
    struct str name;
    int64_t width, height, size;

    rest = str_split(rest, ' ', &name);
    if (!n->sourced || o->n >= n->plan->n || !str_is(name, s->name) ||
        !next_int(&rest, 1, s->width, &width) || !next_int(&rest, 1, s->height, &height) ||
        !next_int(&rest, 1, FILE_BYTES, &size) || rest.p != NULL)
        return false;
    if (width > o->width || height > o->height)
        return false;
    n->sizes[o->n] = size;
    o->renditions[o->n++] = (struct image_rendition) {
        .name = s->name,
        .width = (int)width,
        .height = (int)height,
    };
    return true;
}

/* For a log that people read in a terminal. */
static struct str printable(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, DETAIL_MAX + 1);
    size_t n = s.n < DETAIL_MAX ? s.n : DETAIL_MAX;

    for (size_t i = 0; i < n; i++)
        p[i] = s.p[i] >= ' ' && s.p[i] <= '~' ? s.p[i] : '.';
    return (struct str) { p, n };
}

static bool read_refusal(struct answer *n, struct str rest)
{
    struct str code;

    rest = str_split(rest, ' ', &code);
    for (int i = 0; i < IMAGE_REFUSALS; i++)
        if (str_is(code, refusals[i].code)) {
            n->outcome->refusal = (enum image_refusal)i;
            n->outcome->detail = printable(n->arena, rest);
            n->refused = true;
            return true;
        }
    return false;
}

static bool read_words(struct answer *n, struct str line)
{
    struct str verb, rest = str_split(line, ' ', &verb);

    if (n->done || n->refused)
        return false;
    if (str_is(verb, "progress"))
        return read_progress(n, rest);
    if (str_is(verb, "source"))
        return read_source(n, rest);
    if (str_is(verb, "rendition"))
        return read_rendition(n, rest);
    if (str_is(verb, "refused"))
        return read_refusal(n, rest);
    n->done = str_is(verb, "done") && rest.p == NULL && n->outcome->n == n->plan->n;
    return n->done;
}

static void on_line(void *context, struct str line)
{
    struct answer *n = context;

    if (!n->nonsense && !read_words(n, line))
        n->nonsense = true;
}

/* --- The worker's files -------------------------------------------------------------------------- */

static bool read_all(int fd, unsigned char *p, size_t size)
{
    size_t done = 0;
    ssize_t n = 1;

    while (done < size && n > 0) {
        n = read(fd, p + done, size - done);
        done += n > 0 ? (size_t)n : 0;
    }
    return done == size;
}

/* One file of the folder: a plain one, of the announced length, no link, not shared with another name. */
static bool read_file(struct arena *a, int folder, const char *name, int64_t size,
                      struct bytes *result)
{
    char path[64];
    struct stat st;
    unsigned char *p;
    bool good = false;
    int fd;

    snprintf(path, sizeof path, "%s.webp", name);
    fd = openat(folder, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return false;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 && st.st_size == size) {
        p = arena_alloc(a, (size_t)size);
        good = read_all(fd, p, (size_t)size);
        *result = (struct bytes) { p, (size_t)size };
    }
    close(fd);
    return good;
}

static bool read_renditions(struct answer *n, int folder)
{
    for (size_t i = 0; i < n->outcome->n; i++) {
        struct image_rendition *r = &n->outcome->renditions[i];
        struct webp_facts facts;
        struct bytes raw;

        if (!read_file(n->arena, folder, r->name, n->sizes[i], &raw) ||
            !webp_scrub(n->arena, raw, &r->webp, &facts))
            return false;
        if (facts.width != r->width || facts.height != r->height)
            return false;
    }
    return true;
}

/* --- The private folder -------------------------------------------------------------------------- */

static char *folder_make(struct arena *a, const char *scratch)
{
    struct str path = str_printf(a, "%s/image-XXXXXX", scratch);

    return mkdtemp((char *)(uintptr_t)path.p);
}

/* The plan's files; a worker that left others behind leaves the folder to the sweep at start. */
static void folder_remove(const struct image_plan *p, const char *path, int folder)
{
    char name[64];

    for (size_t i = 0; i < p->n; i++) {
        snprintf(name, sizeof name, "%s.webp", p->steps[i].name);
        unlinkat(folder, name, 0);
    }
    rmdir(path);
}

/* --- The whole ----------------------------------------------------------------------------------- */

static enum image_result failed(struct answer *n, const char *what, struct str detail)
{
    n->outcome->detail =
        printable(n->arena, str_printf(n->arena, "%s: %.*s", what, STR_FMT(detail)));
    return IMAGE_FAILED;
}

static enum image_result refused(struct answer *n, enum image_refusal why, struct str detail)
{
    n->outcome->refusal = why;
    n->outcome->detail = printable(n->arena, detail);
    return IMAGE_REFUSED;
}

static enum image_result judge(struct answer *n, const struct jail_result *r, int folder)
{
    switch (r->end) {
    case JAIL_OK:
        if (n->nonsense || !n->done)
            return refused(n, IMAGE_DAMAGED, STR("the worker's answer is not to be believed"));
        if (!read_renditions(n, folder))
            return refused(n, IMAGE_DAMAGED, STR("the worker's files are not to be believed"));
        return IMAGE_DONE;
    case JAIL_REFUSED:
        if (n->refused && !n->nonsense)
            return IMAGE_REFUSED;
        return failed(n, "worker", r->last_words);
    case JAIL_CRASHED:
        return refused(n, IMAGE_DAMAGED,
                       str_printf(n->arena, "the worker crashed (%d)", r->status));
    case JAIL_FLOODED:
        return refused(n, IMAGE_DAMAGED, STR("the worker said too much"));
    case JAIL_TIMEOUT:
        return refused(n, IMAGE_TOO_HEAVY, STR("the worker took too long"));
    case JAIL_KILLED:
        return failed(n, "worker", STR("killed from outside"));
    case JAIL_UNABLE:
        break;
    }
    return failed(n, r->stage, str_of(strerror(r->status)));
}

static enum image_result run_worker(struct answer *n, const char *path)
{
    const struct image_request *q = n->request;
    const char *const argv[] = { q->program != NULL ? q->program : "/proc/self/exe",
                                 "image-worker",
                                 n->plan->purpose,
                                 "-",
                                 ".",
                                 NULL };
    const struct jail_task task = {
        .argv = argv,
        .read_write = path,
        .input = q->input,
        .nice = NICE,
        .cpu_s = CPU_S,
        .wall_s = WALL_S,
        .memory_bytes = MEMORY_BYTES,
        .file_bytes = FILE_BYTES,
        .output_bytes = OUTPUT_BYTES,
        .line = on_line,
        .context = n,
    };
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct jail_result r;
    enum image_result result;

    if (folder < 0)
        return failed(n, "scratch folder", str_of(strerror(errno)));
    jail_run(n->arena, &task, &r);
    n->outcome->wall_us = r.wall_us;
    n->outcome->cpu_us = r.cpu_us;
    n->outcome->resident_bytes = r.resident_bytes;
    result = judge(n, &r, folder);
    folder_remove(n->plan, path, folder);
    close(folder);
    return result;
}

/* What a look at size and first bytes decides; the worker looks again. */
static bool worth_a_worker(struct answer *n)
{
    unsigned char head[IMAGE_HEAD];
    ssize_t got = pread(n->request->input, head, sizeof head, 0);
    enum image_kind kind = image_kind_of((struct bytes) { head, got > 0 ? (size_t)got : 0 });

    n->outcome->type = image_kind_type(kind);
    if (n->outcome->type != NULL)
        return true;
    refused(n, image_plan_refusal(kind), STR("by its first bytes"));
    return false;
}

enum image_result image_process(struct arena *a, const struct image_request *r,
                                struct image_outcome *outcome)
{
    struct answer n = {
        .request = r,
        .plan = image_plan_of(r->purpose),
        .arena = a,
        .outcome = outcome,
    };
    enum image_result result;
    struct stat st;
    char *path;

    *outcome = (struct image_outcome) { .detail = STR("") };
    if (fstat(r->input, &st) != 0 || !S_ISREG(st.st_mode))
        return failed(&n, "input", STR("not a regular file"));
    if (st.st_size > IMAGE_BYTES_MAX)
        return refused(&n, IMAGE_TOO_LARGE, STR("by its file"));
    if (!worth_a_worker(&n))
        return IMAGE_REFUSED;
    if (lseek(r->input, 0, SEEK_SET) != 0 || (path = folder_make(a, r->scratch)) == NULL)
        return failed(&n, "scratch folder", str_of(strerror(errno)));
    result = run_worker(&n, path);
    if (result != IMAGE_DONE)
        outcome->n = 0;
    return result;
}
