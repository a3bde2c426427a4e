SELECT outcome, facts FROM take_stock(%s, %s)
