-- One row: the changed product, or nulls when it has another version; no row when it does not exist.
WITH change AS (
    UPDATE inventory
    SET stock = %(stock)s, version = version + 1, last_update = clock_timestamp()
    WHERE product_id = %(product_id)s AND version = coalesce(%(version)s, version)
    RETURNING product_id, stock, version, last_update
)
SELECT change.product_id, change.stock, change.version, change.last_update
FROM inventory
LEFT JOIN change ON true
WHERE inventory.product_id = %(product_id)s
