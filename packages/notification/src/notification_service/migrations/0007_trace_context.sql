-- The trace context in which a notification was stored, so that the push of any replica continues it. No row is rewritten;
-- the lock is held for a moment, and given up when others hold the table for longer than the migration waits. Replicas of
-- former versions go on calling the functions with six and seven parameters.
ALTER TABLE notification ADD COLUMN traceparent text;

-- As in 0004, and for each event its trace context.
CREATE FUNCTION append_notifications(
    p_types text[], p_orders bigint[], p_versions integer[], p_times timestamptz[], p_traces text[], p_reasons text[],
    p_customers text[], p_traceparents text[]
) RETURNS TABLE (place integer, seq bigint, type text, version integer, customer_id text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    event record;
    known integer[];
    stored_customer text;
    before bigint;
    last bigint;
BEGIN
    SELECT head INTO STRICT before FROM feed FOR UPDATE;
    last := before;
    FOR event IN
        SELECT e.*, CASE e.type WHEN 'order-created' THEN 0 WHEN 'order-updated' THEN e.version ELSE -1 END AS slot
        FROM unnest(p_types, p_orders, p_versions, p_times, p_traces, p_reasons, p_customers, p_traceparents)
            WITH ORDINALITY AS e (type, order_id, version, occurred_at, trace_id, reason, customer, traceparent, place)
        ORDER BY e.place
    LOOP
        SELECT coalesce(array_agg(n.slot), '{}'), max(nullif(n.customer_id, 'anonymous')) INTO known, stored_customer
        FROM notification AS n
        WHERE n.order_id = event.order_id;
        CONTINUE WHEN event.slot = ANY (known) OR -1 = ANY (known);
        place := event.place;
        customer_id := coalesce(nullif(event.customer, 'anonymous'), stored_customer, 'anonymous');
        IF event.slot <> 0 AND NOT 0 = ANY (known) THEN
            last := last + 1;
            seq := last;
            type := 'order-created';
            version := 1;
            INSERT INTO notification (
                seq, order_id, slot, type, version, occurred_at, trace_id, customer_id, traceparent
            )
            VALUES (last, event.order_id, 0, 'order-created', 1, event.occurred_at, event.trace_id, customer_id,
                    event.traceparent);
            RETURN NEXT;
        END IF;
        last := last + 1;
        seq := last;
        type := event.type;
        version := event.version;
        INSERT INTO notification (
            seq, order_id, slot, type, version, occurred_at, trace_id, reason, customer_id, traceparent
        )
        VALUES (last, event.order_id, event.slot, event.type, event.version, event.occurred_at, event.trace_id,
                event.reason, customer_id, event.traceparent);
        RETURN NEXT;
    END LOOP;
    IF last > before THEN
        UPDATE feed SET head = last;
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION append_notifications(
    p_types text[], p_orders bigint[], p_versions integer[], p_times timestamptz[], p_traces text[], p_reasons text[],
    p_customers text[]
) RETURNS TABLE (place integer, seq bigint, type text, version integer, customer_id text) LANGUAGE sql AS $$
    SELECT place, seq, type, version, customer_id
    FROM append_notifications(p_types, p_orders, p_versions, p_times, p_traces, p_reasons, p_customers, '{}'::text[])
$$;
