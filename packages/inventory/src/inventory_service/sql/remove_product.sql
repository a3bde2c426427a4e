-- One row: the id of the removed product, or null when it has another version; no row when it does not exist.
WITH removal AS (
    DELETE FROM inventory
    WHERE product_id = %(product_id)s AND version = coalesce(%(version)s, version)
    RETURNING product_id, version
),
record AS (
    INSERT INTO removed_product (product_id, version)
    SELECT product_id, version FROM removal
    ON CONFLICT (product_id) DO UPDATE SET version = excluded.version
)
SELECT removal.product_id
FROM inventory
LEFT JOIN removal ON true
WHERE inventory.product_id = %(product_id)s
