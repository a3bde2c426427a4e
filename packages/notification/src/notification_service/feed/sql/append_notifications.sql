SELECT place, seq, type, version
FROM append_notifications(
    %(types)s::text[], %(orders)s::bigint[], %(versions)s::integer[], %(times)s::timestamptz[], %(traces)s::text[],
    %(reasons)s::text[]
)
