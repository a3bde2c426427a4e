SELECT id, event_key, destination, type, subject, substr(traceparent, 4, 32), occurred_at, created_at,
       nullif(sent_at, 'infinity'), sent_at = 'infinity', attempts,
       CASE WHEN %(data)s THEN data END
FROM outbox_event
WHERE substr(traceparent, 4, 32) = %(trace_id)s
ORDER BY id
LIMIT %(limit)s
