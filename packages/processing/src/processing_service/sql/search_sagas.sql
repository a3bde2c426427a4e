SELECT
    order_id,
    version,
    state,
    attempts,
    last_error,
    reason,
    next_run_at,
    next_run_at IS NOT NULL AND started_at < now() - make_interval(secs => %(late_after_s)s),
    entered,
    customer_id,
    CASE WHEN %(order_id)s::bigint IS NOT NULL THEN coalesce(failed_attempts, '[]') END
FROM saga
WHERE (%(order_id)s::bigint IS NULL OR order_id = %(order_id)s)
    AND (%(customer_id)s::text IS NULL OR customer_id = %(customer_id)s)
    AND (%(state)s::text IS NULL OR state = %(state)s)
    AND (%(open)s::boolean IS NULL OR (next_run_at IS NOT NULL) = %(open)s)
    AND (
        %(late)s::boolean IS NULL
        OR (next_run_at IS NOT NULL AND started_at < now() - make_interval(secs => %(late_after_s)s)) = %(late)s
    )
ORDER BY order_id DESC, version DESC
LIMIT %(limit)s
