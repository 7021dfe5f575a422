SELECT s.schemaname::text AS schema, s.relname::text AS name, s.n_live_tup::float8 AS live, s.n_mod_since_analyze::float8 AS changed,
       s.last_analyze IS NULL AND s.last_autoanalyze IS NULL AS never
FROM pg_stat_all_tables s
WHERE s.schemaname NOT LIKE 'pg\_%' AND s.schemaname <> 'information_schema' AND s.n_live_tup >= 1000
  AND s.n_mod_since_analyze > 0
ORDER BY 1, 2
LIMIT 10000
