UPDATE outbox_event
SET sent_at = now()
WHERE id = ANY (%(ids)s)
  AND sent_at IS NULL
