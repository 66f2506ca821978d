/* sqlite_test.c -- the disk that is full, the disk that fails, the writer from outside. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/sqlite.h"
#include "base/when.h"
#include "test/engine.h"
#include "test/power.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct bed *bed_with_rows(void)
{
    struct bed *b = bed_open("sqlite");

    CHECK_OK(b->db->ops->begin(b->db, true));
    CHECK_OK(b->db->ops->script(
        b->db, STR("CREATE TABLE x (id INTEGER PRIMARY KEY, t TEXT) STRICT;"
                   "CREATE TABLE y (x INTEGER NOT NULL REFERENCES x (id)) STRICT;")));
    CHECK_OK(b->db->ops->commit(b->db));
    return b;
}

static enum err add(struct bed *b, int64_t id, size_t bytes)
{
    char *text = arena_alloc(&b->arena, bytes + 1);

    memset(text, 'x', bytes);
    return db_run(&b->call, "INSERT INTO x (id, t) VALUES ($1, $2)", id,
                  ((struct str) { text, bytes }));
}

static int64_t count(struct bed *b)
{
    int64_t n = -1;

    CHECK_OK(db_int(&b->call, &n, "SELECT count(*) FROM x"));
    return n;
}

TEST(a_writer_from_outside_makes_us_busy)
{
    struct bed *b = bed_with_rows();
    struct db *other = engine_connect(b->env.engine, true);
    int64_t began = monotonic_us();

    CHECK_OK(other->ops->begin(other, true));
    CHECK_INT(b->db->ops->begin(b->db, true), E_BUSY);
    CHECK(monotonic_us() - began < 5 * SECOND);
    CHECK_OK(b->db->ops->begin(b->db, false)); /* reading goes on */
    CHECK_INT(count(b), 0);
    CHECK_OK(b->db->ops->commit(b->db));
    other->ops->rollback(other);
    CHECK_OK(b->db->ops->begin(b->db, true));
    CHECK_OK(b->db->ops->commit(b->db));
    db_close(other);
    bed_close(b);
}

TEST(a_full_disk_undoes_the_whole_batch_or_one_call)
{
    struct bed *b = bed_with_rows();
    struct db *db = b->db;

    CHECK_OK(db->ops->script(db, STR("PRAGMA max_page_count = 20")));
    CHECK_OK(db->ops->begin(db, true));
    CHECK_OK(db->ops->savepoint(db));
    CHECK_OK(add(b, 1, 100));
    CHECK_OK(db->ops->release(db));
    CHECK_OK(db->ops->savepoint(db));
    CHECK_INT(add(b, 2, 1000000), E_STORAGE_FULL);
    CHECK_INT(add(b, 3, 100), E_STORAGE_FULL);
    CHECK_INT(db->ops->release(db), E_STORAGE_FULL);
    enum err end = db->ops->commit(db);
    CHECK(end == E_OK || end == E_STORAGE_FULL);
    CHECK_OK(db->ops->begin(db, true));
    CHECK_INT(count(b), end == E_OK ? 1 : 0);
    CHECK_OK(db->ops->script(db, STR("PRAGMA max_page_count = 10000")));
    CHECK_OK(add(b, 2, 1000000));
    CHECK_OK(db->ops->commit(db));
    bed_close(b);
}

static int64_t size_of(const char *name)
{
    struct stat s;
    char path[300];

    snprintf(path, sizeof(path), "%s/%s", unit_dir(), name);
    return stat(path, &s) == 0 ? s.st_size : -1;
}

/* The WAL cannot grow: a disk that fails in COMMIT. */
static void fail_in_commit(struct bed *b, const char *file)
{
    struct rlimit limit = { (rlim_t)size_of(file), RLIM_INFINITY };

    CHECK_OK(b->db->ops->begin(b->db, true));
    CHECK_OK(add(b, 1, 100000));
    signal(SIGXFSZ, SIG_IGN);
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &limit), 0);
    b->db->ops->commit(b->db);
}

TEST(an_unknown_commit_ends_the_process)
{
    struct bed *b = bed_with_rows();
    const char *file = "test.db-wal";
    int status = 0;

    REQUIRE(size_of(file) > 0);
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDERR_FILENO);
        fail_in_commit(b, file);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 70);
    CHECK_OK(b->db->ops->begin(b->db, true));
    CHECK_INT(count(b), 0);
    CHECK_OK(b->db->ops->commit(b->db));
    bed_close(b);
}

TEST(foreign_keys_hold)
{
    struct bed *b = bed_with_rows();

    CHECK_OK(b->db->ops->begin(b->db, true));
    CHECK_INT(db_run(&b->call, "INSERT INTO y (x) VALUES (7)"), E_INTERNAL);
    b->db->ops->rollback(b->db);
    bed_close(b);
}

TEST(a_file_that_is_no_database_is_refused)
{
    struct arena a = { 0 };
    struct str path = str_printf(&a, "%s/no.db", unit_dir());
    int fd = open(path.p, O_WRONLY | O_CREAT, 0600);

    CHECK_INT(write(fd,
                    "this is a text, and long enough to be looked at as a header of a database....."
                    "..........................",
                    100),
              100);
    close(fd);
    CHECK(sqlite_open(path, NULL) == NULL);
    CHECK(sqlite_open(str_printf(&a, "%s/no/such/x.db", unit_dir()), NULL) == NULL);
    arena_done(&a);
}

/* --- a sync that failed has lost more than the last writes ------------------------------------------------------- */

static void add_told(struct bed *b, int64_t *told)
{
    CHECK_OK(b->db->ops->begin(b->db, true));
    CHECK_OK(add(b, count(b) + 1, 100000));
    CHECK_OK(b->db->ops->commit(b->db));
    ++*told;
}

static struct db *reader_of(struct bed *b)
{
    struct db *reader = engine_connect(b->env.engine, false);
    struct call call = b->call;
    int64_t n;

    call.db = reader;
    CHECK_OK(reader->ops->begin(reader, false));
    CHECK_OK(db_int(&call, &n,
                    "SELECT count(*) FROM x")); /* from here on it sees this and nothing later */
    return reader;
}

static void reader_goes(struct db *reader)
{
    CHECK_OK(reader->ops->commit(reader));
    db_close(reader);
}

struct disk {
    int64_t at;   /* the sync that fails */
    bool control; /* SQLite's own checkpoints instead of ours */
    uint64_t seed;
    int64_t *told; /* rows that were acknowledged; shared with the child that lives on the disk */
    int64_t bad;   /* images that are corrupt, or lack one of those */
};

/* A checkpoint goes no further than the oldest reader, and then does not sync: what it copied waits for the next one's
 * sync, which fails, and the kernel forgets all of it. */
_Noreturn static void live_with_readers(struct power *power, const struct disk *disk)
{
    int null = open("/dev/null", O_WRONLY);
    dup2(null, STDERR_FILENO);
    struct bed *b = bed_with_rows();

    if (disk->control)
        CHECK_OK(b->db->ops->script(b->db, STR("PRAGMA wal_autocheckpoint = 1")));
    struct db *first = reader_of(b);
    add_told(b, disk->told);
    struct db *second = reader_of(b);
    reader_goes(first);
    add_told(b, disk->told); /* up to the second reader, without a sync */
    reader_goes(second);
    power_fail(power, (struct power_fault) { disk->at, POWER_SYNC, SQLITE_IOERR_FSYNC, false });
    for (int i = 0; i < 4; i++)
        add_told(b, disk->told); /* the WAL is put back, and begins anew */
    _exit(0);
}

static void look_at_image(struct disk *disk, enum fate fate)
{
    char path[300];
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;

    snprintf(path, sizeof(path), "%s/test.db", image_folder());
    REQUIRE(sqlite3_open(path, &db) == SQLITE_OK);
    int code = sqlite3_prepare_v2(db,
                                  "SELECT (SELECT integrity_check FROM pragma_integrity_check(1)),"
                                  " (SELECT count(*) FROM x)",
                                  -1, &s, NULL);
    code = code == SQLITE_OK ? sqlite3_step(s) : code;
    const char *check = (const char *)sqlite3_column_text(s, 0);
    int rows = sqlite3_column_int(s, 1);
    bool good = code == SQLITE_ROW && strcmp(check, "ok") == 0 && rows >= *disk->told;
    disk->bad += !good;
    if (!good && !disk->control)
        FAIL("sync %d failed, unsynced writes %s: %s, %d rows of %d", (int)disk->at,
             fate_names[fate], code == SQLITE_ROW ? check : sqlite3_errmsg(db), rows,
             (int)*disk->told);
    sqlite3_finalize(s);
    sqlite3_close(db);
}

static void look_at_images(struct power *power, struct disk *disk)
{
    struct images *images = images_open(power, disk->seed + (uint64_t)disk->at);

    images_forward(images, power_now(power));
    for (int i = 0; i < FATE_COUNT; i++)
        look_at_image(disk, image_write(images, image_folder()));
    images_close(images);
}

/* False when there are fewer syncs than that. */
static bool sync_fails(struct disk *disk)
{
    struct power *power = power_open();
    int status = 0;

    power_pragma(power, "wal_autocheckpoint", "1");
    *disk->told = 0;
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0)
        live_with_readers(power, disk);
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 70);
    power_child_died(power);
    bool came = power_failed(power) > 0;
    power_record(power, false);
    look_at_images(power, disk);
    power_close(power);
    unit_dir_clear();
    return came;
}

static int64_t each_sync_fails(bool control)
{
    struct disk disk = { .at = 1, .control = control, .seed = unit_seed() };

    disk.told =
        mmap(NULL, sizeof(*disk.told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(disk.told != MAP_FAILED);
    while (sync_fails(&disk))
        disk.at++;
    CHECK(disk.at > 6);
    CHECK_INT(*disk.told, 6);
    munmap(disk.told, sizeof(*disk.told));
    return disk.bad;
}

TEST(a_sync_that_fails_behind_a_reader_loses_nothing)
{
    CHECK_INT(each_sync_fails(false), 0);
}

TEST(a_sync_that_fails_behind_a_reader_corrupts_with_checkpoints_of_sqlite_s_own)
{
    CHECK(each_sync_fails(true) > 0);
}
