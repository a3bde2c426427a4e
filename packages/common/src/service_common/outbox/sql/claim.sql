-- This commit does not wait for the disk: events whose claim or mark is lost when the server crashes are sent again.
-- claim_outbox_events has the columns of the former version, whose relays may run beside this one.
SELECT id, destination, type, subject, event_key, data, traceparent, occurred_at,
       (SELECT tracestate FROM outbox_event WHERE outbox_event.id = claimed.id)
FROM set_config('synchronous_commit', 'off', true)
CROSS JOIN claim_outbox_events(
    %(sent)s::bigint[], %(excluded)s::text[], %(limit)s,
    make_interval(secs => CASE WHEN clock_timestamp() > to_timestamp(%(awaited_until)s) THEN 0 ELSE %(lease_s)s END)
) AS claimed
