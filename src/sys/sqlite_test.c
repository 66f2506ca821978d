/* sqlite_test.c -- the disk that is full, the disk that fails, the writer from outside. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/sqlite.h"
#include "base/when.h"
#include "test/engine.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
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
