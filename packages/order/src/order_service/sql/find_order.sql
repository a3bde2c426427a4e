SELECT id, version, status, failure_reason, created_at, updated_at, item_ids, product_ids, quantities
FROM whole_order
WHERE id = %s
