-- SPDX-License-Identifier: Apache-2.0
-- How far the development clock was moved, so that a restart keeps it. One row at most.
CREATE TABLE admin_clock (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    offset_us INTEGER NOT NULL CHECK (offset_us >= 0)
) STRICT;
