INSERT INTO product_description (product_id, name, description, price_minor, currency, picture)
SELECT * FROM unnest(%(product_ids)s::text[], %(names)s::text[], %(descriptions)s::text[], %(prices)s::integer[],
                     %(currencies)s::text[], %(pictures)s::text[])
ON CONFLICT (product_id) DO NOTHING
