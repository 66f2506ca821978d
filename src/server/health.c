/* health.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/health.h"
#include "core/exec.h"
#include "core/jobs.h"
#include "server/guard.h"
#include "server/shed.h"
#include "server/state.h"

#include <inttypes.h>

enum { PROBE_US = 2 * SECOND };

static const struct str plain = { "text/plain; charset=utf-8", 25 };

enum err health_live(struct call *c)
{
    reply_bytes(c, 200, plain, STR("alive\n"));
    c->reply.cache = STR("no-store");
    return E_OK;
}

/* --- ready ------------------------------------------------------------------------------------------------------ */

static enum err ready(struct call *c)
{
    struct request *r = c->server;

    if (__atomic_load_n(&r->server->draining, __ATOMIC_ACQUIRE))
        return fail(c, E_BUSY, "The program is about to stop.");
    reply_bytes(c, 200, plain, STR("ready\n"));
    c->reply.cache = STR("no-store");
    return E_OK;
}

/* Not ready while it drains, whatever the database says. */
enum err health_ready(struct call *c)
{
    return ready(c);
}

/* Migrations ran before the server opened; what can go wrong later is the database, or the disk under it. */
static enum err probe(struct call *c)
{
    TRY(ready(c));
    return db_run(c,
                  "INSERT INTO probe (id, at) VALUES (1, $1)"
                  " ON CONFLICT (id) DO UPDATE SET at = excluded.at",
                  env_real_now(c->env));
}

static const struct route probing = {
    .method = GET, .path = "/readyz", .run = probe, .auth = ANYONE, .tx = WRITE, .vital = true
};

const struct route *health_runs(const struct route *r, int64_t *limit_us)
{
    if (r->run != health_ready)
        return r;
    *limit_us = PROBE_US;
    return &probing;
}

/* --- metrics ---------------------------------------------------------------------------------------------------- */

static bool is_local(struct str address)
{
    return str_starts(address, "127.") || str_is(address, "::1");
}

static void put_exec(struct buf *b, struct env *e)
{
    struct exec_figures f = exec_figures(e->exec);

    metrics_line(b, "writer_batches_total", false, "Commits of the writer", (int64_t)f.batches);
    metrics_line(b, "writer_calls_total", false, "Calls in these commits", (int64_t)f.batched);
    metrics_line(b, "writer_queue", true, "Calls that wait for the database", f.queue);
    metrics_line(b, "database_retries_total", false, "Transactions run again on the engine's wish",
                 (int64_t)f.retries);
    metrics_line(b, "log_dropped_total", false, "Log lines dropped because the log is slow",
                 (int64_t)log_dropped(e->log));
}

static void put_shed(struct buf *b, const struct server *s)
{
    struct exec_figures f = exec_figures(s->env->exec);
    const struct {
        const char *reason;
        uint64_t n;
    } rows[] = { { "waited", shed_count(s->shed) },
                 { "queue_late", f.work_late },
                 { "queue_full", f.work_full },
                 { "slow_queue_late", f.slow_late },
                 { "slow_queue_full", f.slow_full } };

    buf_add(b, STR("# HELP http_server_turned_away_total Requests answered 503 because too many "
                   "came\n# TYPE http_server_turned_away_total counter\n"));
    for (size_t i = 0; i < COUNT(rows); i++)
        buf_printf(b, "http_server_turned_away_total{reason=\"%s\"} %" PRIu64 "\n", rows[i].reason,
                   rows[i].n);
}

static enum err put_jobs(struct buf *b, struct call *c)
{
    struct jobs_figures f;

    TRY(jobs_figures(c, &f));
    int64_t late_us = f.oldest_due_us == 0 ? 0 : env_real_now(c->env).us - f.oldest_due_us;
    buf_printf(b,
               "# HELP jobs Jobs by state\n# TYPE jobs gauge\n"
               "jobs{state=\"waiting\"} %" PRId64 "\njobs{state=\"running\"} %" PRId64
               "\njobs{state=\"dead\"} %" PRId64 "\n",
               f.waiting, f.running, f.dead);
    metrics_line(b, "jobs_oldest_seconds", true, "How late the job is that has waited longest",
                 late_us > 0 ? late_us / SECOND : 0);
    return E_OK;
}

static enum err put_all(struct call *c, bool database)
{
    struct request *r = c->server;
    struct buf b = { .arena = c->arena };

    metrics_print(r->server->metrics, &b);
    put_exec(&b, c->env);
    put_shed(&b, r->server);
    metrics_line(&b, "database_up", true, "Whether the database was there for this answer",
                 database);
    if (database)
        TRY(put_jobs(&b, c));
    reply_bytes(c, 200, STR("text/plain; version=0.0.4; charset=utf-8"), buf_str(&b));
    c->reply.cache = STR("no-store");
    return E_OK;
}

enum err health_without_database(struct call *c, enum err e)
{
    const struct request *r = c->server;

    return r->route == NULL || r->route->run != health_metrics || e == E_NOT_FOUND
               ? e
               : put_all(c, false);
}

/* For the operator: from this machine only, unless http.metrics is "all". Behind a proxy on this machine http.proxies must
 * name it, so that the client's own address counts. */
enum err health_metrics(struct call *c)
{
    const struct request *r = c->server;

    if (!str_is(setting_text(c->env->settings, "http.metrics"), "all") &&
        !(is_local(guard_address(r)) && is_local(r->peer) &&
          r->known[KNOWN_FORWARDED_FOR].p == NULL))
        return E_NOT_FOUND;
    return put_all(c, true);
}
