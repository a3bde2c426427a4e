-- The oldest tickets of the subject go when it has too many.
WITH excess AS (
    DELETE FROM ticket
    WHERE digest IN (
        SELECT digest FROM ticket
        WHERE subject = %(subject)s
        ORDER BY expires_at DESC
        OFFSET %(others)s
        FOR UPDATE SKIP LOCKED
    )
)
INSERT INTO ticket (digest, subject, kind, roles, token_expires_at, expires_at)
VALUES (
    %(digest)s, %(subject)s, %(kind)s, %(roles)s::text[], %(token_expires_at)s,
    clock_timestamp()
        + make_interval(secs => least(%(valid_s)s, %(token_expires_at)s - extract(epoch FROM clock_timestamp())))
)
RETURNING expires_at
