WITH moot AS (
    DELETE FROM disconnection WHERE requested_at < clock_timestamp() - make_interval(secs => %(keep_s)s)
)
DELETE FROM ticket WHERE expires_at <= clock_timestamp()
