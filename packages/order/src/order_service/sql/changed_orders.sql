SELECT id, version, status, created_at, updated_at, failure_reason, customer_id
FROM orders
WHERE (updated_at, id) > (%(at)s, %(id)s) AND updated_at < %(before)s
ORDER BY updated_at, id
LIMIT %(limit)s
