DELETE FROM ticket
WHERE digest = %(digest)s
RETURNING subject, kind, roles, token_expires_at, expires_at > clock_timestamp()
