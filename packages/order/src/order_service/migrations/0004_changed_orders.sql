-- For the list of changed orders. Changes wait while the index is built: less than a second for a million orders.
CREATE INDEX orders_changed ON orders (updated_at, id);
