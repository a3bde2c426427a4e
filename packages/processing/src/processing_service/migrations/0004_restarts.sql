-- A saga that was withdrawn is started again when its order is announced again: reconciliation announces what is still
-- CREATED in that version, so the answer that withdrew it was wrong.
--
-- restarts: part of the operation id, because the release of an attempt refuses its decrement for good.
ALTER TABLE saga ADD COLUMN restarts integer NOT NULL DEFAULT 0;

DROP FUNCTION start_sagas;

-- Stores those that are new and restarts those that were withdrawn, leased to the caller where it asks for that. A
-- version does not run before the older versions of its order have ended: what they give back is there for it then. Nor
-- is one restarted that a newer version has replaced.
CREATE FUNCTION start_sagas(p_sagas jsonb, p_lease interval)
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
            order_id bigint, version integer, items jsonb, traceparent text, claimed boolean
        )
        ORDER BY given.order_id, given.version
    )
    INSERT INTO saga (order_id, version, items, traceparent, fence, lease_until)
    SELECT order_id, version, items, traceparent, granted::integer, CASE WHEN granted THEN now() + p_lease END
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
