-- The ids first, at most %(most)s, from the one index that %(by)s names; of those, the ones that match everything; at
-- last the items of the page alone. At least one row, which tells where the scan stopped: NULL at the end.
--
-- Rows are compared with (value, id) because the order of two columns leaves the planner that one index: with an
-- equality it may read the ids of all orders backwards instead, and pass a million where a customer is rare of late.
WITH placed AS MATERIALIZED (
    -- clocks differ and are set: ten seconds more at both ends, which the exact comparison removes
    SELECT CASE WHEN %(created_from)s IS NULL THEN 0
                ELSE last_order_before(%(created_from)s::timestamptz - interval '10 s') END AS above,
           CASE WHEN %(created_to)s IS NULL THEN 9223372036854775807
                ELSE last_order_before(%(created_to)s::timestamptz + interval '10 s') END AS up_to
), span AS (
    SELECT greatest(low, above + 1) AS low, least(high, up_to) AS high
    FROM placed, unnest(%(lows)s::bigint[], %(highs)s::bigint[]) AS given (low, high)
), scan AS MATERIALIZED (
    SELECT found.id
    FROM span
    CROSS JOIN LATERAL (
        (SELECT id FROM orders
         WHERE %(by)s = 'id' AND id BETWEEN low AND high
         ORDER BY id DESC LIMIT %(most)s)
        UNION ALL
        (SELECT id FROM orders
         WHERE %(by)s = 'status' AND (status, id) BETWEEN (%(status)s, low) AND (%(status)s, high)
         ORDER BY status DESC, id DESC LIMIT %(most)s)
        UNION ALL
        (SELECT id FROM orders
         WHERE %(by)s = 'customer' AND customer_id <> 'anonymous'
            AND (customer_id, id) BETWEEN (%(customer_id)s, low) AND (%(customer_id)s, high)
         ORDER BY customer_id DESC, id DESC LIMIT %(most)s)
        UNION ALL
        (SELECT order_id FROM order_items
         WHERE %(by)s = 'product' AND (product_id, order_id) BETWEEN (%(product_id)s, low) AND (%(product_id)s, high)
         ORDER BY product_id DESC, order_id DESC LIMIT %(most)s)
        UNION ALL
        (SELECT DISTINCT subject::bigint FROM outbox_event
         WHERE %(by)s = 'trace' AND substr(traceparent, 4, 32) = %(trace_id)s AND subject::bigint BETWEEN low AND high
         ORDER BY 1 DESC LIMIT %(most)s)
    ) AS found
    ORDER BY found.id DESC
    LIMIT %(most)s
), page AS MATERIALIZED (
    SELECT matching.*
    FROM scan
    -- one lookup for each: a join might read the whole table
    CROSS JOIN LATERAL (SELECT id, status, customer_id, created_at FROM orders WHERE id = scan.id LIMIT 1) AS matching
    WHERE (%(status)s::text IS NULL OR status = %(status)s)
        AND (%(customer_id)s::text IS NULL OR customer_id = %(customer_id)s)
        AND (%(created_from)s IS NULL OR created_at >= %(created_from)s::timestamptz)
        AND (%(created_to)s IS NULL OR created_at < %(created_to)s::timestamptz)
        AND (%(product_id)s::text IS NULL OR EXISTS (
            SELECT FROM order_items WHERE order_id = matching.id AND product_id = %(product_id)s))
    ORDER BY id DESC
    LIMIT %(limit)s
)
SELECT stop.id, page.customer_id, whole.id, whole.version, whole.status, whole.failure_reason, whole.created_at,
       whole.updated_at, whole.item_ids, whole.product_ids, whole.quantities
FROM (SELECT CASE WHEN count(*) = %(most)s THEN min(id) END AS id FROM scan) AS stop
LEFT JOIN (page JOIN whole_order AS whole USING (id)) ON true
ORDER BY whole.id DESC
