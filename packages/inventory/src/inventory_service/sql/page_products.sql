SELECT product_id, stock, version, last_update
FROM inventory
WHERE product_id > %(after)s
ORDER BY product_id
LIMIT %(limit)s
