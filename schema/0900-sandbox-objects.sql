-- What the sandbox keeps of a payment provider's world. Only `stagedoor sandbox` has these tables.
-- SPDX-License-Identifier: Apache-2.0
--
-- Ids are texts as Stripe writes them ("pi_01h…"); within a table they grow with time. Amounts are in the smallest unit as
-- Stripe counts it, currencies upper case. metadata, error and data are JSON texts of ours.

CREATE TABLE sandbox_customer (
    id TEXT PRIMARY KEY,
    email TEXT,
    name TEXT,
    phone TEXT,
    description TEXT,
    default_method TEXT,
    test_clock TEXT,
    deleted INTEGER NOT NULL CHECK (deleted IN (0, 1)),
    metadata TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT;
CREATE INDEX sandbox_customer_email ON sandbox_customer (email, id) WHERE email IS NOT NULL;
CREATE INDEX sandbox_customer_clock ON sandbox_customer (test_clock, id) WHERE test_clock IS NOT NULL;

CREATE TABLE sandbox_method (
    id TEXT PRIMARY KEY,
    card TEXT NOT NULL,             -- the test number: its behaviour hangs on it
    exp_month INTEGER NOT NULL CHECK (exp_month BETWEEN 1 AND 12),
    exp_year INTEGER NOT NULL,
    customer TEXT REFERENCES sandbox_customer (id),
    set_up INTEGER NOT NULL CHECK (set_up IN (0, 1)), -- confirmed for payments without the payer
    name TEXT,
    email TEXT,
    phone TEXT,
    metadata TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT;
CREATE INDEX sandbox_method_customer ON sandbox_method (customer, id) WHERE customer IS NOT NULL;

CREATE TABLE sandbox_intent (
    id TEXT PRIMARY KEY,
    amount INTEGER NOT NULL CHECK (amount > 0),
    currency TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('requires_payment_method', 'requires_confirmation', 'requires_action',
                                           'requires_capture', 'processing', 'succeeded', 'canceled')),
    amount_capturable INTEGER NOT NULL CHECK (amount_capturable BETWEEN 0 AND amount),
    amount_received INTEGER NOT NULL CHECK (amount_received BETWEEN 0 AND amount),
    capture_method TEXT NOT NULL CHECK (capture_method IN ('automatic', 'automatic_async', 'manual')),
    customer TEXT REFERENCES sandbox_customer (id),
    method TEXT REFERENCES sandbox_method (id),
    setup_future_usage TEXT,
    description TEXT,
    receipt_email TEXT,
    statement_descriptor TEXT,
    statement_descriptor_suffix TEXT,
    transfer_group TEXT,
    return_url TEXT,
    client_secret TEXT NOT NULL,
    latest_charge TEXT,
    error TEXT,
    session TEXT,                   -- the hosted page that it belongs to
    canceled INTEGER,
    cancellation_reason TEXT,
    metadata TEXT NOT NULL,
    created INTEGER NOT NULL,
    CHECK ((status = 'succeeded') = (amount_received > 0)),
    CHECK ((status = 'requires_capture') = (amount_capturable > 0))
) STRICT;
CREATE INDEX sandbox_intent_customer ON sandbox_intent (customer, id) WHERE customer IS NOT NULL;

CREATE TABLE sandbox_charge (
    id TEXT PRIMARY KEY,
    intent TEXT NOT NULL REFERENCES sandbox_intent (id),
    amount INTEGER NOT NULL CHECK (amount > 0),
    amount_captured INTEGER NOT NULL CHECK (amount_captured BETWEEN 0 AND amount),
    amount_refunded INTEGER NOT NULL CHECK (amount_refunded BETWEEN 0 AND amount_captured),
    currency TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('succeeded', 'pending', 'failed')),
    customer TEXT,
    method TEXT NOT NULL REFERENCES sandbox_method (id),
    failure_code TEXT,
    failure_message TEXT,
    decline_code TEXT,
    confirmed INTEGER NOT NULL CHECK (confirmed IN (0, 1)), -- by the payer at his bank
    balance_transaction TEXT,
    description TEXT,
    receipt_email TEXT,
    metadata TEXT NOT NULL,
    created INTEGER NOT NULL,
    CHECK ((status = 'failed') = (failure_code IS NOT NULL)),
    CHECK ((amount_captured > 0) = (balance_transaction IS NOT NULL))
) STRICT;
CREATE INDEX sandbox_charge_intent ON sandbox_charge (intent, id);
-- One payment is charged once.
CREATE UNIQUE INDEX sandbox_charge_once ON sandbox_charge (intent) WHERE status = 'succeeded';

CREATE TABLE sandbox_balance (
    id TEXT PRIMARY KEY,
    type TEXT NOT NULL CHECK (type IN ('charge', 'refund')),
    source TEXT NOT NULL UNIQUE,
    amount INTEGER NOT NULL,
    fee INTEGER NOT NULL,
    net INTEGER NOT NULL CHECK (net = amount - fee),
    currency TEXT NOT NULL,
    description TEXT,
    available INTEGER NOT NULL,
    created INTEGER NOT NULL
) STRICT;
CREATE INDEX sandbox_balance_currency ON sandbox_balance (currency, available);

CREATE TABLE sandbox_refund (
    id TEXT PRIMARY KEY,
    charge TEXT NOT NULL REFERENCES sandbox_charge (id),
    intent TEXT NOT NULL REFERENCES sandbox_intent (id),
    amount INTEGER NOT NULL CHECK (amount > 0),
    currency TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'succeeded', 'failed', 'canceled')),
    reason TEXT,
    balance_transaction TEXT NOT NULL,
    metadata TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT;
CREATE INDEX sandbox_refund_charge ON sandbox_refund (charge, id);
CREATE INDEX sandbox_refund_intent ON sandbox_refund (intent, id);

CREATE TABLE sandbox_setup (
    id TEXT PRIMARY KEY,
    status TEXT NOT NULL CHECK (status IN ('requires_payment_method', 'requires_confirmation', 'requires_action', 'processing',
                                           'succeeded', 'canceled')),
    customer TEXT REFERENCES sandbox_customer (id),
    method TEXT REFERENCES sandbox_method (id),
    usage TEXT NOT NULL CHECK (usage IN ('off_session', 'on_session')),
    description TEXT,
    return_url TEXT,
    client_secret TEXT NOT NULL,
    error TEXT,
    session TEXT,
    cancellation_reason TEXT,
    metadata TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT;
CREATE INDEX sandbox_setup_customer ON sandbox_setup (customer, id) WHERE customer IS NOT NULL;

CREATE TABLE sandbox_session (
    id TEXT PRIMARY KEY,
    mode TEXT NOT NULL CHECK (mode IN ('payment', 'setup')),
    status TEXT NOT NULL CHECK (status IN ('open', 'complete', 'expired')),
    payment_status TEXT NOT NULL CHECK (payment_status IN ('paid', 'unpaid', 'no_payment_required')),
    amount INTEGER,
    currency TEXT,
    customer TEXT REFERENCES sandbox_customer (id),
    customer_creation TEXT CHECK (customer_creation IN ('always', 'if_required')),
    customer_email TEXT,
    client_reference_id TEXT,
    success_url TEXT NOT NULL,
    cancel_url TEXT,
    submit_type TEXT,
    intent TEXT REFERENCES sandbox_intent (id),
    setup TEXT REFERENCES sandbox_setup (id),
    intent_capture TEXT NOT NULL,
    intent_usage TEXT,
    intent_description TEXT,
    intent_metadata TEXT NOT NULL,
    payer_name TEXT,
    payer_email TEXT,
    test_clock TEXT,
    expires INTEGER NOT NULL,
    metadata TEXT NOT NULL,
    created INTEGER NOT NULL,
    CHECK ((mode = 'payment') = (amount IS NOT NULL)),
    CHECK (status = 'complete' OR payment_status <> 'paid')
) STRICT;
CREATE INDEX sandbox_session_customer ON sandbox_session (customer, id) WHERE customer IS NOT NULL;
CREATE INDEX sandbox_session_open ON sandbox_session (expires) WHERE status = 'open';
CREATE UNIQUE INDEX sandbox_session_intent ON sandbox_session (intent) WHERE intent IS NOT NULL;

CREATE TABLE sandbox_item (
    id TEXT PRIMARY KEY,
    session TEXT NOT NULL REFERENCES sandbox_session (id),
    place INTEGER NOT NULL,
    price TEXT NOT NULL,
    product TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    unit_amount INTEGER NOT NULL CHECK (unit_amount >= 0),
    currency TEXT NOT NULL,
    UNIQUE (session, place)
) STRICT;

CREATE TABLE sandbox_event (
    id TEXT PRIMARY KEY,
    type TEXT NOT NULL,
    data TEXT NOT NULL,             -- the object as it was
    request TEXT,
    key TEXT,
    created INTEGER NOT NULL
) STRICT;
CREATE INDEX sandbox_event_type ON sandbox_event (type, id);

CREATE TABLE sandbox_endpoint (
    id TEXT PRIMARY KEY,
    url TEXT NOT NULL,
    secret TEXT NOT NULL,
    events TEXT NOT NULL,           -- a JSON list of types, or of "*"
    description TEXT,
    status TEXT NOT NULL CHECK (status IN ('enabled', 'disabled')),
    metadata TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE sandbox_delivery (
    id TEXT PRIMARY KEY,
    event TEXT NOT NULL REFERENCES sandbox_event (id),
    endpoint TEXT NOT NULL,         -- perhaps deleted meanwhile
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
    attempt INTEGER NOT NULL,
    status INTEGER NOT NULL,        -- of the last answer; 0: none
    error TEXT,
    UNIQUE (event, endpoint)
) STRICT;

CREATE TABLE sandbox_key (
    key TEXT PRIMARY KEY,
    hash TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'done')),
    status INTEGER NOT NULL,
    body TEXT,
    leased_until INTEGER NOT NULL,  -- real time
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE sandbox_fault (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL,             -- '' is every path
    fault TEXT NOT NULL,
    times INTEGER NOT NULL
) STRICT;

CREATE TABLE sandbox_clock (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    offset_us INTEGER NOT NULL
) STRICT;

CREATE TABLE sandbox_test_clock (
    id TEXT PRIMARY KEY,
    name TEXT,
    frozen INTEGER NOT NULL,
    created INTEGER NOT NULL
) STRICT;
