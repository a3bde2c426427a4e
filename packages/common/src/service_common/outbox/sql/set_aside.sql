-- Neither claimed nor deleted nor announced again.
UPDATE outbox_event
SET sent_at = 'infinity'
WHERE id = ANY (%(ids)s)
