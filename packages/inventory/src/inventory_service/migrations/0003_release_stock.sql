-- Gives back, once, what the operation took, and returns that: {"<product id>": quantity}. An operation that is not
-- known leaves a tombstone, so that it takes nothing when it comes late. A product that was removed meanwhile gets nothing.
CREATE FUNCTION release_stock(operation_id text)
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
        SET stock = stock + (operation.items -> product_id)::bigint,
            version = version + 1,
            last_update = clock_timestamp()
        WHERE product_id = ANY (taken);
    END IF;

    UPDATE stock_operation SET released_at = clock_timestamp() WHERE id = operation_id AND released_at IS NULL;
    RETURN CASE WHEN operation.outcome = 'taken' THEN operation.items ELSE '{}' END;
END
$$;
