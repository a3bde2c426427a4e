-- At least one row, so that the state of the feed is of the same snapshot. Everything is read up to read.last.
SELECT f.epoch, f.floor, f.head, read.last,
       n.seq, n.type, n.order_id, n.version, n.occurred_at, n.trace_id, n.reason, n.written_at,
       n.customer_id, n.traceparent
FROM feed AS f
CROSS JOIN LATERAL (
    SELECT least(%(up_to)s::bigint, f.head, greatest(%(after)s::bigint, f.floor) + %(most)s::bigint) AS last
) AS read
LEFT JOIN LATERAL (
    SELECT * FROM notification
    WHERE seq > greatest(%(after)s::bigint, f.floor) AND seq <= read.last
        AND (%(orders)s::bigint[] IS NULL OR order_id = ANY (%(orders)s::bigint[]))
        AND (%(customer_id)s::text IS NULL OR customer_id = %(customer_id)s)
        AND (%(types)s::text[] IS NULL OR type = ANY (%(types)s::text[]))
    ORDER BY seq
    LIMIT %(limit)s
) AS n ON true
ORDER BY n.seq
