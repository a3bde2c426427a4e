SELECT cancelled.applied, orders.customer_id, (cancelled.changed).*
FROM orders
CROSS JOIN LATERAL cancel_order(
    orders.id, %(expected_version)s, %(destinations)s::text[], %(traceparent)s
) AS cancelled
WHERE orders.id = %(order_id)s AND (%(customer_id)s::text IS NULL OR orders.customer_id = %(customer_id)s)
