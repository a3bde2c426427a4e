-- The newest twenty attempts of the steps of a saga whose outcome is unknown, the oldest first; null without one. Replicas
-- of the former version go on calling the functions: of the attempts that they make, only the count is kept.
--
-- failed_attempts: [{"at", "seconds", "step", "kind", "error"}].
ALTER TABLE saga ADD COLUMN failed_attempts jsonb;

-- As in 0009, with the attempt after which a saga waits.
CREATE OR REPLACE FUNCTION save_sagas(p_changes jsonb, p_lease interval, p_destinations text[])
RETURNS TABLE (order_id bigint, version integer) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH written AS (
        UPDATE saga
        SET state = change.state,
            reason = change.reason,
            attempts = change.attempts,
            failures = change.failures,
            last_error = change.last_error,
            next_run_at = CASE
                WHEN change.ended THEN NULL
                WHEN change.delay_s IS NULL THEN saga.next_run_at
                ELSE now() + make_interval(secs => change.delay_s)
            END,
            lease_until = CASE WHEN NOT change.ended AND change.delay_s IS NULL THEN now() + p_lease END,
            entered = saga.entered || change.entered,
            failed_attempts = CASE
                WHEN change.failed_attempt IS NULL THEN saga.failed_attempts
                WHEN jsonb_array_length(saga.failed_attempts) >= 20 THEN saga.failed_attempts - 0 || change.failed_attempt
                ELSE coalesce(saga.failed_attempts, '[]') || change.failed_attempt
            END
        FROM jsonb_to_recordset(p_changes) AS change (
            order_id bigint, version integer, fence integer, state text, reason text, attempts integer,
            failures integer, last_error text, delay_s float8, ended boolean, event text, entered jsonb,
            failed_attempt jsonb
        )
        WHERE saga.order_id = change.order_id
            AND saga.version = change.version
            AND saga.fence = change.fence
            AND NOT ended(saga.state)
        RETURNING saga.order_id, saga.version, saga.customer_id, saga.reason, saga.traceparent, saga.tracestate,
            change.event
    ),
    told AS (
        INSERT INTO outbox_event (destination, type, subject, event_key, data, traceparent, tracestate)
        SELECT
            destination,
            event,
            order_id::text,
            order_event_key(event, order_id, version),
            order_event_data(
                event,
                order_id,
                version,
                CASE WHEN event = 'order-failed' THEN jsonb_build_object('reason', reason) ELSE '{}' END
                    || jsonb_build_object('customerId', customer_id)
            ),
            traceparent,
            tracestate
        FROM written
        CROSS JOIN unnest(p_destinations) AS destination
        WHERE event IS NOT NULL
        ON CONFLICT ON CONSTRAINT outbox_event_fact DO NOTHING
    )
    SELECT order_id, version FROM written;
END
$$;
