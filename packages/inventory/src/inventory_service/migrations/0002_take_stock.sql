-- Carries out operations, each all or none, and answers each with its stored outcome.
--
-- requests: [{"id": "<operation id>", "items": {"<product id>": quantity}}]; returns one row for each, in their order.
--
-- Locks are taken in one order everywhere, operations by id and then products by id, so nothing deadlocks. Each
-- statement of a function sees what others committed meanwhile (READ COMMITTED), so what is read after the lock is true.
CREATE FUNCTION take_stock(requests jsonb)
RETURNS TABLE (outcome text, facts jsonb)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    claimed text[];
    wanted text[];
    locked text[];
    operation record;
    missing jsonb;
    short jsonb;
    taken jsonb;
BEGIN
    WITH claim AS (
        INSERT INTO stock_operation (id, items)
        SELECT DISTINCT ON (request.body ->> 'id') request.body ->> 'id', request.body -> 'items'
        FROM jsonb_array_elements(requests) WITH ORDINALITY AS request (body, position)
        ORDER BY request.body ->> 'id', request.position
        ON CONFLICT (id) DO NOTHING
        RETURNING id
    )
    SELECT array_agg(claim.id) INTO claimed FROM claim;

    SELECT array_agg(DISTINCT item.product_id) INTO wanted
    FROM stock_operation, jsonb_object_keys(stock_operation.items) AS item (product_id)
    WHERE stock_operation.id = ANY (claimed);

    SELECT array_agg(held.product_id) INTO locked
    FROM (
        SELECT inventory.product_id FROM inventory
        WHERE inventory.product_id = ANY (wanted)
        ORDER BY inventory.product_id
        FOR NO KEY UPDATE
    ) AS held;

    FOR operation IN
        SELECT stock_operation.id, stock_operation.items
        FROM stock_operation
        JOIN jsonb_array_elements(requests) WITH ORDINALITY AS request (body, position)
            ON request.body ->> 'id' = stock_operation.id
        WHERE stock_operation.id = ANY (claimed)
        GROUP BY stock_operation.id
        ORDER BY min(request.position)
    LOOP
        -- a product that came in after the locks were taken is not held, so it is not there yet
        SELECT
            jsonb_agg(item.key ORDER BY item.key COLLATE "C") FILTER (WHERE inventory.product_id IS NULL),
            jsonb_agg(
                jsonb_build_object('productId', item.key, 'requested', item.value::int, 'stock', inventory.stock)
                ORDER BY item.key COLLATE "C"
            ) FILTER (WHERE inventory.stock < item.value::int)
        INTO missing, short
        FROM jsonb_each_text(operation.items) AS item
        LEFT JOIN inventory ON inventory.product_id = item.key AND inventory.product_id = ANY (locked);

        IF missing IS NOT NULL THEN
            UPDATE stock_operation SET outcome = 'unknown', facts = missing WHERE id = operation.id;
        ELSIF short IS NOT NULL THEN
            UPDATE stock_operation SET outcome = 'short', facts = short WHERE id = operation.id;
        ELSE
            WITH change AS (
                UPDATE inventory
                SET stock = inventory.stock - item.value::int,
                    version = inventory.version + 1,
                    last_update = clock_timestamp()
                FROM jsonb_each_text(operation.items) AS item
                WHERE inventory.product_id = item.key AND inventory.stock >= item.value::int
                RETURNING inventory.product_id, inventory.stock
            )
            SELECT jsonb_agg(
                jsonb_build_object('productId', change.product_id, 'stock', change.stock) ORDER BY change.product_id
            ) INTO taken
            FROM change;
            UPDATE stock_operation SET outcome = 'taken', facts = taken WHERE id = operation.id;
        END IF;
    END LOOP;

    RETURN QUERY
    SELECT
        CASE
            WHEN stock_operation.items <> request.body -> 'items' THEN 'reused'
            WHEN stock_operation.released_at IS NOT NULL THEN 'released'
            ELSE stock_operation.outcome
        END,
        stock_operation.facts
    FROM jsonb_array_elements(requests) WITH ORDINALITY AS request (body, position)
    JOIN stock_operation ON stock_operation.id = request.body ->> 'id'
    ORDER BY request.position;
END
$$;
