-- Carries out operations, each all or none, and answers each with its stored outcome.
--
-- requests: [{"id": "<operation id>", "items": {"<product id>": quantity}}]; returns one row for each, in their order.
--
-- Locks are taken in one order everywhere, operations by id and then products by id, so nothing deadlocks. Each
-- statement of a function sees what others committed meanwhile (READ COMMITTED), so what is read after the lock is true.
-- Every statement finds its rows by key: a join with the elements of a document would be planned for a hundred of them
-- and read whole tables for one.
CREATE FUNCTION take_stock(requests jsonb)
RETURNS TABLE (outcome text, facts jsonb)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan  -- every plan is by key, and planning one anew costs more than running it
AS $$
#variable_conflict use_variable
DECLARE
    request jsonb;
    operation stock_operation;
    item record;
    claimed text[] := '{}';
    wanted text[];
    stocks jsonb;        -- of the products that are held: {"<product id>": stock}
    changes jsonb := '{}';  -- how often each was changed: {"<product id>": times}
    missing jsonb;
    short jsonb;
    levels jsonb;
BEGIN
    FOR request IN
        SELECT element.body
        FROM jsonb_array_elements(requests) WITH ORDINALITY AS element (body, position)
        ORDER BY element.body ->> 'id' COLLATE "C", element.position
    LOOP
        INSERT INTO stock_operation (id, items) VALUES (request ->> 'id', request -> 'items')
        ON CONFLICT (id) DO NOTHING;
        IF FOUND THEN
            claimed := claimed || (request ->> 'id');
        END IF;
    END LOOP;

    IF cardinality(claimed) > 0 THEN
        SELECT array_agg(DISTINCT product.id) INTO wanted
        FROM jsonb_array_elements(requests) AS element (body), jsonb_object_keys(element.body -> 'items') AS product (id)
        WHERE element.body ->> 'id' = ANY (claimed);

        SELECT coalesce(jsonb_object_agg(held.product_id, held.stock), '{}') INTO stocks
        FROM (
            SELECT inventory.product_id, inventory.stock
            FROM inventory
            WHERE inventory.product_id = ANY (wanted)
            ORDER BY inventory.product_id
            FOR NO KEY UPDATE
        ) AS held;
    END IF;

    FOR request IN SELECT jsonb_array_elements(requests) LOOP
        SELECT * INTO operation FROM stock_operation WHERE stock_operation.id = request ->> 'id';

        IF operation.outcome IS NULL AND operation.released_at IS NULL THEN
            missing := '[]';
            short := '[]';
            levels := '[]';
            FOR item IN
                SELECT entry.key AS product_id, entry.value::bigint AS quantity, (stocks -> entry.key)::bigint AS stock
                FROM jsonb_each_text(operation.items) AS entry
                ORDER BY entry.key COLLATE "C"
            LOOP
                IF item.stock IS NULL THEN
                    missing := missing || to_jsonb(item.product_id);
                ELSIF item.stock < item.quantity THEN
                    short := short || jsonb_build_object(
                        'productId', item.product_id, 'requested', item.quantity, 'stock', item.stock
                    );
                ELSE
                    levels := levels || jsonb_build_object(
                        'productId', item.product_id, 'stock', item.stock - item.quantity
                    );
                END IF;
            END LOOP;

            IF missing <> '[]' THEN
                operation.outcome := 'unknown';
                operation.facts := missing;
            ELSIF short <> '[]' THEN
                operation.outcome := 'short';
                operation.facts := short;
            ELSE
                operation.outcome := 'taken';
                operation.facts := levels;
                FOR item IN
                    SELECT level ->> 'productId' AS product_id, level -> 'stock' AS stock
                    FROM jsonb_array_elements(levels) AS level
                LOOP
                    stocks := stocks || jsonb_build_object(item.product_id, item.stock);
                    changes := changes || jsonb_build_object(
                        item.product_id, coalesce((changes -> item.product_id)::int, 0) + 1
                    );
                END LOOP;
            END IF;

            UPDATE stock_operation SET outcome = operation.outcome, facts = operation.facts
            WHERE stock_operation.id = operation.id;
        END IF;

        outcome := CASE
            WHEN operation.items <> request -> 'items' THEN 'reused'
            WHEN operation.released_at IS NOT NULL THEN 'released'
            ELSE operation.outcome
        END;
        facts := operation.facts;
        RETURN NEXT;
    END LOOP;

    IF changes <> '{}' THEN
        UPDATE inventory
        SET stock = (stocks -> inventory.product_id)::bigint,
            version = inventory.version + (changes -> inventory.product_id)::int,
            last_update = clock_timestamp()
        WHERE inventory.product_id = ANY (ARRAY(SELECT jsonb_object_keys(changes)));
    END IF;
END
$$;
