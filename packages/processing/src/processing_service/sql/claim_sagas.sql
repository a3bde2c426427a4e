SELECT order_id, version, items, traceparent, state, reason, attempts, failures, last_error, restarts, fence, customer_id,
       extract(epoch FROM now() - started_at)::float8
FROM claim_sagas(%(limit)s, make_interval(secs => %(lease_s)s))
