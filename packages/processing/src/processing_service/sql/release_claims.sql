UPDATE saga
SET lease_until = NULL
FROM jsonb_to_recordset(%(claims)s) AS claim (order_id bigint, version integer, fence integer)
WHERE saga.order_id = claim.order_id AND saga.version = claim.version AND saga.fence = claim.fence
