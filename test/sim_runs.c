/* sim_runs.c -- many runs: each seed in a process of its own, so that a crash is a finding like any other; controls whose
 * guard was taken away; and the shorter trace of a run that failed. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "test/sim.h"
#include "core/revisions.h"
#include "modules.h"
#include "test/unit.h"

#include <ftw.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROGRESS_US = 5 * SECOND };

/* --- one run in a process ---------------------------------------------------------------------------------------------- */

static int remove_entry(const char *path, const struct stat *s, int kind, struct FTW *where)
{
    (void)s, (void)kind, (void)where;
    return remove(path);
}

/* In memory, where there is such a folder. */
static const char *folder_make(char path[64])
{
    snprintf(path, 64, "%s/stagedoor-sim.XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    must(mkdtemp(path) != NULL);
    return path;
}

static void died(const struct sim_plan *plan, struct sim_result *r, int status)
{
    if (r->violation[0] != 0)
        return;
    snprintf(r->rule, sizeof(r->rule), "crash");
    if (WIFSIGNALED(status))
        snprintf(r->violation, sizeof(r->violation), "the program crashed: %s",
                 strsignal(WTERMSIG(status)));
    else
        snprintf(r->violation, sizeof(r->violation), "seed %" PRIu64 " ended with code %d",
                 plan->seed, WEXITSTATUS(status));
}

bool sim_try(const struct sim_plan *plan, struct sim_result *result)
{
    struct sim_result *r =
        mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct sim_plan p = *plan;
    char folder[64];
    int status = 0;

    must(r != MAP_FAILED);
    p.dir = folder_make(folder);
    fflush(stdout);
    pid_t pid = fork();
    must(pid >= 0);
    if (pid == 0) {
        alarm(120);
        sim_run(&p, r);
        fflush(stdout);
        _exit(0);
    }
    must(waitpid(pid, &status, 0) == pid);
    if (!r->finished)
        died(plan, r, status);
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    *result = *r;
    munmap(r, sizeof(*r));
    return result->violation[0] == 0;
}

/* --- controls ------------------------------------------------------------------------------------------------------------ */

/* Each takes one guard away, by a hand in the tables or in the provider; the rule named must notice. */
static const struct control {
    const char *name, *rule, *sql;
    uint64_t from; /* a seed that is known to need it */
} controls[] = {
    { "ledger-entry", "ledger",
      "INSERT INTO ledger_entry (journal, line, account, currency, amount)"
      " SELECT journal, line + 10, account, currency, amount FROM ledger_entry"
      " WHERE NOT EXISTS (SELECT 1 FROM ledger_entry WHERE line > 10) LIMIT 1",
      1 },
    { "ledger-balance", "ledger", "UPDATE ledger_balance SET posted = posted + 1", 1 },
    { "entitlement", "entitlement",
      "UPDATE subscription SET access_until = access_until + 86400000000 WHERE state = 'active'",
      1 },
    { "unpaid-period", "entitlement",
      "UPDATE subscription SET state = 'active', period = 1, anchor = created, ended = NULL,"
      " period_start = created, period_end = created + 2419200000000,"
      " access_until = created + 2678400000000 WHERE state = 'incomplete'",
      1 },
    { "two-living", "pair",
      "INSERT INTO subscription SELECT id + 1, fan, creator, tier, price, currency, state, payment,"
      " cancel_at_period_end, anchor, period, period_start, period_end, access_until, refusals,"
      " created, ended FROM subscription WHERE state = 'incomplete'"
      " AND id + 1 NOT IN (SELECT id FROM subscription) LIMIT 1",
      1 },
    { "rule", "rights", "UPDATE access_rule SET kind = 'public' WHERE kind = 'tiers'", 1 },
    { "rendition", "rights",
      "UPDATE rendition SET blob = (SELECT r.blob FROM rendition r WHERE r.asset = rendition.asset"
      " AND r.name = 'full') WHERE name = 'teaser'",
      1 },
    { "idempotency", "idempotency", "DELETE FROM idempotency", 2 },
    { "provider-keys", "charged-twice", NULL, 8 },
    { "stale-answers", "rights", NULL, 1 },
    { "provider-lies", "money", NULL, 1 },
    { "receipt", "money", "UPDATE payment SET state = 'succeeded' WHERE state = 'requires_action'",
      1 },
};

static const struct control *control_of(const char *name)
{
    for (size_t i = 0; name != NULL && i < COUNT(controls); i++)
        if (strcmp(controls[i].name, name) == 0)
            return &controls[i];
    return NULL;
}

/* What was kept of an answer is never told that something has changed. */
void sim_blind(struct sim *w)
{
    if (w->plan.broken != NULL && strcmp(w->plan.broken, "stale-answers") == 0)
        memset(w->env.revisions, 0, sizeof(*w->env.revisions));
}

void sim_break(struct sim *w)
{
    const struct control *k = control_of(w->plan.broken);

    if (k == NULL || k->sql == NULL)
        return;
    /* What the schema itself forbids must be out of the way first. */
    if (strcmp(k->name, "two-living") == 0) {
        if (SQL(w, "SELECT id FROM subscription WHERE state = 'incomplete'").n == 0)
            return;
        world_sql(w, "DROP INDEX IF EXISTS subscription_living", 0, NULL);
    }
    world_sql(w, k->sql, 0, NULL);
}

/* The seed whose run notices; 0: none of forty did. */
static uint64_t noticed(const struct control *k, const char *engine)
{
    struct sim_plan plan = { .steps = 120, .engine = engine, .broken = k->name };
    struct sim_result r;

    for (plan.seed = k->from; plan.seed < k->from + 40; plan.seed++)
        if (!sim_try(&plan, &r) && strcmp(r.rule, k->rule) == 0)
            return plan.seed;
    return 0;
}

int sim_controls(int *passed)
{
    int failed = 0;

    for (size_t i = 0; i < COUNT(controls); i++) {
        uint64_t seed = noticed(&controls[i], "sqlite");
        if (seed == 0)
            printf("the control %s was not noticed by the rule %s\n", controls[i].name,
                   controls[i].rule);
        failed += seed == 0;
        *passed += seed != 0;
    }
    return failed;
}

/* The same seed twice: the same commands, answers and rows. Another seed: others, or the comparison is blind. */
bool sim_same(uint64_t seed, const char *engine)
{
    struct sim_plan plan = { .seed = seed, .steps = 120, .engine = engine };
    struct sim_result a, b, other;

    bool good = sim_try(&plan, &a) && sim_try(&plan, &b);
    plan.seed++;
    good = sim_try(&plan, &other) && good;
    if (!good || strcmp(a.trace, b.trace) != 0 || strcmp(a.trace, other.trace) == 0)
        printf("seed %" PRIu64 ": traces %s, %s, of the next %s\n", seed, a.trace, b.trace,
               other.trace);
    return good && strcmp(a.trace, b.trace) == 0 && strcmp(a.trace, other.trace) != 0;
}

/* --- shorter ------------------------------------------------------------------------------------------------------------- */

static int kept_steps(const struct sim_plan *p)
{
    int n = 0;

    for (int i = 1; i <= p->steps && i < SIM_SKIPS; i++)
        n += !p->skip[i];
    return n;
}

/* Leaves out ever smaller pieces, as long as the same rule is broken. */
static void shorten(struct sim_plan *p, struct sim_result *r)
{
    int tries = 0, last = r->step < p->steps ? r->step : p->steps;

    p->steps = last;
    for (int piece = last / 2; piece > 0 && tries < 150; piece /= 2)
        for (int from = 1; from <= last && tries < 150; from += piece) {
            struct sim_plan less = *p;
            struct sim_result got;
            for (int i = from; i < from + piece && i <= last && i < SIM_SKIPS; i++)
                less.skip[i] = 1;
            if (kept_steps(&less) == kept_steps(p))
                continue;
            tries++;
            if (!sim_try(&less, &got) && strcmp(got.rule, r->rule) == 0) {
                *p = less;
                *r = got;
            }
        }
}

static void print_skip(const struct sim_plan *p)
{
    const char *mark = " SKIP=";

    for (int i = 1; i <= p->steps && i < SIM_SKIPS; i++) {
        int to = i;
        if (!p->skip[i])
            continue;
        while (to < p->steps && p->skip[to + 1])
            to++;
        printf(to > i ? "%s%d-%d" : "%s%d", mark, i, to);
        mark = ",";
        i = to;
    }
}

static void print_replay(const struct sim_plan *p)
{
    printf("    ./dev sim SEED=%" PRIu64 " STEPS=%d", p->seed, p->steps);
    if (strcmp(p->engine, "sqlite") != 0)
        printf(" ENGINE=%s", p->engine);
    if (p->broken != NULL)
        printf(" BREAK=%s", p->broken);
    print_skip(p);
    printf("\n");
}

static void report(const struct sim_plan *plan, const struct sim_result *r, bool shorter)
{
    size_t n = r->lines < SIM_LINES ? r->lines : SIM_LINES;

    printf("seed %" PRIu64 " on %s, step %d: %s: %s\n  the last commands:\n", plan->seed,
           plan->engine, r->step, r->rule, r->violation);
    for (size_t i = r->lines - n; i < r->lines; i++)
        printf("    %s\n", r->line[i % SIM_LINES]);
    printf("  again, with every command:\n");
    print_replay(plan);
    if (!shorter)
        return;
    struct sim_plan less = *plan;
    struct sim_result found = *r;
    less.loud = false;
    shorten(&less, &found);
    printf("  shorter, %d of its steps (step %d: %s: %s):\n", kept_steps(&less), found.step,
           found.rule, found.violation);
    print_replay(&less);
}

/* --- many ----------------------------------------------------------------------------------------------------------------- */

struct totals {
    int passed, failed;
    int64_t simulated_us, requests, wall_us;
    int64_t sights[SIGHTS];
    size_t covers;
    struct sim_cover cover[SIM_COVER];
};

static void add_cover(struct totals *t, const struct sim_cover *c)
{
    for (size_t i = 0; i < t->covers; i++)
        if (t->cover[i].route == c->route && t->cover[i].status == c->status) {
            t->cover[i].n += c->n;
            return;
        }
    if (t->covers < SIM_COVER)
        t->cover[t->covers++] = *c;
}

static void add(struct totals *t, const struct sim_result *r)
{
    t->simulated_us += r->simulated_us;
    t->requests += r->requests;
    for (int i = 0; i < SIGHTS; i++)
        t->sights[i] += r->sights[i];
    for (size_t i = 0; i < r->covers; i++)
        add_cover(t, &r->cover[i]);
}

static void run_one(struct totals *t, const struct sim_plan *plan)
{
    struct sim_result r;

    if (sim_try(plan, &r))
        t->passed++;
    else {
        t->failed++;
        report(plan, &r, true);
        fflush(stdout);
    }
    add(t, &r);
}

/* --- what was reached ------------------------------------------------------------------------------------------------------ */

static void print_route(const struct totals *t, int number, const struct route *r)
{
    int64_t sum = 0;

    printf("  %-6s %-46s", method_names[r->method], r->path);
    for (int status = 200; status < 600; status++)
        for (size_t i = 0; i < t->covers; i++)
            if (t->cover[i].route == number && t->cover[i].status == status) {
                printf(" %d:%" PRId64, status, t->cover[i].n);
                sum += t->cover[i].n;
            }
    printf(sum == 0 ? " never asked\n" : "\n");
}

static void print_reached(const struct totals *t)
{
    int number = 0;

    printf("routes, and how often each status was answered:\n");
    for (size_t m = 0; m < modules_n; m++)
        for (size_t i = 0; i < modules[m]->routes_n; i++)
            print_route(t, number++, &modules[m]->routes[i]);
    printf("seen:\n");
    for (int i = 0; i < SIGHTS; i++)
        printf("  %8" PRId64 "  %s\n", t->sights[i], sim_sight_names[i]);
    double months = (double)t->simulated_us / (30.44 * DAY), minutes = (double)t->wall_us / MINUTE;
    printf("%" PRId64 " requests, %.0f simulated months in %.2f minutes: %.0f months a minute\n",
           t->requests, months, minutes, months / minutes);
}

/* --- the command ------------------------------------------------------------------------------------------------------------ */

enum number { SEED, SEEDS, FROM, STEPS, MINUTES, CHECKS, NUMBERS };

static const struct {
    const char *name;
    int64_t least, most;
} numbers[] = {
    [SEED] = { "SEED", 0, INT64_MAX },      [SEEDS] = { "SEEDS", 1, 1000000 },
    [FROM] = { "FROM", 0, INT64_MAX },      [STEPS] = { "STEPS", 1, SIM_SKIPS - 1 },
    [MINUTES] = { "MINUTES", 1, 7 * 1440 }, [CHECKS] = { "CHECK", 1, 1 },
};

struct options {
    struct sim_plan plan;
    int64_t n[NUMBERS];
    bool given[NUMBERS];
};

static bool take_skip(struct sim_plan *p, struct str list)
{
    while (list.p != NULL) {
        struct str one, from, to;
        int64_t a, b;
        list = str_split(list, ',', &one);
        to = str_split(one, '-', &from);
        if (!str_int(from, &a) || !(to.p == NULL ? (b = a, true) : str_int(to, &b)) || a < 0 ||
            b < a || b >= SIM_SKIPS)
            return false;
        for (; a <= b; a++)
            p->skip[a] = 1;
    }
    return true;
}

static bool take_number(struct options *o, enum number i, const char *text)
{
    if (!unit_number(text, numbers[i].least, numbers[i].most, &o->n[i])) {
        fprintf(stderr, "sim: %s is a number from %" PRId64 " to %" PRId64 ", not \"%s\"\n",
                numbers[i].name, numbers[i].least, numbers[i].most, text);
        return false;
    }
    o->given[i] = true;
    if (i == SEED || i == FROM)
        o->plan.seed = (uint64_t)o->n[i];
    if (i == STEPS)
        o->plan.steps = (int)o->n[i];
    return true;
}

static bool take(struct options *o, const char *argument)
{
    struct str name, value = str_split(str_of(argument), '=', &name);

    for (int i = 0; i < NUMBERS && value.p != NULL; i++)
        if (str_is(name, numbers[i].name))
            return take_number(o, (enum number)i, value.p);
    if (str_is(name, "ENGINE") && (str_is(value, "sqlite") || str_is(value, "postgres")))
        o->plan.engine = value.p;
    else if (str_is(name, "BREAK") && control_of(value.p) != NULL)
        o->plan.broken = value.p;
    else if (!str_is(name, "SKIP") || value.p == NULL || !take_skip(&o->plan, value)) {
        fprintf(stderr, "sim: it knows no \"%s\"\n", argument);
        return false;
    }
    return true;
}

/* One run, so many, as many as there is time for, or the check: not two of them. */
static bool is_one_wish(const struct options *o)
{
    const bool *given = o->given;

    if (given[SEED] + given[SEEDS] + given[MINUTES] + given[CHECKS] <= 1 &&
        !(given[FROM] && (given[SEED] || given[CHECKS])))
        return true;
    fprintf(stderr, "sim: SEED, SEEDS, MINUTES and CHECK exclude each other;"
                    " FROM goes with SEEDS or MINUTES\n");
    return false;
}

static int run_loud(const struct options *o)
{
    struct sim_plan plan = o->plan;
    struct totals t = { 0 };
    struct sim_result r;
    int64_t began = monotonic_us();

    plan.loud = true;
    bool good = sim_try(&plan, &r);
    t.wall_us = monotonic_us() - began;
    add(&t, &r);
    if (good)
        print_reached(&t);
    else
        report(&plan, &r, false);
    printf("trace %s\n%d passed, %d failed\n", r.trace, good, !good);
    return !good;
}

/* For who waits: every few seconds how far it is. */
static void tell_progress(const struct options *o, int64_t done, int64_t took_us, int64_t *told_us)
{
    if (took_us - *told_us < PROGRESS_US)
        return;
    *told_us = took_us;
    if (o->n[MINUTES] > 0)
        fprintf(stderr, "sim: minute %" PRId64 " of %" PRId64 ", %" PRId64 " seeds\n",
                took_us / MINUTE + 1, o->n[MINUTES], done);
    else
        fprintf(stderr, "sim: seed %" PRId64 " of %" PRId64 "\n", done, o->n[SEEDS]);
}

static void run_seeds(const struct options *o, struct totals *t)
{
    int64_t began = monotonic_us(), took_us = 0, told_us = 0, until_us = o->n[MINUTES] * MINUTE;
    struct sim_plan plan = o->plan;

    for (int64_t i = 0; until_us > 0 ? took_us < until_us : i < o->n[SEEDS]; i++) {
        run_one(t, &plan);
        plan.seed++;
        took_us = monotonic_us() - began;
        tell_progress(o, i + 1, took_us, &told_us);
    }
    t->wall_us += took_us;
}

static int run_many(const struct options *o)
{
    struct totals t = { 0 };

    run_seeds(o, &t);
    print_reached(&t);
    printf("%d passed, %d failed\n", t.passed, t.failed);
    return t.failed > 0 || t.passed == 0;
}

static bool was_asked(const struct totals *t, int number)
{
    for (size_t i = 0; i < t->covers; i++)
        if (t->cover[i].route == number && t->cover[i].status < 400)
            return true;
    return false;
}

/* A whole set that has not seen these proves little. */
static void check_reached(struct totals *t)
{
    int number = 0;

    for (int i = 0; i < SIGHTS; i++) {
        if (t->sights[i] == 0)
            printf("never seen: %s\n", sim_sight_names[i]);
        t->failed += t->sights[i] == 0;
        t->passed += t->sights[i] != 0;
    }
    for (size_t m = 0; m < modules_n; m++)
        for (size_t i = 0; i < modules[m]->routes_n; i++, number++) {
            const struct route *r = &modules[m]->routes[i];
            if (r->wire == WIRE_STREAM || was_asked(t, number))
                continue;
            printf("never answered well: %s %s\n", method_names[r->method], r->path);
            t->failed++;
        }
}

/* What `./dev check` runs. */
static int run_check(const struct options *o)
{
    struct options on = *o;
    struct totals t = { 0 }, other = { 0 };

    on.n[SEEDS] = 200;
    run_seeds(&on, &t);
    print_reached(&t);
    check_reached(&t);
    for (uint64_t seed = 1; seed <= 3; seed++) {
        bool same = sim_same(seed, "sqlite");
        t.passed += same;
        t.failed += !same;
    }
    t.failed += sim_controls(&t.passed);
    on.plan.engine = "postgres";
    on.n[SEEDS] = getenv("STAGEDOOR_TEST_POSTGRES") == NULL ? 0 : 3;
    run_seeds(&on, &other);
    if (on.n[SEEDS] == 0)
        printf("no PostgreSQL: STAGEDOOR_TEST_POSTGRES is not set\n");
    printf("%d passed, %d failed\n", t.passed + other.passed, t.failed + other.failed);
    return t.failed + other.failed > 0;
}

static int usage(void)
{
    fprintf(stderr, "sim: SEED=n [STEPS=m], or SEEDS=n [FROM=n], or MINUTES=n [FROM=n], or CHECK=1;"
                    " ENGINE=sqlite|postgres, SKIP=3-7,9, BREAK=name, of:");
    for (size_t i = 0; i < COUNT(controls); i++)
        fprintf(stderr, " %s", controls[i].name);
    fprintf(stderr, "\n");
    return 2;
}

PROGRAM(sim)
{
    struct options o = { .plan = { .seed = 1, .steps = 120, .engine = "sqlite" }, .n[SEEDS] = 20 };
    bool good = true;

    for (int i = 0; i < argc && good; i++)
        good = take(&o, argv[i]);
    if (!good || !is_one_wish(&o))
        return usage();
    if (o.given[CHECKS])
        return run_check(&o);
    return o.given[SEED] ? run_loud(&o) : run_many(&o);
}
