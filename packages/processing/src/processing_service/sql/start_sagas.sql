SELECT order_id, version, fence, restarts
FROM start_sagas(%(sagas)s, make_interval(secs => %(lease_s)s))
