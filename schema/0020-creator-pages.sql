-- SPDX-License-Identifier: Apache-2.0
-- Creators, their tiers, and who follows them.
CREATE TABLE creator (
    id INTEGER PRIMARY KEY, -- the account's number
    handle TEXT NOT NULL UNIQUE CHECK (length(handle) BETWEEN 3 AND 30),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
    bio TEXT NOT NULL CHECK (length(bio) <= 1000),
    avatar_url TEXT,
    banner_url TEXT,
    followers INTEGER NOT NULL CHECK (followers >= 0), -- rows of follow; kept in the same transaction
    posts INTEGER NOT NULL CHECK (posts >= 0),         -- published ones; kept by the post service
    head INTEGER NOT NULL CHECK (head >= 0),           -- position of the newest published post; 0: none
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE tier (
    id INTEGER PRIMARY KEY,
    creator INTEGER NOT NULL REFERENCES creator (id),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
    description TEXT NOT NULL CHECK (length(description) <= 1000),
    price INTEGER NOT NULL CHECK (price > 0 AND price <= 99999999),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    archived INTEGER NOT NULL CHECK (archived IN (0, 1)),
    created INTEGER NOT NULL
) STRICT;
CREATE INDEX tier_open ON tier (creator, price, id) WHERE archived = 0;

CREATE TABLE follow (
    id INTEGER PRIMARY KEY, -- in the order of following
    fan INTEGER NOT NULL,
    creator INTEGER NOT NULL REFERENCES creator (id),
    created INTEGER NOT NULL,
    UNIQUE (fan, creator),
    CHECK (fan <> creator)
) STRICT;
CREATE INDEX follow_fan ON follow (fan, id);
