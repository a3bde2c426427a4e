SELECT pg_notify('notification_feed', %(head)s::text)
