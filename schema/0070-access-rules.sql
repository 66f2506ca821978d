-- Who may see what: one rule an object (a post, later a message or a stream), and the assets that it shows.
-- SPDX-License-Identifier: Apache-2.0

CREATE TABLE access_rule (
    object INTEGER PRIMARY KEY,
    creator INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('public', 'followers', 'tiers')),
    hidden INTEGER NOT NULL CHECK (hidden IN (0, 1)) -- a draft: the creator alone
) STRICT;

CREATE TABLE access_tier (
    object INTEGER NOT NULL,
    tier INTEGER NOT NULL,
    PRIMARY KEY (object, tier)
) STRICT;

CREATE TABLE access_asset (
    asset INTEGER NOT NULL,
    object INTEGER NOT NULL,
    PRIMARY KEY (asset, object)
) STRICT;
CREATE INDEX access_asset_object ON access_asset (object);
