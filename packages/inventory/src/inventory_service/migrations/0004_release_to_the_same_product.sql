-- When the product was added. A product that is removed and added again is another one: what an operation took from the
-- former is not given back to it. Those from before this column are as old as any operation.
ALTER TABLE inventory ADD COLUMN added_at timestamptz NOT NULL DEFAULT '-infinity';
ALTER TABLE inventory ALTER COLUMN added_at SET DEFAULT clock_timestamp();

-- Gives back, once, what the operation took, up to the greatest stock that the API takes, and returns what it took:
-- {"<product id>": quantity}. An operation that is not known leaves a tombstone, so that it takes nothing when it comes
-- late. A product that was removed meanwhile gets nothing.
CREATE OR REPLACE FUNCTION release_stock(operation_id text)
RETURNS jsonb
LANGUAGE plpgsql
AS $$
DECLARE
    operation stock_operation;
    taken text[];
BEGIN
    INSERT INTO stock_operation (id, released_at)
    VALUES (operation_id, clock_timestamp())
    ON CONFLICT (id) DO NOTHING;
    IF FOUND THEN
        RETURN '{}';
    END IF;

    SELECT * INTO operation FROM stock_operation WHERE id = operation_id FOR UPDATE;

    IF operation.released_at IS NULL AND operation.outcome = 'taken' THEN
        taken := ARRAY(SELECT jsonb_object_keys(operation.items));
        PERFORM FROM inventory WHERE product_id = ANY (taken) ORDER BY product_id FOR NO KEY UPDATE;

        UPDATE inventory
        SET stock = least(stock + (operation.items -> product_id)::bigint, greatest(stock, 2147483647)),
            version = version + 1,
            last_update = clock_timestamp()
        WHERE product_id = ANY (taken) AND added_at <= operation.created_at;
    END IF;

    UPDATE stock_operation SET released_at = clock_timestamp() WHERE id = operation_id AND released_at IS NULL;
    RETURN CASE WHEN operation.outcome = 'taken' THEN operation.items ELSE '{}' END;
END
$$;
