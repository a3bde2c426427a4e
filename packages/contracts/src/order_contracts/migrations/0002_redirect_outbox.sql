-- A former version has a table outbox, whose rows are events of orders. Its replicas may run on for a while: what they
-- write there becomes a row of outbox_event, and their relays find nothing any more. No table is rewritten; the lock
-- lasts as long as this file and waits 2 s at most, so that no queue of writers forms behind it.
SET LOCAL lock_timeout = '2s';

DO $$
BEGIN
    IF to_regclass('outbox') IS NULL THEN
        RETURN;
    END IF;
    LOCK TABLE outbox IN SHARE ROW EXCLUSIVE MODE;
    -- What is moved in 0003 keeps its id. Ids of outbox_event go on behind the last of them, so the order stays.
    PERFORM setval('outbox_event_id_seq', (SELECT last_value FROM outbox_id_seq));

    CREATE FUNCTION redirect_outbox() RETURNS trigger LANGUAGE plpgsql AS $body$
    BEGIN
        INSERT INTO outbox_event (destination, type, subject, event_key, data, traceparent, occurred_at)
        VALUES (
            NEW.destination, NEW.type, NEW.order_id::text, order_event_key(NEW.type, NEW.order_id, NEW.version),
            order_event_data(NEW.type, NEW.order_id, NEW.version, NEW.data), NEW.traceparent, NEW.occurred_at
        )
        ON CONFLICT DO NOTHING; -- announcing again is for the replicas of the present version
        RETURN NULL;
    END
    $body$;
    CREATE TRIGGER redirect BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION redirect_outbox();
END
$$;
