-- The feed: every notification in one dense order that is also the order of the commits.

-- One row, locked by whoever appends until its commit: that is what makes the order of seq the order of the commits.
CREATE TABLE feed (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch text NOT NULL,
    lineage text,
    floor bigint NOT NULL DEFAULT 0,
    head bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10); -- room for versions of the one row beside each other, so that updates touch no index

CREATE FUNCTION new_epoch() RETURNS text LANGUAGE sql AS $$
    SELECT to_hex(extract(epoch FROM clock_timestamp())::bigint) || substr(md5(random()::text), 1, 4)
$$;

INSERT INTO feed (epoch) VALUES (new_epoch());

-- slot: 0 the creation, -1 the end, otherwise the version it was updated to. What an order is told once is unique.
CREATE TABLE notification (
    seq bigint PRIMARY KEY,
    order_id bigint NOT NULL,
    slot integer NOT NULL,
    type text NOT NULL,
    version integer NOT NULL,
    occurred_at timestamptz NOT NULL,
    trace_id text,
    reason text,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (order_id, slot)
);

-- A database that was restored from a backup or promoted from a copy may lack what clients have already seen: it has
-- another system identifier or timeline, and its feed gets another epoch.
CREATE FUNCTION open_feed() RETURNS SETOF feed LANGUAGE plpgsql AS $$
DECLARE
    current_lineage text;
BEGIN
    SELECT system_identifier || ':' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)
    INTO current_lineage
    FROM pg_control_system();
    UPDATE feed
    SET epoch = CASE WHEN lineage IS NULL THEN epoch ELSE new_epoch() END, lineage = current_lineage
    WHERE lineage IS DISTINCT FROM current_lineage;
    RETURN QUERY SELECT * FROM feed;
END
$$;

-- Writes what is new of the given events, in their order, and returns it, each with the place of its event in the
-- arguments. The creation is written before whatever else is the first that is heard of an order; nothing comes after
-- the end of an order; nothing is written twice.
CREATE FUNCTION append_notifications(
    p_types text[], p_orders bigint[], p_versions integer[], p_times timestamptz[], p_traces text[], p_reasons text[]
) RETURNS TABLE (place integer, seq bigint, type text, version integer) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    event record;
    known integer[];
    before bigint;
    last bigint;
BEGIN
    SELECT head INTO STRICT before FROM feed FOR UPDATE;
    last := before;
    FOR event IN
        SELECT e.*, CASE e.type WHEN 'order-created' THEN 0 WHEN 'order-updated' THEN e.version ELSE -1 END AS slot
        FROM unnest(p_types, p_orders, p_versions, p_times, p_traces, p_reasons)
            WITH ORDINALITY AS e (type, order_id, version, occurred_at, trace_id, reason, place)
        ORDER BY e.place
    LOOP
        SELECT coalesce(array_agg(n.slot), '{}') INTO known FROM notification AS n WHERE n.order_id = event.order_id;
        CONTINUE WHEN event.slot = ANY (known) OR -1 = ANY (known);
        place := event.place;
        IF event.slot <> 0 AND NOT 0 = ANY (known) THEN
            last := last + 1;
            seq := last;
            type := 'order-created';
            version := 1;
            INSERT INTO notification (seq, order_id, slot, type, version, occurred_at, trace_id)
            VALUES (last, event.order_id, 0, 'order-created', 1, event.occurred_at, event.trace_id);
            RETURN NEXT;
        END IF;
        last := last + 1;
        seq := last;
        type := event.type;
        version := event.version;
        INSERT INTO notification (seq, order_id, slot, type, version, occurred_at, trace_id, reason)
        VALUES (last, event.order_id, event.slot, event.type, event.version, event.occurred_at, event.trace_id,
                event.reason);
        RETURN NEXT;
    END LOOP;
    IF last > before THEN
        UPDATE feed SET head = last;
    END IF;
END
$$;

-- Moves the floor up to the newest notification that is older than the given age, and deletes what lies below, at most
-- p_limit rows a call. Orders without an end keep their rows, which say what is a duplicate.
CREATE FUNCTION forget_notifications(p_age interval, p_limit integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    new_floor bigint;
    deleted integer;
BEGIN
    SELECT coalesce(
        (SELECT n.seq - 1 FROM notification AS n
         WHERE n.seq > f.floor AND n.written_at >= clock_timestamp() - p_age
         ORDER BY n.seq LIMIT 1),
        f.head)
    INTO new_floor
    FROM feed AS f;
    UPDATE feed SET floor = new_floor WHERE floor < new_floor;
    DELETE FROM notification
    WHERE seq IN (
        SELECT n.seq FROM notification AS n
        JOIN notification AS last ON last.order_id = n.order_id AND last.slot = -1
        WHERE n.seq <= new_floor AND last.seq <= new_floor
        ORDER BY n.seq LIMIT p_limit
    );
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN deleted;
END
$$;
