SELECT 'the server' AS place, count(*) FILTER (WHERE a.backend_type = 'client backend') AS used,
       current_setting('max_connections')::int8 - current_setting('superuser_reserved_connections')::int8
       - coalesce(current_setting('reserved_connections', true), '0')::int8 AS usable
FROM pg_stat_activity a
UNION ALL
SELECT 'the database ' || d.datname, count(a.pid), d.datconnlimit
FROM pg_database d LEFT JOIN pg_stat_activity a ON a.datid = d.oid AND a.backend_type = 'client backend'
WHERE d.datname = current_database() AND d.datconnlimit > 0
GROUP BY d.datname, d.datconnlimit
UNION ALL
SELECT 'the role ' || r.rolname, count(a.pid), r.rolconnlimit
FROM pg_roles r JOIN pg_stat_activity a ON a.usesysid = r.oid AND a.backend_type = 'client backend'
WHERE r.rolconnlimit > 0
GROUP BY r.rolname, r.rolconnlimit
LIMIT 1000
