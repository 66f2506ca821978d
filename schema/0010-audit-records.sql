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

-- Only added, and sealed once: nothing else is ever changed, by a slip of ours either.
-- on sqlite
CREATE TRIGGER audit_stays BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'audit records stay');
END;
CREATE TRIGGER audit_sealed_once BEFORE UPDATE ON audit
WHEN OLD.position IS NOT NULL OR NEW.id <> OLD.id OR NEW.at <> OLD.at OR NEW.actor IS NOT OLD.actor
    OR NEW.action <> OLD.action OR NEW.object IS NOT OLD.object OR NEW.detail <> OLD.detail
    OR NEW.address <> OLD.address
BEGIN
    SELECT RAISE(ABORT, 'audit records are sealed once and otherwise stay as they are');
END;
-- on postgres
CREATE FUNCTION audit_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.position IS NULL
            AND (NEW.id, NEW.at, NEW.actor, NEW.action, NEW.object, NEW.detail, NEW.address)
            IS NOT DISTINCT FROM
            (OLD.id, OLD.at, OLD.actor, OLD.action, OLD.object, OLD.detail, OLD.address)
        THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'audit records stay as they are';
END
$$;
CREATE TRIGGER audit_sealed_once BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_guard();
CREATE TRIGGER audit_stays BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_guard();
-- on both
