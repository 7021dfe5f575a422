SELECT t.schema, t.name, w.pid,
       extract(epoch FROM clock_timestamp() - w.xact_start)::float8 AS running,
       (100.0 * age(c.relfrozenxid) / current_setting('autovacuum_freeze_max_age')::int8)::float8 AS percent
FROM json_to_recordset($1::json) AS t(schema text, name text)
JOIN pg_namespace n ON n.nspname = t.schema
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.name AND c.relkind IN ('r', 'm')
LEFT JOIN LATERAL (
    SELECT a.pid, a.xact_start
    FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.locktype = 'relation' AND l.relation = c.oid AND l.granted AND a.datname = current_database()
      AND a.backend_type = 'autovacuum worker' AND a.query LIKE '%(to prevent wraparound)%'
    LIMIT 1) w ON true
ORDER BY t.schema, t.name
LIMIT 1000
