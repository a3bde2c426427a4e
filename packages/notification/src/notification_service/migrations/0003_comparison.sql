-- How far the notifications are compared with the order service's list of changed orders; position '' is no comparison
-- yet. The replica that holds the lease compares.
CREATE TABLE comparison (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    position text NOT NULL DEFAULT '',
    lease_until timestamptz NOT NULL DEFAULT '-infinity'
);

INSERT INTO comparison DEFAULT VALUES;
