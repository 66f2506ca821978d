/* ledger.c -- double entry, append-only, per currency.
 *
 * One function writes journals; named templates call it; nothing else moves money. Amounts: debit +, credit -.
 * I1: the entries of a journal sum to zero. I2: a balance row is the sum of its account's entries. I3: no account
 * falls below its minimum. Statements (ledger_earning, ledger_day) are told from the same transaction.
 * Balance rows are locked in the order of account ids, so that two journals never wait for each other in a ring.
 * Accounts that nobody spends from have 64 rows each: with one, every sale of the platform would queue for it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "services/ledger/ledger.h"
#include "core/env.h"
#include "core/jobs.h"

const char *const ledger_kinds[] = { "subscription", NULL };

enum {
    BP = 10000,
    SHARDS = 64,
    LINES_MAX = 8,
    RELEASE_BATCH = 100,
    DAYS_DEFAULT = 30,
    DAYS_MAX = 366
};

struct earnings_balance {
    struct money gross, tax, fee, net, pending, available;
};
static const struct field earnings_balance_fields[] = {
    MONEY(earnings_balance, gross, "What fans have paid"),
    MONEY(earnings_balance, tax, "Contained tax"),
    MONEY(earnings_balance, fee, "The platform's share"),
    MONEY(earnings_balance, net, "The creator's share: gross - tax - fee"),
    MONEY(earnings_balance, pending, "Earned, not yet released"),
    MONEY(earnings_balance, available, "Released: may be paid out"),
};
STATIC_SHAPE(earnings_balance);

struct earnings {
    LIST_OF(earnings_balance) balances;
    int64_t release_days;
};
static const struct field earnings_fields[] = {
    LIST(earnings, balances, earnings_balance, "One a currency", .max = 200),
    INTEGER(earnings, release_days, "Days from a sale until its share is available", .max = 365),
};
STATIC_SHAPE(earnings);

struct earnings_entry {
    struct id id;
    enum ledger_kind kind;
    struct money gross, tax, fee, net;
    struct str description;
    struct when created, available;
    bool released;
};
static const struct field earnings_entry_fields[] = {
    ID(earnings_entry, id, ID_JOURNAL, "Journal"),
    ENUM(earnings_entry, kind, ledger_kinds, "What was sold"),
    MONEY(earnings_entry, gross, "What the fan paid"),
    MONEY(earnings_entry, tax, "Contained tax"),
    MONEY(earnings_entry, fee, "The platform's share"),
    MONEY(earnings_entry, net, "The creator's share"),
    TEXT(earnings_entry, description, "What was sold, in words", .max = 500),
    WHEN(earnings_entry, created, "When it was paid"),
    WHEN(earnings_entry, available, "When the share moves from pending to available"),
    BOOL(earnings_entry, released, "It has moved"),
};
STATIC_SHAPE(earnings_entry);

struct earnings_query {
    int64_t limit;
    struct str cursor;
};
static const struct field earnings_query_fields[] = {
    LIMIT(earnings_query, limit),
    CURSOR(earnings_query, cursor),
};
STATIC_SHAPE(earnings_query);

struct earnings_day {
    struct when day;
    struct money gross, tax, fee, net;
    int64_t sales;
};
static const struct field earnings_day_fields[] = {
    WHEN(earnings_day, day, "Its first moment, UTC"),
    MONEY(earnings_day, gross, "What fans paid"),
    MONEY(earnings_day, tax, "Contained tax"),
    MONEY(earnings_day, fee, "The platform's share"),
    MONEY(earnings_day, net, "The creator's share"),
    INTEGER(earnings_day, sales, "How many payments"),
};
STATIC_SHAPE(earnings_day);

struct earnings_days {
    struct when from, to;
    LIST_OF(earnings_day) days;
};
static const struct field earnings_days_fields[] = {
    WHEN(earnings_days, from, "First day, UTC"),
    WHEN(earnings_days, to, "Day after the last, UTC"),
    LIST(earnings_days, days, earnings_day, "Days with sales, oldest first; one row a currency",
         .max = 10000),
};
STATIC_SHAPE(earnings_days);

struct earnings_days_query {
    struct when from, to;
};
static const struct field earnings_days_query_fields[] = {
    WHEN(earnings_days_query, from, "First day; 30 days before `to` when absent", .optional = true),
    WHEN(earnings_days_query, to, "Day after the last; tomorrow when absent", .optional = true),
};
STATIC_SHAPE(earnings_days_query);

static const struct field ledger_line_fields[] = {
    TEXT(ledger_line, code, "Kind of account", .max = 60),
    MONEY(ledger_line, balance, "Sum of the balance rows, on the normal side"),
    MONEY(ledger_line, computed, "Sum of the entries, on the normal side"),
};
STATIC_SHAPE(ledger_line);

static const struct field ledger_check_fields[] = {
    BOOL(ledger_check, good, "Every invariant holds"),
    INTEGER(ledger_check, unbalanced, "Journals whose entries do not sum to zero"),
    INTEGER(ledger_check, drifted, "Accounts whose balance is not the sum of their entries"),
    INTEGER(ledger_check, overdrawn, "Accounts below their minimum"),
    INTEGER(ledger_check, misstated, "Creators whose statement differs from their accounts"),
    INTEGER(ledger_check, journals, "How many there are"),
    INTEGER(ledger_check, entries, "How many there are"),
    LIST(ledger_check, accounts, ledger_line, "Trial balance by kind of account and currency",
         .max = 10000),
};
STATIC_SHAPE(ledger_check);

struct release_run {
    int64_t batch;
};
static const struct field release_run_fields[] = {
    INTEGER(release_run, batch, "How many at once", .min = 1, .max = 1000),
};
STATIC_SHAPE(release_run);

struct release_due {
    struct id creator, payment, journal;
    struct money net;
};
static const struct field release_due_fields[] = {
    ID(release_due, creator, ID_CREATOR, "Whose"),
    ID(release_due, payment, ID_PAYMENT, "Which"),
    ID(release_due, journal, ID_JOURNAL, "Its charge"),
    MONEY(release_due, net, "How much"),
};
STATIC_SHAPE(release_due);

/* --- rules ------------------------------------------------------------------------------------------------------ */

struct ledger_split ledger_split(int64_t gross, int64_t tax_bp, int64_t fee_bp)
{
    must(gross >= 0 && tax_bp >= 0 && fee_bp >= 0 && fee_bp <= BP);
    int64_t untaxed = share_half_even(gross, BP, BP + tax_bp);
    int64_t fee = share_half_even(untaxed, fee_bp, BP);
    struct ledger_split s = { .tax = gross - untaxed, .fee = fee, .creator = untaxed - fee };

    must(s.tax >= 0 && s.fee >= 0 && s.creator >= 0);
    return s;
}

/* The chart of accounts. */
enum account_kind {
    PROVIDER_PENDING, /* what a provider has collected for us */
    REVENUE_FEE,
    TAX,
    EXPENSE_PROVIDER_FEE,
    CREATOR_PENDING,
    CREATOR_AVAILABLE,
};

static const struct chart_row {
    const char *kind, *code; /* %s of the code: the provider, or the creator's id */
    int normal;              /* 1: grows by debits */
    bool spread;             /* over SHARDS rows; such an account can have no minimum */
    bool floor;              /* its balance may not fall below 0 */
} chart[] = {
    [PROVIDER_PENDING] = { "provider_pending", "provider:%s:pending", 1, true, false },
    [REVENUE_FEE] = { "revenue_fee", "revenue:platform_fee", -1, true, false },
    [TAX] = { "tax", "tax:collected", -1, true, false },
    [EXPENSE_PROVIDER_FEE] = { "expense_provider_fee", "expense:provider_fee:%s", 1, true, false },
    [CREATOR_PENDING] = { "creator_pending", "creator:%s:pending", -1, false, true },
    [CREATOR_AVAILABLE] = { "creator_available", "creator:%s:available", -1, false, true },
};

enum journal_kind { JOURNAL_CHARGE, JOURNAL_PROVIDER_FEE, JOURNAL_RELEASE };
static const char *const journal_kinds[] = { "charge", "provider_fee", "release", NULL };

struct line {
    enum account_kind kind;
    struct id owner;     /* of a creator's account */
    struct str provider; /* of a provider's */
    int64_t amount;
    struct id account; /* found by journal_post */
};

struct journal {
    enum journal_kind kind;
    struct id reference; /* the payment: with the kind it is the identity of the fact */
    struct str description;
    struct currency currency;
    size_t n;
    struct line lines[LINES_MAX];
};

static void line_add(struct journal *j, struct line line)
{
    must(j->n < LINES_MAX);
    if (line.amount != 0)
        j->lines[j->n++] = line;
}

static int64_t lines_sum(const struct journal *j)
{
    int64_t sum = 0;

    for (size_t i = 0; i < j->n; i++)
        sum += j->lines[i].amount;
    return sum;
}

static void lines_sort(struct journal *j)
{
    for (size_t i = 1; i < j->n; i++)
        for (size_t k = i; k > 0 && j->lines[k - 1].account.v > j->lines[k].account.v; k--) {
            struct line line = j->lines[k];
            j->lines[k] = j->lines[k - 1];
            j->lines[k - 1] = line;
        }
}

static struct when day_of(struct when w)
{
    return (struct when) { w.us - w.us % DAY };
}

/* --- posting ---------------------------------------------------------------------------------------------------- */

static struct str account_code(struct call *c, const struct line *line)
{
    struct str code = str_of(chart[line->kind].code), before;
    struct str after = str_split(code, '%', &before);
    struct str part =
        id_some(line->owner) ? id_text(c->arena, ID_CREATOR, line->owner) : line->provider;

    if (after.p == NULL)
        return code;
    must(part.p != NULL);
    after = str_cut(after, 1, after.n);
    return str_printf(c->arena, "%.*s%.*s%.*s", STR_FMT(before), STR_FMT(part), STR_FMT(after));
}

static enum err account_id(struct call *c, struct str code, struct currency currency,
                           struct id *result)
{
    return db_int(c, &result->v, "SELECT id FROM ledger_account WHERE code = $1 AND currency = $2",
                  code, currency);
}

static enum err account_find(struct call *c, const struct line *line, struct currency currency,
                             struct id *result)
{
    const struct chart_row *row = &chart[line->kind];
    struct str code = account_code(c, line);
    enum err e = account_id(c, code, currency, result);

    if (e != E_NOT_FOUND)
        return e;
    TRY(db_run(c,
               "INSERT INTO ledger_account (id, code, currency, kind, owner, normal, minimum)"
               " VALUES ($1, $2, $3, $4, $5, $6, CASE WHEN $7 = 1 THEN 0 END)"
               " ON CONFLICT (code, currency) DO NOTHING",
               new_id(c), code, currency, str_of(row->kind), line->owner, row->normal,
               (int)row->floor));
    return account_id(c, code, currency, result);
}

static enum err balance_add(struct call *c, struct id journal, const struct line *line)
{
    const struct chart_row *row = &chart[line->kind];
    int64_t shard = row->spread ? journal.v % SHARDS : 0, posted;

    must(!(row->spread && row->floor));
    TRY(db_int(c, &posted,
               "INSERT INTO ledger_balance (account, shard, posted) VALUES ($1, $2, $3)"
               " ON CONFLICT (account, shard) DO UPDATE"
               " SET posted = ledger_balance.posted + excluded.posted"
               " RETURNING posted",
               line->account, shard, line->amount));
    if (row->floor && posted * row->normal < 0)
        return fail(c, E_CONFLICT, "the balance does not suffice");
    return E_OK;
}

static enum err lines_write(struct call *c, struct id journal, const struct journal *j)
{
    int64_t sum = 0;

    for (size_t i = 0; i < j->n; i++) {
        const struct line *line = &j->lines[i];
        TRY(db_run(c,
                   "INSERT INTO ledger_entry (journal, line, account, currency, amount)"
                   " VALUES ($1, $2, $3, $4, $5)",
                   journal, (int64_t)i + 1, line->account, j->currency, line->amount));
        TRY(balance_add(c, journal, line));
        sum += line->amount;
    }
    must(sum == 0); /* of what was written, again: nothing may have come between */
    return E_OK;
}

/* The only way into the books. *posted is none when this fact was recorded before: then nothing happens. */
static enum err journal_post(struct call *c, struct journal *j, struct id *posted)
{
    struct str ikey = str_printf(c->arena, "%s:%.*s", journal_kinds[j->kind],
                                 STR_FMT(id_text(c->arena, ID_PAYMENT, j->reference)));
    struct id id = new_id(c);

    must(j->n >= 2 && lines_sum(j) == 0);
    enum err e =
        db_int(c, &id.v,
               "INSERT INTO ledger_journal"
               " (id, ikey, kind, reference, description, effective)"
               " VALUES ($1, $2, $3, $4, $5, $6)"
               " ON CONFLICT (ikey) DO NOTHING RETURNING id",
               id, ikey, NAMED(journal_kinds, j->kind), j->reference, j->description, c->now);
    if (e == E_NOT_FOUND)
        return *posted = ID_NONE, E_OK;
    TRY(e);
    for (size_t i = 0; i < j->n; i++) {
        struct line *line = &j->lines[i];
        TRY(account_find(c, line, j->currency, &line->account));
    }
    lines_sort(j);
    TRY(lines_write(c, id, j));
    *posted = id;
    return E_OK;
}

/* --- templates -------------------------------------------------------------------------------------------------- */

static enum err day_add(struct call *c, const struct ledger_charge *k, struct ledger_split s)
{
    return db_run(c,
                  "INSERT INTO ledger_day (creator, day, currency, gross, tax, fee, net, sales)"
                  " VALUES ($1, $2, $3, $4, $5, $6, $7, 1)"
                  " ON CONFLICT (creator, day, currency) DO UPDATE"
                  " SET gross = ledger_day.gross + excluded.gross,"
                  " tax = ledger_day.tax + excluded.tax,"
                  " fee = ledger_day.fee + excluded.fee,"
                  " net = ledger_day.net + excluded.net,"
                  " sales = ledger_day.sales + 1",
                  k->creator, day_of(c->now), k->gross.currency, k->gross.minor, s.tax, s.fee,
                  s.creator);
}

static enum err statement_add(struct call *c, struct id journal, const struct ledger_charge *k,
                              struct ledger_split s)
{
    int64_t days = setting_int(c->env->settings, "ledger.release_days");

    TRY(db_run(c,
               "INSERT INTO ledger_earning"
               " (journal, creator, fan, payment, kind, gross, tax, fee, net, currency,"
               " tax_bp, fee_bp, description, created, available)"
               " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
               journal, k->creator, k->fan, k->payment, NAMED(ledger_kinds, k->kind),
               k->gross.minor, s.tax, s.fee, s.creator, k->gross.currency, k->tax_bp, k->fee_bp,
               k->description, c->now, when_after(c->now, days * DAY)));
    return day_add(c, k, s);
}

static struct str provider_of(struct str provider)
{
    return provider.p != NULL ? provider : STR("stripe");
}

enum err ledger_charge(struct call *c, const struct ledger_charge *k)
{
    struct ledger_split s = ledger_split(k->gross.minor, k->tax_bp, k->fee_bp);
    struct journal j = { .kind = JOURNAL_CHARGE,
                         .reference = k->payment,
                         .description = k->description,
                         .currency = k->gross.currency };
    struct id journal;

    must(k->gross.minor > 0 && id_some(k->creator) && id_some(k->fan));
    line_add(&j, (struct line) { .kind = PROVIDER_PENDING,
                                 .provider = provider_of(k->provider),
                                 .amount = k->gross.minor });
    line_add(&j, (struct line) { .kind = TAX, .amount = -s.tax });
    line_add(&j, (struct line) { .kind = REVENUE_FEE, .amount = -s.fee });
    line_add(&j,
             (struct line) { .kind = CREATOR_PENDING, .owner = k->creator, .amount = -s.creator });
    TRY(journal_post(c, &j, &journal));
    return id_some(journal) ? statement_add(c, journal, k, s) : E_OK;
}

enum err ledger_provider_fee(struct call *c, struct id payment, struct str provider,
                             struct money fee)
{
    struct journal j = { .kind = JOURNAL_PROVIDER_FEE,
                         .reference = payment,
                         .description = STR("Provider's fee"),
                         .currency = fee.currency };
    struct id journal;

    must(fee.minor >= 0);
    if (fee.minor == 0)
        return E_OK;
    provider = provider_of(provider);
    line_add(&j, (struct line) {
                     .kind = EXPENSE_PROVIDER_FEE, .provider = provider, .amount = fee.minor });
    line_add(
        &j, (struct line) { .kind = PROVIDER_PENDING, .provider = provider, .amount = -fee.minor });
    return journal_post(c, &j, &journal);
}

static enum err release(struct call *c, const struct release_due *due)
{
    struct journal j = { .kind = JOURNAL_RELEASE,
                         .reference = due->payment,
                         .description = STR("Released"),
                         .currency = due->net.currency };
    struct id journal;

    line_add(&j, (struct line) {
                     .kind = CREATOR_PENDING, .owner = due->creator, .amount = due->net.minor });
    line_add(&j, (struct line) {
                     .kind = CREATOR_AVAILABLE, .owner = due->creator, .amount = -due->net.minor });
    if (j.n > 0)
        TRY(journal_post(c, &j, &journal));
    return db_hit(c,
                  "UPDATE ledger_earning SET released = $2"
                  " WHERE journal = $1 AND released IS NULL",
                  due->journal, c->now);
}

/* --- the check -------------------------------------------------------------------------------------------------- */

/* These read every entry, on purpose: they are the proof that what is kept beside the entries is right. */

static enum err check_books(struct call *c, struct ledger_check *k)
{
    TRY(db_int(c, &k->unbalanced,
               "SELECT (SELECT count(*) FROM"
               "   (SELECT journal FROM ledger_entry GROUP BY journal, currency"
               "    HAVING sum(amount) <> 0) AS uneven)"
               " + (SELECT count(*) FROM ledger_journal AS j"
               "    WHERE NOT EXISTS (SELECT 1 FROM ledger_entry AS e WHERE e.journal = j.id))"
               " + (SELECT count(*) FROM ledger_entry AS e"
               "    JOIN ledger_account AS a ON a.id = e.account WHERE a.currency <> e.currency)"));
    TRY(db_int(c, &k->drifted,
               "SELECT count(*) FROM"
               " (SELECT account FROM"
               "   (SELECT account, amount FROM ledger_entry"
               "    UNION ALL SELECT account, -posted AS amount FROM ledger_balance) AS moves"
               "  GROUP BY account HAVING sum(amount) <> 0) AS drifted"));
    return db_int(c, &k->overdrawn,
                  "SELECT count(*) FROM ledger_account AS a"
                  " JOIN ledger_balance AS b ON b.account = a.id"
                  " WHERE a.minimum IS NOT NULL AND b.posted * a.normal < a.minimum");
}

static enum err check_statements(struct call *c, struct ledger_check *k)
{
    int64_t days, pending;

    TRY(db_int(c, &days,
               "SELECT count(*) FROM"
               " (SELECT creator FROM"
               "   (SELECT creator, currency, gross, tax, fee, net, 1 AS sales"
               "    FROM ledger_earning"
               "    UNION ALL"
               "    SELECT creator, currency, -gross, -tax, -fee, -net, -sales"
               "    FROM ledger_day) AS told"
               "  GROUP BY creator, currency"
               "  HAVING sum(gross) <> 0 OR sum(tax) <> 0 OR sum(fee) <> 0 OR sum(net) <> 0"
               "  OR sum(sales) <> 0) AS differing"));
    TRY(db_int(c, &pending,
               "SELECT count(*) FROM"
               " (SELECT kind FROM"
               "   (SELECT a.kind, a.owner, a.currency, b.posted AS amount"
               "    FROM ledger_account AS a JOIN ledger_balance AS b ON b.account = a.id"
               "    WHERE a.owner IS NOT NULL"
               "    UNION ALL"
               "    SELECT CASE WHEN released IS NULL THEN 'creator_pending'"
               "    ELSE 'creator_available' END, creator, currency, net"
               "    FROM ledger_earning) AS told"
               "  GROUP BY kind, owner, currency HAVING sum(amount) <> 0) AS differing"));
    k->misstated = days + pending;
    return E_OK;
}

enum err ledger_check(struct call *c, struct ledger_check *result)
{
    struct ledger_check k = { 0 };

    TRY(check_books(c, &k));
    TRY(check_statements(c, &k));
    TRY(db_int(c, &k.journals, "SELECT count(*) FROM ledger_journal"));
    TRY(db_int(c, &k.entries, "SELECT count(*) FROM ledger_entry"));
    TRY(db_list(c, ledger_line, &k.accounts,
                "SELECT a.kind AS code, a.currency,"
                " CAST(sum(m.balance * a.normal) AS INTEGER) AS balance,"
                " CAST(sum(m.computed * a.normal) AS INTEGER) AS computed"
                " FROM (SELECT account, posted AS balance, 0 AS computed FROM ledger_balance"
                "       UNION ALL SELECT account, 0, amount FROM ledger_entry) AS m"
                " JOIN ledger_account AS a ON a.id = m.account"
                " GROUP BY a.kind, a.currency ORDER BY a.currency, a.kind"));
    k.good = k.unbalanced == 0 && k.drifted == 0 && k.overdrawn == 0 && k.misstated == 0;
    *result = k;
    return E_OK;
}

/* --- handlers and jobs ------------------------------------------------------------------------------------------ */

static enum err earnings_get(struct call *c)
{
    struct earnings *out = OUT(c, earnings);

    out->release_days = setting_int(c->env->settings, "ledger.release_days");
    return db_list(c, earnings_balance, &out->balances,
                   "SELECT d.currency, CAST(sum(d.gross) AS INTEGER) AS gross,"
                   " CAST(sum(d.tax) AS INTEGER) AS tax, CAST(sum(d.fee) AS INTEGER) AS fee,"
                   " CAST(sum(d.net) AS INTEGER) AS net,"
                   " COALESCE((SELECT -b.posted FROM ledger_account AS a"
                   "  JOIN ledger_balance AS b ON b.account = a.id"
                   "  WHERE a.owner = $1 AND a.kind = 'creator_pending'"
                   "  AND a.currency = d.currency), 0) AS pending,"
                   " COALESCE((SELECT -b.posted FROM ledger_account AS a"
                   "  JOIN ledger_balance AS b ON b.account = a.id"
                   "  WHERE a.owner = $1 AND a.kind = 'creator_available'"
                   "  AND a.currency = d.currency), 0) AS available"
                   " FROM ledger_day AS d WHERE d.creator = $1"
                   " GROUP BY d.currency ORDER BY d.currency",
                   c->who);
}

static enum err earnings_entries(struct call *c)
{
    const struct earnings_query *q = QUERY(c, earnings_query);

    return db_page(c, earnings_entry, q->cursor, q->limit,
                   "SELECT journal AS id, kind, gross, tax, fee, net, currency, description,"
                   " created, available, CASE WHEN released IS NULL THEN 0 ELSE 1 END AS released"
                   " FROM ledger_earning"
                   " WHERE creator = $1 AND journal < $cursor"
                   " ORDER BY journal DESC",
                   c->who);
}

static enum err earnings_days_get(struct call *c)
{
    const struct earnings_days_query *q = QUERY(c, earnings_days_query);
    struct earnings_days *out = OUT(c, earnings_days);

    out->to = when_some(q->to) ? q->to : when_after(day_of(c->now), DAY);
    out->from = when_some(q->from) ? q->from : when_after(out->to, -DAYS_DEFAULT * DAY);
    if (out->from.us >= out->to.us)
        return fail_field(c, E_INVALID, "from", "must lie before `to`");
    if (out->to.us - out->from.us > DAYS_MAX * DAY)
        return fail_field(c, E_INVALID, "from", "at most %d days at once", DAYS_MAX);
    return db_list(c, earnings_day, &out->days,
                   "SELECT day, gross, tax, fee, net, currency, sales FROM ledger_day"
                   " WHERE creator = $1 AND day >= $2 AND day < $3"
                   " ORDER BY day, currency",
                   c->who, out->from, out->to);
}

/* Reads everything: on a slow worker. Each invariant is one statement, and so looks at one moment. */
static enum err check_prepare(struct call *c)
{
    return ledger_check(c, OUT(c, ledger_check));
}

static enum err check_get(struct call *c)
{
    must(c->out != NULL);
    return E_OK;
}

static enum err release_again(struct call *c, int64_t delay_us)
{
    struct release_run next = { RELEASE_BATCH };

    return job_add_named(c, "ledger.release", STR("ledger.release"), when_after(c->now, delay_us),
                         &next);
}

static enum err release_due_ones(struct call *c)
{
    int64_t batch = IN(c, release_run)->batch;
    LIST_OF(release_due) due;

    TRY(db_list(c, release_due, &due,
                "SELECT creator, payment, journal, net, currency FROM ledger_earning"
                " WHERE released IS NULL AND available <= $1"
                " ORDER BY available LIMIT $2 FOR UPDATE",
                c->now, batch));
    for (size_t i = 0; i < due.n; i++)
        TRY(release(c, &due.v[i]));
    return release_again(c, (int64_t)due.n == batch ? 0 : HOUR);
}

static enum err ledger_start(struct call *c)
{
    return release_again(c, 0);
}

static const struct route routes[] = {
    { GET, "/v1/studio/earnings", earnings_get, "Totals and balances of a creator",
      .out = &earnings_shape, .auth = CREATOR, .tx = READ },
    { GET, "/v1/studio/earnings/entries", earnings_entries, "A creator's sales, newest first",
      .query = &earnings_query_shape, .items = &earnings_entry_shape, .auth = CREATOR, .tx = READ },
    { GET, "/v1/studio/earnings/days", earnings_days_get, "A creator's sales by day",
      .query = &earnings_days_query_shape, .out = &earnings_days_shape, .auth = CREATOR,
      .tx = READ },
    { GET, "/v1/admin/ledger/check", check_get, "Recompute the books and compare",
      .out = &ledger_check_shape, .auth = ADMIN, .tx = NONE, .prepare = check_prepare,
      .rate = { 6, 3 } },
};

static const struct job_kind jobs[] = {
    { "ledger.release", release_due_ones, .in = &release_run_shape, .tx = WRITE, .lease_ms = 60000,
      .tries = 1000 },
};

static const struct setting settings[] = {
    { "ledger.release_days", SETTING_INT, "7",
      "Days from a sale until the creator's share is available", 0, 365 },
};

const struct module ledger_module = {
    "ledger",
    MODULE_ROUTES(routes),
    MODULE_JOBS(jobs),
    MODULE_SETTINGS(settings),
    .start = ledger_start,
};
