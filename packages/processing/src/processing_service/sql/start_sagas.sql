-- Those that are new, leased to the caller where it asks for that. A version does not run before the older versions of
-- its order have ended: what they give back is there for it then.
INSERT INTO saga (order_id, version, items, traceparent, fence, lease_until)
SELECT
    new.order_id,
    new.version,
    new.items,
    new.traceparent,
    CASE WHEN claim.granted THEN 1 ELSE 0 END,
    CASE WHEN claim.granted THEN now() + make_interval(secs => %(lease_s)s) END
FROM jsonb_to_recordset(%(sagas)s) AS new (
    order_id bigint, version integer, items jsonb, traceparent text, claimed boolean
)
CROSS JOIN LATERAL (
    SELECT new.claimed AND NOT EXISTS (
        SELECT FROM saga AS older
        WHERE older.order_id = new.order_id AND older.version < new.version AND older.next_run_at IS NOT NULL
    ) AS granted
) AS claim
ORDER BY new.order_id, new.version
ON CONFLICT (order_id, version) DO NOTHING
RETURNING order_id, version, fence
