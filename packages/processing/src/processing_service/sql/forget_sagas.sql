SELECT forget_sagas(%s::bigint[], %s::integer[])
