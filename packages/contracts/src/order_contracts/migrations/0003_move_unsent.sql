-- What the former outbox holds and has not sent. What one of its relays is sending right now keeps its lease, is marked
-- by nobody, and is sent a second time when that has run out, with the same id. Rows that a relay works on are waited for
-- without a lock, so that neither waits for the other.
DO $$
BEGIN
    IF to_regclass('outbox') IS NULL THEN
        RETURN;
    END IF;
    LOOP
        WITH unsent AS MATERIALIZED (
            SELECT id FROM outbox WHERE sent_at IS NULL ORDER BY id FOR UPDATE SKIP LOCKED
        ),
        moved AS (
            DELETE FROM outbox USING unsent WHERE outbox.id = unsent.id RETURNING outbox.*
        )
        INSERT INTO outbox_event (
            id, destination, type, subject, event_key, data, traceparent, occurred_at, created_at, available_at, attempts
        )
        OVERRIDING SYSTEM VALUE
        SELECT
            id, destination, type, order_id::text, order_event_key(type, order_id, version),
            order_event_data(type, order_id, version, data), traceparent, occurred_at, created_at, available_at, attempts
        FROM moved
        ON CONFLICT DO NOTHING;
        EXIT WHEN NOT EXISTS (SELECT FROM outbox WHERE sent_at IS NULL);
        PERFORM pg_sleep(0.01);
    END LOOP;
END
$$;
