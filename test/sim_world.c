/* sim_world.c -- what the program stands on in the simulator: clock, chance, database, bytes, mails and pictures, each with
 * its faults; and its crash.
 *
 * A crash: from some touch of the outside on, nothing has an effect any more, whoever calls. Then all is closed and opened
 * again on the same database, as a process that was killed and started. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "test/sim.h"
#include "core/events.h"
#include "core/exec.h"
#include "core/jobs.h"
#include "core/settings.h"
#include "core/start.h"
#include "modules.h"
#include "services/account/account.h"
#include "sys/postgres.h"
#include "sys/sqlite.h"
#include "test/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A process has one at a time: env.random and the engine's operations have no context. */
static struct sim *the_world;

/* --- clock and chance --------------------------------------------------------------------------------------------- */

static struct sim *of_clock(struct clock *k)
{
    return (struct sim *)((char *)k - offsetof(struct sim, env.clock));
}

static struct when clock_real(struct clock *k)
{
    return of_clock(k)->real;
}

static int64_t clock_monotonic(struct clock *k)
{
    struct sim *w = of_clock(k);

    return w->real.us - w->began.us + SECOND;
}

static void clock_sleep(struct clock *k, int64_t ms)
{
    world_forward(of_clock(k), ms * 1000);
}

void world_forward(struct sim *w, int64_t us)
{
    w->real.us += us;
    w->result->simulated_us += us;
}

struct when sim_now(struct sim *w)
{
    return env_now(&w->env);
}

static uint64_t mix(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static void noise(void *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((unsigned char *)p)[i] = (unsigned char)mix(&the_world->noise);
}

static uint32_t noise_word(void)
{
    return (uint32_t)mix(&the_world->noise);
}

static const char *noise_name(void)
{
    return "the simulator's";
}

/* Salts of password hashes come from libsodium's own. */
static struct randombytes_implementation salts = { .implementation_name = noise_name,
                                                   .random = noise_word,
                                                   .buf = noise };

bool world_touch(struct sim *w)
{
    bool burnt = w->fuse > 0 && --w->fuse == 0;

    if (w->in_pay && w->pay_fuse > 0 && --w->pay_fuse == 0)
        burnt = true;
    if (burnt && !w->calm && !w->dead) {
        w->dead = true;
        sim_saw(w, w->in_pay ? SIGHT_CRASHED_PAYING : SIGHT_CRASHED);
        sim_tell(w, "  crash%s", w->in_pay ? " while the provider was spoken to" : "");
    }
    return w->dead;
}

/* --- the database, which can be cut off or ask to be asked again --------------------------------------------------- */

static const struct db_ops *inner;
static struct db_ops outer;
static const struct engine_ops *inner_engine;
static struct engine_ops outer_engine;

static enum err cut(struct db *db, enum err e)
{
    db->broken = e;
    return e;
}

static enum err world_query(struct db *db, struct db_statement *s, const struct db_value *args,
                            size_t n, db_row *row, void *context, int64_t *changed)
{
    struct sim *w = the_world;

    if (world_touch(w))
        return cut(db, E_UNAVAILABLE);
    if (w->hiccup > 0 && --w->hiccup == 0 && db->open_transaction) {
        sim_saw(w, SIGHT_TRANSACTION_AGAIN);
        return cut(db, E_BUSY);
    }
    return inner->query(db, s, args, n, row, context, changed);
}

static enum err world_prepare(struct db *db, const char *text, const struct db_value *args,
                              size_t n, struct db_statement **result)
{
    return the_world->dead ? cut(db, E_UNAVAILABLE) : inner->prepare(db, text, args, n, result);
}

static enum err world_begin(struct db *db, bool write)
{
    return world_touch(the_world) ? E_UNAVAILABLE : inner->begin(db, write);
}

static enum err world_savepoint(struct db *db)
{
    return the_world->dead ? E_UNAVAILABLE : inner->savepoint(db);
}

static enum err world_release(struct db *db)
{
    return the_world->dead ? E_UNAVAILABLE : inner->release(db);
}

/* Dies before it, or after it: then it is durable, and nobody is told. */
static enum err world_commit(struct db *db)
{
    if (world_touch(the_world)) {
        inner->rollback(db);
        return E_UNAVAILABLE;
    }
    enum err e = inner->commit(db);
    world_touch(the_world);
    return e;
}

/* Power is not lost here, only processes die: no need to wait for the disk. */
static enum err world_db_open(struct engine *e, bool write, struct db **result)
{
    if (the_world->dead)
        return E_UNAVAILABLE;
    TRY(inner_engine->open(e, write, result));
    inner = (*result)->ops;
    outer = *inner;
    outer.query = world_query;
    outer.prepare = world_prepare;
    outer.begin = world_begin;
    outer.savepoint = world_savepoint;
    outer.release = world_release;
    outer.commit = world_commit;
    if (write && inner_engine->single_writer)
        TRY(inner->script(*result, STR("PRAGMA synchronous = OFF")));
    (*result)->ops = &outer;
    return E_OK;
}

static struct str postgres_url(struct sim *w)
{
    const char *url = unit_postgres();

    return str_printf(&w->arena, "%s%coptions=-csearch_path%%3Dsim_%d", url,
                      strchr(url, '?') != NULL ? '&' : '?', (int)getpid());
}

static struct engine *engine_of(struct sim *w)
{
    struct engine *e = strcmp(w->plan.engine, "sqlite") == 0
                           ? sqlite_open(str_printf(&w->arena, "%s/sim.db", w->dir), w->log)
                           : postgres_open(postgres_url(w), w->log);

    must(e != NULL);
    inner_engine = e->ops;
    outer_engine = *inner_engine;
    outer_engine.open = world_db_open;
    e->ops = &outer_engine;
    return e;
}

/* --- SQL of our own ----------------------------------------------------------------------------------------------- */

enum { STATEMENTS = 128 };

struct own_sql {
    sqlite3 *lite;
    PGconn *post;
    size_t n;
    struct {
        const char *text;
        sqlite3_stmt *statement;
    } kept[STATEMENTS];
};

static void schema_fresh(struct sim *w, struct own_sql *q)
{
    struct str sql = str_printf(&w->arena,
                                "SET client_min_messages = error; DROP SCHEMA IF EXISTS sim_%d"
                                " CASCADE; CREATE SCHEMA sim_%d",
                                (int)getpid(), (int)getpid());

    q->post = PQconnectdb(postgres_url(w).p);
    PGresult *r = PQexec(q->post, sql.p);
    if (PQresultStatus(r) != PGRES_COMMAND_OK)
        FAIL("%s", PQerrorMessage(q->post));
    PQclear(r);
}

static void sql_open(struct sim *w)
{
    struct own_sql *q = arena_new(&w->arena, struct own_sql);

    w->sql = q;
    if (strcmp(w->plan.engine, "postgres") == 0)
        schema_fresh(w, q);
}

static void sql_close(struct sim *w)
{
    struct own_sql *q = w->sql;

    for (size_t i = 0; i < q->n; i++)
        sqlite3_finalize(q->kept[i].statement);
    sqlite3_close(q->lite);
    if (q->post != NULL) {
        PQclear(
            PQexec(q->post, str_printf(&w->arena, "DROP SCHEMA sim_%d CASCADE", (int)getpid()).p));
        PQfinish(q->post);
    }
}

/* By the literal's address, like the program; but of our own making. */
static sqlite3_stmt *statement_of(struct sim *w, struct own_sql *q, const char *sql)
{
    for (size_t i = 0; i < q->n; i++)
        if (q->kept[i].text == sql)
            return q->kept[i].statement;
    must(q->n < STATEMENTS);
    if (q->lite == NULL)
        must(sqlite3_open(str_printf(&w->arena, "%s/sim.db", w->dir).p, &q->lite) == SQLITE_OK);
    if (sqlite3_prepare_v2(q->lite, sql, -1, &q->kept[q->n].statement, NULL) != SQLITE_OK) {
        FAIL("%s: %s", sqlite3_errmsg(q->lite), sql);
        unit_end();
    }
    q->kept[q->n].text = sql;
    return q->kept[q->n++].statement;
}

static struct sim_cell lite_cell(struct sim *w, sqlite3_stmt *s, int i)
{
    struct sim_cell c = { .none = sqlite3_column_type(s, i) == SQLITE_NULL };

    if (c.none)
        return c;
    c.i = sqlite3_column_int64(s, i);
    const char *text = (const char *)sqlite3_column_text(s, i);
    c.s = str_copy(&w->step, (struct str) { text, (size_t)sqlite3_column_bytes(s, i) });
    return c;
}

static struct sim_rows lite_rows(struct sim *w, const char *sql, size_t n, const int64_t *args)
{
    sqlite3_stmt *s = statement_of(w, w->sql, sql);
    struct sim_rows rows = { .columns = (size_t)sqlite3_column_count(s) };
    size_t room = 0;
    int code;

    for (size_t i = 0; i < n; i++)
        sqlite3_bind_int64(s, (int)i + 1, args[i]);
    while ((code = sqlite3_step(s)) == SQLITE_ROW) {
        if (rows.n == room) {
            struct sim_cell *old = rows.cells;
            room = room == 0 ? 32 : room * 2;
            rows.cells = arena_array(&w->step, struct sim_cell, room * rows.columns);
            if (old != NULL)
                memcpy(rows.cells, old, rows.n * rows.columns * sizeof(*old));
        }
        for (size_t i = 0; i < rows.columns; i++)
            *CELL(rows, rows.n, i) = lite_cell(w, s, (int)i);
        rows.n++;
    }
    if (code != SQLITE_DONE)
        FAIL("%s: %s", sqlite3_errmsg(((struct own_sql *)w->sql)->lite), sql);
    sqlite3_reset(s);
    return rows;
}

static struct sim_rows post_rows(struct sim *w, const char *sql, size_t n, const int64_t *args)
{
    static const Oid bigint[3] = { 20, 20, 20 };
    struct own_sql *q = w->sql;
    const char *values[3];

    for (size_t i = 0; i < n; i++)
        values[i] = str_printf(&w->step, "%lld", (long long)args[i]).p;
    PGresult *r = PQexecParams(q->post, sql, (int)n, bigint, values, NULL, NULL, 0);
    if (PQresultStatus(r) != PGRES_TUPLES_OK && PQresultStatus(r) != PGRES_COMMAND_OK) {
        FAIL("%s: %s", PQerrorMessage(q->post), sql);
        unit_end();
    }
    struct sim_rows rows = { .n = (size_t)PQntuples(r), .columns = (size_t)PQnfields(r) };
    rows.cells = arena_array(&w->step, struct sim_cell, rows.n * rows.columns + 1);
    for (size_t i = 0; i < rows.n * rows.columns; i++) {
        int row = (int)(i / rows.columns), column = (int)(i % rows.columns);
        struct sim_cell *c = &rows.cells[i];
        c->none = PQgetisnull(r, row, column);
        c->s = str_copy(&w->step, str_of(PQgetvalue(r, row, column)));
        c->i = c->none ? 0 : strtoll(c->s.p, NULL, 10);
    }
    PQclear(r);
    return rows;
}

struct sim_rows world_sql(struct sim *w, const char *sql, size_t n, const int64_t *args)
{
    return strcmp(w->plan.engine, "sqlite") == 0 ? lite_rows(w, sql, n, args)
                                                 : post_rows(w, sql, n, args);
}

int64_t world_int(struct sim *w, const char *sql, size_t n, const int64_t *args, int64_t otherwise)
{
    struct sim_rows rows = world_sql(w, sql, n, args);

    return rows.n == 0 || rows.cells[0].none ? otherwise : rows.cells[0].i;
}

/* --- bytes ---------------------------------------------------------------------------------------------------------- */

static struct str blob_path(struct sim *w, struct arena *a, const struct sha256 *hash)
{
    return str_printf(a, "%s/%.*s", w->dir, STR_FMT(hex_print(a, hash->b, SHA256_BYTES)));
}

static struct str blob_temporary(struct blobs *b, struct arena *a)
{
    struct sim *w = the_world;

    (void)b;
    return str_printf(a, "%s/tmp-%lld", w->dir, (long long)++w->files);
}

static enum err blob_keep(struct blobs *b, struct str path, const struct sha256 *hash)
{
    struct sim *w = the_world;

    (void)b;
    if (world_touch(w))
        return E_INTERNAL;
    must(rename(str_copy(&w->step, path).p, blob_path(w, &w->step, hash).p) == 0);
    world_touch(w);
    return E_OK;
}

static enum err blob_open(struct blobs *b, const struct sha256 *hash, int *fd, int64_t *size)
{
    struct sim *w = the_world;
    struct stat s;

    (void)b;
    if (w->dead)
        return E_INTERNAL;
    *fd = open(blob_path(w, &w->step, hash).p, O_RDONLY | O_CLOEXEC);
    if (*fd < 0)
        return E_NOT_FOUND;
    must(fstat(*fd, &s) == 0);
    *size = s.st_size;
    return E_OK;
}

static enum err blob_path_of(struct blobs *b, const struct sha256 *hash, struct arena *a,
                             struct str *result)
{
    (void)b;
    *result = blob_path(the_world, a, hash);
    return access(result->p, F_OK) == 0 ? E_OK : E_NOT_FOUND;
}

static enum err blob_remove(struct blobs *b, const struct sha256 *hash)
{
    struct sim *w = the_world;

    (void)b;
    if (world_touch(w))
        return E_INTERNAL;
    unlink(blob_path(w, &w->step, hash).p);
    return E_OK;
}

static const struct blob_ops blob_ops = { .temporary = blob_temporary,
                                          .keep = blob_keep,
                                          .open = blob_open,
                                          .path = blob_path_of,
                                          .remove = blob_remove };

/* --- pictures ------------------------------------------------------------------------------------------------------- */

/* Each rendition says whose it is, so that it is known wherever it turns up. */
static void draw(struct sim *w, struct arena *a, struct rendition *r, const char *name,
                 struct str source)
{
    char text[200];
    int n = snprintf(text, sizeof(text), "RIFF....WEBP<<%s of %.*s>>", name, STR_FMT(source));

    *r = (struct rendition) { .name = str_of(name), .width = 40, .height = 30, .bytes = n };
    r->path = blob_temporary(NULL, a);
    int fd = open(r->path.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    must(fd >= 0 && write(fd, text, (size_t)n) == n && close(fd) == 0);
    (void)w;
}

static enum err images_make(struct images *m, struct arena *a, struct str source_path,
                            const char *purpose, void (*progress)(void *context, int percent),
                            void *context, struct image_made *result)
{
    struct sim *w = the_world;
    static const char *const names[] = { "thumb", "full", "feed", "teaser" };
    size_t n = strcmp(purpose, "post") == 0 ? 4 : 2;
    char text[100];

    (void)m;
    if (world_touch(w) || (!w->calm && sim_chance(w, 3)))
        return E_BUSY;
    int fd = open(source_path.p, O_RDONLY | O_CLOEXEC);
    ssize_t bytes = fd < 0 ? -1 : read(fd, text, sizeof(text));
    close(fd);
    struct str source = { text, bytes < 0 ? 0 : (size_t)bytes };
    *result = (struct image_made) { .type = STR("image/jpeg"), .width = 40, .height = 30 };
    if (!str_starts(source, "PICTURE ")) {
        result->refused = STR("This is not a picture.");
        return E_UNSUPPORTED_IMAGE;
    }
    progress(context, 50);
    sim_meanwhile(w);
    for (; result->n < n; result->n++)
        draw(w, a, &result->renditions[result->n], names[result->n], source);
    return world_touch(w) ? E_BUSY : E_OK;
}

/* --- mails ---------------------------------------------------------------------------------------------------------- */

static void keep_token(char *to, size_t size, struct str text, const char *mark)
{
    const char *at = memmem(text.p, text.n, mark, strlen(mark));
    struct str line;

    if (at == NULL)
        return;
    at += strlen(mark);
    str_split((struct str) { at, text.n - (size_t)(at - text.p) }, '\n', &line);
    must(line.n < size);
    memcpy(to, line.p, line.n);
    to[line.n] = 0;
}

static enum err mail_send(struct mailer *m, struct arena *a, const struct mail *mail)
{
    struct sim *w = the_world;

    (void)m, (void)a;
    if (world_touch(w) || (!w->calm && sim_chance(w, 5)))
        return E_UNAVAILABLE;
    sim_tell(w, "  mail to %.*s: %.*s", STR_FMT(mail->to), STR_FMT(mail->subject));
    for (int i = 0; i < SIM_PEOPLE; i++)
        if (str_is(mail->to, w->people[i].email)) {
            keep_token(w->people[i].mailed, sizeof(w->people[i].mailed), mail->text,
                       "/verify?token=");
            keep_token(w->people[i].reset, sizeof(w->people[i].reset), mail->text, "/reset?token=");
        }
    return world_touch(w) ? E_UNAVAILABLE : E_OK;
}

/* --- up and down ------------------------------------------------------------------------------------------------------ */

/* Somebody waits for a job: it runs now, or everything is too slow. */
static bool world_step(struct env *e)
{
    struct sim *w = (struct sim *)((char *)e - offsetof(struct sim, env));

    if (w->dead || w->stuck || w->patience_us <= 0)
        return false;
    sim_meanwhile(w);
    int64_t us = events_drain(e) + jobs_drain(e) > 0 ? 50000 : SECOND;
    world_forward(w, us);
    w->patience_us -= us;
    return true;
}

static struct settings *settings_of(struct sim *w)
{
    static const char *const list[] = { "--account.quick_hash=true", "--http.rates=false",
                                        "--account.admin_email=admin@example.org",
                                        "--development=true" };
    char *args[COUNT(list)];
    struct settings *s = NULL;
    struct str why = STR("");

    for (size_t i = 0; i < COUNT(list); i++)
        args[i] = arena_copy(&w->arena, list[i], strlen(list[i]) + 1);
    must(settings_load(&w->arena, modules, modules_n, STR_NONE, NULL, args, COUNT(args), &s, &why));
    return s;
}

static void program_open(struct sim *w)
{
    w->dead = false;
    w->log = log_open(w->plan.loud ? STDERR_FILENO : w->nowhere, LOG_LEVEL_WARN);
    w->engine = engine_of(w);
    struct settings *kept = w->env.settings;
    w->env = (struct env) { .modules = modules,
                            .modules_n = modules_n,
                            .settings = kept,
                            .log = w->log,
                            .random = noise,
                            .engine = w->engine,
                            .blobs = &w->blobs,
                            .mailer = &w->mailer,
                            .pay = &w->pay,
                            .images = &w->images,
                            .development = true,
                            .authenticate = account_authenticate,
                            .public_url = STR("http://stage.test"),
                            .data = str_of(w->dir),
                            .step = world_step };
    w->env.clock =
        (struct clock) { .real = clock_real, .monotonic = clock_monotonic, .sleep = clock_sleep };
    memset(w->env.master, 7, sizeof(w->env.master));
    must(env_start(&w->env, 0) == E_OK);
    w->server = server_open(&w->env);
    w->open = true;
}

static void program_close(struct sim *w)
{
    w->open = false;
    must(server_close(w->server, 1));
    env_stop(&w->env);
    w->engine->ops->close(w->engine);
    log_close(w->log);
}

void world_open(struct sim *w)
{
    the_world = w;
    w->noise = w->plan.seed * 31 + 7;
    w->real = w->began = civil_when((struct civil) { 2026, 1, 30, 9, 30, 0, 0 });
    w->pay.ops = &sim_pay_ops;
    w->mailer.send = mail_send;
    w->images.make = images_make;
    w->blobs.ops = &blob_ops;
    w->nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    must(w->nowhere >= 0);
    randombytes_set_implementation(&salts);
    must(crypto_init());
    snprintf(w->dir, sizeof(w->dir), "%s", w->plan.dir);
    sql_open(w);
    w->env.settings = settings_of(w);
    program_open(w);
}

void world_close(struct sim *w)
{
    w->fuse = w->pay_fuse = w->hiccup = 0;
    if (w->open)
        program_close(w);
    sql_close(w);
    arena_done(&w->step);
    arena_done(&w->arena);
}

void world_restart(struct sim *w)
{
    sim_tell(w, "  %s", w->dead ? "it starts again" : "restart");
    w->fuse = w->pay_fuse = w->hiccup = 0;
    program_close(w);
    world_forward(w, 200000 + sim_below(w, 5 * SECOND));
    program_open(w);
    sim_saw(w, SIGHT_RESTARTED);
}

/* On PostgreSQL an event can be read only when every older transaction of the cluster has ended, those of other tests too. */
static bool events_wait(struct sim *w)
{
    int64_t consumers = 0;

    if (strcmp(w->plan.engine, "sqlite") == 0 || w->dead)
        return false;
    for (size_t m = 0; m < modules_n; m++)
        consumers += modules[m]->subscribers_n > 0;
    return world_int(w,
                     "SELECT count(*) FROM event WHERE (SELECT count(*) FROM event_cursor) < $1"
                     " OR (tx, id) > (SELECT tx, id FROM event_cursor ORDER BY tx, id LIMIT 1)",
                     1, &consumers, 0) > 0;
}

void world_drain(struct sim *w)
{
    for (;;) {
        while (!w->dead && events_drain(&w->env) + jobs_drain(&w->env) > 0)
            ;
        if (!events_wait(w))
            return;
        nanosleep(&(struct timespec) { 0, 1000000 }, NULL);
    }
}
