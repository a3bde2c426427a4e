-- Notes what the queues took since the last claim, and takes what is due: one round trip for both.
-- Materialized: inlined under a nested loop, the LIMIT could be taken more than once.
WITH taken AS (
    UPDATE outbox
    SET sent_at = now()
    WHERE id = ANY (%(sent)s::bigint[])
      AND sent_at IS NULL
), due AS MATERIALIZED (
    SELECT id
    FROM outbox
    WHERE sent_at IS NULL
      AND available_at <= now()
      AND destination <> ALL (%(excluded)s::text[])
      AND id <> ALL (%(sent)s::bigint[])
    ORDER BY available_at, id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
UPDATE outbox
SET available_at = now() + make_interval(secs => %(lease_s)s),
    attempts = attempts + 1
FROM due
WHERE outbox.id = due.id
RETURNING outbox.id, destination, type, order_id, version, occurred_at, traceparent, data
