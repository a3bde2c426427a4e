-- Orders of the last 24 hours that are closed, with all that they left.
INSERT INTO orders (id, status, created_at, updated_at, customer_id) OVERRIDING SYSTEM VALUE
SELECT n, 'CLOSED', at, at + interval '0.2 s', 'customer-' || n %% 20000
FROM generate_series(1, %(orders)s) AS n
CROSS JOIN LATERAL (SELECT now() - interval '24 h' * (1 - n / %(orders)s::float8)) AS time (at);

INSERT INTO order_items (order_id, product_id, quantity)
SELECT n, 'seeded-' || n %% 1000, 1 FROM generate_series(1, %(orders)s) AS n;

INSERT INTO idempotency (key, request_hash, order_id, item_ids, answered_at)
SELECT md5(n::text), decode(md5(n::text), 'hex'), n, ARRAY[n], now() FROM generate_series(1, %(orders)s) AS n;

INSERT INTO outbox_event (
    destination, type, subject, event_key, data, traceparent, occurred_at, created_at, available_at, attempts, sent_at
)
SELECT
    destination, 'order-created', id::text, order_event_key('order-created', id, 1),
    order_event_data('order-created', id, 1, jsonb_build_object(
        'orderItems', jsonb_build_array(jsonb_build_object('productId', 'seeded-' || id %% 1000, 'quantity', 1)),
        'customerId', customer_id
    )),
    '00-' || md5(id::text) || '-' || left(md5(id::text), 16) || '-01',
    created_at, created_at, created_at, 1, created_at
FROM orders
CROSS JOIN unnest(ARRAY['processing-queue', 'notification-queue']) AS destination
ORDER BY id;

SELECT setval(pg_get_serial_sequence('orders', 'id'), %(orders)s);
