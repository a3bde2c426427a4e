-- At least one row, so that the state of the feed is of the same snapshot.
SELECT f.epoch, f.floor, f.head,
       n.seq, n.type, n.order_id, n.version, n.occurred_at, n.trace_id, n.reason, n.written_at
FROM feed AS f
LEFT JOIN LATERAL (
    SELECT * FROM notification
    WHERE seq > greatest(%(after)s::bigint, f.floor) AND seq <= coalesce(%(up_to)s::bigint, f.head)
        AND (%(orders)s::bigint[] IS NULL OR order_id = ANY (%(orders)s::bigint[]))
    ORDER BY seq
    LIMIT %(limit)s
) AS n ON true
ORDER BY n.seq
