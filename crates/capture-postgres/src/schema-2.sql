-- Version 2: lists, and how many share a rate.

-- A list that was approved as one.
CREATE TABLE capture.run (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    environment bigint NOT NULL REFERENCES capture.environment,
    plan bytea NOT NULL CHECK (length(plan) = 32),
    name text NOT NULL,
    captures bigint NOT NULL,
    at_ms bigint NOT NULL,
    guards text NOT NULL,
    ended text,                          -- what it came to, once each of it is captured
    UNIQUE (environment, plan)
);

CREATE TABLE capture.run_line (
    run bigint NOT NULL REFERENCES capture.run,
    line bigint NOT NULL,
    intent bigint NOT NULL REFERENCES capture.intent,
    reference text,
    capture_before_ms bigint,
    PRIMARY KEY (run, line)
);
CREATE INDEX run_line_intent ON capture.run_line (intent, run);

-- The list that a capture was planned with, if it was; later lists may have it too.
ALTER TABLE capture.pending ADD COLUMN run bigint;
CREATE INDEX pending_of_run ON capture.pending (run, urgency, intent) WHERE fence IS NULL AND run IS NOT NULL;

-- The environment whose captures a holder works off at a rate: those of one share it.
ALTER TABLE capture.lease ADD COLUMN works_for bigint;

-- Wakes the workers of the environment once the row is committed. They look once a second besides.
CREATE FUNCTION capture.wake() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM pg_notify('capture', NEW.environment::text);
    RETURN NULL;
END
$$;
CREATE TRIGGER wake AFTER INSERT ON capture.inbox FOR EACH ROW EXECUTE FUNCTION capture.wake();

-- Where the chain of an opening goes on, once its first records have been removed.
CREATE TABLE capture.checkpoint (
    fence bigint PRIMARY KEY REFERENCES capture.opening,
    number bigint NOT NULL,
    hash bytea NOT NULL CHECK (length(hash) = 32),
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- Without an index of its own it would make the removal of each claim read all records.
ALTER TABLE capture.record DROP CONSTRAINT record_claim_fkey;
