-- updated_at is the start of the transaction that wrote it, and commits have another order. What an open transaction of
-- this role may still commit is not before its start, so nothing before the oldest of them changes any more. Read before
-- the orders, in a statement of its own: a transaction that is missing here has committed before their snapshot.
SELECT least(now() - make_interval(secs => %(min_age_s)s), min(xact_start))
FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND backend_type = 'client backend'
