WITH due AS (
    SELECT order_id, version
    FROM saga
    WHERE next_run_at <= now()
        AND (lease_until IS NULL OR lease_until <= now())
        AND NOT EXISTS (
            SELECT FROM saga AS older
            WHERE older.order_id = saga.order_id AND older.version < saga.version AND older.next_run_at IS NOT NULL
        )
    ORDER BY next_run_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
UPDATE saga
SET fence = saga.fence + 1, lease_until = now() + make_interval(secs => %(lease_s)s)
FROM due
WHERE saga.order_id = due.order_id AND saga.version = due.version
RETURNING
    saga.order_id,
    saga.version,
    saga.items,
    saga.traceparent,
    saga.state,
    saga.reason,
    saga.attempts,
    saga.failures,
    saga.last_error,
    saga.fence,
    extract(epoch FROM now() - saga.started_at)::float8
