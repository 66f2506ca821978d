/* postgres_test.c -- locks, lost connections and lost answers: what only a server can do. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/postgres.h"
#include "base/when.h"
#include "test/engine.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct bed *bed_with_rows(void)
{
    struct bed *b = bed_open("postgres");

    CHECK_OK(b->db->ops->begin(b->db, true));
    CHECK_OK(b->db->ops->script(b->db, STR("CREATE TABLE x (id BIGINT PRIMARY KEY, n BIGINT, t "
                                           "TEXT); INSERT INTO x VALUES (1, 0), (2, 0)")));
    CHECK_OK(b->db->ops->commit(b->db));
    return b;
}

static enum err add_one(struct call *c, int64_t id)
{
    return db_hit(c, "UPDATE x SET n = n + 1 WHERE id = $1", id);
}

static int64_t number(struct bed *b, int64_t id)
{
    int64_t n = -1;

    CHECK_OK(b->db->ops->begin(b->db, false));
    CHECK_OK(db_int(&b->call, &n, "SELECT n FROM x WHERE id = $1", id));
    CHECK_OK(b->db->ops->commit(b->db));
    return n;
}

/* From another connection: ends the server's process behind b. */
static void terminate(struct bed *b)
{
    struct db *other = engine_connect(b->env.engine, true);
    struct call c = b->call;
    int64_t pid, ended;

    CHECK_OK(db_int(&b->call, &pid, "SELECT pg_backend_pid()"));
    c.db = other;
    CHECK_OK(db_int(&c, &ended, "SELECT pg_terminate_backend(CAST($1 AS int))", pid));
    CHECK_INT(ended, 1);
    db_close(other);
    sleep_ms(50);
}

struct locker {
    struct call call;
    struct db *db;
    int64_t first, second;
    pthread_barrier_t *both;
    enum err e;
};

static void *lock_two(void *context)
{
    struct locker *l = context;

    CHECK_OK(l->db->ops->begin(l->db, true));
    CHECK_OK(add_one(&l->call, l->first));
    pthread_barrier_wait(l->both);
    l->e = add_one(&l->call, l->second);
    if (l->e == E_OK)
        l->e = l->db->ops->commit(l->db);
    else
        l->db->ops->rollback(l->db);
    return NULL;
}

TEST(a_deadlock_is_busy_for_one)
{
    struct bed *b = bed_with_rows();
    struct arena arenas[2] = { { 0 }, { 0 } };
    struct locker l[2];
    pthread_barrier_t both;
    pthread_t threads[2];

    pthread_barrier_init(&both, NULL, 2);
    for (int i = 0; i < 2; i++) {
        l[i] = (struct locker) { .call = b->call, .first = 1 + i, .second = 2 - i, .both = &both };
        l[i].db = l[i].call.db = engine_connect(b->env.engine, true);
        l[i].call.arena = &arenas[i];
        REQUIRE(pthread_create(&threads[i], NULL, lock_two, &l[i]) == 0);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        db_close(l[i].db);
        arena_done(&arenas[i]);
    }
    CHECK((l[0].e == E_OK && l[1].e == E_BUSY) || (l[0].e == E_BUSY && l[1].e == E_OK));
    CHECK_INT(number(b, 1), 1);
    CHECK_INT(number(b, 2), 1);
    pthread_barrier_destroy(&both);
    bed_close(b);
}

TEST(a_row_locked_for_long_is_busy)
{
    struct bed *b = bed_with_rows();
    struct call c = b->call;
    int64_t began;

    CHECK_OK(b->db->ops->begin(b->db, true));
    CHECK_OK(add_one(&b->call, 1));
    c.db = engine_connect(b->env.engine, true);
    CHECK_OK(c.db->ops->begin(c.db, true));
    began = monotonic_us();
    CHECK_INT(add_one(&c, 1), E_BUSY);
    CHECK(monotonic_us() - began > 2 * SECOND && monotonic_us() - began < 6 * SECOND);
    c.db->ops->rollback(c.db);
    CHECK_OK(c.db->ops->begin(c.db, true));
    int64_t n;
    CHECK_INT(db_int(&c, &n, "SELECT n FROM x WHERE id = 1 FOR UPDATE SKIP LOCKED"), E_NOT_FOUND);
    CHECK_OK(c.db->ops->commit(c.db));
    db_close(c.db);
    CHECK_OK(b->db->ops->commit(b->db));
    bed_close(b);
}

TEST(a_connection_lost_between_calls_is_made_again)
{
    struct bed *b = bed_with_rows();

    for (int i = 0; i < 2; i++) {
        CHECK_INT(number(b, 1), i);
        terminate(b);
        CHECK_INT(number(b, 1), i); /* its statement is prepared again */
        terminate(b);
        CHECK_OK(b->db->ops->begin(b->db, true));
        CHECK_OK(add_one(&b->call, 1));
        CHECK_OK(b->db->ops->commit(b->db));
    }
    bed_close(b);
}

TEST(a_connection_lost_in_a_transaction_is_unavailable)
{
    struct bed *b = bed_with_rows();

    CHECK_OK(b->db->ops->begin(b->db, true));
    CHECK_OK(add_one(&b->call, 1));
    terminate(b);
    CHECK_INT(add_one(&b->call, 1), E_UNAVAILABLE);
    CHECK_INT(add_one(&b->call, 1), E_UNAVAILABLE);
    CHECK_INT(b->db->ops->commit(b->db), E_UNAVAILABLE);
    CHECK_INT(number(b, 1), 0);
    /* Lost before COMMIT was asked: the server knows that nothing came of it. */
    CHECK_OK(b->db->ops->begin(b->db, true));
    CHECK_OK(add_one(&b->call, 1));
    terminate(b);
    CHECK_INT(b->db->ops->commit(b->db), E_UNAVAILABLE);
    CHECK_INT(number(b, 1), 0);
    bed_close(b);
}

TEST(transactions_that_ask_nothing_cost_nothing)
{
    struct bed *b = bed_with_rows();

    for (int write = 0; write < 2; write++) {
        CHECK_OK(b->db->ops->begin(b->db, write == 1));
        CHECK_OK(b->db->ops->commit(b->db));
        CHECK_OK(b->db->ops->begin(b->db, write == 1));
        b->db->ops->rollback(b->db);
    }
    CHECK_INT(number(b, 1), 0);
    bed_close(b);
}

TEST(time_limits_and_bad_bytes)
{
    struct bed *b = bed_with_rows();
    struct db *db = b->db;

    CHECK_OK(db->ops->begin(db, true));
    CHECK_OK(db->ops->script(db, STR("SET LOCAL statement_timeout = 50")));
    CHECK_INT(db_run(&b->call, "UPDATE x SET n = 1 WHERE pg_sleep(5) IS NOT NULL"), E_UNAVAILABLE);
    db->ops->rollback(db);
    CHECK_OK(db->ops->begin(db, true));
    CHECK_INT(db_run(&b->call, "UPDATE x SET t = $1", STR("\xff")), E_INVALID);
    db->ops->rollback(db);
    CHECK_OK(db->ops->begin(db, true));
    CHECK_INT(db_run(&b->call, "UPDATE x SET t = $1", STR("a\0b")), E_INVALID);
    db->ops->rollback(db);
    bed_close(b);
}

TEST(a_server_that_is_away_is_unavailable)
{
    struct arena a = { 0 };
    struct db *db = NULL;
    struct engine *e = postgres_open(str_printf(&a, "postgresql://x@/x?host=%s", unit_dir()), NULL);

    REQUIRE(e != NULL);
    CHECK_INT(e->ops->open(e, true, &db), E_UNAVAILABLE);
    e->ops->close(e);
    CHECK(postgres_open(STR("postgresql://%zz"), NULL) == NULL);
    arena_done(&a);
}

/* --- other nodes ------------------------------------------------------------------------------------------------ */

struct ears {
    struct engine *engine;
    char said[2][32];           /* each written once, before texts tells of it */
    int texts, nones, currents; /* atomic, like stop */
    int64_t current_us;         /* atomic */
    bool stop;
};

static void heard(void *context, struct str text)
{
    struct ears *e = context;

    if (text.p == NULL) {
        __atomic_add_fetch(&e->nones, 1, __ATOMIC_SEQ_CST);
        return;
    }
    /* The channel is the cluster's: programs of other tests speak there too, in another form. */
    if (!str_starts(text, "test "))
        return;
    int n = __atomic_load_n(&e->texts, __ATOMIC_SEQ_CST);
    if (n < (int)COUNT(e->said))
        snprintf(e->said[n], sizeof(e->said[n]), "%.*s", STR_FMT(text));
    __atomic_add_fetch(&e->texts, 1, __ATOMIC_SEQ_CST);
}

static void current(void *context, int64_t at_us)
{
    struct ears *e = context;

    CHECK(at_us > __atomic_load_n(&e->current_us, __ATOMIC_SEQ_CST) && at_us <= monotonic_us());
    __atomic_store_n(&e->current_us, at_us, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&e->currents, 1, __ATOMIC_SEQ_CST);
}

static void *listen_run(void *context)
{
    struct ears *e = context;

    struct db_listener l = { heard, current, e, &e->stop };

    e->engine->ops->listen(e->engine, &l);
    return NULL;
}

static bool wait_for(const int *what, int n)
{
    for (int i = 0; i < 300 && __atomic_load_n(what, __ATOMIC_SEQ_CST) < n; i++)
        sleep_ms(10);
    return __atomic_load_n(what, __ATOMIC_SEQ_CST) >= n;
}

static void announce(struct bed *b, const char *text, bool commit)
{
    CHECK_OK(b->db->ops->begin(b->db, true));
    CHECK_OK(b->db->ops->announce(b->db, str_of(text)));
    if (commit)
        CHECK_OK(b->db->ops->commit(b->db));
    else
        b->db->ops->rollback(b->db);
}

TEST(announcements_are_heard_after_the_commit)
{
    struct bed *b = bed_with_rows();
    struct ears e = { .engine = b->env.engine };
    pthread_t thread;
    int64_t ended;

    REQUIRE(pthread_create(&thread, NULL, listen_run, &e) == 0);
    REQUIRE(wait_for(&e.nones, 1));
    announce(b, "test undone", false);
    announce(b, "test one", true);
    CHECK(wait_for(&e.texts, 1));
    CHECK_STR(e.said[0], "test one");
    /* He is told again and again that he hears all. */
    int before = __atomic_load_n(&e.currents, __ATOMIC_SEQ_CST);
    CHECK(wait_for(&e.currents, before + 2));
    /* Its connection goes: it listens again and tells that something may have been missed. */
    int64_t cut_us = monotonic_us();
    CHECK_OK(db_int(&b->call, &ended,
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                    " WHERE application_name = 'stagedoor listens'"));
    CHECK(ended >= 1);
    CHECK(wait_for(&e.nones, 2));
    announce(b, "test two", true);
    CHECK(wait_for(&e.texts, 2));
    CHECK_STR(e.said[1], "test two");
    CHECK(wait_for(&e.currents, before + 3));
    CHECK(__atomic_load_n(&e.current_us, __ATOMIC_SEQ_CST) > cut_us);
    __atomic_store_n(&e.stop, true, __ATOMIC_SEQ_CST);
    pthread_join(thread, NULL);
    bed_close(b);
}

/* --- a COMMIT whose answer is lost ------------------------------------------------------------------------------ */

/* Stands between us and the server: one connection at a time, and at the first COMMIT it lets the server do it, then breaks
 * the line before the answer. */
struct proxy {
    struct sockaddr_un server;
    int socket, breaks; /* how many COMMITs to break */
    pthread_t thread;
};

static int to_server(const struct proxy *p)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    REQUIRE(connect(fd, (const struct sockaddr *)&p->server, sizeof(p->server)) == 0);
    return fd;
}

static bool forward(int from, int to, char *text, size_t size, ssize_t *n)
{
    *n = read(from, text, size);
    return *n > 0 && write(to, text, (size_t)*n) == *n;
}

/* False when the line was broken at a COMMIT. */
static bool serve(const struct proxy *p, int client, int server)
{
    struct pollfd fds[] = { { .fd = client, .events = POLLIN },
                            { .fd = server, .events = POLLIN } };
    char text[65536];
    ssize_t n;

    while (poll(fds, 2, -1) > 0) {
        if (fds[0].revents != 0) {
            if (!forward(client, server, text, sizeof(text), &n))
                return true;
            if (__atomic_load_n(&p->breaks, __ATOMIC_SEQ_CST) > 0 &&
                memmem(text, (size_t)n, "COMMIT", 7) != NULL) {
                CHECK(read(server, text, sizeof(text)) > 0); /* it is done */
                return false;
            }
        }
        if (fds[1].revents != 0 && !forward(server, client, text, sizeof(text), &n))
            return true;
    }
    return true;
}

static void *proxy_run(void *context)
{
    struct proxy *p = context;
    int client;

    while ((client = accept(p->socket, NULL, NULL)) >= 0) {
        int server = to_server(p);
        if (!serve(p, client, server))
            __atomic_sub_fetch(&p->breaks, 1, __ATOMIC_SEQ_CST);
        close(server);
        close(client);
    }
    return NULL;
}

static void proxy_start(struct proxy *p, const char *url)
{
    struct sockaddr_un here = { .sun_family = AF_UNIX };
    PGconn *c = PQconnectdb(url);

    p->server = (struct sockaddr_un) { .sun_family = AF_UNIX };
    snprintf(p->server.sun_path, sizeof(p->server.sun_path), "%s/.s.PGSQL.%s", PQhost(c),
             PQport(c));
    PQfinish(c);
    snprintf(here.sun_path, sizeof(here.sun_path), "%s/.s.PGSQL.5432", unit_dir());
    p->socket = socket(AF_UNIX, SOCK_STREAM, 0);
    REQUIRE(bind(p->socket, (struct sockaddr *)&here, sizeof(here)) == 0);
    REQUIRE(listen(p->socket, 10) == 0);
    REQUIRE(pthread_create(&p->thread, NULL, proxy_run, p) == 0);
}

TEST(a_lost_answer_to_commit_is_asked_for)
{
    struct bed *b = bed_with_rows();
    struct proxy p = { .breaks = 1 };
    struct call c = b->call;
    struct engine *e;

    proxy_start(&p, getenv("STAGEDOOR_TEST_POSTGRES"));
    e = postgres_open(
        str_printf(&b->arena,
                   "postgresql://stagedoor@/stagedoor?host=%s&options=-csearch_path%%3Dtest_%d",
                   unit_dir(), getpid()),
        b->log);
    REQUIRE(e != NULL);
    c.db = engine_connect(e, true);
    CHECK_OK(c.db->ops->begin(c.db, true));
    CHECK_OK(add_one(&c, 1));
    CHECK_OK(c.db->ops->commit(c.db)); /* the answer never came, but the truth did */
    CHECK_INT(__atomic_load_n(&p.breaks, __ATOMIC_SEQ_CST), 0);
    CHECK_INT(number(b, 1), 1);
    CHECK_OK(c.db->ops->begin(c.db, true));
    CHECK_OK(add_one(&c, 1));
    CHECK_OK(c.db->ops->commit(c.db));
    CHECK_INT(number(b, 1), 2);
    /* The same with an announcement behind the COMMIT. */
    for (int64_t i = 3; i < 6; i++) {
        __atomic_store_n(&p.breaks, 1, __ATOMIC_SEQ_CST);
        CHECK_OK(c.db->ops->begin(c.db, true));
        CHECK_OK(add_one(&c, 1));
        CHECK_OK(c.db->ops->announce(c.db, STR("t 1")));
        CHECK_OK(c.db->ops->commit(c.db));
        CHECK_INT(__atomic_load_n(&p.breaks, __ATOMIC_SEQ_CST), 0);
        CHECK_INT(number(b, 1), i);
    }
    db_close(c.db);
    e->ops->close(e);
    shutdown(p.socket, SHUT_RDWR);
    pthread_join(p.thread, NULL);
    close(p.socket);
    bed_close(b);
}

/* --- migrations ------------------------------------------------------------------------------------------------- */

static void *migrate_run(void *context)
{
    struct bed *b = context;

    CHECK_OK(db_migrate(b->env.engine, b->log, NULL, 0));
    return NULL;
}

TEST(nodes_that_start_together_migrate_once)
{
    struct bed *b = bed_open("postgres");
    pthread_t threads[4];

    for (size_t i = 0; i < COUNT(threads); i++)
        REQUIRE(pthread_create(&threads[i], NULL, migrate_run, b) == 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    bed_close(b);
}
