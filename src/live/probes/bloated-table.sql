SELECT n.nspname::text AS schema, c.relname::text AS name, c.reltuples::float8 AS rows,
       (c.relpages::int8 * b.size)::float8 AS bytes,
       (SELECT sum(x.relpages::int8) * b.size FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
        WHERE i.indrelid = c.oid)::float8 AS "indexBytes"
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN (SELECT current_setting('block_size')::int8 AS size) b
WHERE c.relkind IN ('r', 'm') AND c.reltuples > 0 AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
ORDER BY 1, 2
LIMIT 20000
