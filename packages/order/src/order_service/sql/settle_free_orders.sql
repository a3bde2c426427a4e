SELECT order_id, held, applied, customer_id, (changed).*
FROM settle_free_orders(%(order_ids)s::bigint[], %(versions)s::bigint[], %(statuses)s::text[], %(reasons)s::text[])
