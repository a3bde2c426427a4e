SELECT product_id, name, description, price_minor, currency, picture
FROM inventory
JOIN product_description USING (product_id)
WHERE product_id > %(after)s
ORDER BY product_id
LIMIT %(limit)s
