UPDATE notification
SET customer_id = named.customer_id
FROM unnest(%(orders)s::bigint[], %(customers)s::text[]) AS named (order_id, customer_id)
WHERE notification.order_id = named.order_id AND notification.customer_id = 'anonymous'
