UPDATE comparison
SET position = %(after)s, lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s)
WHERE position = %(before)s
