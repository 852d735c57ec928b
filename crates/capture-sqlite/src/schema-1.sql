-- Version 1. Rows are only added; the few values that change are in `journal` and `environment`.

CREATE TABLE journal (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    head BLOB NOT NULL,              -- the hash of the last record, 32 zeros before the first
    restored_ms INTEGER              -- when an older copy of the file was found in its place
) STRICT;
INSERT INTO journal VALUES (1, zeroblob(32), NULL);

-- Who opened the journal. Never deleted: a number is never used again.
CREATE TABLE opening (
    fence INTEGER PRIMARY KEY AUTOINCREMENT,
    host TEXT NOT NULL,
    process INTEGER NOT NULL,
    program TEXT NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT;

-- `low` is a hint: each capture before it has a record.
CREATE TABLE environment (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    low INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What was asked for. Never changed.
CREATE TABLE intent (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    environment INTEGER NOT NULL REFERENCES environment,
    order_id BLOB NOT NULL CHECK (length(order_id) = 16),
    idempotency_key BLOB NOT NULL CHECK (length(idempotency_key) = 16),
    amount INTEGER NOT NULL CHECK (amount BETWEEN 1 AND 4294967295),
    currency TEXT NOT NULL,
    exponent INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    UNIQUE (order_id, idempotency_key, environment)
) STRICT;

-- A holder took the captures from `low` to `high`, at most 64, before it sent any of them.
CREATE TABLE claim (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    low INTEGER NOT NULL,
    high INTEGER NOT NULL CHECK (high - low BETWEEN 0 AND 63),
    fence INTEGER NOT NULL REFERENCES opening,
    at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX claim_range ON claim (low, high);

-- What a holder found. Each hash covers the one before it.
CREATE TABLE record (
    number INTEGER PRIMARY KEY,
    intent INTEGER NOT NULL REFERENCES intent,
    claim INTEGER NOT NULL REFERENCES claim,
    at_ms INTEGER NOT NULL,
    is_note INTEGER NOT NULL CHECK (is_note IN (0, 1)),
    due_ms INTEGER,                  -- where it leaves the capture open: when to go on
    body BLOB NOT NULL,              -- the outcome as JSON
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE INDEX record_intent ON record (intent);
CREATE INDEX record_open ON record (due_ms) WHERE due_ms IS NOT NULL;

-- The records up to this number were removed; the next one's hash covers this one's.
CREATE TABLE checkpoint (
    number INTEGER PRIMARY KEY,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    at_ms INTEGER NOT NULL
) STRICT;
