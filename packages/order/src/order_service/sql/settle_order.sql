SELECT settled.applied, orders.customer_id, (settled.changed).*
FROM orders
CROSS JOIN LATERAL settle_order(orders.id, %(version)s, %(status)s, %(reason)s) AS settled
WHERE orders.id = %(order_id)s
