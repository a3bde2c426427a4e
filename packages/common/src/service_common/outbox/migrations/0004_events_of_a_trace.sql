-- For those who look for what a trace announced. Writers wait while the index is built: about a
-- second for a million events.
CREATE INDEX outbox_event_trace ON outbox_event (substr(traceparent, 4, 32));
