-- At least one row, so that the head is of the same snapshot.
SELECT h.head, d.customer_id
FROM disconnection_head AS h
LEFT JOIN disconnection AS d ON d.seq > %(after)s
ORDER BY d.seq
