/* payers.c -- see payers.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "test/payers.h"
#include "core/events.h"
#include "core/exec.h"
#include "core/jobs.h"
#include "core/start.h"
#include "modules.h"
#include "sys/sqlite.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* --- the house -------------------------------------------------------------------------------------------------- */

static enum err mail_goes(struct mailer *m, struct arena *a, const struct mail *mail)
{
    (void)m, (void)a, (void)mail;
    return E_OK;
}

static int64_t creator_id(int creator)
{
    return 1000 + creator;
}

static void creators_make(struct till *t)
{
    static const char account[] =
        "INSERT INTO account (id, email, name, password, email_verified, role, creator, created)"
        " VALUES (%d, 'c%d@example.org', 'C', '-', 1, 'user', 1, 1) ON CONFLICT DO NOTHING";
    static const char creator[] =
        "INSERT INTO creator (id, handle, name, bio, followers, posts, head, created)"
        " VALUES (%d, 'creator%d', 'C', '', 0, 0, 0, 1) ON CONFLICT DO NOTHING";
    static const char tier[] =
        "INSERT INTO tier (id, creator, name, description, price, currency, archived, created)"
        " VALUES (%d, %d, 'Gold', '', 1000, 'EUR', 0, 1) ON CONFLICT DO NOTHING";

    for (int i = 0; i < PAYERS_CREATORS; i++) {
        int id = (int)creator_id(i);
        char text[400];
        snprintf(text, sizeof(text), account, id, id);
        REQUIRE(till_try(t, text) == E_OK);
        snprintf(text, sizeof(text), creator, id, id);
        REQUIRE(till_try(t, text) == E_OK);
        snprintf(text, sizeof(text), tier, id, id);
        REQUIRE(till_try(t, text) == E_OK);
    }
}

static void locks_make(struct payers *p)
{
    pthread_mutexattr_t shared;

    pthread_mutexattr_init(&shared);
    pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&p->lock, &shared);
    pthread_mutex_init(&p->provider.lock, &shared);
    pthread_mutexattr_destroy(&shared);
}

struct payers *payers_new(struct power *power)
{
    struct payers *p =
        mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    must(p != MAP_FAILED);
    p->power = power;
    locks_make(p);
    return p;
}

void payers_free(struct payers *p)
{
    munmap(p, sizeof(*p));
}

void payers_child_died(struct payers *p)
{
    locks_make(p);
}

void payers_begin(struct payers *p, int workers)
{
    static const char *const settings[] = { "account.quick_hash=true", NULL };
    struct when now = civil_when((struct civil) { 2026, 1, 31, 9 + p->lives++, 30, 0, 0 });
    struct till *t;

    must(modules[0] == &core_module); /* which the till brings itself */
    p->till = t = till_open_at("sqlite", modules + 1, modules_n - 1, settings, now);
    p->mailer.send = mail_goes;
    t->env.mailer = &p->mailer;
    t->env.development = true;
    p->provider.pay = t->pay.pay;
    p->provider.now = &t->real;
    t->env.pay = &p->provider.pay;
    creators_make(t);
    if (workers > 0)
        __atomic_store_n(&t->env.jobs, jobs_start(&t->env, workers), __ATOMIC_RELEASE);
}

void payers_end(struct payers *p)
{
    till_close(p->till);
    p->till = NULL;
}

/* --- what they were told ---------------------------------------------------------------------------------------- */

FORMAT(2, 3) static void heard(struct payers *p, const char *format, ...)
{
    va_list args;

    pthread_mutex_lock(&p->lock);
    must(p->told_n < PAYERS_TOLD_MAX);
    struct told *t = &p->told[p->told_n++];
    va_start(args, format);
    vsnprintf(t->what, sizeof(t->what), format, args);
    va_end(args);
    t->at = power_now(p->power);
    pthread_mutex_unlock(&p->lock);
}

static void heard_step(struct payer *f, enum payer_step step)
{
    char what[100];

    payer_would_hear(f, step, what);
    heard(f->p, "%s", what);
}

static struct str member(struct arena *a, struct till_reply r, const char *name, const char *inner)
{
    const char *why = NULL;
    const struct json *j = json_parse(a, r.body, &why);

    j = j == NULL ? NULL : json_get(j, name);
    if (j != NULL && inner != NULL)
        j = json_get(j, inner);
    return j == NULL || j->kind != J_TEXT ? STR_NONE : j->text;
}

static void keep(char *to, size_t size, struct str s)
{
    must(s.n < size);
    snprintf(to, size, "%.*s", STR_FMT(s));
}

/* --- one person ------------------------------------------------------------------------------------------------- */

static enum err sign_up(struct payer *f)
{
    struct str body = str_printf(&f->arena,
                                 "{\"email\":\"%s\",\"password\":\"correct horse battery 9\","
                                 "\"name\":\"Fan\"}",
                                 f->email);
    struct till_reply r =
        till_ask_by(f->p->till, &f->arena, ID_NONE, POST, "/v1/accounts", body.p, NULL);

    if (r.result == E_OK) {
        heard_step(f, PAYER_SIGNS_UP);
        must(id_parse(member(&f->arena, r, "id", NULL), "usr", &f->id));
    }
    return r.result;
}

static enum err follow(struct payer *f)
{
    struct str path =
        str_printf(&f->arena, "/v1/creators/creator%d/follow", (int)creator_id(f->creator));
    struct str key = str_printf(&f->arena, "follow:%" PRId64, creator_id(f->creator));
    struct till_reply r = till_ask_by(f->p->till, &f->arena, f->id, PUT, path.p, NULL, key.p);

    if (r.result == E_OK)
        heard_step(f, PAYER_FOLLOWS);
    return r.result;
}

static enum err subscribe(struct payer *f)
{
    struct id tier = { creator_id(f->creator) };
    struct str key = str_printf(&f->arena, "sub:%" PRId64, tier.v);
    struct str body =
        str_printf(&f->arena, "{\"tier\":\"%.*s\"}", STR_FMT(id_text(&f->arena, ID_TIER, tier)));
    struct till_reply r =
        till_ask_by(f->p->till, &f->arena, f->id, POST, "/v1/subscriptions", body.p, key.p);

    if (r.result != E_OK)
        return r.result;
    heard_step(f, PAYER_SUBSCRIBES);
    struct str url = member(&f->arena, r, "checkout_url", NULL);
    keep(f->subscription, sizeof(f->subscription), member(&f->arena, r, "subscription", "id"));
    if (url.p != NULL) {
        static const char at[] = "http://pay.test/";
        keep(f->ref, sizeof(f->ref), str_cut(url, sizeof(at) - 1, url.n));
    }
    return E_OK;
}

/* The provider's page is paid, and it tells us. */
static enum err pay(struct payer *f)
{
    struct str event = str_printf(&f->arena, "evt_%s", f->ref);
    struct str body = str_printf(&f->arena, "%.*s %s", STR_FMT(event), f->ref);

    must(f->ref[0] != 0);
    fake_pay_settle(&f->p->provider, str_of(f->ref), PAY_SUCCEEDED, NULL);
    struct till_reply r =
        till_ask_by(f->p->till, &f->arena, ID_NONE, POST, "/v1/webhooks/stripe", body.p, "good");
    if (r.result == E_OK)
        heard_step(f, PAYER_PAYS);
    return r.result;
}

enum err payer_step(struct payer *f, enum payer_step step)
{
    static enum err (*const steps[PAYER_STEPS])(struct payer *) = { sign_up, follow, subscribe,
                                                                    pay };

    return steps[step](f);
}

void payer_would_hear(const struct payer *f, enum payer_step step, char what[100])
{
    static const char *const keys[] = { [PAYER_FOLLOWS] = "follow", [PAYER_SUBSCRIBES] = "sub" };

    if (step == PAYER_SIGNS_UP)
        snprintf(what, 100, "account:%s", f->email);
    else if (step == PAYER_PAYS)
        snprintf(what, 100, "notice:evt_%s", f->ref);
    else
        snprintf(what, 100, "key:%" PRId64 "/%s:%" PRId64, f->id.v, keys[step],
                 creator_id(f->creator));
}

bool payer_finds_account(struct payer *f)
{
    char sql[200];

    snprintf(sql, sizeof(sql), "SELECT coalesce((SELECT id FROM account WHERE email = '%s'), 0)",
             f->email);
    f->id.v = till_int(f->p->till, sql);
    return id_some(f->id);
}

bool payer_is_active(struct payer *f)
{
    struct str path = str_printf(&f->arena, "/v1/subscriptions/%s", f->subscription);
    struct till_reply r = till_ask_by(f->p->till, &f->arena, f->id, GET, path.p, NULL, NULL);

    if (r.result != E_OK || !str_is(member(&f->arena, r, "state", NULL), "active"))
        return false;
    heard(f->p, "paid:%s", f->ref);
    return true;
}

static void live(struct payer *f)
{
    CHECK_OK(payer_step(f, PAYER_SIGNS_UP));
    for (f->creator = 0; f->creator < PAYERS_CREATORS; f->creator++) {
        if (f->creator < PAYERS_FOLLOWED) {
            CHECK_OK(payer_step(f, PAYER_FOLLOWS));
            continue;
        }
        f->ref[0] = 0;
        CHECK_OK(payer_step(f, PAYER_SUBSCRIBES));
        REQUIRE(f->ref[0] != 0);
        CHECK_OK(payer_step(f, PAYER_PAYS));
        while (!payer_is_active(f))
            sleep_ms(1);
        if (f->creator % 2 == 0)
            CHECK_OK(payer_step(f, PAYER_SUBSCRIBES)); /* again: the same answer */
    }
}

static enum err hear_journal(void *context, struct db_statement *s, const struct db_value *cells)
{
    (void)s;
    heard(context, "journal:%.*s", STR_FMT(cells[0].s));
    return E_OK;
}

/* Who reads something has been told, too. */
static void hear_journals(struct payers *p)
{
    struct db *db = p->till->bed->db;
    struct db_statement *s;

    CHECK_OK(db->ops->begin(db, false));
    CHECK_OK(db->ops->prepare(db, "SELECT ikey FROM ledger_journal", NULL, 0, &s));
    CHECK_OK(db->ops->query(db, s, NULL, 0, hear_journal, p, NULL));
    db->ops->drop(db, s);
    CHECK_OK(db->ops->commit(db));
}

/* --- all of them ------------------------------------------------------------------------------------------------ */

struct place {
    struct payers *p;
    pthread_t thread;
    int number, lives;
};

static void *place_run(void *arg)
{
    struct place *at = arg;

    for (int i = 0; i < at->lives; i++) {
        struct payer f = { .p = at->p };
        snprintf(f.email, sizeof(f.email), "fan%d.%d@example.org", at->number, i);
        live(&f);
        arena_done(&f.arena);
    }
    return NULL;
}

static void *jobs_run(void *arg)
{
    struct payers *p = arg;

    while (!__atomic_load_n(&p->resting, __ATOMIC_ACQUIRE)) {
        till_drain(p->till);
        sleep_ms(1);
    }
    return NULL;
}

void payers_live(struct payers *p, int at_once, int lives)
{
    struct place *places = calloc((size_t)at_once, sizeof(*places));
    pthread_t jobs;

    must(places != NULL && pthread_create(&jobs, NULL, jobs_run, p) == 0);
    for (int i = 0; i < at_once; i++) {
        places[i] = (struct place) { .p = p, .number = i, .lives = lives };
        must(pthread_create(&places[i].thread, NULL, place_run, &places[i]) == 0);
    }
    for (int i = 0; i < at_once; i++)
        pthread_join(places[i].thread, NULL);
    __atomic_store_n(&p->resting, true, __ATOMIC_RELEASE);
    pthread_join(jobs, NULL);
    free(places);
    /* A month of business: keys are kept for a week of real time. */
    __atomic_add_fetch(&p->till->env.clock.offset_us, 32 * DAY, __ATOMIC_ACQ_REL);
    till_drain(p->till);
    hear_journals(p);
}

/* --- the oracle ------------------------------------------------------------------------------------------------- */

#define KEY_OF(what)                                                                               \
    "EXISTS (SELECT 1 FROM idempotency i WHERE i.account = x.fan AND i.key = '" what               \
    ":' || x.creator)"

const struct payers_rule payers_rules[] = {
    { "a key without an answer", "SELECT count(*) FROM idempotency WHERE status = 0",
      "UPDATE idempotency SET status = 0 WHERE key LIKE 'follow%'" },
    { "a follow's key without its follow",
      "SELECT count(*) FROM idempotency i WHERE i.key LIKE 'follow:%' AND NOT EXISTS"
      " (SELECT 1 FROM follow f WHERE f.fan = i.account"
      " AND f.creator = CAST(substr(i.key, 8) AS INTEGER))",
      "DELETE FROM follow" },
    { "a follow without its key",
      "SELECT count(*) FROM follow x WHERE NOT " KEY_OF("follow") " AND NOT " KEY_OF("sub"),
      "DELETE FROM idempotency" },
    { "a subscription's key without its subscription",
      "SELECT count(*) FROM idempotency i WHERE i.key LIKE 'sub:%' AND 1 <>"
      " (SELECT count(*) FROM subscription s WHERE s.fan = i.account"
      " AND s.creator = CAST(substr(i.key, 5) AS INTEGER))",
      "UPDATE subscription SET fan = fan + 1" },
    { "a subscription without its key",
      "SELECT count(*) FROM subscription x WHERE NOT " KEY_OF("sub"), "DELETE FROM idempotency" },
    { "a subscription without its payment",
      "SELECT count(*) FROM subscription s WHERE NOT EXISTS"
      " (SELECT 1 FROM payment p WHERE p.subject = s.id)",
      "UPDATE payment SET subject = 1" },
    { "a payment without its attempt",
      "SELECT count(*) FROM payment p WHERE NOT EXISTS"
      " (SELECT 1 FROM payment_attempt a WHERE a.payment = p.id)",
      "DELETE FROM payment_attempt" },
    { "an awaited job that is away",
      "SELECT count(*) FROM idempotency i WHERE i.job IS NOT NULL AND NOT EXISTS"
      " (SELECT 1 FROM job j WHERE j.id = i.job)",
      "DELETE FROM job" },
    { "a payment and the books disagree",
      "SELECT count(*) FROM payment p WHERE (p.state = 'succeeded') <> (1 ="
      " (SELECT count(*) FROM ledger_journal j WHERE j.kind = 'charge' AND j.reference = p.id))",
      "UPDATE payment SET state = 'declined' WHERE state = 'succeeded'" },
    { "a paid period without its payment",
      "SELECT count(*) FROM subscription s WHERE s.period <>"
      " (SELECT count(*) FROM payment p WHERE p.subject = s.id AND p.state = 'succeeded')"
      " AND NOT EXISTS (SELECT 1 FROM event e WHERE e.kind = 'payment.settled'"
      " AND e.id > (SELECT coalesce(min(id), 0) FROM event_cursor))",
      "UPDATE subscription SET period = period + 1 WHERE period > 0" },
    { "a journal that does not sum to zero",
      "SELECT count(*) FROM (SELECT 1 FROM ledger_entry GROUP BY journal, currency"
      " HAVING sum(amount) <> 0)",
      "DROP TRIGGER ledger_entry_stays;"
      " UPDATE ledger_entry SET amount = amount + 1 WHERE line = 1" },
    { "a ledger that does not sum to zero",
      "SELECT count(*) FROM (SELECT 1 FROM ledger_entry GROUP BY currency HAVING sum(amount) <> 0)",
      "DROP TRIGGER ledger_entry_kept; DELETE FROM ledger_entry WHERE line = 1" },
    { "a balance that is not the sum of its entries",
      "SELECT count(*) FROM ledger_account a WHERE"
      " (SELECT CAST(coalesce(sum(posted), 0) AS INTEGER) FROM ledger_balance b"
      " WHERE b.account = a.id) <>"
      " (SELECT CAST(coalesce(sum(amount), 0) AS INTEGER) FROM ledger_entry e"
      " WHERE e.account = a.id)",
      "UPDATE ledger_balance SET posted = posted + 1" },
    { "a count of followers that is not true",
      "SELECT count(*) FROM creator c WHERE c.followers <>"
      " (SELECT count(*) FROM follow f WHERE f.creator = c.id)",
      "UPDATE creator SET followers = followers + 1" },
};
const size_t payers_rules_n = COUNT(payers_rules);

static const char *const texts[] = {
    "SELECT 'account:' || email AS t FROM account",
    "SELECT 'key:' || account || '/' || key AS t FROM idempotency WHERE status > 0",
    "SELECT 'notice:' || event AS t FROM payment_notice",
    "SELECT 'journal:' || ikey AS t FROM ledger_journal",
    "SELECT 'paid:' || p.provider_ref AS t FROM payment p JOIN subscription s ON s.id = p.subject"
    " JOIN ledger_journal j ON j.reference = p.id AND j.kind = 'charge'"
    " WHERE p.state = 'succeeded' AND s.period > 0",
};

void told_map_open(struct told_map *m, const struct payers *p)
{
    m->p = p;
    m->map.arena = &m->arena;
    for (size_t i = 0; i < p->told_n; i++) {
        const struct told *t = &p->told[i];
        const struct told *had = map_get(&m->map, str_of(t->what));
        if (had == NULL || had->at > t->at) /* told twice: it counts from the first time */
            map_put(&m->map, str_of(t->what), (void *)(uintptr_t)t);
    }
}

struct look {
    struct db *db;
    const struct told_map *told;
    size_t at, found;
    char *seen; /* of told: it is there */
    int64_t number;
    const char *what;
    struct verdict *verdict;
};

static enum err query(struct look *l, const char *sql, db_row *row)
{
    struct db_statement *s;
    enum err e = l->db->ops->prepare(l->db, sql, NULL, 0, &s);

    if (e != E_OK)
        return e;
    e = l->db->ops->query(l->db, s, NULL, 0, row, l, NULL);
    l->db->ops->drop(l->db, s);
    return e;
}

static enum err take_number(void *context, struct db_statement *s, const struct db_value *cells)
{
    (void)s;
    ((struct look *)context)->number = cells[0].i;
    return E_OK;
}

static enum err take_text(void *context, struct db_statement *s, const struct db_value *cells)
{
    struct look *l = context;
    const struct told *t = map_get(&l->told->map, cells[0].s);

    (void)s;
    if (t != NULL && t->at <= l->at) {
        l->found++;
        l->seen[t - l->told->p->told] = 1;
    }
    return E_OK;
}

static enum err take_check(void *context, struct db_statement *s, const struct db_value *cells)
{
    struct look *l = context;

    (void)s;
    if (!str_is(cells[0].s, "ok"))
        l->verdict->whole = false;
    return E_OK;
}

static enum err take_any(void *context, struct db_statement *s, const struct db_value *cells)
{
    (void)s, (void)cells;
    ((struct look *)context)->verdict->whole = false;
    return E_OK;
}

/* Before the first migration there is nothing to look at. */
static bool has_tables(struct look *l)
{
    return query(l, "SELECT count(*) FROM sqlite_schema WHERE name = 'subscription'",
                 take_number) == E_OK &&
           l->number == 1;
}

static void find_told(struct look *l)
{
    const struct payers *p = l->told->p;

    l->seen = calloc(p->told_n + 1, 1);
    must(l->seen != NULL);
    bool tables = has_tables(l);
    for (size_t i = 0; i < COUNT(texts) && tables; i++)
        if (query(l, texts[i], take_text) != E_OK)
            l->verdict->wrong = "what was told cannot be read";
    for (size_t i = 0; i < p->told_n; i++) {
        const struct told *t = &p->told[i];
        if (t->at > l->at || map_get(&l->told->map, str_of(t->what)) != t)
            continue;
        l->verdict->wanted++;
        if (l->seen[i])
            continue;
        if (l->verdict->lost++ == 0)
            snprintf(l->verdict->first, sizeof(l->verdict->first), "%s", t->what);
    }
    for (size_t i = 0; i < payers_rules_n && tables; i++)
        if (query(l, payers_rules[i].sql, take_number) != E_OK || l->number != 0)
            l->verdict->wrong = payers_rules[i].name;
    free(l->seen);
}

static bool look_open(struct look *l, const char *folder, struct engine **engine)
{
    char path[400];
    int n = snprintf(path, sizeof(path), "%s/test.db", folder);

    *engine = sqlite_open((struct str) { path, (size_t)n }, NULL);
    return *engine != NULL && (*engine)->ops->open(*engine, true, &l->db) == E_OK;
}

static void look_close(struct look *l, struct engine *engine)
{
    if (l->db != NULL)
        db_close(l->db);
    if (engine != NULL)
        engine->ops->close(engine);
}

struct verdict payers_judge(const struct told_map *m, const char *folder, size_t at)
{
    struct verdict v = { .whole = true };
    struct look l = { .told = m, .at = at, .verdict = &v };
    struct engine *engine = NULL;

    v.opened = look_open(&l, folder, &engine);
    if (v.opened && (query(&l, "PRAGMA integrity_check", take_check) != E_OK ||
                     query(&l, "PRAGMA foreign_key_check", take_any) != E_OK))
        v.whole = false;
    if (v.opened)
        find_told(&l);
    else
        v.whole = false;
    look_close(&l, engine);
    return v;
}

static enum err take_same(void *context, struct db_statement *s, const struct db_value *cells)
{
    struct look *l = context;

    (void)s;
    l->number += str_is(cells[0].s, l->what);
    return E_OK;
}

bool payers_hold(const char *folder, const char *what)
{
    struct look l = { .what = what };
    struct engine *engine = NULL;

    bool tables = look_open(&l, folder, &engine) && has_tables(&l);
    l.number = 0;
    for (size_t i = 0; tables && i < COUNT(texts); i++)
        CHECK_OK(query(&l, texts[i], take_same));
    look_close(&l, engine);
    return l.number > 0;
}

int64_t payers_count(const char *folder, const char *sql)
{
    struct look l = { 0 };
    struct engine *engine = NULL;

    bool good = look_open(&l, folder, &engine) && query(&l, sql, take_number) == E_OK;
    look_close(&l, engine);
    return good ? l.number : -1;
}

bool payers_rule_notices(const char *folder, const struct payers_rule *rule)
{
    struct verdict v = { .whole = true };
    struct look l = { .verdict = &v };
    struct engine *engine = NULL;
    bool notices = false;

    if (look_open(&l, folder, &engine) && query(&l, rule->sql, take_number) == E_OK &&
        l.number == 0 && l.db->ops->script(l.db, STR("PRAGMA foreign_keys=OFF; BEGIN")) == E_OK &&
        l.db->ops->script(l.db, str_of(rule->tampering)) == E_OK &&
        query(&l, rule->sql, take_number) == E_OK)
        notices = l.number > 0;
    l.db->ops->script(l.db, STR("ROLLBACK"));
    look_close(&l, engine);
    return notices;
}
