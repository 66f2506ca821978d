/* ledger_test.c -- the books: shared to the cent, equal to a naive model, right under concurrency, and able to tell when
 * somebody has touched them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "services/ledger/ledger.h"
#include "core/env.h"
#include "test/till.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct module *const ledger_only[] = { &ledger_module };

static struct till *books(const char *engine)
{
    return till_open(engine, ledger_only, 1, NULL);
}

/* --- the split -------------------------------------------------------------------------------------------------- */

/* q is part/whole of amount, half to even: told without dividing. */
static bool is_half_even(int64_t q, int64_t amount, int64_t part, int64_t whole)
{
    __extension__ typedef __int128 wide;
    wide twice_off = 2 * ((wide)amount * part - (wide)q * whole);

    if (twice_off == whole || twice_off == -whole)
        return q % 2 == 0;
    return twice_off < whole && twice_off > -whole;
}

static bool split_is_right(int64_t gross, int64_t tax_bp, int64_t fee_bp)
{
    struct ledger_split s = ledger_split(gross, tax_bp, fee_bp);
    int64_t untaxed = gross - s.tax;

    if (s.tax >= 0 && s.fee >= 0 && s.creator >= 0 && s.tax + s.fee + s.creator == gross &&
        is_half_even(untaxed, gross, 10000, 10000 + tax_bp) &&
        is_half_even(s.fee, untaxed, fee_bp, 10000))
        return true;
    FAIL("gross %" PRId64 " tax_bp %" PRId64 " fee_bp %" PRId64 " gives %" PRId64 " + %" PRId64
         " + %" PRId64,
         gross, tax_bp, fee_bp, s.tax, s.fee, s.creator);
    return false;
}

TEST(split_is_exact_for_every_small_amount)
{
    static const int64_t taxes[] = { 0, 500, 700, 1900, 2000, 2100, 2500, 2700 };
    static const int64_t fees[] = { 0, 1, 250, 500, 1000, 1500, 2000, 3333, 5000, 9999, 10000 };

    for (int64_t gross = 0; gross <= 2000; gross++)
        for (size_t t = 0; t < COUNT(taxes); t++)
            for (size_t f = 0; f < COUNT(fees); f++)
                if (!split_is_right(gross, taxes[t], fees[f]))
                    return;
}

TEST(split_is_exact_for_random_amounts)
{
    uint64_t r = 20260131;

    for (int i = 0; i < 1000000; i++) {
        r = r * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        uint64_t x = r >> 20;
        if (!split_is_right((int64_t)(x % (MONEY_MAX + 1)), (int64_t)((x >> 5) % 3001),
                            (int64_t)((x >> 9) % 10001)))
            return;
    }
}

TEST(split_examples)
{
    struct ledger_split s = ledger_split(1210, 2100, 2000);
    CHECK_INT(s.tax, 210);
    CHECK_INT(s.fee, 200);
    CHECK_INT(s.creator, 800);
    s = ledger_split(500, 1900, 2000);
    CHECK_INT(s.tax, 80);
    CHECK_INT(s.fee, 84);
    CHECK_INT(s.creator, 336);
    s = ledger_split(1, 0, 5000); /* half a cent goes to the even side: 0 */
    CHECK_INT(s.fee, 0);
    CHECK_INT(s.creator, 1);
}

/* --- a naive model ---------------------------------------------------------------------------------------------- */

enum { CREATORS = 12, CURRENCIES = 3, OPERATIONS = 20000, OPERATIONS_LONG = 100000, BATCH = 500 };
static const char *const codes[CURRENCIES] = { "EUR", "USD", "JPY" };

struct model {
    uint64_t seed;
    int64_t payments; /* ids 1 .. payments were charged */
    int64_t provider[CURRENCIES], fee[CURRENCIES], tax[CURRENCIES], expense[CURRENCIES];
    int64_t pending[CREATORS][CURRENCIES], journals;
    struct money *gross; /* of each payment, by its number */
    bool *has_fee;
    int todo;
};

static uint64_t roll(struct model *m, uint64_t sides)
{
    m->seed = m->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (m->seed >> 33) % sides;
}

static struct ledger_charge a_charge(struct model *m, int64_t number)
{
    struct ledger_charge k = { .payment = { number },
                               .fan = { 900 + (int64_t)roll(m, 50) },
                               .creator = { 100 + (int64_t)roll(m, CREATORS) },
                               .fee_bp = (int64_t)roll(m, 4) * 1000,
                               .tax_bp = (int64_t)roll(m, 3) * 950,
                               .description = STR("Something") };

    k.gross.minor = 1 + (int64_t)roll(m, roll(m, 10) == 0 ? MONEY_MAX : 5000);
    must(currency_parse(str_of(codes[roll(m, CURRENCIES)]), &k.gross.currency));
    return k;
}

static size_t currency_at_index(struct currency c)
{
    for (size_t i = 0; i < CURRENCIES; i++)
        if (strcmp(codes[i], c.code) == 0)
            return i;
    must(false);
    return 0;
}

static enum err charge_new(struct call *c, struct model *m)
{
    struct ledger_charge k = a_charge(m, ++m->payments);
    size_t u = currency_at_index(k.gross.currency);
    int64_t untaxed = (k.gross.minor * 20000 + 10000 + k.tax_bp) / (2 * (10000 + k.tax_bp));
    struct ledger_split s = ledger_split(k.gross.minor, k.tax_bp, k.fee_bp);

    must(untaxed - (k.gross.minor - s.tax) <= 1); /* rounded half up: differs by ties only */
    TRY(ledger_charge(c, &k));
    m->gross[m->payments] = k.gross;
    m->provider[u] += k.gross.minor;
    m->fee[u] += s.fee;
    m->tax[u] += s.tax;
    m->pending[k.creator.v - 100][u] += k.gross.minor - s.fee - s.tax;
    m->journals++;
    return E_OK;
}

/* A repeat, with whatever else in it: the first one counts. */
static enum err charge_again(struct call *c, struct model *m)
{
    struct ledger_charge k;

    if (m->payments == 0)
        return E_OK;
    k = a_charge(m, 1 + (int64_t)roll(m, (uint64_t)m->payments));
    return ledger_charge(c, &k);
}

static enum err fee_any(struct call *c, struct model *m)
{
    int64_t number = m->payments == 0 ? 0 : 1 + (int64_t)roll(m, (uint64_t)m->payments);
    struct money fee = { (int64_t)roll(m, 100), m->gross[number].currency };

    if (number == 0)
        return E_OK;
    TRY(ledger_provider_fee(c, (struct id) { number }, STR("stripe"), fee));
    if (fee.minor == 0 || m->has_fee[number])
        return E_OK;
    m->has_fee[number] = true;
    size_t u = currency_at_index(fee.currency);
    m->expense[u] += fee.minor;
    m->provider[u] -= fee.minor;
    m->journals++;
    return E_OK;
}

static enum err operations(struct call *c)
{
    struct model *m = c->prepared;

    for (int i = 0; i < m->todo; i++) {
        uint64_t what = roll(m, 10);
        TRY(what < 5 ? charge_new(c, m) : what < 8 ? charge_again(c, m) : fee_any(c, m));
    }
    return E_OK;
}

static enum err check_run(struct call *c)
{
    struct ledger_check *out = c->prepared;

    TRY(ledger_check(c, out));
    out->accounts.n = 0; /* they die with this call */
    return E_OK;
}

static struct ledger_check check_books(struct till *t)
{
    struct ledger_check k = { 0 };

    CHECK_OK(till_run(t, READ, check_run, &k));
    return k;
}

struct asked {
    const char *kind, *currency;
    int64_t owner, answer;
};

static enum err balance_run(struct call *c)
{
    struct asked *q = c->prepared;

    return db_int(c, &q->answer,
                  "SELECT CAST(COALESCE(sum(b.posted * a.normal), 0) AS INTEGER)"
                  " FROM ledger_account a JOIN ledger_balance b ON b.account = a.id"
                  " WHERE a.kind = $1 AND a.currency = $2 AND COALESCE(a.owner, 0) = $3",
                  str_of(q->kind), str_of(q->currency), q->owner);
}

static int64_t balance(struct till *t, const char *kind, const char *currency, int64_t owner)
{
    struct asked q = { kind, currency, owner, 0 };

    CHECK_OK(till_run(t, READ, balance_run, &q));
    return q.answer;
}

static void compare(struct till *t, const struct model *m)
{
    struct ledger_check k = check_books(t);

    CHECK(k.good);
    CHECK_INT(k.journals, m->journals);
    for (size_t u = 0; u < CURRENCIES; u++) {
        CHECK_INT(balance(t, "provider_pending", codes[u], 0), m->provider[u]);
        CHECK_INT(balance(t, "revenue_fee", codes[u], 0), m->fee[u]);
        CHECK_INT(balance(t, "tax", codes[u], 0), m->tax[u]);
        CHECK_INT(balance(t, "expense_provider_fee", codes[u], 0), m->expense[u]);
        for (int i = 0; i < CREATORS; i++)
            CHECK_INT(balance(t, "creator_pending", codes[u], 100 + i), m->pending[i][u]);
    }
}

static void model_run(const char *engine, int operations_n)
{
    struct till *t = books(engine);
    struct model m = { .seed = 42 };

    m.gross = calloc((size_t)operations_n + 1, sizeof(*m.gross));
    m.has_fee = calloc((size_t)operations_n + 1, sizeof(*m.has_fee));
    for (int i = 0; i < operations_n; i += BATCH) {
        m.todo = BATCH;
        REQUIRE(till_run(t, WRITE, operations, &m) == E_OK);
    }
    compare(t, &m);
    free(m.gross);
    free(m.has_fee);
    till_close(t);
}

/* STAGEDOOR_TEST_LONG=1: a hundred thousand, some ten seconds. */
TEST_SECONDS(ledger_equals_a_naive_model_on_sqlite, 60)
{
    model_run("sqlite", getenv("STAGEDOOR_TEST_LONG") != NULL ? OPERATIONS_LONG : OPERATIONS);
}

TEST_SECONDS(ledger_equals_a_naive_model_on_postgres, 60)
{
    model_run("postgres", OPERATIONS / 10);
}

/* --- one charge ------------------------------------------------------------------------------------------------- */

struct sale {
    int64_t payment, creator, gross;
    bool fails;
};

static enum err sell(struct call *c)
{
    const struct sale *s = c->prepared;
    struct ledger_charge k = { .payment = { s->payment },
                               .fan = { 7 },
                               .creator = { s->creator },
                               .gross = { s->gross, { "EUR" } },
                               .fee_bp = 2000,
                               .description = STR("Gold") };

    TRY(ledger_charge(c, &k));
    return s->fails ? fail(c, E_CONFLICT, "on purpose") : E_OK;
}

static void sale(struct till *t, int64_t payment, int64_t creator, int64_t gross)
{
    CHECK_OK(till_run(t, WRITE, sell, &(struct sale) { payment, creator, gross, false }));
}

ENGINES(a_charge_that_is_undone_leaves_nothing)
{
    struct till *t = books(engine);

    CHECK_INT(till_run(t, WRITE, sell, &(struct sale) { 1, 100, 500, true }), E_CONFLICT);
    CHECK_INT(till_int(t, "SELECT count(*) FROM ledger_journal"), 0);
    CHECK_INT(till_int(t, "SELECT count(*) FROM ledger_entry"), 0);
    CHECK_INT(till_int(t, "SELECT count(*) FROM ledger_balance"), 0);
    sale(t, 1, 100, 500);
    CHECK(check_books(t).good);
    CHECK_INT(balance(t, "creator_pending", "EUR", 100), 400);
    till_close(t);
}

ENGINES(a_share_is_released_after_its_days_and_once)
{
    struct till *t = books(engine);

    for (int i = 1; i <= 250; i++) /* more than one batch */
        sale(t, i, 100, 500);
    till_drain(t);
    CHECK_INT(balance(t, "creator_pending", "EUR", 100), 250 * 400);
    till_pass(t, 7 * DAY - HOUR, DAY);
    CHECK_INT(balance(t, "creator_available", "EUR", 100), 0);
    till_pass(t, 3 * HOUR, HOUR);
    CHECK_INT(balance(t, "creator_pending", "EUR", 100), 0);
    CHECK_INT(balance(t, "creator_available", "EUR", 100), 250 * 400);
    till_pass(t, 3 * DAY, 6 * HOUR);
    CHECK_INT(balance(t, "creator_available", "EUR", 100), 250 * 400);
    CHECK_INT(till_int(t, "SELECT count(*) FROM ledger_journal WHERE kind = 'release'"), 250);
    CHECK_INT(till_int(t, "SELECT count(*) FROM job WHERE state = 'waiting'"
                          " AND kind = 'ledger.release'"),
              1);
    CHECK(check_books(t).good);
    till_close(t);
}

/* --- many at once ----------------------------------------------------------------------------------------------- */

enum { THREADS = 8, SALES = 40 };

struct seller {
    struct till *t;
    int64_t number;
    pthread_t thread;
};

/* Every second sale is made by all of them: one of them counts. */
static void *sell_many(void *arg)
{
    struct seller *s = arg;

    for (int64_t i = 1; i <= SALES; i++) {
        int64_t payment = i % 2 == 0 ? i : s->number * 1000 + i;
        sale(s->t, payment, 100 + payment % 3, 100 + payment);
    }
    return NULL;
}

ENGINES_SECONDS(sales_at_the_same_time_are_all_counted_once, 60)
{
    struct till *t = books(engine);
    struct seller sellers[THREADS];
    int64_t gross = 0;

    for (int i = 0; i < THREADS; i++) {
        sellers[i] = (struct seller) { .t = t, .number = i + 1 };
        must(pthread_create(&sellers[i].thread, NULL, sell_many, &sellers[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(sellers[i].thread, NULL);
    for (int64_t i = 1; i <= SALES; i++)
        for (int64_t n = 1; n <= (i % 2 == 0 ? 1 : THREADS); n++)
            gross += 100 + (i % 2 == 0 ? i : n * 1000 + i);
    CHECK_INT(balance(t, "provider_pending", "EUR", 0), gross);
    CHECK_INT(till_int(t, "SELECT count(*) FROM ledger_journal"), SALES / 2 * THREADS + SALES / 2);
    CHECK(check_books(t).good);
    till_close(t);
}

/* --- the check sees what it should ------------------------------------------------------------------------------ */

static void tamper(struct till *t, const char *sql)
{
    CHECK_OK(till_try(t, sql));
}

ENGINES(the_check_finds_what_was_touched)
{
    struct till *t = books(engine);

    for (int i = 1; i <= 5; i++)
        sale(t, i, 100, 500);
    CHECK(check_books(t).good);
    tamper(t, "UPDATE ledger_balance SET posted = posted + 1 WHERE posted < 0 AND account ="
              " (SELECT id FROM ledger_account WHERE kind = 'creator_pending')");
    struct ledger_check k = check_books(t);
    CHECK(!k.good);
    CHECK_INT(k.drifted, 1);
    CHECK_INT(k.misstated, 1);
    tamper(t, "UPDATE ledger_balance SET posted = posted - 1 WHERE posted < 0 AND account ="
              " (SELECT id FROM ledger_account WHERE kind = 'creator_pending')");
    CHECK(check_books(t).good);
    tamper(t, "UPDATE ledger_day SET fee = fee + 1");
    CHECK_INT(check_books(t).misstated, 1);
    tamper(t, "UPDATE ledger_day SET fee = fee - 1");
    tamper(t, "UPDATE ledger_balance SET posted = 1 WHERE account ="
              " (SELECT id FROM ledger_account WHERE kind = 'creator_pending')");
    CHECK_INT(check_books(t).overdrawn, 1);
    till_close(t);
}

ENGINES(the_check_finds_an_entry_too_many)
{
    struct till *t = books(engine);

    for (int i = 1; i <= 5; i++)
        sale(t, i, 100, 500);
    tamper(t, "INSERT INTO ledger_entry (journal, line, account, currency, amount)"
              " SELECT max(journal), 99, min(account), 'EUR', 1 FROM ledger_entry");
    struct ledger_check k = check_books(t);
    CHECK(!k.good);
    CHECK_INT(k.unbalanced, 1);
    CHECK_INT(k.drifted, 1);
    till_close(t);
}

ENGINES(the_books_are_only_added_to)
{
    static const char *const slips[] = {
        "UPDATE ledger_entry SET amount = amount + 1 WHERE line = 1",
        "DELETE FROM ledger_entry",
        "UPDATE ledger_journal SET description = 'something else'",
        "DELETE FROM ledger_journal",
    };
    struct till *t = books(engine);

    sale(t, 1, 100, 500);
    for (size_t i = 0; i < COUNT(slips); i++)
        if (till_try(t, slips[i]) == E_OK)
            FAIL("it was done: %s", slips[i]);
    CHECK_INT(till_int(t, "SELECT count(*) FROM ledger_entry WHERE amount = 500"), 1);
    till_close(t);
}

/* --- what a creator sees ---------------------------------------------------------------------------------------- */

ENGINES(a_creator_sees_her_earnings_and_no_other)
{
    struct till *t = books(engine);
    struct id ana = { 100 }, ben = { 101 };

    for (int i = 1; i <= 3; i++)
        sale(t, i, 100, 1000 * i + 3);
    sale(t, 4, 101, 77700);
    struct till_reply r = till_ask(t, ana, GET, "/v1/studio/earnings", NULL, NULL);
    CHECK_OK(r.result);
    CHECK_STR(till_member(t, r, "balances.0.gross"), "6009");
    CHECK_STR(till_member(t, r, "balances.0.fee"), "1203"); /* 201 + 401 + 601, each rounded */
    CHECK_STR(till_member(t, r, "balances.0.net"), "4806");
    CHECK_STR(till_member(t, r, "balances.0.pending"), "4806");
    CHECK_STR(till_member(t, r, "balances.0.available"), "0");
    CHECK_STR(till_member(t, r, "balances.0.currency"), "EUR");
    r = till_ask(t, ana, GET, "/v1/studio/earnings/entries?limit=2", NULL, NULL);
    CHECK_OK(r.result);
    CHECK_STR(till_member(t, r, "items.0.gross"), "3003");
    CHECK_STR(till_member(t, r, "items.1.net"), "1602");
    CHECK_STR(till_member(t, r, "items.0.description"), "Gold");
    struct str next = till_member(t, r, "next");
    REQUIRE(next.p != NULL);
    r = till_ask(
        t, ana, GET,
        str_printf(&t->arena, "/v1/studio/earnings/entries?limit=2&cursor=%.*s", STR_FMT(next)).p,
        NULL, NULL);
    CHECK_STR(till_member(t, r, "items.0.gross"), "1003");
    CHECK(till_member(t, r, "items.1.gross").p == NULL);
    r = till_ask(t, ben, GET, "/v1/studio/earnings/days", NULL, NULL);
    CHECK_STR(till_member(t, r, "days.0.gross"), "77700");
    CHECK_STR(till_member(t, r, "days.0.day"), "2026-01-31T00:00:00Z");
    CHECK_STR(till_member(t, r, "days.0.sales"), "1");
    CHECK(till_member(t, r, "days.1.gross").p == NULL);
    r = till_ask(t, (struct id) { 102 }, GET, "/v1/studio/earnings", NULL, NULL);
    CHECK_OK(r.result);
    CHECK(till_member(t, r, "balances.0.gross").p == NULL);
    till_close(t);
}

ENGINES(days_are_asked_for_within_reason)
{
    struct till *t = books(engine);
    struct id ana = { 100 };

    struct till_reply r = till_ask(t, ana, GET,
                                   "/v1/studio/earnings/days?from=2026-02-01T00:00:00Z"
                                   "&to=2026-02-01T00:00:00Z",
                                   NULL, NULL);
    CHECK_INT(r.result, E_INVALID);
    CHECK_STR(r.field, "from");
    r = till_ask(t, ana, GET,
                 "/v1/studio/earnings/days?from=2020-02-01T00:00:00Z&to=2026-02-01T00:00:00Z", NULL,
                 NULL);
    CHECK_INT(r.result, E_INVALID);
    r = till_ask(t, ana, GET, "/v1/studio/earnings/days?from=yesterday", NULL, NULL);
    CHECK_INT(r.result, E_INVALID);
    till_close(t);
}
