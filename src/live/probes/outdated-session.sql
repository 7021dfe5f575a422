SELECT a.application_name AS application, a.usename::text AS "user", count(*) AS sessions,
       extract(epoch FROM clock_timestamp() - min(a.backend_start))::float8 AS age
FROM pg_stat_activity a, json_to_record($1::json) AS t(application text, current text, deployed float8)
WHERE a.datname = current_database() AND a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()
  AND (t.application IS NULL OR a.application_name LIKE t.application)
  AND (t.current IS NULL OR a.application_name NOT LIKE t.current)
  AND (t.deployed IS NULL OR a.backend_start < to_timestamp(t.deployed))
GROUP BY 1, 2
ORDER BY 1, 2
LIMIT 50
