WITH held AS MATERIALIZED (
  -- To ask for the size of a file is to wait for the lock of its table.
  SELECT l.relation FROM pg_locks l
  WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.relation IS NOT NULL
    AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
), files AS MATERIALIZED (
  SELECT c.oid, CASE WHEN c.oid IN (SELECT held.relation FROM held) OR NOT c.relkind IN ('r', 'm', 'i', 't') THEN NULL
                     ELSE pg_relation_size(c.oid) END AS bytes,
         CASE WHEN c.oid IN (SELECT held.relation FROM held) OR NOT c.relkind IN ('r', 'm') THEN NULL
              ELSE pg_table_size(c.oid) END AS with_toast
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
), idx AS MATERIALIZED (
  SELECT i.indrelid, sum(f.bytes)::int8 AS bytes, bool_and(f.bytes IS NOT NULL) AS whole,
         json_agg(json_build_object('name', x.relname, 'valid', i.indisvalid, 'unique', i.indisunique,
                                    'bytes', f.bytes, 'scans', u.idx_scan) ORDER BY x.relname) AS list
  FROM pg_index i
  JOIN pg_class x ON x.oid = i.indexrelid
  JOIN files f ON f.oid = x.oid
  LEFT JOIN pg_stat_all_indexes u ON u.indexrelid = x.oid
  GROUP BY i.indrelid
)
SELECT n.nspname AS schema, c.relname AS name,
       CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned_table' WHEN 'm' THEN 'materialized_view'
                      ELSE 'foreign_table' END AS kind,
       (SELECT json_build_object('schema', pn.nspname, 'name', p.relname)
        FROM pg_inherits h JOIN pg_class p ON p.oid = h.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
        WHERE h.inhrelid = c.oid AND c.relispartition) AS partition_of,
       -- Before 14 a table that was never looked at has 0 rows on 0 pages.
       CASE WHEN c.reltuples > 0 OR (c.reltuples = 0 AND (s.last_analyze IS NOT NULL OR s.last_autoanalyze IS NOT NULL
         OR s.last_vacuum IS NOT NULL OR s.last_autovacuum IS NOT NULL)) THEN c.reltuples::int8 END AS rows,
       f.bytes, f.with_toast + CASE WHEN idx.indrelid IS NULL THEN 0 WHEN idx.whole THEN idx.bytes END AS total_bytes,
       CASE WHEN idx.whole THEN idx.bytes END AS index_bytes,
       coalesce(idx.list, '[]') AS indexes,
       CASE WHEN s.relid IS NOT NULL THEN json_build_object('inserted', s.n_tup_ins, 'updated', s.n_tup_upd, 'deleted', s.n_tup_del,
         'seq_scans', s.seq_scan, 'idx_scans', coalesce(s.idx_scan, 0), 'dead_rows', s.n_dead_tup) END AS activity,
       to_char(greatest(s.last_analyze, s.last_autoanalyze) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS last_analyzed
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN files f ON f.oid = c.oid
LEFT JOIN idx ON idx.indrelid = c.oid
LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
WHERE c.relkind IN ('r', 'p', 'm', 'f') AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
ORDER BY 1, 2
