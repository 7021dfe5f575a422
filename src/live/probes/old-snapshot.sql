SELECT pid, usename::text AS "user", application_name AS application, state, query,
       extract(epoch FROM clock_timestamp() - xact_start)::float8 AS age,
       extract(epoch FROM clock_timestamp() - state_change)::float8 AS since
FROM pg_stat_activity
WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid() AND datname = current_database()
  AND backend_type = 'client backend'
ORDER BY xact_start
LIMIT 100
