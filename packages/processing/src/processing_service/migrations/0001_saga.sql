-- The work on each version of each order. Kept after its end: an event that comes again finds it and starts nothing.
-- fence: rises with each claim; only who knows the last one may write.
-- next_run_at: null when the saga has ended.
-- failures: of the present step in a row; attempts: of all steps.
-- entered: {"<state>": "<time>"}.
CREATE TABLE saga (
    order_id bigint NOT NULL,
    version integer NOT NULL,
    state text NOT NULL DEFAULT 'STARTED' CHECK (
        state IN ('STARTED', 'STOCK_TAKEN', 'FAILING', 'RELEASING', 'DONE', 'FAILED', 'RELEASED')
    ),
    items jsonb NOT NULL,
    traceparent text,
    reason text,
    attempts integer NOT NULL DEFAULT 0,
    failures integer NOT NULL DEFAULT 0,
    last_error text,
    next_run_at timestamptz DEFAULT now(),
    lease_until timestamptz,
    fence integer NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL DEFAULT now(),
    entered jsonb NOT NULL DEFAULT jsonb_build_object('STARTED', now()),
    PRIMARY KEY (order_id, version),
    CHECK ((next_run_at IS NULL) = (state IN ('DONE', 'FAILED', 'RELEASED')))
) WITH (fillfactor = 70);

-- Named without the state, so that going from one open state to the next touches no index.
CREATE INDEX saga_open ON saga (next_run_at) WHERE next_run_at IS NOT NULL;

-- Rows stay for good but change in their first second: vacuum by what is new, not by a fifth of the whole.
ALTER TABLE saga SET (
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.05
);
