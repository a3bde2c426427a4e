SELECT place, seq, type, version, customer_id
FROM append_notifications(
    %(types)s::text[], %(orders)s::bigint[], %(versions)s::integer[], %(times)s::timestamptz[], %(traces)s::text[],
    %(reasons)s::text[], %(customers)s::text[], %(traceparents)s::text[]
)
