SELECT t.schema, t.name, c.reltuples::float8 AS rows,
       c.relpages::float8 * current_setting('block_size')::float8 AS heap,
       coalesce(o.relpages, 0)::float8 * current_setting('block_size')::float8 AS toast,
       coalesce((SELECT sum(ic.relpages) FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid
                 WHERE i.indrelid = c.oid), 0)::float8 * current_setting('block_size')::float8 AS indexes
FROM json_to_recordset($1::json) AS t(schema text, name text)
JOIN pg_namespace n ON n.nspname = t.schema
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.name AND c.relkind IN ('r', 'm', 'p')
LEFT JOIN pg_class o ON o.oid = c.reltoastrelid
ORDER BY t.schema, t.name
LIMIT 1000
