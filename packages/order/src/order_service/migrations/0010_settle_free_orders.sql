-- As settle_order, for several different orders at once, those alone that no other transaction holds. One row for each order
-- that there is: whether it was free, whether this call changed it, and the order as it then is.
CREATE FUNCTION settle_free_orders(p_orders bigint[], p_versions bigint[], p_statuses text[], p_reasons text[])
RETURNS TABLE (order_id bigint, held boolean, applied boolean, customer_id text, changed whole_order)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    free bigint[] := ARRAY(SELECT id FROM orders WHERE id = ANY (p_orders) ORDER BY id FOR UPDATE SKIP LOCKED);
    settled bigint[];
BEGIN
    WITH change AS (
        UPDATE orders SET status = r.status, failure_reason = r.reason, updated_at = now()
        FROM unnest(p_orders, p_versions, p_statuses, p_reasons) AS r (id, version, status, reason)
        WHERE orders.id = r.id AND orders.id = ANY (free) AND orders.status = 'CREATED' AND orders.version = r.version
        RETURNING orders.id
    )
    SELECT coalesce(array_agg(id), '{}') INTO settled FROM change;

    RETURN QUERY
    SELECT o.id, o.id = ANY (free), o.id = ANY (settled), o.customer_id, whole
    FROM orders AS o
    JOIN whole_order AS whole ON whole.id = o.id
    WHERE o.id = ANY (p_orders);
END
$$;

-- Replicas of the former version call this one too.
CREATE OR REPLACE FUNCTION settle_order(p_order bigint, p_version bigint, p_status text, p_reason text)
RETURNS TABLE (applied boolean, changed whole_order)
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM FROM orders WHERE id = p_order FOR UPDATE;
    RETURN QUERY
    SELECT settled.applied, settled.changed
    FROM settle_free_orders(ARRAY[p_order], ARRAY[p_version], ARRAY[p_status], ARRAY[p_reason]) AS settled;
END
$$;
