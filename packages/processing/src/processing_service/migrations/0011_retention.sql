-- Sagas that ended long ago are deleted. What must not be forgotten is that a saga settled its order: an event of such an
-- order that comes again, however late, starts nothing. That is one bit for each order.

-- orders: the bit order_id % 8192 of block order_id / 8192. A kilobyte, which is not moved out of line.
CREATE TABLE settled_orders (
    block bigint PRIMARY KEY,
    orders bit(8192) NOT NULL
);

-- Deletes sagas that have ended, and returns how many. Those whose order was closed or failed leave its bit. One that was
-- RELEASED needs none: started once more, it asks the order service, and gives back what it took.
--
-- The lock keeps a duplicate from being stored between the reading of its bit and the deletion of its saga.
CREATE FUNCTION forget_sagas(p_orders bigint[], p_versions integer[]) RETURNS integer LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    deleted integer;
BEGIN
    PERFORM pg_advisory_xact_lock('saga'::regclass::integer, (block & 2147483647)::integer)
    FROM (SELECT DISTINCT order_id >> 13 AS block FROM unnest(p_orders) AS order_id ORDER BY 1) AS locked;

    INSERT INTO settled_orders (block, orders)
    SELECT order_id >> 13, bit_or(set_bit(B'0'::bit(8192), (order_id & 8191)::integer, 1))
    FROM unnest(p_orders, p_versions) AS given (order_id, version)
    JOIN saga USING (order_id, version)
    WHERE state IN ('DONE', 'FAILED')
    GROUP BY 1
    ORDER BY 1
    ON CONFLICT (block) DO UPDATE SET orders = settled_orders.orders | excluded.orders;

    DELETE FROM saga
    USING unnest(p_orders, p_versions) AS given (order_id, version)
    WHERE saga.order_id = given.order_id AND saga.version = given.version AND ended(saga.state);
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN deleted;
END
$$;

-- A trigger, so that it holds for replicas of the former version too.
CREATE FUNCTION refuse_settled_order() RETURNS trigger LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared('saga'::regclass::integer, ((NEW.order_id >> 13) & 2147483647)::integer);
    IF EXISTS (
        SELECT FROM settled_orders
        WHERE block = NEW.order_id >> 13 AND get_bit(orders, (NEW.order_id & 8191)::integer) = 1
    ) THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER refuse_settled_order BEFORE INSERT ON saga FOR EACH ROW EXECUTE FUNCTION refuse_settled_order();
