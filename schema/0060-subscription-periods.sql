-- subscription: who pays whom each month. A row ends and stays; joining again makes a new one.
-- SPDX-License-Identifier: Apache-2.0

CREATE TABLE subscription (
    id                   INTEGER PRIMARY KEY,
    fan                  INTEGER NOT NULL,
    creator              INTEGER NOT NULL,
    tier                 INTEGER NOT NULL,
    price                INTEGER NOT NULL CHECK (price > 0),  -- frozen when it was made
    currency             TEXT NOT NULL,
    state                TEXT NOT NULL CHECK (state IN ('incomplete', 'active', 'past_due', 'canceled', 'expired')),
    payment              INTEGER NOT NULL,      -- the newest
    cancel_at_period_end INTEGER NOT NULL CHECK (cancel_at_period_end IN (0, 1)),
    anchor               INTEGER,               -- when the first period began; all others are counted from it
    period               INTEGER NOT NULL CHECK (period >= 0),  -- number of the newest one paid; 0: none yet
    period_start         INTEGER,
    period_end           INTEGER,
    access_until         INTEGER,               -- what it gives lapses then, whatever the state says
    refusals             INTEGER NOT NULL CHECK (refusals >= 0),  -- of the renewal under way
    created              INTEGER NOT NULL,
    ended                INTEGER,
    CHECK (fan <> creator),
    CHECK ((period = 0) = (anchor IS NULL)),
    CHECK (state NOT IN ('active', 'past_due') OR (period > 0 AND access_until IS NOT NULL)),
    CHECK ((state IN ('canceled', 'expired')) = (ended IS NOT NULL))
) STRICT;
-- One living row a pair: nobody pays twice for the same thing.
CREATE UNIQUE INDEX subscription_living ON subscription (fan, creator)
    WHERE state IN ('incomplete', 'active', 'past_due');
CREATE INDEX subscription_access ON subscription (fan, creator, access_until)
    WHERE state IN ('active', 'past_due');
CREATE INDEX subscription_of_fan ON subscription (fan, id);
CREATE INDEX subscription_of_creator ON subscription (creator, id) WHERE state IN ('active', 'past_due');

-- A period is billed once: the key says so, not a comparison of dates.
CREATE TABLE subscription_renewal (
    subscription INTEGER NOT NULL REFERENCES subscription (id),
    period       INTEGER NOT NULL CHECK (period >= 2),
    payment      INTEGER NOT NULL UNIQUE,
    created      INTEGER NOT NULL,
    PRIMARY KEY (subscription, period)
) STRICT;
