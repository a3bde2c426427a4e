-- Orders that are still CREATED and were last heard of too long ago, announced to the processing queue again. The row
-- of the outbox is sent once more (the event keeps its id); one that the housekeeping deleted is written anew.
-- What DO UPDATE asks for is asked of the row as it is now: of two replicas one is late, and changes nothing.
WITH late AS (
    SELECT o.id, o.version, o.updated_at, event.type, event.key
    FROM orders AS o
    CROSS JOIN LATERAL (SELECT CASE o.version WHEN 1 THEN 'order-created' ELSE 'order-updated' END) AS named (type)
    CROSS JOIN LATERAL (SELECT named.type, order_event_key(named.type, o.id, o.version)) AS event (type, key)
    LEFT JOIN outbox_event AS sent ON sent.event_key = event.key AND sent.destination = %(destination)s
    WHERE o.status = 'CREATED'
      AND o.updated_at < now() - make_interval(secs => %(after_s)s)
      AND (sent.id IS NULL OR sent.sent_at < now() - make_interval(secs => %(after_s)s))
    ORDER BY o.id
    LIMIT %(limit)s
    FOR UPDATE OF o SKIP LOCKED
)
INSERT INTO outbox_event (destination, type, subject, event_key, data, occurred_at)
SELECT %(destination)s, late.type, late.id::text, late.key,
       order_event_data(late.type, late.id, late.version, event_data(whole.product_ids, whole.quantities)),
       late.updated_at
FROM late
JOIN whole_order AS whole ON whole.id = late.id
ON CONFLICT (event_key, destination) DO UPDATE
    SET sent_at = NULL, available_at = now()
    WHERE outbox_event.sent_at < now() - make_interval(secs => %(after_s)s)
RETURNING subject::bigint
