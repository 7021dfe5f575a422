-- one row
SELECT current_setting('archive_mode') AS mode, current_setting('wal_level') AS level,
       extract(epoch FROM now() - a.last_archived_time)::float8 AS archived,
       extract(epoch FROM now() - a.last_failed_time)::float8 AS failed,
       a.failed_count AS failures,
       CASE WHEN pg_is_in_recovery() THEN NULL
            ELSE a.last_archived_wal IS DISTINCT FROM NULL
                 AND substr(a.last_archived_wal, 1, 24) < pg_walfile_name(pg_current_wal_lsn()) END AS behind
FROM pg_stat_archiver a
