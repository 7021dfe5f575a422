WITH a AS MATERIALIZED (
  SELECT s.pid, s.application_name, s.state, s.wait_event_type, s.wait_event, s.query, s.query_start, s.xact_start, s.backend_type
  FROM pg_stat_activity s
  WHERE s.pid <> pg_backend_pid()
), b AS MATERIALIZED (
  SELECT a.*, pg_blocking_pids(a.pid) AS holders,
         -- Until 13 nobody notes when a wait began: the statement is older.
         coalesce((SELECT min((to_jsonb(l) ->> 'waitstart')::timestamptz) FROM pg_locks l WHERE l.pid = a.pid AND NOT l.granted),
                  a.query_start) AS since
  FROM a
  WHERE a.wait_event_type = 'Lock'
), holder AS (
  SELECT DISTINCT u AS pid FROM b, unnest(b.holders) AS u
)
SELECT extract(epoch FROM clock_timestamp())::float8 AS at,
       (SELECT coalesce(json_agg(json_build_object('pid', b.pid, 'holders', b.holders, 'application', b.application_name,
          'query', left(b.query, 200), 'seconds', greatest(0, extract(epoch FROM clock_timestamp() - b.since))::float8) ORDER BY b.since, b.pid), '[]')
        FROM b WHERE cardinality(b.holders) > 0) AS blocked,
       (SELECT coalesce(json_agg(json_build_object('pid', h.pid, 'application', a.application_name, 'state', a.state,
          'query', left(a.query, 200), 'seconds', extract(epoch FROM clock_timestamp() - a.xact_start)::float8) ORDER BY h.pid), '[]')
        FROM holder h LEFT JOIN a ON a.pid = h.pid) AS holders,
       (SELECT coalesce(json_object_agg(w.kind, w.sessions), '{}')
        FROM (SELECT coalesce(a.wait_event_type, 'none') AS kind, count(*) AS sessions FROM a
              WHERE a.state = 'active' AND a.backend_type = 'client backend' GROUP BY 1 ORDER BY 1) w) AS waits,
       (SELECT count(*) FROM a WHERE a.backend_type = 'client backend') + 1 AS connections,
       current_setting('max_connections')::int8 - current_setting('superuser_reserved_connections')::int8
         - coalesce(current_setting('reserved_connections', true), '0')::int8 AS usable,
       (SELECT coalesce(json_agg(json_build_object('name', r.application_name,
          'seconds', coalesce(extract(epoch FROM r.replay_lag), 0)::float8) ORDER BY r.application_name, r.pid), '[]')
        FROM pg_stat_replication r) AS replicas,
       (SELECT coalesce(json_agg(json_build_object('pid', p.pid, 'what', p.what, 'phase', p.phase, 'done', p.done, 'total', p.total)
          ORDER BY p.pid), '[]')
        FROM (SELECT i.pid, i.command || ' on ' || coalesce(c.relname, i.relid::text) AS what, i.phase,
                     CASE WHEN i.blocks_total > 0 THEN i.blocks_done ELSE i.tuples_done END AS done,
                     CASE WHEN i.blocks_total > 0 THEN i.blocks_total ELSE i.tuples_total END AS total
              FROM pg_stat_progress_create_index i LEFT JOIN pg_class c ON c.oid = i.relid
              WHERE i.datname = current_database()
              UNION ALL
              SELECT v.pid, 'VACUUM of ' || coalesce(c.relname, v.relid::text), v.phase, v.heap_blks_scanned, v.heap_blks_total
              FROM pg_stat_progress_vacuum v LEFT JOIN pg_class c ON c.oid = v.relid
              WHERE v.datname = current_database()
              UNION ALL
              SELECT k.pid, k.command || ' of ' || coalesce(c.relname, k.relid::text), k.phase, k.heap_blks_scanned, k.heap_blks_total
              FROM pg_stat_progress_cluster k LEFT JOIN pg_class c ON c.oid = k.relid
              WHERE k.datname = current_database()) p) AS progress,
       (SELECT coalesce(json_agg(json_build_object('table', format('%I.%I', d.schemaname, d.relname), 'dead', d.n_dead_tup, 'live', d.n_live_tup)
          ORDER BY d.n_dead_tup DESC), '[]')
        FROM (SELECT * FROM pg_stat_all_tables t WHERE t.n_dead_tup > 10000 AND t.schemaname NOT LIKE 'pg\_%'
              ORDER BY t.n_dead_tup DESC LIMIT 3) d) AS dead,
       (SELECT d.xact_commit FROM pg_stat_database d WHERE d.datname = current_database()) AS commits,
       (SELECT d.xact_rollback FROM pg_stat_database d WHERE d.datname = current_database()) AS rollbacks,
       (SELECT d.deadlocks FROM pg_stat_database d WHERE d.datname = current_database()) AS deadlocks,
       (SELECT coalesce(json_agg(json_build_object('pid', a.pid, 'application', a.application_name, 'state', a.state,
          'query', left(a.query, 200), 'seconds', extract(epoch FROM clock_timestamp() - a.query_start)::float8) ORDER BY a.pid), '[]')
        FROM a
        WHERE a.backend_type = 'client backend'
          AND (a.pid = ($1::json ->> 'pid')::int4 OR a.application_name = $1::json ->> 'application')) AS followed
