-- One row that /readyz writes: a database that can only be read is not ready.
-- SPDX-License-Identifier: Apache-2.0

CREATE TABLE probe (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at INTEGER NOT NULL
) STRICT;
