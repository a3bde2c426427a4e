-- As in 0003, with the columns named: a function that returns rows of the table fails once in each relay that waits in it
-- while the table gets a column.
DROP FUNCTION claim_outbox_events;

CREATE FUNCTION claim_outbox_events(p_sent bigint[], p_excluded text[], p_limit integer, p_lease interval)
RETURNS TABLE (
    id bigint, destination text, type text, subject text, event_key text, data jsonb, traceparent text,
    occurred_at timestamptz
) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
BEGIN
    IF p_sent <> '{}' THEN
        UPDATE outbox_event SET sent_at = now() WHERE id = ANY (p_sent) AND sent_at IS NULL;
    END IF;
    RETURN QUERY
    WITH due AS MATERIALIZED (
        SELECT event.id, event.destination, event.subject, first.id AS first_id
        FROM outbox_event AS event
        LEFT JOIN LATERAL (
            SELECT id, available_at
            FROM outbox_event
            WHERE (destination, subject) >= (event.destination, event.subject)
                AND sent_at IS NULL AND subject IS NOT NULL
            ORDER BY destination, subject, id
            LIMIT 1
        ) AS first ON true
        WHERE event.sent_at IS NULL
            AND event.available_at <= now()
            AND event.destination <> ALL (p_excluded)
            AND (event.subject IS NULL OR first.available_at <= now())
        ORDER BY event.id
        LIMIT p_limit
        FOR UPDATE OF event SKIP LOCKED
    )
    UPDATE outbox_event
    SET available_at = now() + p_lease, attempts = outbox_event.attempts + 1
    FROM due
    WHERE outbox_event.id = due.id
        AND (due.subject IS NULL OR due.first_id = due.id OR NOT EXISTS (
            SELECT FROM outbox_event AS earlier
            WHERE earlier.destination = due.destination
                AND earlier.subject = due.subject
                AND earlier.id < due.id
                AND earlier.sent_at IS NULL
                AND earlier.id NOT IN (SELECT claimed.id FROM due AS claimed)
        ))
    RETURNING
        outbox_event.id, outbox_event.destination, outbox_event.type, outbox_event.subject, outbox_event.event_key,
        outbox_event.data, outbox_event.traceparent, outbox_event.occurred_at;
END
$$;
