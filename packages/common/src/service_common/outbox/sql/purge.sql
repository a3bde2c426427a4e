-- Looks at the oldest rows only: the table is never scanned, and needs no index on sent_at.
WITH oldest AS MATERIALIZED (
    SELECT id, sent_at
    FROM outbox_event
    ORDER BY id
    LIMIT %(limit)s
)
DELETE FROM outbox_event
USING oldest
WHERE outbox_event.id = oldest.id
  AND oldest.sent_at < now() - make_interval(secs => %(retention_s)s)
  AND outbox_event.sent_at < now() - make_interval(secs => %(retention_s)s)
