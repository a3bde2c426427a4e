UPDATE outbox_event
SET sent_at = now()
WHERE id IN (SELECT id FROM outbox_event WHERE id = ANY (%(ids)s) AND sent_at IS NULL FOR UPDATE SKIP LOCKED)
