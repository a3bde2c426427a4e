-- The key is the fact: each repeat of an event has the same.
CREATE TABLE recorded_event (
    order_id bigint NOT NULL,
    version integer NOT NULL,
    type text NOT NULL,
    customer_id text NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (order_id, version, type)
);
