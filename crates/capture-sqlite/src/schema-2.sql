-- Version 2 adds lists of captures that are worked off as one.

-- What was approved. Never changed, but for `ended`.
CREATE TABLE run (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    environment INTEGER NOT NULL REFERENCES environment,
    plan BLOB NOT NULL CHECK (length(plan) = 32),
    name TEXT NOT NULL,
    captures INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    ended TEXT,                      -- once each capture is decided: the tally as JSON
    UNIQUE (plan, environment)
) STRICT;

-- What voids first stands first.
CREATE TABLE run_line (
    run INTEGER NOT NULL REFERENCES run,
    place INTEGER NOT NULL,
    intent INTEGER NOT NULL REFERENCES intent,
    line INTEGER NOT NULL,
    reference TEXT,
    capture_before_ms INTEGER,
    PRIMARY KEY (run, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_line_intent ON run_line (intent);
