SELECT applied, (changed).*
FROM settle_order(%(order_id)s, %(version)s, %(status)s, %(reason)s)
