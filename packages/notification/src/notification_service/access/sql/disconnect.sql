-- Returns the number of deleted tickets, and of listening replicas: service_common.postgres.listen sets their name.
WITH next AS (
    UPDATE disconnection_head SET head = head + 1 RETURNING head
), request AS (
    INSERT INTO disconnection (seq, customer_id) SELECT head, %(customer)s FROM next
), deleted AS (
    DELETE FROM ticket WHERE subject = %(customer)s RETURNING 1
)
SELECT (SELECT count(*) FROM deleted),
       (SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = current_setting('application_name') || ' listen'),
       pg_notify('notification_feed', 'disconnection')
