SELECT forget_notifications(make_interval(secs => %(age_s)s), %(limit)s)
