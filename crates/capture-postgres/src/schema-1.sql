-- Version 1. Rows of opening, intent, claim and record are only added, but for `opening.records` and `head`.
-- What changes: `lease`, `pending` and `inbox`.

CREATE TABLE capture.version (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    version integer NOT NULL
);
INSERT INTO capture.version (version) VALUES (1);

-- Who opened the journal. Never deleted: a number is never used again.
CREATE TABLE capture.opening (
    fence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    host text NOT NULL,
    process bigint NOT NULL,
    program text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    records bigint NOT NULL DEFAULT 0,   -- how many it wrote
    head bytea                           -- the hash of the last of them
) WITH (fillfactor = 70);

-- Who holds what it claimed: an opening with a lease that has not run out by this server's clock.
CREATE TABLE capture.lease (
    fence bigint PRIMARY KEY REFERENCES capture.opening,
    lease_until timestamptz NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE capture.environment (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE
);

-- The currencies that the programs know, for `enqueue`.
CREATE TABLE capture.currency (
    code text PRIMARY KEY CHECK (code ~ '^[A-Z]{3}$'),
    exponent smallint NOT NULL CHECK (exponent BETWEEN 0 AND 4)
);

-- What was asked for. Never changed.
CREATE SEQUENCE capture.intent_id;
CREATE TABLE capture.intent (
    id bigint PRIMARY KEY,
    environment bigint NOT NULL REFERENCES capture.environment,
    order_id uuid NOT NULL,
    idempotency_key uuid NOT NULL,
    amount bigint NOT NULL CHECK (amount BETWEEN 1 AND 4294967295),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    exponent smallint NOT NULL CHECK (exponent BETWEEN 0 AND 4),
    at_ms bigint NOT NULL,
    UNIQUE (order_id, idempotency_key, environment)
);

-- A holder took the capture before it sent it.
CREATE SEQUENCE capture.claim_id;
CREATE TABLE capture.claim (
    id bigint PRIMARY KEY,
    intent bigint NOT NULL REFERENCES capture.intent,
    fence bigint NOT NULL REFERENCES capture.opening,
    at_ms bigint NOT NULL
);
CREATE INDEX claim_intent ON capture.claim (intent);

-- What a holder found. Each hash covers the one before it of the same fence.
CREATE TABLE capture.record (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fence bigint NOT NULL REFERENCES capture.opening,
    number bigint NOT NULL,
    intent bigint NOT NULL REFERENCES capture.intent,
    claim bigint NOT NULL REFERENCES capture.claim,
    at_ms bigint NOT NULL,
    is_note boolean NOT NULL,
    body json NOT NULL,                  -- the outcome; json keeps its text as it is
    hash bytea NOT NULL CHECK (length(hash) = 32),
    UNIQUE (fence, number)
);
CREATE INDEX record_intent ON capture.record (intent);

-- One row for each capture that is not decided. It says where to look; what a capture is, its rows say.
CREATE TABLE capture.pending (
    intent bigint PRIMARY KEY REFERENCES capture.intent,
    environment bigint NOT NULL,
    urgency bigint NOT NULL DEFAULT 9223372036854775807, -- the smallest goes first: when the order voids
    fence bigint,                        -- of its last claim
    is_held boolean NOT NULL DEFAULT false,
    due_ms bigint                        -- when to go on, where its holder left it open
) WITH (fillfactor = 70);
CREATE INDEX pending_new ON capture.pending (environment, urgency, intent) WHERE fence IS NULL;
CREATE INDEX pending_open ON capture.pending (environment, urgency, intent) WHERE fence IS NOT NULL;

-- What services wrote down in transactions of their own, until a worker takes it. A cursor over a
-- sequence would miss what commits late. Without a key it is that of the order.
CREATE TABLE capture.inbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    environment bigint NOT NULL REFERENCES capture.environment,
    order_id uuid NOT NULL CHECK (order_id <> '00000000-0000-0000-0000-000000000000'),
    idempotency_key uuid CHECK (idempotency_key <> '00000000-0000-0000-0000-000000000000'),
    amount bigint NOT NULL CHECK (amount BETWEEN 1 AND 4294967295),
    currency text NOT NULL,
    exponent smallint NOT NULL,
    urgency bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (environment, order_id)
);
CREATE INDEX inbox_next ON capture.inbox (environment, urgency, id);

-- What a worker could not take from the inbox, as somebody asked for the order with other values meanwhile.
CREATE TABLE capture.refused (
    id bigint PRIMARY KEY,
    environment bigint NOT NULL REFERENCES capture.environment,
    order_id uuid NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    why text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
