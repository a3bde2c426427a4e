SELECT
    state,
    count(*),
    count(*) FILTER (WHERE started_at < now() - make_interval(secs => %(late_after_s)s)),
    extract(epoch FROM now() - min(started_at))::float8
FROM saga
WHERE next_run_at IS NOT NULL
GROUP BY state
