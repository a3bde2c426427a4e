-- How many listen, this process too: see service_common.postgres.listen for the name.
SELECT count(*), pg_notify('notification_feed', %(head)s::text)
FROM pg_stat_activity
WHERE datname = current_database() AND application_name = current_setting('application_name') || ' listen'
