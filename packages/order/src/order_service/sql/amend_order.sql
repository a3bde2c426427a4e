SELECT amended.applied, orders.customer_id, (amended.changed).*
FROM orders
CROSS JOIN LATERAL amend_order(
    orders.id, %(expected_version)s, %(product_ids)s::text[], %(quantities)s::integer[], %(destinations)s::text[],
    %(traceparent)s
) AS amended
WHERE orders.id = %(order_id)s AND (%(customer_id)s::text IS NULL OR orders.customer_id = %(customer_id)s)
