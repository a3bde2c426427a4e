-- What the shop shows of a product besides its stock. A table of its own: the statements that take and read stock, and
-- replicas of the former version, know nothing of it. The price is shown, and nothing is paid.
CREATE TABLE product_description (
    product_id text COLLATE "C" PRIMARY KEY,
    name text NOT NULL,
    description text NOT NULL,
    price_minor integer NOT NULL CHECK (price_minor >= 0),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    picture text NOT NULL
);
