-- A dump that was restored on the server it is from, beside its source or over it, is another feed too: the table has
-- another oid.
CREATE OR REPLACE FUNCTION open_feed() RETURNS SETOF feed LANGUAGE plpgsql AS $$
DECLARE
    current_lineage text;
BEGIN
    SELECT system_identifier || ':' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) || ':' || d.oid || ':'
        || 'feed'::regclass::oid
    INTO current_lineage
    FROM pg_control_system(), pg_database AS d
    WHERE d.datname = current_database();
    UPDATE feed
    SET epoch = CASE WHEN lineage IS NULL OR current_lineage LIKE lineage || ':%' THEN epoch ELSE new_epoch() END,
        lineage = current_lineage
    WHERE lineage IS DISTINCT FROM current_lineage;
    RETURN QUERY SELECT * FROM feed;
END
$$;
