-- What a change of an order is as an event. OrderEvent in order_contracts.events says the same; a test holds both to it.

CREATE FUNCTION order_event_key(p_type text, p_order bigint, p_version integer) RETURNS text LANGUAGE sql IMMUTABLE
RETURN p_type || ':' || p_order || ':' || p_version;

-- p_facts: {"orderItems": …} of a creation or an update, {"reason": …} of a failure, else {}.
CREATE FUNCTION order_event_data(p_type text, p_order bigint, p_version integer, p_facts jsonb) RETURNS jsonb
LANGUAGE sql STABLE
RETURN p_facts || jsonb_build_object(
    'orderId', p_order,
    'version', p_version,
    'message', 'Notification ' || CASE p_type
        WHEN 'order-created' THEN 'CREATED'
        WHEN 'order-updated' THEN 'UPDATED'
        WHEN 'order-cancelled' THEN 'CANCELLED'
        WHEN 'order-processed' THEN 'CLOSED'
        WHEN 'order-failed' THEN 'FAILED'
    END || ' for order ' || p_order
);
