-- For the list of changed orders. Writers wait while the index is built, a second for each million orders.
CREATE INDEX orders_changed ON orders (updated_at, id);
