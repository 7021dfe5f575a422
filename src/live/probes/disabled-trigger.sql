SELECT n.nspname::text AS schema, t.relname::text AS "table",
       array_agg(DISTINCT g.tgname::text) FILTER (WHERE g.tgconstraint = 0) AS triggers,
       array_agg(DISTINCT c.conname::text) FILTER (WHERE g.tgconstraint <> 0) AS constraints
FROM pg_trigger g
JOIN pg_class t ON t.oid = g.tgrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
LEFT JOIN pg_constraint c ON c.oid = g.tgconstraint
WHERE g.tgenabled = 'D' AND NOT (g.tgisinternal AND coalesce(to_jsonb(c)->>'conenforced', 'true') = 'false')
GROUP BY 1, 2
ORDER BY 1, 2
LIMIT 100
