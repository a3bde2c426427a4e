-- Orders, their items, and what was answered under which Idempotency-Key.

CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version integer NOT NULL DEFAULT 1 CHECK (version > 0),
    status text NOT NULL DEFAULT 'CREATED' CHECK (status IN ('CREATED', 'CLOSED', 'FAILED', 'CANCELLED')),
    failure_reason text CHECK ((failure_reason IS NOT NULL) = (status = 'FAILED')),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- pages by status, and the few that are still CREATED for the reconciliation
CREATE INDEX orders_status ON orders (status, id);

CREATE TABLE order_items (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id bigint NOT NULL REFERENCES orders ON DELETE CASCADE,
    product_id text NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    UNIQUE (order_id, product_id)
);

-- With the request, which is the same by its hash, this is all of the first answer. The reference is deferred because
-- the key is claimed before there is an order: whoever comes second must do nothing at all.
CREATE TABLE idempotency (
    key text PRIMARY KEY,
    request_hash bytea NOT NULL,
    order_id bigint NOT NULL REFERENCES orders ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    item_ids bigint[] NOT NULL,
    answered_at timestamptz NOT NULL
);

CREATE VIEW whole_order AS
SELECT o.id, o.version, o.status, o.failure_reason, o.created_at, o.updated_at,
       i.item_ids, i.product_ids, i.quantities
FROM orders AS o
CROSS JOIN LATERAL (
    SELECT array_agg(id ORDER BY id) AS item_ids,
           array_agg(product_id ORDER BY id) AS product_ids,
           array_agg(quantity ORDER BY id) AS quantities
    FROM order_items
    WHERE order_id = o.id
) AS i;
