-- As in 0003, with the columns named: a function that returns rows of the table fails once in each engine that waits in it
-- while the table gets a column.
DROP FUNCTION claim_sagas;

CREATE FUNCTION claim_sagas(p_limit integer, p_lease interval)
RETURNS TABLE (
    order_id bigint, version integer, items jsonb, traceparent text, state text, reason text, attempts integer,
    failures integer, last_error text, restarts integer, fence integer, customer_id text, started_at timestamptz
) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
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
    RETURNING
        saga.order_id, saga.version, saga.items, saga.traceparent, saga.state, saga.reason, saga.attempts,
        saga.failures, saga.last_error, saga.restarts, saga.fence, saga.customer_id, saga.started_at;
END
$$;
