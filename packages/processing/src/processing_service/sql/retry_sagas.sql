-- Not those that an engine runs, which writes when they are due again, and none that is due already.
UPDATE saga
SET next_run_at = now()
WHERE order_id = %s AND next_run_at > now() AND (lease_until IS NULL OR lease_until <= now())
