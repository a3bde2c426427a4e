-- Announce orders again that are CREATED and were neither changed nor announced lately. The outbox row is sent again with
-- the same event id; a row that the maintenance deleted is inserted again. The condition of DO UPDATE sees the current
-- row, so of two replicas the second changes nothing.
WITH late AS (
    SELECT o.id, o.version, o.customer_id, o.updated_at, event.type, event.key
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
       order_event_data(
           late.type, late.id, late.version,
           event_data(whole.product_ids, whole.quantities) || jsonb_build_object('customerId', late.customer_id)
       ),
       late.updated_at
FROM late
JOIN whole_order AS whole ON whole.id = late.id
ON CONFLICT (event_key, destination) DO UPDATE
    SET sent_at = NULL, available_at = now()
    WHERE outbox_event.sent_at < now() - make_interval(secs => %(after_s)s)
RETURNING subject::bigint
