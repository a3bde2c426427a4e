-- claim_sagas has the columns of the former version, whose engines may run beside this one.
SELECT order_id, version, items, traceparent, state, reason, attempts, failures, last_error, restarts, fence, customer_id,
       (SELECT saga.tracestate FROM saga WHERE (saga.order_id, saga.version) = (claimed.order_id, claimed.version)),
       extract(epoch FROM now() - started_at)::float8
FROM claim_sagas(
    %(limit)s,
    make_interval(secs => CASE WHEN clock_timestamp() > to_timestamp(%(awaited_until)s) THEN 0 ELSE %(lease_s)s END)
) AS claimed
