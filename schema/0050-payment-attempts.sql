-- payment: what a fan pays, and what the provider says of it.
-- SPDX-License-Identifier: Apache-2.0

CREATE TABLE payment (
    id           INTEGER PRIMARY KEY,
    fan          INTEGER NOT NULL,
    creator      INTEGER NOT NULL,
    purpose      TEXT NOT NULL CHECK (purpose IN ('subscription')),
    subject      INTEGER NOT NULL,       -- id in the service that the purpose names
    amount       INTEGER NOT NULL CHECK (amount > 0),
    currency     TEXT NOT NULL,
    fee_bp       INTEGER NOT NULL CHECK (fee_bp BETWEEN 0 AND 10000),  -- the platform's share, frozen here
    tax_bp       INTEGER NOT NULL CHECK (tax_bp >= 0),
    description  TEXT NOT NULL,
    provider     TEXT NOT NULL,
    off_session  INTEGER NOT NULL CHECK (off_session IN (0, 1)),
    save_method  INTEGER NOT NULL CHECK (save_method IN (0, 1)),
    return_path  TEXT,
    state        TEXT NOT NULL CHECK (state IN ('created', 'requires_action', 'processing', 'unknown',
                                                'succeeded', 'declined', 'expired')),
    attempt      INTEGER NOT NULL CHECK (attempt >= 1),
    provider_ref TEXT,                   -- of the newest attempt
    checkout_url TEXT,
    decline      TEXT,
    created      INTEGER NOT NULL,
    settled      INTEGER
) STRICT;
CREATE INDEX payment_of_fan ON payment (fan, id);

-- Each attempt has its own key at the provider, stored before the call: a call is repeated under the same key, a new one is
-- made only after a definite decline.
CREATE TABLE payment_attempt (
    payment      INTEGER NOT NULL REFERENCES payment (id),
    number       INTEGER NOT NULL CHECK (number >= 1),
    provider_key TEXT NOT NULL UNIQUE,
    customer     TEXT,                   -- who and what is charged, as it was when this was begun: a call that is repeated
    method       TEXT,                   -- under its key must be the same call, whatever card was saved meanwhile
    began        INTEGER NOT NULL,       -- real time: providers forget keys after a day
    ended        INTEGER,
    outcome      TEXT CHECK (outcome IN ('succeeded', 'declined', 'expired')),
    decline      TEXT,
    PRIMARY KEY (payment, number)
) STRICT;

CREATE TABLE payment_method (
    fan      INTEGER NOT NULL,
    provider TEXT NOT NULL,
    customer TEXT NOT NULL,
    method   TEXT NOT NULL,
    changed  INTEGER NOT NULL,
    PRIMARY KEY (fan, provider)
) STRICT;

-- Notifications as they came, each once.
CREATE TABLE payment_notice (
    provider     TEXT NOT NULL,
    event        TEXT NOT NULL,
    provider_ref TEXT,
    received     INTEGER NOT NULL,       -- real time
    body         TEXT NOT NULL,
    PRIMARY KEY (provider, event)
) STRICT;
CREATE INDEX payment_notice_received ON payment_notice (received);
