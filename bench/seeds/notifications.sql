INSERT INTO notification (
    seq, order_id, slot, type, version, occurred_at, trace_id, written_at, customer_id, traceparent
)
SELECT
    2 * n + slot, n, slot, CASE slot WHEN 0 THEN 'order-created' ELSE 'order-processed' END, 1, at, md5(n::text), at,
    'customer-' || n %% 20000, '00-' || md5(n::text) || '-' || left(md5(n::text), 16) || '-01'
FROM generate_series(1, %(orders)s) AS n
CROSS JOIN LATERAL (SELECT now() - interval '24 h' * (1 - n / %(orders)s::float8)) AS time (at)
CROSS JOIN unnest(ARRAY[-1, 0]) AS slot
ORDER BY 1;

UPDATE feed SET head = 2 * %(orders)s;
