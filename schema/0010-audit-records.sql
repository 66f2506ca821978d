-- SPDX-License-Identifier: Apache-2.0
-- The audit log: records that are only ever added, and the chain over them.
--
-- A record is written with the deed it tells of and has no place in the chain at first. A job gives it the next position
-- and hash = SHA-256(hash of the position before | canonical record), both exactly once; see services/audit/audit.c.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor INTEGER,
    action TEXT NOT NULL,
    object TEXT,
    detail TEXT NOT NULL,
    address TEXT NOT NULL,
    position INTEGER UNIQUE CHECK (position > 0),
    hash TEXT CHECK (length(hash) = 64),
    CHECK ((position IS NULL) = (hash IS NULL))
) STRICT;

CREATE INDEX audit_unsealed ON audit (id) WHERE position IS NULL;

-- The end of the chain, one row: who seals holds it.
CREATE TABLE audit_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    position INTEGER NOT NULL CHECK (position >= 0),
    hash TEXT NOT NULL CHECK (length(hash) = 64)
) STRICT;

INSERT INTO audit_head (id, position, hash)
VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');
