WITH first AS (
    INSERT INTO seeding (name) VALUES (%(name)s)
    ON CONFLICT (name) DO NOTHING
    RETURNING name
)
INSERT INTO inventory (product_id, stock)
SELECT product.id, product.stock
FROM first, unnest(%(product_ids)s::text[], %(stocks)s::bigint[]) AS product (id, stock)
ON CONFLICT (product_id) DO NOTHING
