SELECT order_id, array_agg(type), array_agg(version)
FROM notification
WHERE order_id = ANY (%s::bigint[])
GROUP BY order_id
