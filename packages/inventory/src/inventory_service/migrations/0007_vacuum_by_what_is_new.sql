-- Operations are deleted in thousands, the oldest first: their room is for the next ones, not when they are a fifth of all.
ALTER TABLE stock_operation SET (
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.05
);
