-- Whose order it is. The default is stored with the table and rewrites no row; the lock is held for a moment, and given
-- up when others hold the table for longer than the migration waits. Replicas of the former version, which know no
-- customers, go on calling the function with six parameters.

ALTER TABLE orders ADD COLUMN customer_id text NOT NULL DEFAULT 'anonymous';

CREATE FUNCTION place_order(
    p_product_ids text[], p_quantities integer[], p_destinations text[], p_traceparent text, p_key text, p_hash bytea,
    p_customer text
) RETURNS TABLE (made boolean, request_hash bytea, order_id bigint, item_ids bigint[], answered_at timestamptz)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    new_order bigint := nextval('orders_id_seq');
    new_items bigint[] := ARRAY(SELECT nextval('order_items_id_seq') FROM generate_subscripts(p_product_ids, 1));
BEGIN
    IF p_key IS NOT NULL THEN
        INSERT INTO idempotency (key, request_hash, order_id, item_ids, answered_at)
        VALUES (p_key, p_hash, new_order, new_items, now())
        ON CONFLICT (key) DO NOTHING;
        IF NOT FOUND THEN
            RETURN QUERY
            SELECT false, i.request_hash, i.order_id, i.item_ids, i.answered_at
            FROM idempotency AS i
            WHERE i.key = p_key;
            RETURN;
        END IF;
    END IF;
    INSERT INTO orders (id, customer_id) OVERRIDING SYSTEM VALUE VALUES (new_order, p_customer);
    INSERT INTO order_items (id, order_id, product_id, quantity) OVERRIDING SYSTEM VALUE
    SELECT line.id, new_order, line.product_id, line.quantity
    FROM unnest(new_items, p_product_ids, p_quantities) AS line (id, product_id, quantity);
    PERFORM announce(new_order, 1, 'order-created', now(), p_destinations, p_traceparent,
                     event_data(p_product_ids, p_quantities));
    RETURN QUERY SELECT true, p_hash, new_order, new_items, now();
END
$$;

CREATE OR REPLACE FUNCTION place_order(
    p_product_ids text[], p_quantities integer[], p_destinations text[], p_traceparent text, p_key text, p_hash bytea
) RETURNS TABLE (made boolean, request_hash bytea, order_id bigint, item_ids bigint[], answered_at timestamptz)
LANGUAGE sql AS $$
    SELECT * FROM place_order(p_product_ids, p_quantities, p_destinations, p_traceparent, p_key, p_hash, 'anonymous')
$$;
