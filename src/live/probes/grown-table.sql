SELECT n.nspname::text AS schema, c.relname::text AS name,
       ((c.relpages::int8 + coalesce(o.relpages, 0)
         + coalesce((SELECT sum(x.relpages) FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid), 0))
        * current_setting('block_size')::int8)::int8 AS bytes
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class o ON o.oid = c.reltoastrelid
WHERE c.relkind IN ('r', 'm') AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
ORDER BY 1, 2
LIMIT 20000
