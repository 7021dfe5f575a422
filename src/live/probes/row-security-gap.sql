SELECT n.nspname::text AS schema, c.relname::text AS name, c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced,
       count(p.oid) AS policies
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_policy p ON p.polrelid = c.oid
WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
GROUP BY n.nspname, c.relname, c.relrowsecurity, c.relforcerowsecurity
HAVING c.relrowsecurity OR count(p.oid) > 0
ORDER BY 1, 2
LIMIT 10000
