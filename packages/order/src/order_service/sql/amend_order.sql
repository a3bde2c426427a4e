SELECT applied, (changed).*
FROM amend_order(%(order_id)s, %(expected_version)s, %(product_ids)s::text[], %(quantities)s::integer[],
                 %(destinations)s::text[], %(traceparent)s)
