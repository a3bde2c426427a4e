-- Events that are committed with what caused them and sent by the relay afterwards. (0001 and 0002 made the table of a
-- former version, which knew one kind of event; migrations of those who have it move what it holds.)
--
-- event_key: the fact; the id of the event comes from it, so that a fact that is announced again has the same id.
-- subject: what the event is about. Events of one subject leave for one destination in the order of their ids: who
-- writes events of one subject in several transactions has to have a lock in common. Events without one have no order.
CREATE TABLE outbox_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    destination text NOT NULL,
    type text NOT NULL CHECK (type <> ''),
    subject text CHECK (subject <> ''),
    event_key text NOT NULL DEFAULT gen_random_uuid()::text,
    data jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(data) = 'object'),
    traceparent text,
    occurred_at timestamptz NOT NULL DEFAULT now() CHECK (isfinite(occurred_at)),
    created_at timestamptz NOT NULL DEFAULT now(),
    available_at timestamptz NOT NULL DEFAULT now(),
    attempts integer NOT NULL DEFAULT 0,
    sent_at timestamptz,
    CONSTRAINT outbox_event_fact UNIQUE (event_key, destination)
) WITH (
    fillfactor = 50, -- room for the versions of a row beside each other, so that a claim touches no index
    -- rows live for days but change in their first second: vacuum by what is new, not by a fifth of the whole
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.05
);

-- Both without available_at, which each claim changes. The scan is for the state, never for "id greater than the last":
-- ids do not commit in order.
CREATE INDEX outbox_event_unsent ON outbox_event (id) WHERE sent_at IS NULL;
CREATE INDEX outbox_event_subject ON outbox_event (destination, subject, id)
    WHERE sent_at IS NULL AND subject IS NOT NULL;

-- The statement that relays run all day, as a function: its plans are kept, and planning cost more than running.
--
-- Notes what the queues took since the last claim, and takes what is due, the oldest first: one round trip and one
-- commit for both. An event is taken only together with every earlier one of its subject that is not sent. Those whose
-- first is not due, because it failed or another relay has it, are passed over before they are counted against the
-- limit; then, of what is left, those with an earlier one that this claim could not lock or that waits by itself.
--
-- Materialized: inlined under a nested loop, the LIMIT could be taken more than once. The settings see to it that what
-- is kept finds its rows by key: planned while the table is small, it would read the whole of it, and go on so while
-- the table grows. For the same reason the first of a subject is asked for as the next entry of outbox_event_subject: by
-- equality and id alone, the planner may look for it in outbox_event_unsent, past all other subjects.
CREATE FUNCTION claim_outbox_events(p_sent bigint[], p_excluded text[], p_limit integer, p_lease interval)
RETURNS SETOF outbox_event LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
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
    RETURNING outbox_event.*;
END
$$;
