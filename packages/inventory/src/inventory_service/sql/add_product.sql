INSERT INTO inventory (product_id, stock, version)
SELECT
    %(product_id)s,
    %(stock)s,
    coalesce((SELECT version FROM removed_product WHERE product_id = %(product_id)s), 0) + 1
ON CONFLICT (product_id) DO NOTHING
RETURNING product_id, stock, version, last_update
