WITH held AS MATERIALIZED (
  -- To ask for the size of a file is to wait for the lock of its table.
  SELECT l.relation FROM pg_locks l
  WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.relation IS NOT NULL
    AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
), t AS MATERIALIZED (
  SELECT n.nspname::text AS schema, c.relname::text AS name, c.oid
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'm') AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
    AND c.oid NOT IN (SELECT held.relation FROM held)
    AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indexrelid IN (SELECT held.relation FROM held))
)
SELECT t.schema, t.name, pg_total_relation_size(t.oid) AS bytes
FROM t
ORDER BY 1, 2
LIMIT 20000
