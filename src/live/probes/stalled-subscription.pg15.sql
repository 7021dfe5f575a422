-- pg_stat_subscription_stats counts the errors of workers.
SELECT 'off' AS what, s.subname::text AS name, NULL::text AS schema, NULL::text AS "table", NULL::float8 AS number
FROM pg_subscription s
WHERE s.subdbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()) AND NOT s.subenabled
UNION ALL
SELECT 'no worker', s.subname, NULL, NULL, NULL
FROM pg_subscription s
WHERE s.subdbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()) AND s.subenabled
  AND NOT EXISTS (SELECT FROM pg_stat_subscription w WHERE w.subname = s.subname AND w.pid IS NOT NULL AND w.relid IS NULL)
UNION ALL
SELECT 'copying', min(w.subname)::text, NULL, min(c.oid::regclass::text), count(*)
FROM pg_subscription_rel r
JOIN pg_class c ON c.oid = r.srrelid
LEFT JOIN (SELECT DISTINCT p.subid, p.subname FROM pg_stat_subscription p) w ON w.subid = r.srsubid
WHERE r.srsubstate <> 'r'
GROUP BY r.srsubid
UNION ALL
(SELECT DISTINCT 'no identity', min(p.pubname)::text, n.nspname::text, c.relname::text, NULL::float8
FROM pg_publication p
JOIN pg_publication_tables t ON t.pubname = p.pubname
JOIN pg_namespace n ON n.nspname = t.schemaname
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename
WHERE (p.pubupdate OR p.pubdelete) AND c.relkind = 'r'
  AND (c.relreplident = 'n'
       OR c.relreplident = 'd' AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)
       OR c.relreplident = 'i' AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisreplident))
GROUP BY n.nspname, c.relname)
UNION ALL
(SELECT 'published', min(t.pubname)::text, t.schemaname::text, t.tablename::text, NULL
FROM pg_publication_tables t
JOIN json_to_recordset($1::json) AS a(schema text, name text) ON a.schema = t.schemaname AND a.name = t.tablename
GROUP BY t.schemaname, t.tablename)
UNION ALL
(SELECT 'subscribed', min(w.subname)::text, n.nspname::text, c.relname::text, NULL
FROM pg_subscription_rel r
JOIN pg_class c ON c.oid = r.srrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN json_to_recordset($1::json) AS a(schema text, name text) ON a.schema = n.nspname AND a.name = c.relname
LEFT JOIN pg_stat_subscription w ON w.subid = r.srsubid
GROUP BY n.nspname, c.relname)
UNION ALL
SELECT 'errors', e.subname::text, NULL, NULL, (e.apply_error_count + e.sync_error_count)::float8
FROM pg_stat_subscription_stats e
JOIN pg_subscription s ON s.oid = e.subid
WHERE s.subdbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()) AND e.apply_error_count + e.sync_error_count > 0
ORDER BY 1, 2, 3, 4
LIMIT 200
