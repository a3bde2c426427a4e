INSERT INTO stock_operation (id, items, outcome, facts, created_at)
SELECT
    n || ':1',
    jsonb_build_object('seeded-' || n %% 1000, 1),
    'taken',
    jsonb_build_array(jsonb_build_object('productId', 'seeded-' || n %% 1000, 'stock', n)),
    now() - interval '24 h' * (1 - n / %(orders)s::float8)
FROM generate_series(1, %(orders)s) AS n;
