SELECT order_id, version
FROM save_sagas(
    %(changes)s,
    make_interval(secs => CASE WHEN clock_timestamp() > to_timestamp(%(awaited_until)s) THEN 0 ELSE %(lease_s)s END),
    %(destinations)s::text[]
)
