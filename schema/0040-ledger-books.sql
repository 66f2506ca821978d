-- ledger: double entry, append-only. No statement updates or deletes a journal or an entry; a correction is a new journal.
-- SPDX-License-Identifier: Apache-2.0
-- Invariants: the entries of a journal sum to zero in each currency; a balance is the sum of its account's entries.

CREATE TABLE ledger_account (
    id       INTEGER PRIMARY KEY,
    code     TEXT NOT NULL,              -- creator:crt_…:pending
    currency TEXT NOT NULL,
    kind     TEXT NOT NULL CHECK (kind IN ('provider_pending', 'revenue_fee', 'tax', 'expense_provider_fee',
                                           'creator_pending', 'creator_available')),
    owner    INTEGER,                    -- the creator
    normal   INTEGER NOT NULL CHECK (normal IN (1, -1)),  -- 1: grows by debits, -1: by credits
    minimum  INTEGER,                    -- least balance on the normal side; NULL: none
    UNIQUE (code, currency)
) STRICT;
CREATE INDEX ledger_account_of_owner ON ledger_account (owner, kind) WHERE owner IS NOT NULL;

CREATE TABLE ledger_journal (
    id          INTEGER PRIMARY KEY,
    ikey        TEXT NOT NULL UNIQUE,    -- the business fact: charge:pay_…
    kind        TEXT NOT NULL CHECK (kind IN ('charge', 'provider_fee', 'release')),
    reference   INTEGER NOT NULL,        -- the payment
    description TEXT NOT NULL,
    effective   INTEGER NOT NULL         -- business time; the id holds the real one
) STRICT;

CREATE TABLE ledger_entry (
    journal  INTEGER NOT NULL REFERENCES ledger_journal (id),
    line     INTEGER NOT NULL CHECK (line >= 1),
    account  INTEGER NOT NULL REFERENCES ledger_account (id),
    currency TEXT NOT NULL,
    amount   INTEGER NOT NULL CHECK (amount <> 0),  -- debit +, credit -
    PRIMARY KEY (journal, line)
) STRICT;

-- Accounts that nobody spends from are spread over 64 rows, so that sales do not wait for each other.
CREATE TABLE ledger_balance (
    account INTEGER NOT NULL REFERENCES ledger_account (id),
    shard   INTEGER NOT NULL CHECK (shard BETWEEN 0 AND 63),
    posted  INTEGER NOT NULL,            -- sum of the entries: debit +, credit -
    PRIMARY KEY (account, shard)
) STRICT;

-- A creator's statement: a line a charge, told from her side.
CREATE TABLE ledger_earning (
    journal     INTEGER PRIMARY KEY REFERENCES ledger_journal (id),
    creator     INTEGER NOT NULL,
    fan         INTEGER NOT NULL,
    payment     INTEGER NOT NULL UNIQUE,
    kind        TEXT NOT NULL CHECK (kind IN ('subscription')),
    gross       INTEGER NOT NULL CHECK (gross > 0),
    tax         INTEGER NOT NULL CHECK (tax >= 0),
    fee         INTEGER NOT NULL CHECK (fee >= 0),
    net         INTEGER NOT NULL CHECK (net >= 0),
    currency    TEXT NOT NULL,
    tax_bp      INTEGER NOT NULL,
    fee_bp      INTEGER NOT NULL,
    description TEXT NOT NULL,
    created     INTEGER NOT NULL,
    available   INTEGER NOT NULL,        -- when net is to move from pending to available
    released    INTEGER,                 -- when it did
    CHECK (gross = tax + fee + net)
) STRICT;
CREATE INDEX ledger_earning_of_creator ON ledger_earning (creator, journal);
CREATE INDEX ledger_earning_due ON ledger_earning (available) WHERE released IS NULL;

-- The same, summed by day (UTC, told by its first microsecond): totals and charts without reading every line.
CREATE TABLE ledger_day (
    creator  INTEGER NOT NULL,
    day      INTEGER NOT NULL CHECK (day % 86400000000 = 0),
    currency TEXT NOT NULL,
    gross    INTEGER NOT NULL,
    tax      INTEGER NOT NULL,
    fee      INTEGER NOT NULL,
    net      INTEGER NOT NULL,
    sales    INTEGER NOT NULL CHECK (sales > 0),
    PRIMARY KEY (creator, day, currency)
) STRICT;

-- The books are only added to, by a slip of ours either.
-- on sqlite
CREATE TRIGGER ledger_journal_stays BEFORE UPDATE ON ledger_journal
BEGIN
    SELECT RAISE(ABORT, 'journals stay as they are');
END;
CREATE TRIGGER ledger_journal_kept BEFORE DELETE ON ledger_journal
BEGIN
    SELECT RAISE(ABORT, 'journals stay as they are');
END;
CREATE TRIGGER ledger_entry_stays BEFORE UPDATE ON ledger_entry
BEGIN
    SELECT RAISE(ABORT, 'entries stay as they are');
END;
CREATE TRIGGER ledger_entry_kept BEFORE DELETE ON ledger_entry
BEGIN
    SELECT RAISE(ABORT, 'entries stay as they are');
END;
-- on postgres
CREATE FUNCTION ledger_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the books stay as they are';
END
$$;
CREATE TRIGGER ledger_journal_stays BEFORE UPDATE OR DELETE ON ledger_journal
    FOR EACH ROW EXECUTE FUNCTION ledger_guard();
CREATE TRIGGER ledger_journal_kept BEFORE TRUNCATE ON ledger_journal
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard();
CREATE TRIGGER ledger_entry_stays BEFORE UPDATE OR DELETE ON ledger_entry
    FOR EACH ROW EXECUTE FUNCTION ledger_guard();
CREATE TRIGGER ledger_entry_kept BEFORE TRUNCATE ON ledger_entry
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard();
-- on both
