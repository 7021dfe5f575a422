WITH r AS MATERIALIZED (
  SELECT d.jobid, d.runid, d.job_pid, d.status, d.return_message, d.start_time, d.end_time, d.command,
         row_number() OVER (PARTITION BY d.jobid ORDER BY d.runid DESC) AS place
  FROM cron.job_run_details d
), live AS MATERIALIZED (
  -- A server that was stopped leaves runs behind that look as if they went on.
  SELECT r.*, count(*) OVER (PARTITION BY r.jobid) AS runs
  FROM r
  WHERE r.status IN ('starting', 'connecting', 'sending', 'running') AND r.end_time IS NULL
    AND EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = r.job_pid AND a.backend_start <= r.start_time + interval '1 minute')
)
SELECT r.jobid AS id, coalesce(j.jobname::text, r.command) AS name, 'failed' AS what, r.return_message AS message,
       extract(epoch FROM clock_timestamp() - coalesce(r.end_time, r.start_time))::float8 AS age
FROM r
LEFT JOIN cron.job j ON j.jobid = r.jobid
WHERE r.place = (SELECT min(o.place) FROM r o WHERE o.jobid = r.jobid AND o.status IN ('failed', 'succeeded')) AND r.status = 'failed'
UNION ALL
SELECT l.jobid, coalesce(j.jobname::text, l.command), CASE WHEN l.runs > 1 THEN 'twice' ELSE 'running' END, NULL,
       extract(epoch FROM clock_timestamp() - l.start_time)::float8
FROM live l
LEFT JOIN cron.job j ON j.jobid = l.jobid
WHERE l.place = (SELECT max(o.place) FROM live o WHERE o.jobid = l.jobid)
ORDER BY 1, 3
LIMIT 100
