-- one row
SELECT (d.xact_commit + d.xact_rollback)::float8 AS transactions,
       (SELECT count(*) FROM pg_stat_activity a
        WHERE a.datname = d.datname AND a.backend_type = 'client backend' AND a.state = 'active' AND a.pid <> pg_backend_pid()) AS active,
       extract(epoch FROM clock_timestamp())::float8 AS now
FROM pg_stat_database d
WHERE d.datname = current_database()
