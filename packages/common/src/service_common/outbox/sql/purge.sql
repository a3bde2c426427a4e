-- Looks at the oldest rows only: the table is never scanned, and needs no index on sent_at.
WITH oldest AS MATERIALIZED (
    SELECT id, sent_at
    FROM outbox
    ORDER BY id
    LIMIT %(limit)s
)
DELETE FROM outbox
USING oldest
WHERE outbox.id = oldest.id
  AND oldest.sent_at < now() - make_interval(secs => %(retention_s)s)
  AND outbox.sent_at < now() - make_interval(secs => %(retention_s)s)
