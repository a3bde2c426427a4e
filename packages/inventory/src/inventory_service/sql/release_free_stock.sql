SELECT release_free_stock(%s)
