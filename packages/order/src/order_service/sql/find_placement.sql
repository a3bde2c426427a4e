SELECT false, request_hash, order_id, item_ids, answered_at
FROM idempotency
WHERE key = %s
