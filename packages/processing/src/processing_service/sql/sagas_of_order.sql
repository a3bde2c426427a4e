SELECT
    order_id,
    version,
    state,
    attempts,
    last_error,
    reason,
    next_run_at,
    next_run_at IS NOT NULL AND started_at < now() - make_interval(secs => %(late_after_s)s),
    entered
FROM saga
WHERE order_id = %(order_id)s
ORDER BY version
