-- Looks at the oldest orders only: the table is never scanned, and needs no index of the end.
WITH oldest AS MATERIALIZED (
    SELECT DISTINCT order_id
    FROM (SELECT order_id FROM saga ORDER BY order_id, version LIMIT %(limit)s) AS first
)
SELECT saga.order_id, saga.version, saga.restarts
FROM oldest
JOIN saga USING (order_id)
WHERE NOT EXISTS (
    SELECT FROM saga AS kept
    WHERE kept.order_id = oldest.order_id
        AND (kept.next_run_at IS NOT NULL
            OR coalesce((kept.entered ->> kept.state)::timestamptz, kept.started_at)
                >= now() - make_interval(secs => %(age_s)s))
)
