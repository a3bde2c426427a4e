-- Orders that are still CREATED and were last heard of too long ago, announced to the processing queue again. The row
-- of the outbox is sent once more (the event keeps its id); one that the housekeeping deleted is written anew.
-- What DO UPDATE asks for is asked of the row as it is now: of two replicas one is late, and changes nothing.
WITH late AS (
    SELECT o.id, o.version, o.updated_at
    FROM orders AS o
    LEFT JOIN outbox AS sent
        ON sent.destination = %(destination)s AND sent.order_id = o.id AND sent.version = o.version
       AND sent.type = CASE o.version WHEN 1 THEN 'order-created' ELSE 'order-updated' END
    WHERE o.status = 'CREATED'
      AND o.updated_at < now() - make_interval(secs => %(after_s)s)
      AND (sent.id IS NULL OR sent.sent_at < now() - make_interval(secs => %(after_s)s))
    ORDER BY o.id
    LIMIT %(limit)s
    FOR UPDATE OF o SKIP LOCKED
)
INSERT INTO outbox (destination, type, order_id, version, occurred_at, data)
SELECT %(destination)s, CASE late.version WHEN 1 THEN 'order-created' ELSE 'order-updated' END, late.id, late.version,
       late.updated_at, event_data(whole.product_ids, whole.quantities)
FROM late
JOIN whole_order AS whole ON whole.id = late.id
ON CONFLICT (destination, type, order_id, version) DO UPDATE
    SET sent_at = NULL, available_at = now()
    WHERE outbox.sent_at < now() - make_interval(secs => %(after_s)s)
RETURNING order_id
