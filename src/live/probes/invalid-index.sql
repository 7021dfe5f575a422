SELECT n.nspname::text AS schema, c.relname::text AS name, tn.nspname::text AS table_schema, t.relname::text AS table,
       c.relkind = 'I' AS partitioned
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_namespace tn ON tn.oid = t.relnamespace
WHERE NOT (i.indisvalid AND i.indisready AND i.indislive) AND n.nspname NOT LIKE 'pg\_temp%'
  AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.relid = i.indrelid)
ORDER BY 1, 2
LIMIT 100
