SELECT product_id, stock, version, last_update
FROM inventory
WHERE product_id = ANY (%(product_ids)s)
ORDER BY product_id
