-- The second half of the W3C trace context. No row is rewritten; the lock is held for a moment, and given up when others
-- hold the table for longer than the migration waits. Replicas of the former version, which pass none, go on calling the
-- functions.
ALTER TABLE saga ADD COLUMN tracestate text;

-- As in 0005, with the tracestate.
CREATE OR REPLACE FUNCTION start_sagas(p_sagas jsonb, p_lease interval)
RETURNS TABLE (order_id bigint, version integer, fence integer, restarts integer) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    stored integer;
BEGIN
    RETURN QUERY
    WITH new AS MATERIALIZED (
        SELECT given.*, given.claimed AND NOT EXISTS (
            SELECT FROM saga AS older
            WHERE older.order_id = given.order_id AND older.version < given.version AND NOT ended(older.state)
        ) AS granted
        FROM jsonb_to_recordset(p_sagas) AS given (
            order_id bigint, version integer, customer_id text, items jsonb, traceparent text,
            tracestate text, claimed boolean
        )
        ORDER BY given.order_id, given.version
    )
    INSERT INTO saga (order_id, version, customer_id, items, traceparent, tracestate, fence, lease_until)
    SELECT
        order_id,
        version,
        coalesce(customer_id, 'anonymous'),
        items,
        traceparent,
        tracestate,
        granted::integer,
        CASE WHEN granted THEN now() + p_lease END
    FROM new
    ON CONFLICT ON CONSTRAINT saga_pkey DO NOTHING
    RETURNING saga.order_id, saga.version, saga.fence, saga.restarts;
    GET DIAGNOSTICS stored = ROW_COUNT;

    IF stored < jsonb_array_length(p_sagas) THEN
        RETURN QUERY
        WITH again AS MATERIALIZED (
            SELECT saga.order_id, saga.version, bool_or(given.claimed) AND NOT EXISTS (
                SELECT FROM saga AS older
                WHERE older.order_id = saga.order_id AND older.version < saga.version AND NOT ended(older.state)
            ) AS granted
            FROM jsonb_to_recordset(p_sagas) AS given (order_id bigint, version integer, claimed boolean)
            JOIN saga ON saga.order_id = given.order_id AND saga.version = given.version
            WHERE saga.state = 'RELEASED'
                AND NOT EXISTS (
                    SELECT FROM saga AS newer WHERE newer.order_id = saga.order_id AND newer.version > saga.version
                )
            GROUP BY saga.order_id, saga.version
            ORDER BY saga.order_id, saga.version
        )
        UPDATE saga
        SET state = 'STARTED',
            restarts = saga.restarts + 1,
            reason = NULL,
            attempts = 0,
            failures = 0,
            last_error = NULL,
            next_run_at = now(),
            lease_until = CASE WHEN granted THEN now() + p_lease END,
            fence = saga.fence + 1,
            started_at = now(),
            entered = jsonb_build_object('STARTED', now())
        FROM again
        WHERE saga.order_id = again.order_id AND saga.version = again.version AND saga.state = 'RELEASED'
        RETURNING saga.order_id, saga.version, CASE WHEN granted THEN saga.fence ELSE 0 END, saga.restarts;
    END IF;
END
$$;

-- As in 0005; the event has the tracestate.
CREATE OR REPLACE FUNCTION save_sagas(p_changes jsonb, p_lease interval, p_destination text)
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
            entered = saga.entered || change.entered
        FROM jsonb_to_recordset(p_changes) AS change (
            order_id bigint, version integer, fence integer, state text, reason text, attempts integer,
            failures integer, last_error text, delay_s float8, ended boolean, event text, entered jsonb
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
            p_destination,
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
        WHERE event IS NOT NULL
        ON CONFLICT ON CONSTRAINT outbox_event_fact DO NOTHING
    )
    SELECT order_id, version FROM written;
END
$$;
