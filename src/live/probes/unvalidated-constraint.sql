SELECT n.nspname::text AS schema, t.relname::text AS "table", c.conname::text AS name, c.contype::text AS kind
FROM pg_constraint c
JOIN pg_class t ON t.oid = c.conrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE NOT c.convalidated AND c.conparentid = 0 AND coalesce(to_jsonb(c)->>'conenforced', 'true') = 'true'
ORDER BY 1, 2, 3
LIMIT 100
