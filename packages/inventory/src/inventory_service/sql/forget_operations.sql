DELETE FROM stock_operation WHERE id = ANY (%s)
