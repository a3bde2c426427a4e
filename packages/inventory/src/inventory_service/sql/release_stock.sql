SELECT release_stock(%s)
