SELECT n.nspname::text AS schema, c.relname::text AS name,
       EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid) AS child,
       array_agg(a.attname::text ORDER BY a.attnum) FILTER (WHERE a.attnum IS NOT NULL) AS columns,
       array_agg(a.attname::text ORDER BY a.attnum) FILTER (WHERE a.attnotnull) AS "notNull"
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND n.nspname IN (SELECT json_array_elements_text($1::json))
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
GROUP BY n.nspname, c.relname, c.oid
ORDER BY 1, 2
LIMIT 20000
