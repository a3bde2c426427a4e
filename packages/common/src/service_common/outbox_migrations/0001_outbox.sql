-- Events that are committed with what caused them and sent by the relay afterwards.
CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    destination text NOT NULL,
    type text NOT NULL,
    order_id bigint NOT NULL,
    version integer NOT NULL,
    occurred_at timestamptz NOT NULL DEFAULT now(),
    traceparent text,
    data jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    available_at timestamptz NOT NULL DEFAULT now(),
    attempts integer NOT NULL DEFAULT 0,
    sent_at timestamptz,
    CONSTRAINT outbox_event_once UNIQUE (destination, type, order_id, version)
);

-- The scan is for the state, never for "id greater than the last": ids do not commit in order.
CREATE INDEX outbox_unsent ON outbox (available_at, id) WHERE sent_at IS NULL;

-- Rows live for days but change in their first second: vacuum by what is new, not by a fifth of the whole.
ALTER TABLE outbox SET (
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.05
);
