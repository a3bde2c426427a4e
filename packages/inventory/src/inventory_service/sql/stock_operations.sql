-- Ids are visible ASCII and ordered by bytes: what begins with the prefix lies below the prefix and DEL.
SELECT id, items, outcome, created_at, released_at
FROM stock_operation
WHERE id >= %(prefix)s AND id < %(prefix)s || chr(127)
ORDER BY id
LIMIT %(limit)s
