-- "C" orders ids by their bytes: the same on every machine, so pages and locks are ordered alike everywhere.
-- bigint: giving stock back must never fail, not even on top of a stock that was set to the greatest the API takes.
CREATE TABLE inventory (
    product_id text COLLATE "C" PRIMARY KEY,
    stock bigint NOT NULL CHECK (stock >= 0),
    version bigint NOT NULL DEFAULT 1,
    last_update timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);

-- The last version of what was removed: a product that comes back goes on counting, so no old entity tag fits it.
CREATE TABLE removed_product (
    product_id text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL
);

-- Kept for good: an operation that is asked for again, however late, gets the first answer.
-- items: {"<product id>": quantity}; null when it was released before it took anything.
-- facts: what the first answer said.
CREATE TABLE stock_operation (
    id text COLLATE "C" PRIMARY KEY,
    items jsonb,
    outcome text CHECK (outcome IN ('taken', 'short', 'unknown')),
    facts jsonb,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    released_at timestamptz
) WITH (fillfactor = 70);

CREATE TABLE seeding (
    name text PRIMARY KEY,
    seeded_at timestamptz NOT NULL DEFAULT now()
);
