SELECT t.schema, t.name, l.mode, l.granted, p.gid AS prepared, a.pid, a.usename::text AS "user",
       a.application_name AS application, a.state, a.query,
       extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, p.prepared))::float8 AS age,
       extract(epoch FROM clock_timestamp() - a.state_change)::float8 AS since
FROM json_to_recordset($1::json) AS t(schema text, name text)
JOIN pg_namespace n ON n.nspname = t.schema
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.name
JOIN pg_locks l ON l.locktype = 'relation' AND l.relation = c.oid
     AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
LEFT JOIN pg_stat_activity a ON a.pid = l.pid
LEFT JOIN pg_locks x ON l.pid IS NULL AND x.pid IS NULL AND x.locktype = 'transactionid'
     AND x.virtualtransaction = l.virtualtransaction
LEFT JOIN pg_prepared_xacts p ON p.transaction = x.transactionid
WHERE l.pid IS DISTINCT FROM pg_backend_pid() AND a.backend_type IS DISTINCT FROM 'autovacuum worker'
ORDER BY age DESC NULLS LAST, a.pid
LIMIT 1000
