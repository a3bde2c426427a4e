SELECT id, destination, type, subject, event_key, data, traceparent, occurred_at
FROM claim_outbox_events(%(sent)s::bigint[], %(excluded)s::text[], %(limit)s, make_interval(secs => %(lease_s)s))
