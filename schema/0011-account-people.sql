-- SPDX-License-Identifier: Apache-2.0
-- People, their sessions, the tokens that were mailed to them, and tries to log in.
CREATE TABLE account (
    id INTEGER PRIMARY KEY,
    email TEXT NOT NULL UNIQUE CHECK (length(email) <= 254),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
    password TEXT NOT NULL CHECK (length(password) <= 128), -- argon2id, with its parameters and salt
    email_verified INTEGER NOT NULL CHECK (email_verified IN (0, 1)),
    role TEXT NOT NULL CHECK (role IN ('user', 'moderator', 'admin')),
    creator INTEGER NOT NULL CHECK (creator IN (0, 1)),
    created INTEGER NOT NULL
) STRICT;

-- Times of sessions, tokens and tries are real time: moving the business clock neither ends nor prolongs them.
CREATE TABLE session (
    id INTEGER PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES account (id),
    kind TEXT NOT NULL CHECK (kind IN ('cookie', 'bearer')),
    token BLOB NOT NULL UNIQUE CHECK (length(token) = 32), -- its SHA-256
    created INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    agent TEXT NOT NULL CHECK (length(agent) <= 200),
    address TEXT NOT NULL CHECK (length(address) <= 60)
) STRICT;
CREATE INDEX session_account ON session (account, id);
CREATE INDEX session_seen ON session (seen);

-- One of each purpose at a time: asking again replaces the older one.
CREATE TABLE account_token (
    account INTEGER NOT NULL REFERENCES account (id),
    purpose TEXT NOT NULL CHECK (purpose IN ('verify', 'reset')),
    nonce INTEGER NOT NULL UNIQUE, -- the token is a MAC of this: it can be mailed again, and is not in the database
    token BLOB NOT NULL UNIQUE CHECK (length(token) = 32), -- its SHA-256
    made INTEGER NOT NULL,
    expires INTEGER NOT NULL CHECK (expires > made),
    PRIMARY KEY (account, purpose)
) STRICT;
CREATE INDEX account_token_expires ON account_token (expires);

-- Failed logins in a row for an address, whether or not it has an account: both look the same from outside.
CREATE TABLE login_attempt (
    address BLOB PRIMARY KEY CHECK (length(address) = 32), -- a MAC of the e-mail address
    failures INTEGER NOT NULL CHECK (failures >= 0),
    wait_until INTEGER NOT NULL,
    last INTEGER NOT NULL
) STRICT;
CREATE INDEX login_attempt_last ON login_attempt (last);
