SELECT made, request_hash, order_id, item_ids, answered_at
FROM place_order(%(product_ids)s::text[], %(quantities)s::integer[], %(destinations)s::text[], %(traceparent)s,
                 %(key)s, %(request_hash)s, %(customer_id)s)
