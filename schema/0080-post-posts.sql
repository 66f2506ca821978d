-- Posts. What may be seen of them stands in access_rule.
-- SPDX-License-Identifier: Apache-2.0

CREATE TABLE post (
    id INTEGER PRIMARY KEY,
    creator INTEGER NOT NULL,
    text TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'published')),
    position INTEGER UNIQUE, -- place in every feed: an id made when it is published
    published INTEGER,
    created INTEGER NOT NULL,
    edited INTEGER,
    CHECK ((state = 'published') = (position IS NOT NULL)),
    CHECK ((state = 'published') = (published IS NOT NULL))
) STRICT;
CREATE INDEX post_feed ON post (creator, position) WHERE state = 'published';
CREATE INDEX post_studio ON post (creator, state, id);

CREATE TABLE post_asset (
    post INTEGER NOT NULL,
    place INTEGER NOT NULL,
    asset INTEGER NOT NULL,
    PRIMARY KEY (post, place)
) STRICT;
