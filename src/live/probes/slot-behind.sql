SELECT slot_name::text AS name, slot_type AS kind, active, wal_status AS status,
       (CASE WHEN pg_is_in_recovery() THEN NULL ELSE pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) END)::float8
           AS retained
FROM pg_replication_slots
WHERE NOT temporary
ORDER BY slot_name
LIMIT 200
