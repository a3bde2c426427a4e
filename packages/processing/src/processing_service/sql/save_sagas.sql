-- Writes only where the fence is still the caller's. An end that is to be told goes into the outbox with it.
-- The limit tells the planner how few there are: for a few it takes the index, for its guess of a hundred the table.
WITH change AS NOT MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(changes)s) AS change (
        order_id bigint, version integer, fence integer, state text, reason text, attempts integer, failures integer,
        last_error text, delay_s float8, ended boolean, event text, entered jsonb
    )
    LIMIT %(count)s
),
written AS (
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
        lease_until = CASE
            WHEN NOT change.ended AND change.delay_s IS NULL THEN now() + make_interval(secs => %(lease_s)s)
        END,
        entered = saga.entered || change.entered
    FROM change
    WHERE saga.order_id = change.order_id
        AND saga.version = change.version
        AND saga.fence = change.fence
        AND saga.next_run_at IS NOT NULL
    RETURNING saga.order_id, saga.version, saga.reason, saga.traceparent, change.event
),
told AS (
    INSERT INTO outbox (destination, type, order_id, version, traceparent, data)
    SELECT
        %(destination)s,
        event,
        order_id,
        version,
        traceparent,
        CASE WHEN event = 'order-failed' THEN jsonb_build_object('reason', reason) ELSE '{}' END
    FROM written
    WHERE event IS NOT NULL
    ON CONFLICT ON CONSTRAINT outbox_event_once DO NOTHING
)
SELECT order_id, version FROM written
