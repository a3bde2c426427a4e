-- Operations on products that another transaction holds do not delay those on other products: as take_stock of 0002, but
-- without waits it carries out only the operations whose products are free. Each of the others is 'busy', with the locked
-- products as facts, and leaves nothing behind.
--
-- Locks are taken in one order, products by id and then operations by id: who waits for a product holds no new operation,
-- so that a repeat of it elsewhere does not wait either.
CREATE FUNCTION take_stock(requests jsonb, waits boolean)
RETURNS TABLE (outcome text, facts jsonb)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    wanted text[];              -- products of the operations that are new
    stocks jsonb;               -- of the products that are held: {"<product id>": stock}
    locked text[] := '{}';      -- products that others hold
    claimed text[];             -- operations that are new and have no locked product
    request record;
    result record;
    decided text[] := '{}';     -- operations, beside what they came to
    outcomes text[] := '{}';
    answers jsonb[] := '{}';
    changed text[] := '{}';     -- products, each as often as it was changed
BEGIN
    wanted := ARRAY(
        SELECT DISTINCT item.product_id
        FROM jsonb_to_recordset(requests) AS r (id text, items jsonb)
        CROSS JOIN LATERAL jsonb_object_keys(r.items) AS item (product_id)
        WHERE NOT EXISTS (SELECT FROM stock_operation AS known WHERE known.id = r.id)
    );

    IF wanted <> '{}' THEN
        IF waits THEN
            SELECT coalesce(jsonb_object_agg(held.product_id, held.stock), '{}') INTO stocks
            FROM (
                SELECT product_id, stock FROM inventory WHERE product_id = ANY (wanted) ORDER BY product_id
                FOR NO KEY UPDATE
            ) AS held;
        ELSE
            SELECT coalesce(jsonb_object_agg(held.product_id, held.stock), '{}') INTO stocks
            FROM (
                SELECT product_id, stock FROM inventory WHERE product_id = ANY (wanted) ORDER BY product_id
                FOR NO KEY UPDATE SKIP LOCKED
            ) AS held;
            IF NOT stocks ?& wanted THEN
                locked := ARRAY(
                    SELECT product_id FROM inventory WHERE product_id = ANY (wanted) AND NOT stocks ? product_id
                    ORDER BY product_id
                );
            END IF;
        END IF;

        WITH claim AS (
            INSERT INTO stock_operation (id, items)
            SELECT r.id, r.items
            FROM ROWS FROM (jsonb_to_recordset(requests) AS (id text, items jsonb))
                WITH ORDINALITY AS r (id, items, place)
            WHERE NOT r.items ?| locked
            ORDER BY r.id COLLATE "C", r.place
            ON CONFLICT (id) DO NOTHING
            RETURNING id
        )
        SELECT array_agg(id) INTO claimed FROM claim;
    END IF;

    IF claimed IS NOT NULL THEN
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
            WHEN operation.id IS NULL THEN 'busy'
            WHEN operation.items <> r.items THEN 'reused'
            WHEN operation.released_at IS NOT NULL THEN 'released'
            ELSE operation.outcome
        END,
        CASE
            WHEN operation.id IS NULL THEN (SELECT jsonb_agg(id) FROM unnest(locked) AS id WHERE r.items ? id)
            ELSE operation.facts
        END
    FROM ROWS FROM (jsonb_to_recordset(requests) AS (id text, items jsonb)) WITH ORDINALITY AS r (id, items, place)
    LEFT JOIN stock_operation AS operation ON operation.id = r.id
    ORDER BY r.place;
END
$$;

-- Replicas of the former version call this one.
CREATE OR REPLACE FUNCTION take_stock(requests jsonb)
RETURNS TABLE (outcome text, facts jsonb)
LANGUAGE sql
AS $$ SELECT outcome, facts FROM take_stock(requests, true) $$;

-- As release_stock, but fails instead of waiting for a product or an operation that another transaction holds.
CREATE FUNCTION release_free_stock(operation_id text)
RETURNS jsonb
LANGUAGE sql
SET lock_timeout = '1ms'
AS $$ SELECT release_stock(operation_id) $$;
