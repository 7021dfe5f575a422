SELECT n.nspname::text AS schema, c.relname::text AS name, c.relrowsecurity AS "rowSecurity", c.relforcerowsecurity AS "forced",
       (SELECT coalesce(json_agg(json_build_object('name', a.attname, 'type', coalesce(e.typname, t.typname), 'array', e.oid IS NOT NULL,
          'spelled', format_type(a.atttypid, a.atttypmod), 'notNull', a.attnotnull) ORDER BY a.attnum), '[]')
        FROM pg_attribute a
        JOIN pg_type t ON t.oid = a.atttypid
        LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
       ARRAY(SELECT k.conname::text FROM pg_constraint k WHERE k.conrelid = c.oid ORDER BY 1) AS constraints,
       ARRAY(SELECT x.relname::text FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid ORDER BY 1) AS indexes,
       ARRAY(SELECT g.tgname::text FROM pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal ORDER BY 1) AS triggers,
       ARRAY(SELECT p.polname::text FROM pg_policy p WHERE p.polrelid = c.oid ORDER BY 1) AS policies
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname IN (SELECT json_array_elements_text($1::json))
ORDER BY 1, 2
LIMIT 20000
