-- What the engine asks for all day, each in one call that is its own transaction. Functions, because their plans are
-- kept: planning these anew each time cost more than running them. The settings see to it that what is kept finds its
-- rows by key: planned while the table is small, it would read the whole of it, and go on so while the table grows.
--
-- Replaces 0002, which wrote to the table outbox. Replicas of the former version call these functions.

-- Asked of the state: asked of next_run_at, the planner would read the index of all open sagas, again for each of them.
CREATE OR REPLACE FUNCTION ended(p_state text) RETURNS boolean LANGUAGE sql IMMUTABLE
RETURN p_state IN ('DONE', 'FAILED', 'RELEASED');

-- Stores those that are new, leased to the caller where it asks for that. A version does not run before the older
-- versions of its order have ended: what they give back is there for it then.
CREATE OR REPLACE FUNCTION start_sagas(p_sagas jsonb, p_lease interval)
RETURNS TABLE (order_id bigint, version integer, fence integer) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH new AS MATERIALIZED (
        SELECT given.*, given.claimed AND NOT EXISTS (
            SELECT FROM saga AS older
            WHERE older.order_id = given.order_id AND older.version < given.version AND NOT ended(older.state)
        ) AS granted
        FROM jsonb_to_recordset(p_sagas) AS given (
            order_id bigint, version integer, items jsonb, traceparent text, claimed boolean
        )
        ORDER BY given.order_id, given.version
    )
    INSERT INTO saga (order_id, version, items, traceparent, fence, lease_until)
    SELECT order_id, version, items, traceparent, granted::integer, CASE WHEN granted THEN now() + p_lease END
    FROM new
    ON CONFLICT ON CONSTRAINT saga_pkey DO NOTHING
    RETURNING saga.order_id, saga.version, saga.fence;
END
$$;

-- Leases what is due to the caller.
CREATE OR REPLACE FUNCTION claim_sagas(p_limit integer, p_lease interval) RETURNS SETOF saga LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
    RETURN QUERY
    WITH due AS MATERIALIZED (
        SELECT order_id, version
        FROM saga
        WHERE next_run_at <= now()
            AND (lease_until IS NULL OR lease_until <= now())
            AND NOT EXISTS (
                SELECT FROM saga AS older
                WHERE older.order_id = saga.order_id AND older.version < saga.version AND NOT ended(older.state)
            )
        ORDER BY next_run_at
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED
    )
    UPDATE saga
    SET fence = fence + 1, lease_until = now() + p_lease
    FROM due
    WHERE saga.order_id = due.order_id AND saga.version = due.version
    RETURNING saga.*;
END
$$;

-- Writes only where the fence is still the caller's, and returns what was written. An end that is to be told goes into
-- the outbox with it.
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
        RETURNING saga.order_id, saga.version, saga.reason, saga.traceparent, change.event
    ),
    told AS (
        INSERT INTO outbox_event (destination, type, subject, event_key, data, traceparent)
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
            ),
            traceparent
        FROM written
        WHERE event IS NOT NULL
        ON CONFLICT ON CONSTRAINT outbox_event_fact DO NOTHING
    )
    SELECT order_id, version FROM written;
END
$$;
