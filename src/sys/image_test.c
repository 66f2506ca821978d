/* image_test.c -- real pictures through the real worker in the real jail.
 *
 * The test program is its own "stagedoor image-worker". Pictures are drawn by test/fixtures/make.sh into build/fixtures on
 * the first run. Two judges look for metadata in what comes out: exiftool, and a search for the planted canaries in the
 * raw bytes; both must find them in what libvips alone writes (leaky.webp). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/image.h"
#include "sys/image_kind.h"
#include "sys/image_plan.h"
#include "sys/image_worker.h"
#include "sys/jail_walls.h"
#include "sys/webp_scrub.h"
#include "test/fixtures.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Longer than the first run needs to draw them all. */
#define IMAGE_TEST(name) TEST_SECONDS(name, 120)

/* A worker that says what it is told to: the upload is a magic number, its exit status, then its words. */
static _Noreturn void lie(void)
{
    char script[4096];
    ssize_t n = read(0, script, sizeof script);
    int status = n > 8 ? script[8] - '0' : 9;

    if (n > 9 && write(1, script + 9, (size_t)n - 9) < 0)
        status = 9;
    _exit(status);
}

static void maybe_worker(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "image-worker") != 0)
        return;
    if (strstr(argv[0], "image-liar") != NULL)
        lie();
    _exit(image_worker_main(argc - 1, argv + 1));
}

/* Not a constructor: those are called without arguments when the whole program is optimised at once. */
__attribute__((section(".init_array.10000"),
               used)) static void (*const before_main)(int argc, char **argv) = maybe_worker;

/* --- Tools --------------------------------------------------------------------------------------- */

/* Runs a tool of the system; its exit status, and what it printed (into the arena). */
static int tool(struct arena *a, const char *const *argv, struct str *output)
{
    struct buf b = { .arena = a };
    char bytes[4096];
    int ends[2], status;
    ssize_t n;
    pid_t pid;

    REQUIRE(pipe(ends) == 0);
    pid = fork();
    if (pid == 0) {
        dup2(ends[1], 1);
        dup2(ends[1], 2);
        close(ends[0]);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    close(ends[1]);
    while ((n = read(ends[0], bytes, sizeof bytes)) > 0)
        buf_add(&b, (struct str) { bytes, (size_t)n });
    close(ends[0]);
    REQUIRE(waitpid(pid, &status, 0) == pid);
    *output = buf_str(&b);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static const char *path_of(struct arena *a, const char *name)
{
    return str_printf(a, FIXTURES "/%s", name).p;
}

static struct bytes read_whole(struct arena *a, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    unsigned char *p;

    REQUIRE(fd >= 0 && fstat(fd, &st) == 0);
    p = arena_alloc(a, (size_t)st.st_size + 1);
    REQUIRE(read(fd, p, (size_t)st.st_size) == st.st_size);
    close(fd);
    return (struct bytes) { p, (size_t)st.st_size };
}

static const char *write_whole(struct arena *a, const char *name, struct bytes b)
{
    const char *path = str_printf(a, "%s/%s", unit_dir(), name).p;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    REQUIRE(fd >= 0 && write(fd, b.p, b.n) == (ssize_t)b.n);
    close(fd);
    return path;
}

static enum image_result process(struct arena *a, const char *path, enum image_purpose purpose,
                                 struct image_outcome *o)
{
    struct image_request r = {
        .input = open(path, O_RDONLY | O_CLOEXEC),
        .purpose = purpose,
        .scratch = unit_dir(),
    };
    enum image_result result;

    REQUIRE(r.input >= 0);
    result = image_process(a, &r, o);
    close(r.input);
    return result;
}

static enum image_result post(struct arena *a, const char *name, struct image_outcome *o)
{
    enum image_result result = process(a, path_of(a, name), IMAGE_POST, o);

    if (result == IMAGE_FAILED)
        FAIL("%s: failed: %.*s", name, STR_FMT(o->detail));
    return result;
}

/* --- Metadata ------------------------------------------------------------------------------------ */

static bool holds(struct bytes file, struct str what)
{
    return memmem(file.p, file.n, what.p, what.n) != NULL;
}

/* Texts; the latitude as XMP writes it; and as EXIF does, 48/1 51/1 in either byte order. */
static bool holds_canary(struct bytes file)
{
    static const char big[] = "\0\0\0\x30\0\0\0\1\0\0\0\x33\0\0\0\1";
    static const char little[] = "\x30\0\0\0\1\0\0\0\x33\0\0\0\1\0\0\0";

    return holds(file, STR("CANARY")) || holds(file, STR("48.858")) ||
           holds(file, STR("C\0A\0N\0A")) || holds(file, (struct str) { big, 16 }) ||
           holds(file, (struct str) { little, 16 });
}

/* Groups of exiftool that a clean WebP has; each line starts with its group, each of several files with a rule. */
static bool exiftool_finds(struct arena *a, const char *const paths[IMAGE_RENDITIONS_MAX])
{
    static const char
        *const clean[] = { "[ExifTool]",  "[System]", "[File]", "[RIFF]",
                           "[Composite]", "========", "    " /* "4 image files read" */ };
    const char *const argv[] = { "exiftool", "-a",     "-G1",    "-s",     "-u",
                                 paths[0],   paths[1], paths[2], paths[3], NULL };
    struct str rest, line;

    REQUIRE(tool(a, argv, &rest) == 0);
    while (rest.p != NULL) {
        bool good = false;

        rest = str_split(rest, '\n', &line);
        for (size_t i = 0; i < COUNT(clean); i++)
            good = good || str_starts(line, clean[i]);
        if (line.n > 0 && !good)
            return true;
        if (holds((struct bytes) { (const unsigned char *)line.p, line.n }, STR("Warning")))
            return true;
    }
    return false;
}

static bool exiftool_finds_in(struct arena *a, const char *path)
{
    return exiftool_finds(a, (const char *[IMAGE_RENDITIONS_MAX]) { path });
}

static void check_clean(struct arena *a, const char *name, const struct image_outcome *o)
{
    const char *paths[IMAGE_RENDITIONS_MAX] = { NULL };

    for (size_t i = 0; i < o->n; i++) {
        const struct image_rendition *r = &o->renditions[i];

        paths[i] = write_whole(a, str_printf(a, "%s-%s.webp", name, r->name).p, r->webp);
        if (holds_canary(r->webp))
            FAIL("%s %s: a canary is in its bytes", name, r->name);
        if (image_kind_of(r->webp) != KIND_WEBP)
            FAIL("%s %s: no WebP", name, r->name);
    }
    if (exiftool_finds(a, paths))
        FAIL("%s: exiftool finds metadata", name);
}

IMAGE_TEST(image_judges_of_metadata_can_fail)
{
    struct arena a = { 0 };
    struct bytes leaky, clean;
    struct webp_facts f;

    fixtures_make();
    leaky = read_whole(&a, path_of(&a, "leaky.webp"));
    CHECK(holds_canary(leaky));
    CHECK(exiftool_finds_in(&a, path_of(&a, "leaky.webp")));
    CHECK(holds_canary(read_whole(&a, path_of(&a, "phone.jpg"))));
    CHECK(holds_canary(read_whole(&a, path_of(&a, "picture.heic"))));

    REQUIRE(webp_scrub(&a, leaky, &clean, &f));
    CHECK(!holds_canary(clean));
    CHECK(!exiftool_finds_in(&a, write_whole(&a, "scrubbed.webp", clean)));
    CHECK_INT(f.width, 4000);
    CHECK_INT(f.height, 3000);
    arena_done(&a);
}

/* --- What is accepted ---------------------------------------------------------------------------- */

struct accepted {
    const char *name, *type;
    int width, height;           /* upright */
    int full_width, full_height; /* of the largest rendition */
    bool coloured;               /* red left (or above, when turned), blue right */
};

static const struct accepted accepted[] = {
    { "phone.jpg", "image/jpeg", 4000, 3000, 2160, 1620, false },
    { "turned.jpg", "image/jpeg", 480, 640, 480, 640, true },
    { "cmyk.jpg", "image/jpeg", 640, 480, 640, 480, true },
    { "grey.jpg", "image/jpeg", 640, 480, 640, 480, false },
    { "progressive.jpg", "image/jpeg", 640, 480, 640, 480, true },
    { "picture.png", "image/png", 640, 480, 640, 480, false },
    { "deep.png", "image/png", 640, 480, 640, 480, true },
    { "alpha.png", "image/png", 640, 480, 640, 480, false },
    { "pixel.png", "image/png", 1, 1, 1, 1, false },
    { "line.png", "image/png", 640, 1, 640, 1, false },
    { "picture.webp", "image/webp", 640, 480, 640, 480, false },
    { "picture.heic", "image/heic", 640, 480, 640, 480, false },
    { "picture.avif", "image/avif", 640, 480, 640, 480, true },
    { "film.gif", "image/gif", 640, 480, 640, 480, true },
};

/* "220 20 20" or "220 20 20 255"; true when the channel given stands out. */
static bool pixel_is(struct arena *a, const char *path, int x, int y, int channel)
{
    const char *const argv[] = {
        "vips", "getpoint", path, str_printf(a, "%d", x).p, str_printf(a, "%d", y).p, NULL
    };
    struct str rest, word;
    double value[3] = { 0 };

    REQUIRE(tool(a, argv, &rest) == 0);
    for (int i = 0; i < 3 && rest.p != NULL; i++) {
        rest = str_split(rest, ' ', &word);
        value[i] = strtod(word.p, NULL);
    }
    return value[channel] > 120 && value[(channel + 1) % 3] < 100 && value[(channel + 2) % 3] < 100;
}

static void check_colours(struct arena *a, const struct accepted *want)
{
    const char *path = str_printf(a, "%s/%s-full.webp", unit_dir(), want->name).p;
    int w = want->full_width, h = want->full_height;
    bool turned = h > w;

    if (!pixel_is(a, path, w / 4, h / 4, 0) || !pixel_is(a, path, w * 3 / 4, h * 3 / 4, 2) ||
        !pixel_is(a, path, turned ? w * 3 / 4 : w / 4, turned ? h / 4 : h * 3 / 4, 0))
        FAIL("%s: colours are not where they were", want->name);
}

static void check_accepted(struct arena *a, const struct accepted *want)
{
    static const char *const names[] = { "full", "feed", "thumb", "teaser" };
    struct image_outcome o;

    if (post(a, want->name, &o) != IMAGE_DONE) {
        FAIL("%s: refused: %s: %.*s", want->name, image_refusal_code(o.refusal), STR_FMT(o.detail));
        return;
    }
    CHECK_STR(o.type, want->type);
    CHECK_INT(o.width, want->width);
    CHECK_INT(o.height, want->height);
    CHECK_INT(o.n, 4);
    CHECK_INT(o.renditions[0].width, want->full_width);
    CHECK_INT(o.renditions[0].height, want->full_height);
    for (size_t i = 0; i < o.n; i++)
        CHECK_STR(o.renditions[i].name, names[i]);
    check_clean(a, want->name, &o);
    CHECK(o.renditions[3].webp.n <= 700);
    CHECK(o.renditions[3].width <= 48 && o.renditions[3].height <= 48);
    if (want->coloured)
        check_colours(a, want);
}

TEST_SLOW(image_accepts_what_people_upload, 120)
{
    struct arena a = { 0 };

    fixtures_make();
    for (size_t i = 0; i < COUNT(accepted); i++)
        check_accepted(&a, &accepted[i]);
    arena_done(&a);
}

TEST_SLOW(image_renditions_are_bounded_and_never_larger, 120)
{
    struct arena a = { 0 };
    struct image_outcome o;

    fixtures_make();
    REQUIRE(post(&a, "phone.jpg", &o) == IMAGE_DONE);
    CHECK_INT(o.renditions[1].width, 1080);
    CHECK_INT(o.renditions[1].height, 810);
    CHECK_INT(o.renditions[2].width, 320);
    CHECK_INT(o.renditions[2].height, 240);
    CHECK_INT(o.renditions[3].width, 40);
    CHECK_INT(o.renditions[3].height, 30);
    REQUIRE(post(&a, "picture.png", &o) == IMAGE_DONE);
    CHECK_INT(o.renditions[1].width, 640);
    CHECK_INT(o.renditions[2].width, 320);
    arena_done(&a);
}

struct shaped {
    const char *name;
    enum image_purpose purpose;
    int full_width, full_height, thumb_width, thumb_height;
};

TEST_SLOW(image_avatars_and_banners_are_cropped, 120)
{
    static const struct shaped cases[] = {
        { "phone.jpg", IMAGE_AVATAR, 400, 400, 96, 96 },
        { "turned.jpg", IMAGE_AVATAR, 400, 400, 96, 96 },
        { "line.png", IMAGE_AVATAR, 1, 1, 1, 1 },
        { "pixel.png", IMAGE_AVATAR, 1, 1, 1, 1 },
        { "phone.jpg", IMAGE_BANNER, 1500, 500, 600, 200 },
        { "turned.jpg", IMAGE_BANNER, 480, 160, 480, 160 },
        { "pixel.png", IMAGE_BANNER, 1, 1, 1, 1 },
    };
    struct arena a = { 0 };
    struct image_outcome o;

    fixtures_make();
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct shaped *c = &cases[i];

        if (process(&a, path_of(&a, c->name), c->purpose, &o) != IMAGE_DONE) {
            FAIL("%s: %.*s", c->name, STR_FMT(o.detail));
            continue;
        }
        CHECK_INT(o.n, 2);
        CHECK_INT(o.renditions[0].width, c->full_width);
        CHECK_INT(o.renditions[0].height, c->full_height);
        CHECK_INT(o.renditions[1].width, c->thumb_width);
        CHECK_INT(o.renditions[1].height, c->thumb_height);
        check_clean(&a, c->name, &o);
    }
    arena_done(&a);
}

/* --- What is refused ----------------------------------------------------------------------------- */

struct refused {
    const char *name;
    enum image_refusal why;
};

static const struct refused refused[] = {
    { "text.jpg", IMAGE_IS_TEXT },         { "empty.jpg", IMAGE_EMPTY },
    { "truncated.jpg", IMAGE_DAMAGED },    { "truncated.png", IMAGE_DAMAGED },
    { "truncated.webp", IMAGE_DAMAGED },   { "truncated.heic", IMAGE_DAMAGED },
    { "header.jpg", IMAGE_DAMAGED },       { "noise.jpg", IMAGE_DAMAGED },
    { "bomb.png", IMAGE_TOO_MANY_PIXELS }, { "long.png", IMAGE_TOO_MANY_PIXELS },
    { "liar.png", IMAGE_DAMAGED },         { "drawing.jpg", IMAGE_IS_SVG },
    { "document.jpg", IMAGE_IS_PDF },      { "film.jpg", IMAGE_IS_VIDEO },
    { "playlist.jpg", IMAGE_IS_VIDEO },
};

static int entries(const char *path)
{
    DIR *d = opendir(path);
    int n = -2; /* . and .. */

    REQUIRE(d != NULL);
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}

IMAGE_TEST(image_refuses_with_a_reason)
{
    struct arena a = { 0 };
    struct image_outcome o;

    fixtures_make();
    for (size_t i = 0; i < COUNT(refused); i++) {
        enum image_result result = post(&a, refused[i].name, &o);

        if (result != IMAGE_REFUSED || o.refusal != refused[i].why || o.n != 0)
            FAIL("%s: result %d, %s: %.*s", refused[i].name, result, image_refusal_code(o.refusal),
                 STR_FMT(o.detail));
    }
    CHECK_INT(entries(unit_dir()), 0); /* nothing stays */
    arena_done(&a);
}

IMAGE_TEST(image_refuses_what_needs_all_memory)
{
    struct arena a = { 0 };
    struct image_outcome o;

    if (SANITIZED)
        SKIP("no limit of memory under a sanitizer");
    fixtures_make();
    CHECK_INT(post(&a, "heavy.png", &o), IMAGE_REFUSED);
    CHECK(o.refusal == IMAGE_TOO_HEAVY || o.refusal == IMAGE_DAMAGED); /* it is also cut short */
    CHECK(o.resident_bytes < (int64_t)1 << 30);
    arena_done(&a);
}

/* Every tenth of the file cut off, and bytes changed here and there: taken or refused, never a crash of ours, never dirty. */
TEST_SLOW(image_stands_cut_and_changed_files, 120)
{
    static const char *const names[] = { "tagged.jpg", "picture.webp", "picture.heic", "film.gif" };
    struct arena a = { 0 };
    struct image_outcome o;
    unsigned seed = 7;
    int taken = 0, turned_away = 0;

    fixtures_make();
    for (size_t i = 0; i < COUNT(names) * 8; i++) {
        struct bytes whole = read_whole(&a, path_of(&a, names[i / 8]));
        unsigned char *p = arena_copy(&a, whole.p, whole.n);
        size_t n = i % 2 == 0 ? whole.n * (i % 8 + 1) / 10 : whole.n;

        for (int k = 0; i % 2 == 1 && k < 20; k++) {
            seed = seed * 1103515245U + 12345U;
            p[40 + (seed >> 8) % (n - 40)] = (unsigned char)seed;
        }
        switch (process(&a, write_whole(&a, "hurt", (struct bytes) { p, n }), IMAGE_POST, &o)) {
        case IMAGE_DONE:
            taken++;
            check_clean(&a, names[i / 8], &o);
            break;
        case IMAGE_REFUSED:
            turned_away++;
            break;
        case IMAGE_FAILED:
            FAIL("%s %zu: failed: %.*s", names[i / 8], i, STR_FMT(o.detail));
        }
    }
    CHECK(turned_away >= 12);
    CHECK_INT(taken + turned_away, COUNT(names) * 8);
    arena_done(&a);
}

IMAGE_TEST(image_refuses_large_files_unread)
{
    struct arena a = { 0 };
    struct image_outcome o;
    const char *path = str_printf(&a, "%s/large", unit_dir()).p;

    write_whole(&a, "large", (struct bytes) { (const unsigned char *)"\xff\xd8\xff", 3 });
    CHECK(truncate(path, IMAGE_BYTES_MAX + 1) == 0);
    CHECK_INT(process(&a, path, IMAGE_POST, &o), IMAGE_REFUSED);
    CHECK_INT(o.refusal, IMAGE_TOO_LARGE);
    CHECK_INT(process(&a, "/dev/null", IMAGE_POST, &o), IMAGE_FAILED);
    arena_done(&a);
}

static void note(void *context, int percent)
{
    struct buf *b = context;

    buf_printf(b, "%d ", percent);
}

IMAGE_TEST(image_tells_its_progress)
{
    struct arena a = { 0 };
    struct buf seen = { .arena = &a };
    struct image_outcome o;
    struct image_request r = { .scratch = unit_dir(), .progress = note, .context = &seen };

    fixtures_make();
    r.input = open(path_of(&a, "small.png"), O_RDONLY | O_CLOEXEC);
    CHECK_INT(image_process(&a, &r, &o), IMAGE_DONE);
    CHECK_STR(buf_str(&seen), "5 60 70 80 90 100 ");
    CHECK(o.wall_us > 0 && o.cpu_us > 0 && o.resident_bytes > 0);
    close(r.input);
    arena_done(&a);
}

IMAGE_TEST(image_works_for_an_ordinary_user)
{
    struct arena a = { 0 };
    struct image_outcome o;

    fixtures_make();
    if (geteuid() == 0 &&
        (chown(unit_dir(), 65533, 65533) != 0 || syscall(SYS_setresgid, 65533, 65533, 65533) != 0 ||
         syscall(SYS_setresuid, 65533, 65533, 65533) != 0))
        SKIP("cannot become another");
    /* A change of uid makes us undumpable, and /proc/self/exe unreadable. */
    REQUIRE(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
    CHECK_INT(post(&a, "picture.heic", &o), IMAGE_DONE);
    CHECK_INT(o.n, 4);
    CHECK_INT(post(&a, "truncated.jpg", &o), IMAGE_REFUSED);
    CHECK_INT(entries(unit_dir()), 0);
    arena_done(&a);
}

/* --- A worker that lies -------------------------------------------------------------------------- */

struct lie {
    const char *script; /* lines on stdout; then the exit status in .status */
    enum image_result result;
    int status;
};

#define SOURCE "source image/png 640 480\n"
#define FULL   "rendition full 640 480 30\n"

static const struct lie lies[] = {
    { "", IMAGE_REFUSED, 0 },
    { "done\n", IMAGE_REFUSED, 0 },
    { SOURCE "done\n", IMAGE_REFUSED, 0 },
    { SOURCE FULL "done\n", IMAGE_REFUSED, 0 },
    { "source image/jpeg 640 480\n", IMAGE_REFUSED, 0 },
    { "source image/png 640 0\n", IMAGE_REFUSED, 0 },
    { "source image/png 99999 480\n", IMAGE_REFUSED, 0 },
    { SOURCE SOURCE, IMAGE_REFUSED, 0 },
    { FULL, IMAGE_REFUSED, 0 },
    { SOURCE "rendition ../../etc/passwd 640 480 30\n", IMAGE_REFUSED, 0 },
    { SOURCE "rendition full 641 480 30\n", IMAGE_REFUSED, 0 },
    { SOURCE "rendition full 640 480 99999999\n", IMAGE_REFUSED, 0 },
    { SOURCE "rendition full 640 480 -1\n", IMAGE_REFUSED, 0 },
    { SOURCE "rendition full 640 480 30 more\n", IMAGE_REFUSED, 0 },
    { SOURCE "rendition feed 640 480 30\n", IMAGE_REFUSED, 0 },
    { "progress 50\nprogress 40\n", IMAGE_REFUSED, 0 },
    { "progress 101\n", IMAGE_REFUSED, 0 },
    { "hello\n", IMAGE_REFUSED, 0 },
    { "refused damaged \x1b[31mred\n", IMAGE_REFUSED, 1 },
    { "refused because\n", IMAGE_FAILED, 1 },
    { "refused damaged x\nprogress 1\n", IMAGE_FAILED, 1 },
    { "", IMAGE_FAILED, 2 },
    { "refused damaged x\n", IMAGE_REFUSED, 0 },
};

static enum image_result tell(struct arena *a, const char *liar, const struct lie *l,
                              struct image_outcome *o)
{
    struct image_request r = { .scratch = unit_dir(), .program = liar };
    struct str upload = str_printf(a, "\x89PNG\r\n\x1a\n%d%s", l->status, l->script);
    enum image_result result;

    r.input =
        open(write_whole(a, "script", (struct bytes) { (const unsigned char *)upload.p, upload.n }),
             O_RDONLY | O_CLOEXEC);
    REQUIRE(r.input >= 0);
    result = image_process(a, &r, o);
    close(r.input);
    return result;
}

IMAGE_TEST(image_does_not_believe_the_worker)
{
    struct arena a = { 0 };
    const char *liar = str_printf(&a, "%s/image-liar", unit_dir()).p;
    struct image_outcome o;

    REQUIRE(symlink("/proc/self/exe", liar) == 0);
    for (size_t i = 0; i < COUNT(lies); i++)
        if (tell(&a, liar, &lies[i], &o) != lies[i].result || o.n != 0)
            FAIL("lie %zu: %.*s", i, STR_FMT(o.detail));
    tell(&a, liar, &lies[18], &o);
    CHECK_STR(o.detail, ".[31mred");
    arena_done(&a);
}

TEST(image_refusals_have_code_and_text)
{
    for (int i = 0; i < IMAGE_REFUSALS; i++) {
        CHECK(image_refusal_code((enum image_refusal)i) != NULL);
        CHECK(strlen(image_refusal_text((enum image_refusal)i)) > 20);
    }
}
