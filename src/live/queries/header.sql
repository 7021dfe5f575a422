SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS taken_at,
       current_setting('server_version_num')::int8 AS server_version_num, d.datname AS database,
       pg_database_size(d.oid) AS database_bytes,
       -- Counters that were never set back began with the server's statistics; nobody knows when.
       to_char((SELECT b.stats_reset FROM pg_stat_database b WHERE b.datid = d.oid) AT TIME ZONE 'UTC',
               'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS stats_reset,
       (SELECT json_object_agg(g.name, current_setting(g.name) ORDER BY g.name) FROM pg_settings g
        -- This session's own ones say nothing about others.
        WHERE g.source NOT IN ('client', 'session') AND g.name = ANY (ARRAY['autovacuum', 'idle_in_transaction_session_timeout', 'lock_timeout', 'log_lock_waits', 'deadlock_timeout',
          'maintenance_work_mem', 'max_connections', 'max_parallel_maintenance_workers', 'max_wal_size', 'max_worker_processes',
          'reserved_connections', 'shared_buffers', 'statement_timeout', 'superuser_reserved_connections', 'transaction_timeout',
          'wal_level', 'work_mem'])) AS settings
FROM pg_database d
WHERE d.datname = current_database()
