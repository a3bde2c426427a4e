-- The second half of the W3C trace context. No row is rewritten, and replicas of the former version write and read none.
ALTER TABLE outbox_event ADD COLUMN tracestate text;
