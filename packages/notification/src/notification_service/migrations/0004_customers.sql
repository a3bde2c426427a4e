-- Whose order a notification is of. The default is stored with the table and rewrites no row; the lock is held for a
-- moment, and given up when others hold the table for longer than the migration waits. Replicas of the former version,
-- which know no customers, go on calling the function with six parameters.

ALTER TABLE notification ADD COLUMN customer_id text NOT NULL DEFAULT 'anonymous';

-- As in 0001, and for each event its customer. An order has one: where the event does not name it, as one that passed
-- through a replica of a former version, it is that of what is stored of the order, if anything is.
CREATE FUNCTION append_notifications(
    p_types text[], p_orders bigint[], p_versions integer[], p_times timestamptz[], p_traces text[], p_reasons text[],
    p_customers text[]
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
        FROM unnest(p_types, p_orders, p_versions, p_times, p_traces, p_reasons, p_customers)
            WITH ORDINALITY AS e (type, order_id, version, occurred_at, trace_id, reason, customer, place)
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
            INSERT INTO notification (seq, order_id, slot, type, version, occurred_at, trace_id, customer_id)
            VALUES (last, event.order_id, 0, 'order-created', 1, event.occurred_at, event.trace_id, customer_id);
            RETURN NEXT;
        END IF;
        last := last + 1;
        seq := last;
        type := event.type;
        version := event.version;
        INSERT INTO notification (
            seq, order_id, slot, type, version, occurred_at, trace_id, reason, customer_id
        )
        VALUES (last, event.order_id, event.slot, event.type, event.version, event.occurred_at, event.trace_id,
                event.reason, customer_id);
        RETURN NEXT;
    END LOOP;
    IF last > before THEN
        UPDATE feed SET head = last;
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION append_notifications(
    p_types text[], p_orders bigint[], p_versions integer[], p_times timestamptz[], p_traces text[], p_reasons text[]
) RETURNS TABLE (place integer, seq bigint, type text, version integer) LANGUAGE sql AS $$
    SELECT place, seq, type, version
    FROM append_notifications(p_types, p_orders, p_versions, p_times, p_traces, p_reasons, '{}'::text[])
$$;
