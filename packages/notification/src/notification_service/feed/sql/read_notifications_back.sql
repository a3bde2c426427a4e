-- As read_notifications, the newest first: those before a position, NULL for the head. Everything down to read.first
-- is read.
SELECT f.epoch, f.floor, f.head, read.first,
       n.seq, n.type, n.order_id, n.version, n.occurred_at, n.trace_id, n.reason, n.written_at,
       n.customer_id, n.traceparent
FROM feed AS f
CROSS JOIN LATERAL (SELECT least(%(before)s::bigint, f.head + 1) AS before) AS wanted
CROSS JOIN LATERAL (
    SELECT greatest(f.floor + 1, wanted.before - %(most)s::bigint) AS first
) AS read
LEFT JOIN LATERAL (
    SELECT * FROM notification
    WHERE seq >= read.first AND seq < wanted.before
        AND (%(orders)s::bigint[] IS NULL OR order_id = ANY (%(orders)s::bigint[]))
        AND (%(customer_id)s::text IS NULL OR customer_id = %(customer_id)s)
        AND (%(types)s::text[] IS NULL OR type = ANY (%(types)s::text[]))
    ORDER BY seq DESC
    LIMIT %(limit)s
) AS n ON true
ORDER BY n.seq DESC
