/* disk_test.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/disk.h"
#include "test/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct bed {
    struct arena arena;
    struct blobs *blobs;
};

static struct bed bed_open(void)
{
    struct bed b = { 0 };

    must(crypto_init());
    b.blobs = disk_open(str_printf(&b.arena, "%s/blobs/", unit_dir()), NULL);
    REQUIRE(b.blobs != NULL);
    return b;
}

static void bed_close(struct bed *b)
{
    b->blobs->ops->close(b->blobs);
    arena_done(&b->arena);
}

static struct str written(struct bed *b, struct str text)
{
    struct str path = b->blobs->ops->temporary(b->blobs, &b->arena);
    int fd = open(path.p, O_WRONLY | O_CREAT | O_EXCL, 0600);

    REQUIRE(fd >= 0);
    CHECK_INT(write(fd, text.p, text.n), text.n);
    close(fd);
    return path;
}

TEST(blobs_are_kept_under_their_hash)
{
    struct bed b = bed_open();
    struct sha256 hash = sha256_of(STR("abc"));
    struct str path = written(&b, STR("abc")), kept;
    char text[8] = "";
    int64_t size = 0;
    int fd = -1;

    CHECK_INT(b.blobs->ops->open(b.blobs, &hash, &fd, &size), E_NOT_FOUND);
    CHECK_INT(b.blobs->ops->path(b.blobs, &hash, &b.arena, &kept), E_NOT_FOUND);
    CHECK_OK(b.blobs->ops->keep(b.blobs, path, &hash));
    CHECK(access(path.p, F_OK) != 0);
    CHECK_OK(b.blobs->ops->open(b.blobs, &hash, &fd, &size));
    CHECK_INT(size, 3);
    CHECK_INT(read(fd, text, sizeof(text)), 3);
    CHECK_STR(text, "abc");
    close(fd);
    CHECK_OK(b.blobs->ops->path(b.blobs, &hash, &b.arena, &kept));
    CHECK(str_ends(kept,
                   "/blobs/ba/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    CHECK_OK(b.blobs->ops->remove(b.blobs, &hash));
    CHECK_OK(b.blobs->ops->remove(b.blobs, &hash));
    CHECK_INT(b.blobs->ops->open(b.blobs, &hash, &fd, &size), E_NOT_FOUND);
    bed_close(&b);
}

TEST(a_blob_that_is_there_stays)
{
    struct bed b = bed_open();
    struct sha256 hash = sha256_of(STR("abc"));
    struct str kept, again;
    struct stat first, second;

    CHECK_OK(b.blobs->ops->keep(b.blobs, written(&b, STR("abc")), &hash));
    CHECK_OK(b.blobs->ops->path(b.blobs, &hash, &b.arena, &kept));
    CHECK_INT(stat(kept.p, &first), 0);
    again = written(&b, STR("abc"));
    CHECK_OK(b.blobs->ops->keep(b.blobs, again, &hash));
    CHECK(access(again.p, F_OK) != 0);
    CHECK_INT(stat(kept.p, &second), 0);
    CHECK(first.st_ino == second.st_ino);
    bed_close(&b);
}

/* Between "nothing names these bytes" and their removal, somebody uploads them again. */
TEST(bytes_kept_again_are_not_removed_under_the_new_owner)
{
    struct bed b = bed_open();
    struct sha256 hash = sha256_of(STR("again"));
    int64_t size;
    int fd;

    CHECK_OK(b.blobs->ops->keep(b.blobs, written(&b, STR("again")), &hash));
    CHECK_OK(b.blobs->ops->keep(b.blobs, written(&b, STR("again")), &hash));
    CHECK_INT(b.blobs->ops->remove(b.blobs, &hash), E_BUSY);
    CHECK_OK(b.blobs->ops->open(b.blobs, &hash, &fd, &size));
    close(fd);
    bed_close(&b);
}

TEST(a_missing_upload_is_told)
{
    struct bed b = bed_open();
    struct sha256 hash = sha256_of(STR("abc"));
    struct str path = b.blobs->ops->temporary(b.blobs, &b.arena);

    CHECK_INT(b.blobs->ops->keep(b.blobs, path, &hash), E_NOT_FOUND);
    CHECK_OK(symlink("/etc/passwd", path.p));
    CHECK_INT(b.blobs->ops->keep(b.blobs, path, &hash), E_INTERNAL);
    bed_close(&b);
}

TEST(old_leftovers_go_and_young_ones_stay)
{
    struct bed b = bed_open();
    struct str old = written(&b, STR("old")), young = written(&b, STR("young"));
    struct timespec times[2] = { { 1000000, 0 }, { 1000000, 0 } };

    CHECK_INT(utimensat(AT_FDCWD, old.p, times, 0), 0);
    b.blobs->ops->close(b.blobs);
    b.blobs = disk_open(str_printf(&b.arena, "%s/blobs", unit_dir()), NULL);
    REQUIRE(b.blobs != NULL);
    CHECK(access(old.p, F_OK) != 0);
    CHECK_INT(access(young.p, F_OK), 0);
    bed_close(&b);
}

TEST(a_folder_that_cannot_be_is_refused)
{
    struct arena a = { 0 };

    CHECK(disk_open(str_printf(&a, "%s/no/such/folder", unit_dir()), NULL) == NULL);
    CHECK(disk_open(STR("/proc/version"), NULL) == NULL);
    arena_done(&a);
}
