SELECT id, destination, type, order_id, version, occurred_at, traceparent, data
FROM claim_outbox(%(sent)s::bigint[], %(excluded)s::text[], %(limit)s, make_interval(secs => %(lease_s)s))
