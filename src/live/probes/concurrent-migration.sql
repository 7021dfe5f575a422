SELECT a.pid, a.usename::text AS "user", a.application_name AS application, a.state, a.query,
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS age,
       extract(epoch FROM clock_timestamp() - a.state_change)::float8 AS since,
       coalesce(l.advisory, false) AS advisory, coalesce(l.strong, false) AS strong,
       EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.pid = a.pid) AS building
FROM pg_stat_activity a
LEFT JOIN (
    SELECT l.pid, bool_or(l.locktype = 'advisory' AND l.granted) AS advisory,
           bool_or(c.oid IS NOT NULL) AS strong
    FROM pg_locks l
    LEFT JOIN pg_class c ON l.locktype = 'relation' AND l.granted AND c.oid = l.relation AND c.oid >= 16384
         AND c.relpersistence <> 't'
         AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
    WHERE l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
    GROUP BY l.pid) l ON l.pid = a.pid
WHERE a.pid <> pg_backend_pid() AND a.datname = current_database() AND a.backend_type = 'client backend'
ORDER BY a.xact_start
LIMIT 5000
