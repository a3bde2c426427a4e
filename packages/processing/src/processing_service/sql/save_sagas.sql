SELECT order_id, version
FROM save_sagas(%(changes)s, make_interval(secs => %(lease_s)s), %(destinations)s::text[])
