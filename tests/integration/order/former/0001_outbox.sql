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
    -- the order first: it grows, so new entries go to the end of the index
    CONSTRAINT outbox_event_once UNIQUE (order_id, version, type, destination)
) WITH (fillfactor = 50); -- room for the versions of a row beside each other, so that a claim touches no index

-- The scan is for the state, never for "id greater than the last": ids do not commit in order. Without available_at,
-- which each claim changes.
CREATE INDEX outbox_unsent ON outbox (created_at, id) WHERE sent_at IS NULL;

-- Rows live for days but change in their first second: vacuum by what is new, not by a fifth of the whole.
ALTER TABLE outbox SET (
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.05
);
