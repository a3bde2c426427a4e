SELECT applied, (changed).*
FROM cancel_order(%(order_id)s, %(expected_version)s, %(destinations)s::text[], %(traceparent)s)
