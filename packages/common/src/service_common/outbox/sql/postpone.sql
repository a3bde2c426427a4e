-- Full jitter, so that what failed together does not come back together; never at once.
UPDATE outbox_event
SET available_at = now() + make_interval(
    secs => least(%(cap_s)s, %(first_s)s * 2.0 ^ least(attempts - 1, 30)) * (0.1 + 0.9 * random())
)
WHERE id IN (SELECT id FROM outbox_event WHERE id = ANY (%(ids)s) AND sent_at IS NULL FOR UPDATE SKIP LOCKED)
