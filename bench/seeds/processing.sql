INSERT INTO saga (
    order_id, version, state, items, traceparent, attempts, next_run_at, fence, started_at, entered, customer_id
)
SELECT
    n, 1, 'DONE', jsonb_build_array(jsonb_build_object('productId', 'seeded-' || n %% 1000, 'quantity', 1)),
    '00-' || md5(n::text) || '-' || left(md5(n::text), 16) || '-01', 2, NULL, 1, at,
    jsonb_build_object('STARTED', at, 'STOCK_TAKEN', at, 'DONE', at), 'customer-' || n %% 20000
FROM generate_series(1, %(orders)s) AS n
CROSS JOIN LATERAL (SELECT now() - interval '24 h' * (1 - n / %(orders)s::float8)) AS time (at);

INSERT INTO outbox_event (
    destination, type, subject, event_key, data, traceparent, occurred_at, created_at, available_at, attempts, sent_at
)
SELECT
    'notification-queue', 'order-processed', order_id::text, order_event_key('order-processed', order_id, 1),
    order_event_data('order-processed', order_id, 1, jsonb_build_object('customerId', customer_id)),
    traceparent, started_at, started_at, started_at, 1, started_at
FROM saga
ORDER BY order_id;
