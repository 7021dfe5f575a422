SELECT application_name AS name, state, sync_state AS sync,
       extract(epoch FROM replay_lag)::float8 AS lag,
       (CASE WHEN pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_last_wal_replay_lsn(), replay_lsn)
             ELSE pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) END)::float8 AS behind
FROM pg_stat_replication
WHERE pid NOT IN (SELECT active_pid FROM pg_replication_slots WHERE slot_type = 'logical' AND active_pid IS NOT NULL)
ORDER BY application_name
LIMIT 100
