-- What an operation comes to on the given stocks, {"<product id>": stock}: its outcome, the facts of the answer, its
-- products, and what is left of them if it takes them.
CREATE FUNCTION stock_outcome(items jsonb, stocks jsonb)
RETURNS TABLE (outcome text, facts jsonb, products text[], remaining jsonb)
LANGUAGE sql IMMUTABLE
AS $$
    SELECT
        CASE WHEN bool_or(stock IS NULL) THEN 'unknown' WHEN bool_or(stock < quantity) THEN 'short' ELSE 'taken' END,
        coalesce(
            jsonb_agg(product_id) FILTER (WHERE stock IS NULL),
            jsonb_agg(jsonb_build_object('productId', product_id, 'requested', quantity, 'stock', stock))
                FILTER (WHERE stock < quantity),
            jsonb_agg(jsonb_build_object('productId', product_id, 'stock', stock - quantity)),
            '[]'
        ),
        array_agg(product_id),
        coalesce(jsonb_object_agg(product_id, stock - quantity), '{}')
    FROM (
        SELECT key AS product_id, value::bigint AS quantity, (stocks -> key)::bigint AS stock
        FROM jsonb_each(items)
        ORDER BY key COLLATE "C"
    ) AS line
$$;

-- Carries out operations, each all or none, and answers each with its stored outcome.
--
-- requests: [{"id": "<operation id>", "items": {"<product id>": quantity}}]; returns one row for each, in their order.
--
-- Locks are taken in one order everywhere, operations by id and then products by id, so nothing deadlocks. Each
-- statement of a function sees what others committed meanwhile (READ COMMITTED), so what is read after the lock is true.
--
-- The settings hold every statement to the keys: joined with the elements of a document, of which the planner expects a
-- hundred, whole tables would be read for one operation.
CREATE FUNCTION take_stock(requests jsonb)
RETURNS TABLE (outcome text, facts jsonb)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    claimed text[];             -- operations that are new
    stocks jsonb;               -- of the products that are held: {"<product id>": stock}
    request record;
    result record;
    decided text[] := '{}';     -- operations, beside what they came to
    outcomes text[] := '{}';
    answers jsonb[] := '{}';
    changed text[] := '{}';     -- products, each as often as it was changed
BEGIN
    WITH claim AS (
        INSERT INTO stock_operation (id, items)
        SELECT r.id, r.items
        FROM ROWS FROM (jsonb_to_recordset(requests) AS (id text, items jsonb)) WITH ORDINALITY AS r (id, items, place)
        ORDER BY r.id COLLATE "C", r.place
        ON CONFLICT (id) DO NOTHING
        RETURNING id
    )
    SELECT array_agg(id) INTO claimed FROM claim;

    IF claimed IS NOT NULL THEN
        SELECT coalesce(jsonb_object_agg(held.product_id, held.stock), '{}') INTO stocks
        FROM (
            SELECT product_id, stock
            FROM inventory
            WHERE product_id = ANY (ARRAY(
                SELECT jsonb_object_keys(r.items)
                FROM jsonb_to_recordset(requests) AS r (id text, items jsonb)
                WHERE r.id = ANY (claimed)
            ))
            ORDER BY product_id
            FOR NO KEY UPDATE
        ) AS held;

        FOR request IN
            SELECT r.id, r.items FROM jsonb_to_recordset(requests) AS r (id text, items jsonb) WHERE r.id = ANY (claimed)
        LOOP
            CONTINUE WHEN request.id = ANY (decided);
            SELECT * INTO result FROM stock_outcome(request.items, stocks);
            decided := decided || request.id;
            outcomes := outcomes || result.outcome;
            answers := answers || result.facts;
            IF result.outcome = 'taken' THEN
                stocks := stocks || result.remaining;
                changed := changed || result.products;
            END IF;
        END LOOP;

        UPDATE stock_operation SET outcome = o.outcome, facts = o.facts
        FROM unnest(decided, outcomes, answers) AS o (id, outcome, facts)
        WHERE stock_operation.id = o.id;

        UPDATE inventory
        SET stock = (stocks -> product_id)::bigint, version = version + change.times, last_update = clock_timestamp()
        FROM (SELECT id, count(*) AS times FROM unnest(changed) AS id GROUP BY id) AS change
        WHERE product_id = change.id;
    END IF;

    RETURN QUERY
    SELECT
        CASE
            WHEN operation.items <> r.items THEN 'reused'
            WHEN operation.released_at IS NOT NULL THEN 'released'
            ELSE operation.outcome
        END,
        operation.facts
    FROM ROWS FROM (jsonb_to_recordset(requests) AS (id text, items jsonb)) WITH ORDINALITY AS r (id, items, place)
    JOIN stock_operation AS operation ON operation.id = r.id
    ORDER BY r.place;
END
$$;
