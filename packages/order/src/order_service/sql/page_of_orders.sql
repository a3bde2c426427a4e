-- Select the ids first, so that only the items of this page are aggregated.
WITH page AS MATERIALIZED (
    SELECT id, customer_id
    FROM orders
    WHERE (%(status)s::text IS NULL OR status = %(status)s)
      AND (%(after)s::bigint IS NULL OR id < %(after)s)
      AND (%(customer_id)s::text IS NULL OR customer_id = %(customer_id)s)
    ORDER BY id DESC
    LIMIT %(limit)s
)
SELECT page.customer_id, id, version, status, failure_reason, created_at, updated_at, item_ids, product_ids, quantities
FROM page
JOIN whole_order USING (id)
ORDER BY id DESC
