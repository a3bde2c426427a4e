-- The statement that relays run all day, as a function: its plans are kept, and planning cost more than running.
--
-- Notes what the queues took since the last claim, and takes what is due, the oldest first: one round trip and one
-- commit for both. Materialized: inlined under a nested loop, the LIMIT could be taken more than once.
--
-- The settings see to it that what is kept finds its rows by key: planned while the table is small, it would read the
-- whole of it, and go on so while the table grows.
CREATE FUNCTION claim_outbox(p_sent bigint[], p_excluded text[], p_limit integer, p_lease interval)
RETURNS SETOF outbox LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
    IF p_sent <> '{}' THEN
        UPDATE outbox SET sent_at = now() WHERE id = ANY (p_sent) AND sent_at IS NULL;
    END IF;
    RETURN QUERY
    WITH due AS MATERIALIZED (
        SELECT id
        FROM outbox
        WHERE sent_at IS NULL AND available_at <= now() AND destination <> ALL (p_excluded)
        ORDER BY created_at, id
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED
    )
    UPDATE outbox
    SET available_at = now() + p_lease, attempts = attempts + 1
    FROM due
    WHERE outbox.id = due.id
    RETURNING outbox.*;
END
$$;
