SELECT pid, usename::text AS "user", application_name AS application, state, query,
       extract(epoch FROM clock_timestamp() - xact_start)::float8 AS age,
       extract(epoch FROM clock_timestamp() - state_change)::float8 AS since, NULL::text AS prepared
FROM pg_stat_activity
WHERE xact_start IS NOT NULL AND pid <> pg_backend_pid() AND datname = current_database()
  AND backend_type = 'client backend'
UNION ALL
SELECT NULL, owner::text, NULL, NULL, NULL, extract(epoch FROM clock_timestamp() - prepared)::float8, NULL, gid
FROM pg_prepared_xacts
WHERE database = current_database()
ORDER BY age DESC
LIMIT 100
