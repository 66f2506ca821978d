-- What the runner itself keeps: answers by idempotency key, jobs, events and who has read them.
-- SPDX-License-Identifier: Apache-2.0

CREATE TABLE idempotency (
    account INTEGER NOT NULL,
    key TEXT NOT NULL,
    request TEXT NOT NULL, -- SHA-256 of method, path, query and body
    status INTEGER NOT NULL,
    body TEXT,
    job INTEGER,           -- awaited: the answer is made anew from what the job left
    created INTEGER NOT NULL, -- real time: a moved clock must not make a retry a second request
    PRIMARY KEY (account, key)
) STRICT;
CREATE INDEX idempotency_created ON idempotency (created);

CREATE TABLE job (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    lane INTEGER NOT NULL, -- the kind as a number: kinds that are at their limit are passed over
    name TEXT,             -- at most one waits under a name
    account INTEGER,       -- for whom
    payload TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'dead')),
    due INTEGER NOT NULL,  -- real time
    due_business INTEGER NOT NULL,
    lease_ms INTEGER NOT NULL,
    leased_until INTEGER NOT NULL,
    node INTEGER,          -- that has claimed it last
    attempt INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    progress INTEGER NOT NULL,
    error TEXT,
    created INTEGER NOT NULL,
    finished INTEGER
) STRICT;
CREATE UNIQUE INDEX job_name ON job (name) WHERE state = 'waiting';
-- By business time first: most that wait are renewals of the months to come, and must not be passed over at each look.
CREATE INDEX job_waiting ON job (due_business, due) WHERE state = 'waiting';
CREATE INDEX job_running ON job (leased_until) WHERE state = 'running';
CREATE INDEX job_dead ON job (id) WHERE state = 'dead';
CREATE INDEX job_finished ON job (finished) WHERE state = 'done';

CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    tx INTEGER NOT NULL,   -- the writing transaction, where many write at once: readers stay below the oldest running one
    kind TEXT NOT NULL,
    audience INTEGER,      -- the account whose browsers see it
    payload TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT;
CREATE INDEX event_order ON event (tx, id);
CREATE INDEX event_audience ON event (audience, tx, id) WHERE audience IS NOT NULL;
CREATE INDEX event_created ON event (created);

CREATE TABLE event_cursor (
    consumer TEXT PRIMARY KEY,
    tx INTEGER NOT NULL,
    id INTEGER NOT NULL
) STRICT;

-- Events that a consumer could not take, put aside so that those behind can go on.
CREATE TABLE event_dead (
    consumer TEXT NOT NULL,
    event INTEGER NOT NULL,
    error TEXT NOT NULL,
    created INTEGER NOT NULL,
    PRIMARY KEY (consumer, event)
) STRICT;
