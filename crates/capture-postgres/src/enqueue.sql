-- The function that shops call. Made anew with each version of the tables.

-- Writes a capture down in the caller's own transaction: 'queued', or 'known' where the same is known already.
CREATE OR REPLACE FUNCTION capture.enqueue(
    order_id uuid,
    amount bigint,
    currency text,
    environment text DEFAULT 'production',
    idempotency_key uuid DEFAULT NULL,
    capture_before timestamptz DEFAULT NULL
) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    place bigint;
    decimals smallint;
    other record;
    first bigint := coalesce((extract(epoch FROM enqueue.capture_before) * 1000)::bigint, 9223372036854775807);
BEGIN
    IF enqueue.order_id IS NULL OR enqueue.order_id = '00000000-0000-0000-0000-000000000000' THEN
        RAISE EXCEPTION 'order_id: give the GUID of an order' USING ERRCODE = 'check_violation';
    END IF;
    IF enqueue.amount IS NULL OR enqueue.amount NOT BETWEEN 1 AND 4294967295 THEN
        RAISE EXCEPTION 'amount %: give minor units, from 1 to 4294967295', enqueue.amount
            USING ERRCODE = 'check_violation';
    END IF;
    SELECT exponent INTO decimals FROM capture.currency WHERE code = enqueue.currency;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'currency %: give an active ISO 4217 code, such as USD', enqueue.currency
            USING ERRCODE = 'check_violation';
    END IF;
    SELECT id INTO place FROM capture.environment WHERE name = enqueue.environment;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'environment %: no worker has opened the journal for it', enqueue.environment
            USING ERRCODE = 'check_violation';
    END IF;
    FOR other IN
        SELECT idempotency_key, amount, currency,
            EXISTS (SELECT FROM capture.pending WHERE intent = intent.id) AS is_open,
            EXISTS (SELECT FROM capture.record WHERE intent = intent.id AND body->>'outcome' = 'captured')
                AS is_captured
        FROM capture.intent WHERE order_id = enqueue.order_id AND environment = place
        ORDER BY 5 DESC, 4 DESC
    LOOP
        IF (other.is_captured OR other.is_open)
            AND (other.amount, other.currency) = (enqueue.amount, enqueue.currency)
            AND (other.is_captured OR other.idempotency_key = coalesce(enqueue.idempotency_key, other.idempotency_key))
        THEN
            RETURN 'known';
        ELSIF other.is_captured OR other.is_open THEN
            RAISE EXCEPTION 'order %: it was asked for with % minor units of %, key %', enqueue.order_id,
                other.amount, other.currency, other.idempotency_key USING ERRCODE = 'unique_violation';
        ELSIF other.idempotency_key = coalesce(enqueue.idempotency_key, other.idempotency_key) THEN
            RAISE EXCEPTION 'order %: it was not captured under this key; give a new one', enqueue.order_id
                USING ERRCODE = 'unique_violation';
        END IF;
    END LOOP;
    -- Twice at most: a worker may take the row that is in the way before it is looked at.
    FOR tries IN 1..2 LOOP
        INSERT INTO capture.inbox (environment, order_id, idempotency_key, amount, currency, exponent, urgency)
            VALUES (place, enqueue.order_id, enqueue.idempotency_key, enqueue.amount, enqueue.currency, decimals, first)
            ON CONFLICT (environment, order_id) DO NOTHING;
        IF FOUND THEN
            RETURN 'queued';
        END IF;
        SELECT idempotency_key, amount, currency INTO other FROM capture.inbox
            WHERE environment = place AND order_id = enqueue.order_id;
        IF FOUND THEN
            IF (other.amount, other.currency) = (enqueue.amount, enqueue.currency)
                AND other.idempotency_key IS NOT DISTINCT FROM enqueue.idempotency_key
            THEN
                RETURN 'known';
            END IF;
            RAISE EXCEPTION 'order %: it was written down with other values just now', enqueue.order_id
                USING ERRCODE = 'unique_violation';
        END IF;
    END LOOP;
    RAISE EXCEPTION 'order %: a worker is taking it just now; try again', enqueue.order_id
        USING ERRCODE = 'serialization_failure';
END
$$;
REVOKE ALL ON FUNCTION capture.enqueue FROM PUBLIC;
