SELECT
    state,
    count(*),
    count(*) FILTER (WHERE started_at < now() - make_interval(secs => %(late_after_s)s))
FROM saga
WHERE next_run_at IS NOT NULL
GROUP BY state
