/* images_jailed_test.c -- the driver on the disk's blob store. Pictures themselves: image_test.c, which is also the worker. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/disk.h"
#include "sys/images_jailed.h"
#include "sys/jail_walls.h"
#include "test/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* 1 x 1, red, lossless. */
static const char pixel[] =
    "RIFF\x1a\0\0\0WEBPVP8L\x0e\0\0\0/\0\0\0\0\x07\x10\x11\xfd\x0f\x44\x44\xff\x03";

struct bench {
    struct arena arena;
    struct blobs *blobs;
    struct images *images;
};

static struct str inside(struct bench *b, const char *name)
{
    return str_printf(&b->arena, "%s/%s", unit_dir(), name);
}

static void bench_open(struct bench *b)
{
    *b = (struct bench) { 0 };
    b->blobs = disk_open(inside(b, "blobs"), NULL);
    REQUIRE(b->blobs != NULL);
    b->images = images_jailed_open(b->blobs, inside(b, "scratch"), NULL, NULL);
    REQUIRE(b->images != NULL);
}

static void bench_close(struct bench *b)
{
    b->images->close(b->images);
    b->blobs->ops->close(b->blobs);
    arena_done(&b->arena);
}

static struct str source(struct bench *b, const char *bytes, size_t n)
{
    struct str path = inside(b, "source");
    FILE *f = fopen(path.p, "w");

    REQUIRE(f != NULL && fwrite(bytes, 1, n, f) == n && fclose(f) == 0);
    return path;
}

TEST_SECONDS(images_jailed_makes_files_that_can_be_kept, 30)
{
    struct bench b;
    struct image_made made = { 0 };
    struct sha256 hash;
    struct stat st;

    if (SANITIZED_THREADS)
        SKIP("libvips' own threads and locks are unknown to ThreadSanitizer");
    bench_open(&b);
    CHECK_OK(b.images->make(b.images, &b.arena, source(&b, pixel, sizeof pixel - 1), "post", NULL,
                            NULL, &made));
    CHECK_STR(made.type, "image/webp");
    CHECK_INT(made.width, 1);
    CHECK_INT(made.n, 4);
    CHECK(made.refused.p == NULL);
    for (size_t i = 0; i < made.n; i++) {
        REQUIRE(stat(made.renditions[i].path.p, &st) == 0);
        CHECK_INT(st.st_size, made.renditions[i].bytes);
        CHECK_OK(blob_keep_file(b.blobs, made.renditions[i].path, &hash));
    }
    bench_close(&b);
}

TEST(images_jailed_refuses_in_a_sentence)
{
    struct bench b;
    struct image_made made = { 0 };

    bench_open(&b);
    CHECK_INT(
        b.images->make(b.images, &b.arena, source(&b, "hello", 5), "avatar", NULL, NULL, &made),
        E_UNSUPPORTED_IMAGE);
    CHECK(str_starts(made.refused, "This is a text file"));
    CHECK_INT(made.n, 0);
    bench_close(&b);
}

TEST(images_jailed_is_busy_when_the_worker_cannot_run)
{
    struct bench b;
    struct image_made made = { 0 };

    bench_open(&b);
    b.images->close(b.images);
    b.images = images_jailed_open(b.blobs, inside(&b, "scratch"), "/nowhere/stagedoor", NULL);
    REQUIRE(b.images != NULL);
    CHECK_INT(b.images->make(b.images, &b.arena, source(&b, pixel, sizeof pixel - 1), "post", NULL,
                             NULL, &made),
              E_BUSY);
    CHECK_INT(b.images->make(b.images, &b.arena, inside(&b, "absent"), "post", NULL, NULL, &made),
              E_BUSY);
    CHECK(made.refused.p == NULL);
    bench_close(&b);
}

TEST(images_jailed_sweeps_what_is_old)
{
    struct bench b;
    struct timespec long_ago[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000000 } };

    bench_open(&b);
    for (int i = 0; i < 2; i++) {
        struct str folder = inside(&b, i == 0 ? "scratch/image-old" : "scratch/image-new");

        REQUIRE(mkdir(folder.p, 0700) == 0);
        close(open(str_printf(&b.arena, "%s/full.webp", folder.p).p, O_CREAT | O_WRONLY, 0600));
        if (i == 0)
            CHECK(utimensat(AT_FDCWD, folder.p, long_ago, 0) == 0);
    }
    b.images->close(b.images);
    b.images = images_jailed_open(b.blobs, inside(&b, "scratch"), NULL, NULL);
    CHECK(access(inside(&b, "scratch/image-old").p, F_OK) != 0);
    CHECK(access(inside(&b, "scratch/image-new").p, F_OK) == 0);
    CHECK(images_jailed_open(b.blobs, STR("/nowhere/at/all"), NULL, NULL) == NULL);
    bench_close(&b);
}
