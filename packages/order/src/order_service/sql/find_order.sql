SELECT orders.customer_id, whole.id, whole.version, whole.status, whole.failure_reason, whole.created_at, whole.updated_at,
       whole.item_ids, whole.product_ids, whole.quantities
FROM orders
JOIN whole_order AS whole USING (id)
WHERE orders.id = %(order_id)s AND (%(customer_id)s::text IS NULL OR orders.customer_id = %(customer_id)s)
