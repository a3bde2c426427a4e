SELECT type, version, occurred_at, recorded_at
FROM recorded_event
WHERE order_id = %(order_id)s AND (%(customer_id)s::text IS NULL OR customer_id = %(customer_id)s)
ORDER BY occurred_at, version
