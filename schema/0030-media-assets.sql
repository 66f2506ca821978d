-- Pictures and, later, films: what a creator uploaded and what was made from it.
-- SPDX-License-Identifier: Apache-2.0

CREATE TABLE asset (
    id INTEGER PRIMARY KEY,
    owner INTEGER NOT NULL,
    purpose TEXT NOT NULL CHECK (purpose IN ('post', 'avatar', 'banner')),
    state TEXT NOT NULL CHECK (state IN ('processing', 'ready', 'failed')),
    error TEXT,
    filename TEXT NOT NULL,
    type TEXT,
    bytes INTEGER NOT NULL CHECK (bytes >= 0),
    original TEXT,                 -- blob as uploaded; no route serves it
    width INTEGER,
    height INTEGER,
    alt TEXT NOT NULL,
    teaser INTEGER NOT NULL UNIQUE, -- the teaser's own public name, from which the asset's cannot be told
    job INTEGER,                   -- that prepares it
    uses INTEGER NOT NULL CHECK (uses >= 0),
    created INTEGER NOT NULL,
    CHECK (state <> 'ready' OR (width > 0 AND height > 0 AND type IS NOT NULL))
) STRICT;
CREATE INDEX asset_owner ON asset (owner, id);
CREATE UNIQUE INDEX asset_job ON asset (job) WHERE job IS NOT NULL;
CREATE INDEX asset_original ON asset (original) WHERE original IS NOT NULL;

CREATE TABLE rendition (
    asset INTEGER NOT NULL,
    name TEXT NOT NULL,            -- thumb, feed, full, teaser
    blob TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (asset, name)
) STRICT;
CREATE INDEX rendition_blob ON rendition (blob);
