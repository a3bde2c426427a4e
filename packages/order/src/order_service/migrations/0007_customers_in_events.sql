-- An event says whose order it is of. Replicas of the former version call this function too.
CREATE OR REPLACE FUNCTION announce(
    p_order bigint, p_version integer, p_type text, p_at timestamptz, p_destinations text[], p_traceparent text,
    p_data jsonb
) RETURNS void LANGUAGE sql AS $$
    INSERT INTO outbox_event (destination, type, subject, event_key, data, traceparent, occurred_at)
    SELECT destination, p_type, p_order::text, order_event_key(p_type, p_order, p_version),
           order_event_data(p_type, p_order, p_version, p_data || jsonb_build_object('customerId', o.customer_id)),
           p_traceparent, p_at
    FROM orders AS o
    CROSS JOIN unnest(p_destinations) AS destination
    WHERE o.id = p_order
$$;
