-- Returns the number of listening replicas, including this one: service_common.postgres.listen sets the name.
SELECT count(*), pg_notify('notification_feed', %(head)s::text)
FROM pg_stat_activity
WHERE datname = current_database() AND application_name = current_setting('application_name') || ' listen'
