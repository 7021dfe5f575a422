WITH held AS MATERIALIZED (
  -- Whoever prints the definition of a table's part has to wait for its lock.
  SELECT l.relation FROM pg_locks l
  WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.relation IS NOT NULL
    AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
), s AS MATERIALIZED (
  SELECT n.oid, n.nspname FROM pg_namespace n
  WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
), rel AS MATERIALIZED (
  SELECT c.*, format('%I.%I', s.nspname, c.relname) AS full_name,
         c.oid IN (SELECT held.relation FROM held) AS held
  FROM pg_class c
  JOIN s ON s.oid = c.relnamespace
  WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
)
SELECT 'schema' AS kind, quote_ident(s.nspname) AS name, '' AS definition
FROM s
UNION ALL
SELECT 'extension', quote_ident(e.extname), e.extversion
FROM pg_extension e
UNION ALL
SELECT 'table', r.full_name,
       CASE WHEN NOT r.held THEN concat_ws(' ',
         CASE r.relkind WHEN 'p' THEN 'partitioned' WHEN 'f' THEN 'foreign' ELSE 'ordinary' END,
         CASE r.relpersistence WHEN 'u' THEN 'unlogged' END,
         CASE WHEN r.relrowsecurity THEN 'row security' END,
         CASE WHEN r.relforcerowsecurity THEN 'forced row security' END,
         'by ' || pg_get_partkeydef(r.oid),
         pg_get_expr(r.relpartbound, r.oid)) END
FROM rel r
WHERE r.relkind IN ('r', 'p', 'f')
UNION ALL
SELECT 'column', r.full_name || '.' || quote_ident(a.attname),
       CASE WHEN NOT r.held THEN concat_ws(' ',
         format_type(a.atttypid, a.atttypmod),
         CASE WHEN a.attnotnull THEN 'NOT NULL' END,
         CASE WHEN a.attgenerated <> '' THEN 'GENERATED ' || a.attgenerated::text WHEN d.oid IS NOT NULL THEN 'DEFAULT' END,
         pg_get_expr(d.adbin, d.adrelid),
         CASE a.attidentity WHEN 'a' THEN 'IDENTITY ALWAYS' WHEN 'd' THEN 'IDENTITY BY DEFAULT' END,
         'COLLATE ' || (SELECT l.collname FROM pg_collation l WHERE l.oid = a.attcollation AND l.collname <> 'default')) END
FROM rel r
JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
WHERE r.relkind IN ('r', 'p', 'f')
UNION ALL
-- Before 18 a NOT NULL is no object of its own: the column says it.
SELECT 'constraint', r.full_name || '.' || quote_ident(c.conname),
       CASE WHEN NOT r.held THEN pg_get_constraintdef(c.oid) END
FROM rel r
JOIN pg_constraint c ON c.conrelid = r.oid AND c.contype IN ('c', 'f', 'p', 'u', 'x')
UNION ALL
SELECT 'index', (SELECT format('%I.%I', s.nspname, x.relname) FROM s WHERE s.oid = x.relnamespace),
       CASE WHEN NOT r.held AND NOT x.oid IN (SELECT held.relation FROM held)
         THEN pg_get_indexdef(i.indexrelid) || CASE WHEN i.indisvalid THEN '' ELSE ' INVALID' END END
FROM rel r
JOIN pg_index i ON i.indrelid = r.oid
JOIN pg_class x ON x.oid = i.indexrelid
WHERE r.relkind IN ('r', 'p', 'm')
UNION ALL
SELECT CASE r.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END, r.full_name,
       CASE WHEN NOT r.held AND NOT EXISTS (
         SELECT FROM pg_rewrite w
         JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass
         WHERE w.ev_class = r.oid AND d.refobjid IN (SELECT held.relation FROM held)) THEN pg_get_viewdef(r.oid) END
FROM rel r
WHERE r.relkind IN ('v', 'm')
UNION ALL
SELECT 'sequence', r.full_name, format_type(q.seqtypid, NULL) || ' by ' || q.seqincrement || ' up to ' || q.seqmax
FROM rel r
JOIN pg_sequence q ON q.seqrelid = r.oid
UNION ALL
SELECT 'trigger', r.full_name || '.' || quote_ident(t.tgname),
       CASE WHEN NOT r.held THEN pg_get_triggerdef(t.oid) || CASE t.tgenabled WHEN 'O' THEN '' ELSE ' ENABLED ' || t.tgenabled::text END END
FROM rel r
JOIN pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal
UNION ALL
SELECT 'policy', r.full_name || '.' || quote_ident(p.polname),
       CASE WHEN NOT r.held THEN concat_ws(' ', p.polcmd, CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END,
         (SELECT string_agg(coalesce(o.rolname, 'public'), ',' ORDER BY o.rolname)
          FROM unnest(p.polroles) u LEFT JOIN pg_roles o ON o.oid = u),
         'USING ' || pg_get_expr(p.polqual, p.polrelid), 'CHECK ' || pg_get_expr(p.polwithcheck, p.polrelid)) END
FROM rel r
JOIN pg_policy p ON p.polrelid = r.oid
UNION ALL
SELECT CASE f.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
       format('%I.%I(%s)', s.nspname, f.proname, pg_get_function_identity_arguments(f.oid)),
       concat_ws(' ', pg_get_function_result(f.oid), f.provolatile, f.prosecdef, f.proisstrict, f.prosrc, f.proconfig::text)
FROM pg_proc f
JOIN s ON s.oid = f.pronamespace
WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e')
UNION ALL
SELECT CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END, format('%I.%I', s.nspname, t.typname),
       concat_ws(' ', t.typtype,
         (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid),
         CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END,
         CASE WHEN t.typnotnull THEN 'NOT NULL' END, t.typdefault,
         (SELECT string_agg(pg_get_constraintdef(k.oid), ' ' ORDER BY k.conname) FROM pg_constraint k
          WHERE k.contypid = t.oid AND k.contype = 'c'),
         (SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum)
          FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped))
FROM pg_type t
JOIN s ON s.oid = t.typnamespace
LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE (t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND c.relkind = 'c'))
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
ORDER BY 1, 2
