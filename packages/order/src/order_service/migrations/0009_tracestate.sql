-- An event carries the whole W3C trace context. p_traceparent is its two headers, separated by a space, or the first alone,
-- as replicas of the former version pass it; the functions that call this one pass on what they are given.
CREATE OR REPLACE FUNCTION announce(
    p_order bigint, p_version integer, p_type text, p_at timestamptz, p_destinations text[], p_traceparent text,
    p_data jsonb
) RETURNS void LANGUAGE sql AS $$
    INSERT INTO outbox_event (destination, type, subject, event_key, data, traceparent, tracestate, occurred_at)
    SELECT destination, p_type, p_order::text, order_event_key(p_type, p_order, p_version),
           order_event_data(p_type, p_order, p_version, p_data || jsonb_build_object('customerId', o.customer_id)),
           split_part(p_traceparent, ' ', 1), nullif(substr(p_traceparent, 57), ''), p_at
    FROM orders AS o
    CROSS JOIN unnest(p_destinations) AS destination
    WHERE o.id = p_order
$$;
