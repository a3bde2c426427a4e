INSERT INTO recorded_event (order_id, version, type, customer_id, occurred_at)
VALUES (%(order_id)s, %(version)s, %(type)s, %(customer_id)s, %(occurred_at)s)
ON CONFLICT DO NOTHING
RETURNING order_id
