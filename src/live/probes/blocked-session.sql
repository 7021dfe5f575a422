WITH waiting AS MATERIALIZED (
    SELECT a.pid, a.query_start, a.usename, a.application_name, a.state, a.query, a.xact_start, a.state_change,
           pg_blocking_pids(a.pid) AS blockers
    FROM pg_stat_activity a
    WHERE a.wait_event_type = 'Lock' AND a.pid <> pg_backend_pid() AND a.datname = current_database()
)
SELECT w.pid, w.usename::text AS "user", w.application_name AS application, w.state, w.query,
       extract(epoch FROM clock_timestamp() - w.xact_start)::float8 AS age,
       extract(epoch FROM clock_timestamp() - w.state_change)::float8 AS since,
       extract(epoch FROM clock_timestamp() - w.query_start)::float8 AS waits, w.blockers
FROM waiting w
WHERE cardinality(w.blockers) > 0
UNION ALL
SELECT a.pid, a.usename::text, a.application_name, a.state, a.query,
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8,
       extract(epoch FROM clock_timestamp() - a.state_change)::float8, NULL, NULL
FROM pg_stat_activity a
WHERE a.pid IN (SELECT unnest(w.blockers) FROM waiting w) AND a.pid NOT IN (SELECT w.pid FROM waiting w)
LIMIT 1000
