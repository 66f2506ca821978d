/* torture.c -- each scenario again, and in each of its lines the n-th allocation, statement or blob operation fails, for
 * n = 1, 2, ... until it passes untouched.
 *
 * A request that is refused (5xx, a whole problem) has changed nothing: so the next n can be tried on the same line, and the
 * scenario goes on from its success as if nothing had been; its own expectations say whether something was. What is due after a
 * line is tortured likewise, with its jobs tried again at once. After each line the invariants are asked of the tables.
 *
 *   once   the n-th only. A WRITE is run dry first, for every n: nothing is committed. SQL: in several rounds, the first
 *          of which begins with n = 1, the second with 2: a fault that was got over ends the line.
 *   ever   the n-th and all that follow, until the request has been answered
 *
 * By default a few n of each line, and two of the plans below, by the seed (the day's, or STAGEDOOR_SEED); STAGEDOOR_TORTURE=all
 * takes them all. A failure tells the command for its case alone:
 *
 *   build/debug-gcc/tests --as torture post sqlite memory ever 17 203      (step 17 of the scenario, n = 203) */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/when.h"
#include "core/exec.h"
#include "core/start.h"
#include "test/fault.h"
#include "test/scenario.h"

#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROOM_BYTES = 8 << 20, ROUNDS = 24, LEAKS = 30, PATH_BYTES = 200 };

struct plan {
    enum fault what;
    bool ever;
};

struct torture {
    const char *file, *engine;
    struct plan plan;
    bool all;
    int round;       /* of several, beginning with 0 */
    uint64_t chance; /* of the few */
    int only_step;   /* 0: all */
    int64_t only_n;
    int step; /* requests and dues, counted */
    struct arena
        room; /* of the test's own, in one piece, so that it asks for none while memory fails */
    int64_t cases, struck;
};

/* --- which n ---------------------------------------------------------------------------------------------------- */

static uint64_t next_chance(struct torture *t)
{
    t->chance ^= t->chance << 13;
    t->chance ^= t->chance >> 7;
    t->chance ^= t->chance << 17;
    return t->chance;
}

/* A few: ever further apart, not the same each day. */
static int64_t next_n(struct torture *t, int64_t n, bool dear)
{
    if (t->only_n > 0)
        return n < t->only_n ? t->only_n : INT64_MAX;
    if (t->all && !dear)
        return n + 1;
    int64_t spread = dear && t->all ? n / 8 : n;
    return n + 1 + (int64_t)(next_chance(t) % (uint64_t)(spread + 1));
}

static int64_t first_n(struct torture *t, bool dear)
{
    return next_n(t, t->only_n > 0 ? 0 : t->round, dear && !t->all);
}

static bool is_chosen(const struct torture *t)
{
    return t->only_step == 0 || t->only_step == t->step;
}

/* --- telling ---------------------------------------------------------------------------------------------------- */

/* What is under way, for the one who crashes. */
static char under_way[400];

static void note(const struct torture *t, int line, int64_t n, const char *what)
{
    const char *base = strrchr(t->file, '/') + 1;

    snprintf(under_way, sizeof(under_way),
             "%s:%d: %s; again: %s --as torture %.*s %s %s %s %d %" PRId64 "\n", t->file, line,
             what, "build/debug-gcc/tests", (int)strcspn(base, "."), base, t->engine,
             fault_names[t->plan.what], t->plan.ever ? "ever" : "once", t->step, n);
}

static void crashed(int signal_number)
{
    ssize_t said = write(STDOUT_FILENO, under_way, strlen(under_way));

    (void)said;
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

#define BAD(...)                                                                                   \
    do {                                                                                           \
        printf("%s", under_way);                                                                   \
        FAIL(__VA_ARGS__);                                                                         \
    } while (0)

/* --- what must always be so ------------------------------------------------------------------------------------- */

struct law {
    const char *sentence;
    enum err (*ask)(struct call *c, int64_t *broken);
};

#define LAW(name, ...)                                                                             \
    static enum err name(struct call *c, int64_t *broken)                                          \
    {                                                                                              \
        return db_int(c, broken, __VA_ARGS__);                                                     \
    }
LAW(journals, "SELECT count(*) FROM (SELECT journal FROM ledger_entry GROUP BY journal, currency"
              " HAVING sum(amount) <> 0) AS x")
LAW(balances, "SELECT count(*) FROM (SELECT account FROM (SELECT account, amount FROM ledger_entry"
              " UNION ALL SELECT account, -posted AS amount FROM ledger_balance) AS m"
              " GROUP BY account HAVING sum(amount) <> 0) AS x")
LAW(pairs, "SELECT count(*) FROM (SELECT fan, creator FROM subscription"
           " WHERE state IN ('incomplete', 'active', 'past_due')"
           " GROUP BY fan, creator HAVING count(*) > 1) AS x")
LAW(periods, "SELECT count(*) FROM subscription s WHERE s.period <> (SELECT count(*) FROM payment p"
             " WHERE p.purpose = 'subscription' AND p.subject = s.id AND p.state = 'succeeded')")
LAW(access_time,
    "SELECT count(*) FROM subscription WHERE (access_until IS NOT NULL) <>"
    " (state IN ('active', 'past_due')) OR access_until > period_end + 72 * 3600000000")
LAW(earnings, "SELECT count(*) FROM payment p WHERE (p.state = 'succeeded') <>"
              " EXISTS (SELECT 1 FROM ledger_earning e WHERE e.payment = p.id)")
LAW(keys, "SELECT count(*) FROM idempotency WHERE status = 0")
LAW(stuck, "SELECT count(*) FROM job WHERE state = 'running'")
LAW(aside, "SELECT count(*) FROM event_dead")
LAW(followers, "SELECT count(*) FROM creator c WHERE c.followers <>"
               " (SELECT count(*) FROM follow f WHERE f.creator = c.id)")
LAW(pictures, "SELECT count(*) FROM asset a WHERE a.state = 'ready' AND NOT EXISTS"
              " (SELECT 1 FROM rendition r WHERE r.asset = a.id)")
LAW(orphans, "SELECT count(*) FROM asset a WHERE a.state = 'processing' AND NOT EXISTS"
             " (SELECT 1 FROM job j WHERE j.id = a.job AND j.state IN ('waiting', 'running'))")

static const struct law laws[] = {
    { "each journal sums to zero", journals },
    { "each balance is the sum of its entries", balances },
    { "one living subscription a pair", pairs },
    { "a subscription has as many periods as were paid", periods },
    { "access is given for the periods that were paid, and three days", access_time },
    { "a payment that succeeded is earned, and no other", earnings },
    { "a key has its answer", keys },
    { "no job is left running", stuck },
    { "no event is put aside", aside },
    { "a creator's followers are counted", followers },
    { "a picture that is ready has renditions", pictures },
    { "a picture that is being prepared has its job", orphans },
};

static enum err check_laws(struct call *c)
{
    int64_t *broken = c->prepared;

    for (size_t i = 0; i < COUNT(laws); i++)
        TRY(laws[i].ask(c, &broken[i]));
    return E_OK;
}

static void in_transaction(struct env *e, enum tx tx, handler *run, void *prepared)
{
    struct arena a = { 0 };
    struct call c;

    call_begin(&c, e, &a);
    c.prepared = prepared;
    enum err err = exec_transaction(e->exec, &c, tx, run);
    if (err != E_OK)
        FAIL("the fault was lifted, but the database still answers %s", err_sentence(err));
    arena_done(&a);
}

static void check_invariants(struct stage *s)
{
    int64_t broken[COUNT(laws)] = { 0 };

    in_transaction(s->house->env, READ, check_laws, broken);
    for (size_t i = 0; i < COUNT(laws); i++)
        if (broken[i] != 0)
            BAD("not so any more, %" PRId64 " times: %s", broken[i], laws[i].sentence);
}

/* --- jobs that failed are tried again at once ------------------------------------------------------------------- */

static enum err hurry_on(struct call *c)
{
    TRY(db_run(
        c, "UPDATE job SET due = created, attempt = 0 WHERE state = 'waiting' AND attempt > 0"));
    return db_run(c, "UPDATE job SET leased_until = 0, attempt = 0 WHERE state = 'running'");
}

/* The sandbox sends a notification again after a second, then two ..., and then no more: now, and always as the first. A key whose
 * request died is free again after a minute: now. */
static enum err hurry_bank(struct call *c)
{
    TRY(hurry_on(c));
    TRY(db_run(c, "UPDATE sandbox_key SET leased_until = 0 WHERE state = 'running'"));
    TRY(db_run(c, "UPDATE sandbox_delivery SET attempt = 0 WHERE state = 'pending'"));
    return db_run(c, "UPDATE job SET due_business = 0"
                     " WHERE state = 'waiting' AND kind = 'sandbox.deliver'");
}

/* A charge whose outcome is unknown is asked about after a while: now. */
static enum err hurry_house(struct call *c)
{
    TRY(hurry_on(c));
    return db_run(c, "UPDATE job SET due_business = 0 WHERE state = 'waiting'"
                     " AND kind = 'payment.watch' AND EXISTS (SELECT 1 FROM payment"
                     " WHERE state = 'unknown')");
}

static void hurry(struct stage *s)
{
    in_transaction(s->house->env, WRITE, hurry_house, NULL);
    if (s->bank != NULL)
        in_transaction(bank_env(s->bank), WRITE, hurry_bank, NULL);
}

/* --- one request ------------------------------------------------------------------------------------------------ */

/* What the answer waits for runs here meanwhile. A fault that has struck is lifted soon: the caller would wait for ten
 * seconds for a job that cannot run. */
struct helper {
    struct stage *stage;
    pthread_t thread;
    sem_t begun;
    bool stop; /* atomic */
};

static void *help(void *arg)
{
    struct helper *h = arg;

    sem_post(&h->begun);
    while (!__atomic_load_n(&h->stop, __ATOMIC_ACQUIRE)) {
        stage_jobs(h->stage);
        if (fault_struck()) {
            fault_disarm(NULL);
            hurry(h->stage);
        }
        sleep_ms(1);
    }
    return NULL;
}

/* Before memory fails: a sanitizer cannot begin a thread without any. */
static void helper_begin(struct helper *h, struct stage *s)
{
    fault_forget();
    *h = (struct helper) { .stage = s };
    must(sem_init(&h->begun, 0, 0) == 0);
    must(pthread_create(&h->thread, NULL, help, h) == 0);
    while (sem_wait(&h->begun) != 0) {
    }
}

static void helper_end(struct helper *h)
{
    bool was = fault_spare(true);

    __atomic_store_n(&h->stop, true, __ATOMIC_RELEASE);
    pthread_join(h->thread, NULL);
    sem_destroy(&h->begun);
    fault_spare(was);
}

static void room_clear(struct torture *t)
{
    if (t->room.chunk == NULL)
        arena_alloc(&t->room, ROOM_BYTES);
    t->room.used = t->room.total = 0;
}

/* n = 0: nothing fails. */
static void send_once(struct torture *t, struct stage *s, struct http_call *h, bool waits,
                      int64_t n)
{
    struct helper helper;

    room_clear(t);
    if (waits)
        helper_begin(&helper, s);
    if (n > 0)
        fault_arm(t->plan.what, n, t->plan.ever);
    server_call(s->server, &t->room, h);
    if (waits)
        helper_end(&helper);
}

static void check_refusal(struct stage *s, const struct http_call *h)
{
    struct str code, status;

    if (h->status == 0 || str_starts(h->reply_type, "text/html"))
        return; /* no memory for a word; a page tells it by itself */
    code = stage_member(s, h->reply, "code");
    status = stage_member(s, h->reply, "status");
    if (!str_is(h->reply_type, "application/problem+json") || code.n == 0 ||
        !str_eq(status, str_printf(s->arena, "%d", h->status)))
        BAD("a refusal that is no problem: %d %.*s", h->status, STR_FMT(h->reply));
}

/* A request that was refused after its commit is still running under its key. */
static bool refused(const struct http_call *h)
{
    return h->status == 0 || h->status >= 500 ||
           (h->status == 409 && memmem(h->reply.p, h->reply.n, "\"key_in_use\"", 12) != NULL);
}

/* A login that could not be tried to its end is counted all the same: nobody shall guess while we are short of memory. Here
 * it would lock people out. */
static enum err forgive(struct call *c)
{
    const struct when *since = c->prepared;

    return db_run(c,
                  "UPDATE login_attempt SET failures = failures - 1, wait_until = 0"
                  " WHERE last >= $1 AND failures > 0",
                  *since);
}

/* One case. True: the fault struck, and the request was refused or only looked. */
static bool strike(struct torture *t, struct stage *s, struct http_call *h, bool waits, int64_t n)
{
    struct when began = env_real_now(s->house->env);

    send_once(t, s, h, waits, n);
    bool struck = fault_struck();
    fault_disarm(NULL);
    t->cases++;
    t->struck += struck;
    if (getenv("STAGEDOOR_TELL") != NULL)
        printf("step %d, n = %" PRId64 ": %d %.*s\n", t->step, n, h->status,
               STR_FMT(str_cut(h->reply, 0, 200)));
    if (struck && refused(h))
        check_refusal(s, h);
    if (waits)
        hurry(s);
    if (struck && refused(h) && !fault_is_dry() && str_is(h->target, "/v1/sessions"))
        in_transaction(s->house->env, WRITE, forgive, &began);
    return struck;
}

static bool is_read(const struct http_call *h)
{
    return strcmp(h->method, "GET") == 0 || strcmp(h->method, "HEAD") == 0;
}

/* Nothing has changed, so the same again takes no more memory; what is kept for later is kept once. True: it went well this
 * time, and *h is the answer. */
static bool check_leak(struct torture *t, struct stage *s, struct http_call *h, int64_t n)
{
    const struct http_call asked = *h;
    int growing = 0;

    for (int i = 0; i < LEAKS; i++) {
        int64_t before = fault_live();
        *h = asked;
        if (!strike(t, s, h, false, n) || (!refused(h) && !is_read(h)))
            return !refused(h);
        if (fault_live() <= before)
            break;
        growing++;
    }
    if (growing == LEAKS)
        BAD("each time some memory is not given back");
    *h = asked;
    return false;
}

/* For every n, what would be answered, were it not for the COMMIT. */
static void run_dry(struct torture *t, struct stage *s, int line, const struct http_call *h)
{
    bool struck = true;

    fault_dry(true);
    for (int64_t n = first_n(t, false); struck && n < INT64_MAX; n = next_n(t, n, false)) {
        struct http_call dry = *h;
        note(t, line, n, "dry");
        int64_t before = fault_live();
        struck = strike(t, s, &dry, false, n);
        bool more = struck && refused(&dry) && fault_live() > before;
        dry = *h;
        if (more)
            check_leak(t, s, &dry, n);
    }
    fault_dry(false);
}

/* Until it passes: *h is its answer. A read is done for every n, and its answers agree. */
static void run_through(struct torture *t, struct stage *s, int line, struct http_call *h,
                        bool waits)
{
    struct http_call last = *h, good = { .status = 0 };
    bool read = is_read(h), struck = true;

    for (int64_t n = first_n(t, waits); struck && n < INT64_MAX; n = next_n(t, n, waits)) {
        last = *h;
        note(t, line, n, "the request");
        int64_t before = fault_live();
        struck = strike(t, s, &last, waits, n);
        if (struck && refused(&last)) {
            last = *h;
            if (waits || fault_live() <= before || !check_leak(t, s, &last, n))
                continue;
        }
        bool same =
            good.status == last.status && (good.status >= 400 || str_eq(good.reply, last.reply));
        if (good.status != 0 && !same)
            BAD("answered %d %.*s, and then %d %.*s", good.status, STR_FMT(good.reply), last.status,
                STR_FMT(last.reply));
        good = last;
        good.reply = str_copy(s->arena, last.reply);
        if (!read)
            break;
        struct http_call again = *h;
        if (read && struck && fault_live() > before)
            check_leak(t, s, &again, n);
    }
    if (last.status == 0) { /* only this case was wanted */
        last = *h;
        send_once(t, s, &last, waits, 0);
    }
    *h = last;
}

static void keep_answer(struct stage *s, struct http_call *h)
{
    h->reply = str_copy(s->arena, h->reply);
    h->reply_type = str_copy(s->arena, h->reply_type);
    for (size_t i = 0; i < h->reply_headers_n; i++)
        h->reply_headers[i].value = str_copy(s->arena, h->reply_headers[i].value);
}

/* The same key again gives the same thing. */
static void check_replay(struct torture *t, struct stage *s, const struct http_call *asked,
                         const struct http_call *got)
{
    struct http_call again = *asked;

    if (asked->headers_n == 0 || asked->token.p == NULL || got->status >= 300)
        return;
    send_once(t, s, &again, true, 0);
    if (again.status != got->status ||
        !str_eq(stage_member(s, again.reply, "id"), stage_member(s, got->reply, "id")))
        BAD("the same key gave %d %.*s, and now %d %.*s", got->status, STR_FMT(got->reply),
            again.status, STR_FMT(again.reply));
}

static void torture_call(void *context, struct stage *s, int line, struct http_call *h, bool waits)
{
    struct torture *t = context;
    struct http_call asked = *h;

    /* A call that is answered after its commit may be refused although it is done: it has a key, for this. */
    if (waits && asked.headers_n == 0)
        asked.headers[asked.headers_n++] =
            (struct header) { "Idempotency-Key", str_printf(s->arena, "torture-%d", t->step) };
    *h = asked;
    t->step++;
    if (!is_chosen(t)) {
        send_once(t, s, h, waits, 0);
        keep_answer(s, h);
        return;
    }
    if (!waits && !is_read(h) && !t->plan.ever && t->plan.what == FAULT_MEMORY)
        run_dry(t, s, line, h);
    run_through(t, s, line, h, waits);
    keep_answer(s, h);
    note(t, line, 0, "the same key again");
    check_replay(t, s, &asked, h);
}

static void torture_due(void *context, struct stage *s, int line)
{
    struct torture *t = context;
    /* A consumer tries an event for some seconds before it puts it aside. */
    bool slow = t->plan.what == FAULT_SQL_IO && t->plan.ever;
    bool struck = true, dear = s->bank != NULL || slow;

    t->step++;
    for (int64_t n = first_n(t, dear); struck && is_chosen(t) && n < INT64_MAX;
         n = next_n(t, n, dear)) {
        note(t, line, n, "what was due");
        fault_arm(t->plan.what, n, t->plan.ever);
        stage_jobs(s);
        struck = fault_disarm(NULL);
        t->cases++;
        t->struck += struck;
        if (struck)
            hurry(s);
    }
    /* What the round that passed has found out of the one before: a connection that was dropped. */
    if (is_chosen(t))
        hurry(s);
    stage_jobs(s);
    note(t, line, 0, "after the line");
    check_invariants(s);
    if (unit_failures() > 0)
        unit_end(); /* what follows only follows from it */
}

/* --- one scenario ----------------------------------------------------------------------------------------------- */

static void play(struct torture *t)
{
    struct scenario_driver driver = { torture_call, torture_due, t };

    unsetenv("STAGEDOOR_RECORD"); /* the recorder would ask for memory */
    engine_wrap = fault_engine;
    t->step = 0;
    note(t, 0, 0, "at the start");
    for (size_t i = 0; i < 3; i++)
        signal((const int[]) { SIGABRT, SIGSEGV, SIGBUS }[i], crashed);
    scenario_play(t->file, t->engine, &driver);
    note(t, 0, 0, "at the end");
    arena_done(&t->room);
    unit_dir_clear();
    engine_wrap = NULL;
}

static const struct plan plans[] = {
    { FAULT_MEMORY, false },  { FAULT_MEMORY, true },    { FAULT_SQL_IO, false },
    { FAULT_SQL_BUSY, true }, { FAULT_SQL_AWAY, false }, { FAULT_SQL_AWAY, true },
    { FAULT_BLOB, false },    { FAULT_BLOB, true },
};

static uint64_t seed_of(const char *file)
{
    int64_t seed = unit_setting("STAGEDOOR_SEED", when_real_now().us / DAY);

    printf("torture: STAGEDOOR_SEED=%" PRId64 "\n", seed);
    return (str_hash(str_of(file)) ^ (uint64_t)seed * UINT64_C(0x9E3779B97F4A7C15)) | 1;
}

static void play_plan(const char *file, const char *engine, struct plan plan, uint64_t seed,
                      bool all)
{
    struct torture t = { .file = file, .engine = engine, .plan = plan, .all = all, .chance = seed };
    bool again = true;

    for (t.round = 0; again && t.round < ROUNDS && unit_failures() == 0; t.round++) {
        t.cases = t.struck = 0;
        play(&t);
        printf("torture: %s, %s, round %d: %" PRId64 " cases, %" PRId64 " struck\n",
               fault_names[plan.what], plan.ever ? "ever" : "once", t.round + 1, t.cases, t.struck);
        again = all && !plan.ever && t.struck > 0;
    }
}

static bool wants_all(void)
{
    const char *wish = getenv("STAGEDOOR_TORTURE");

    return wish != NULL && strcmp(wish, "all") == 0;
}

static void torture_file(void)
{
    const struct unit_test *this = unit_this();
    const char *engine = scenario_engine();
    bool all = wants_all();
    uint64_t seed = seed_of(this->file);

    for (size_t i = 0; i < COUNT(plans); i++) {
        bool chosen = all || i == seed / 2 % 2 || i == 2 + seed / 7 % (COUNT(plans) - 2);
        /* On PostgreSQL a lost answer is asked for on a new connection, a tenth of a second each: by hand. */
        bool slow = plans[i].what == FAULT_MEMORY && strcmp(engine, "postgres") == 0;
        if (chosen && !slow && fault_possible(plans[i].what))
            play_plan(this->file, engine, plans[i], seed, all);
    }
}

/* --- one case --------------------------------------------------------------------------------------------------- */

static int usage(void)
{
    fprintf(stderr,
            "torture SCENARIO sqlite|postgres KIND once|ever [STEP [N]]; a KIND is one of:");
    for (size_t i = 0; fault_names[i] != NULL; i++)
        fprintf(stderr, " %s", fault_names[i]);
    fprintf(stderr, "\n");
    return 2;
}

static bool is_one_of(const char *word, const char *a, const char *b)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0;
}

/* FILE: where the scenario's name goes. False: this is no case. */
static bool take_case(int argc, char **argv, struct torture *t, char file[PATH_BYTES])
{
    int64_t step = 0;

    if (argc < 4 || argc > 6)
        return false;
    snprintf(file, PATH_BYTES, "src/services/%s/%s.scenario", argv[0], argv[0]);
    int what = enum_value(fault_names, str_of(argv[2]));
    if (access(file, R_OK) != 0 || !is_one_of(argv[1], "sqlite", "postgres") || what < 0 ||
        !is_one_of(argv[3], "once", "ever") ||
        (argc > 4 && !unit_number(argv[4], 1, INT_MAX, &step)) ||
        (argc > 5 && !unit_number(argv[5], 1, INT64_MAX, &t->only_n)))
        return false;
    t->file = file;
    t->engine = argv[1];
    t->plan = (struct plan) { (enum fault)what, strcmp(argv[3], "ever") == 0 };
    t->only_step = (int)step;
    return true;
}

PROGRAM(torture)
{
    struct torture t = { .all = true, .chance = 1 };
    char file[PATH_BYTES];

    if (!take_case(argc, argv, &t, file))
        return usage();
    play(&t);
    if (t.cases == 0)
        printf("nothing was tried: there are %d steps\n", t.step);
    printf("%" PRId64 " cases, %" PRId64 " struck, %d failures\n", t.cases, t.struck,
           unit_failures());
    return unit_failures() > 0 || t.cases == 0;
}

/* --- controls: what this must find --------------------------------------------------------------------------------- */

struct alone {
    int code; /* -1: it crashed */
    bool told;
    int64_t cases, struck;
    int failures; /* -1: it did not come to its end */
};

static void take_output(struct alone *got, FILE *f, const char *sentence)
{
    char line[1000];

    rewind(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        got->told = got->told || strstr(line, sentence) != NULL;
        sscanf(line, "%" SCNd64 " cases, %" SCNd64 " struck, %d failures", &got->cases,
               &got->struck, &got->failures);
    }
    fclose(f);
}

/* One case in a process of its own, and whether it said so. */
static struct alone play_alone(const char *arguments, const char *sentence)
{
    char self[300] = "", words[300], *argv[12] = { self, "--as", "torture" };
    int output = memfd_create("alone", 0), status = 0, n = 3;
    struct alone got = { .failures = -1 };

    REQUIRE(output >= 0 && readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
    snprintf(words, sizeof(words), "%s", arguments);
    for (char *rest = words, *w; (w = strsep(&rest, " ")) != NULL;)
        argv[n++] = w;
    pid_t pid = fork();
    if (pid == 0) {
        dup2(output, STDOUT_FILENO);
        execv(self, argv);
        _exit(127);
    }
    REQUIRE(pid > 0 && waitpid(pid, &status, 0) == pid);
    got.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    take_output(&got, fdopen(output, "r"), sentence);
    return got;
}

/* A crash is another finding than the one that was put there. */
static void check_found(struct alone got)
{
    CHECK_INT(got.code, 1);
    CHECK(got.told);
}

/* The statements of each line are lost, one after the other, and nobody is told. */
TEST_SLOW(torture_finds_a_statement_that_is_lost, 30)
{
    check_found(play_alone("creator sqlite sql-lost once", "creator.scenario"));
}

TEST_SLOW(torture_finds_a_leak, 30)
{
    if (!fault_possible(FAULT_LEAK))
        SKIP("malloc is the sanitizer's");
    check_found(play_alone("creator sqlite leak once", "not given back"));
}

/* ... and none of its own making. */
TEST_SLOW(torture_passes_where_nothing_fails, 30)
{
    struct alone got = play_alone("creator sqlite sql-busy ever 3", ", 0 failures");

    CHECK_INT(got.code, 0);
    CHECK(got.told);
    CHECK_INT(got.failures, 0);
    CHECK(got.struck > 0);
}

TEST_SLOW(torture_of_a_step_that_is_not_there_fails, 30)
{
    struct alone got = play_alone("creator sqlite sql-busy ever 100000", "nothing was tried");

    CHECK_INT(got.code, 1);
    CHECK(got.told);
    CHECK_INT(got.cases, 0);
}

/* --- finding them ----------------------------------------------------------------------------------------------- */

__attribute__((constructor)) static void find_scenarios(void)
{
    scenario_tests("src/services/*/*.scenario", "torture",
                   (struct unit_test) {
                       .seconds = wants_all() ? 3000 : 60, .run = torture_file, .slow = true });
}
