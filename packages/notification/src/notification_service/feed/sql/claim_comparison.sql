UPDATE comparison
SET lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s)
WHERE lease_until <= clock_timestamp()
RETURNING position
