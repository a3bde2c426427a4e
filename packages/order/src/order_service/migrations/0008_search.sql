-- For the search of orders. Placing and changing orders wait while the index is built: half a second for a million items.
CREATE INDEX order_items_of_product ON order_items (product_id, order_id);

-- An id such that it and all lower ids were placed before the given time, give or take the time between now() and the
-- id in a transaction. Ids rise with the time, so halving the range finds it by some twenty lookups of the primary key:
-- an index of created_at would cost each order more.
CREATE FUNCTION last_order_before(p_at timestamptz) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    low bigint := 0;
    high bigint := (SELECT coalesce(max(id), 0) + 1 FROM orders);
    middle bigint;
    probe record;
BEGIN
    WHILE high - low > 1 LOOP
        middle := low + (high - low) / 2;
        SELECT id, created_at INTO probe FROM orders WHERE id >= middle AND id < high ORDER BY id LIMIT 1;
        IF probe.created_at < p_at THEN
            low := probe.id;
        ELSE
            high := middle;
        END IF;
    END LOOP;
    RETURN low;
END
$$;
