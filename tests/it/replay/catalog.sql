-- Tables.
SELECT 'table ' || CASE WHEN n.nspname LIKE 'pg_temp_%' THEN 'pg_temp' ELSE n.nspname END || '.' || c.relname,
       c.relkind::text, c.relpersistence::text,
       CASE WHEN c.relrowsecurity THEN 'true' ELSE 'false' END, CASE WHEN c.relforcerowsecurity THEN 'true' ELSE 'false' END,
       obj_description(c.oid, 'pg_class')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast');

-- Columns, numbered without the dropped ones.
SELECT 'column ' || CASE WHEN n.nspname LIKE 'pg_temp_%' THEN 'pg_temp' ELSE n.nspname END || '.' || c.relname || '.'
           || lpad((row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum))::text, 2, '0') || ' ' || a.attname,
       replace(format_type(a.atttypid, a.atttypmod), 'pg_temp_%', 'pg_temp') AS type,
       a.attnotnull::text,
       CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END AS expr,
       CASE WHEN a.attgenerated <> '' THEN a.attgenerated::text || ' ' || pg_get_expr(d.adbin, d.adrelid) END AS generated,
       a.attidentity::text,
       CASE WHEN a.attcollation <> t.typcollation THEN (SELECT collname::text FROM pg_catalog.pg_collation WHERE oid = a.attcollation) END,
       col_description(c.oid, a.attnum)
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relkind IN ('r', 'p', 'f') AND a.attnum > 0 AND NOT a.attisdropped
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast');

-- Constraints, without what a foreign key to a partitioned table adds for each partition.
SELECT 'constraint ' || CASE WHEN n.nspname LIKE 'pg_temp_%' THEN 'pg_temp' ELSE n.nspname END || '.' || c.relname || '.' || k.conname,
       k.contype::text,
       CASE WHEN k.contype = 'x' THEN (
                SELECT string_agg(pg_get_indexdef(k.conindid, i, true), ',' ORDER BY i)
                FROM generate_series(1, (SELECT indnkeyatts FROM pg_catalog.pg_index WHERE indexrelid = k.conindid)) i)
            WHEN k.contype = 'c' THEN (
                SELECT string_agg(a.attname, ',' ORDER BY a.attname COLLATE "C")
                FROM (SELECT DISTINCT unnest(k.conkey) AS num) u
                JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num)
            ELSE (
                SELECT string_agg(a.attname, ',' ORDER BY u.at)
                FROM unnest(k.conkey) WITH ORDINALITY u(num, at)
                JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num) END,
       k.convalidated::text,
       (SELECT CASE WHEN rn.nspname LIKE 'pg_temp_%' THEN 'pg_temp' ELSE rn.nspname END || '.' || r.relname FROM pg_catalog.pg_class r JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace WHERE r.oid = k.confrelid),
       (SELECT string_agg(a.attname, ',' ORDER BY u.at)
        FROM unnest(k.confkey) WITH ORDINALITY u(num, at)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.num),
       CASE WHEN k.contype = 'c' THEN pg_get_expr(k.conbin, k.conrelid) END AS expr
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND k.contype IN ('c', 'f', 'p', 'u', 'x')
  AND NOT (k.contype = 'f' AND k.conparentid <> 0
           AND k.conrelid = (SELECT p.conrelid FROM pg_catalog.pg_constraint p WHERE p.oid = k.conparentid));

-- Indexes.
SELECT 'index ' || CASE WHEN n.nspname LIKE 'pg_temp_%' THEN 'pg_temp' ELSE n.nspname END || '.' || c.relname,
       CASE WHEN n.nspname LIKE 'pg_temp_%' THEN 'pg_temp' ELSE n.nspname END || '.' || t.relname,
       i.indisunique::text,
       (SELECT string_agg(CASE WHEN i.indkey[k - 1] = 0 THEN pg_get_indexdef(c.oid, k, true)
                               ELSE (SELECT quote_ident(attname) FROM pg_catalog.pg_attribute WHERE attrelid = t.oid AND attnum = i.indkey[k - 1]) END,
                          chr(31) ORDER BY k)
        FROM generate_series(1, i.indnkeyatts) k) AS exprs,
       (SELECT string_agg(a.attname, ',' ORDER BY k)
        FROM generate_series(i.indnkeyatts + 1, i.indnatts) k
        JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[k - 1]),
       pg_get_expr(i.indpred, i.indrelid) AS expr,
       i.indisvalid::text,
       (SELECT conname::text FROM pg_catalog.pg_constraint k WHERE k.conindid = c.oid AND k.contype IN ('p', 'u', 'x')),
       (SELECT pn.nspname || '.' || p.relname FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_class p ON p.oid = h.inhparent
        JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace WHERE h.inhrelid = c.oid)
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast');

-- Partitions and inheritance.
SELECT 'partition ' || n.nspname || '.' || c.relname, pn.nspname || '.' || p.relname,
       CASE WHEN pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT' THEN 'true' ELSE 'false' END,
       pg_get_expr(c.relpartbound, c.oid) AS bound
FROM pg_catalog.pg_inherits h
JOIN pg_catalog.pg_class c ON c.oid = h.inhrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class p ON p.oid = h.inhparent JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
WHERE c.relispartition AND c.relkind IN ('r', 'p', 'f');

SELECT 'inherits ' || CASE WHEN n.nspname LIKE 'pg_temp_%' THEN 'pg_temp' ELSE n.nspname END || '.' || c.relname || ' ' || pn.nspname || '.' || p.relname
FROM pg_catalog.pg_inherits h
JOIN pg_catalog.pg_class c ON c.oid = h.inhrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class p ON p.oid = h.inhparent JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
WHERE NOT c.relispartition AND c.relkind IN ('r', 'p', 'f');

-- Sequences.
SELECT 'sequence ' || CASE WHEN n.nspname LIKE 'pg_temp_%' THEN 'pg_temp' ELSE n.nspname END || '.' || c.relname,
       (SELECT CASE WHEN tn.nspname LIKE 'pg_temp_%' THEN 'pg_temp' ELSE tn.nspname END || '.' || t.relname || '.' || a.attname
        FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class t ON t.oid = d.refobjid
        JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
        JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
          AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjsubid > 0),
       format_type(s.seqtypid, NULL) AS type
FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace;

-- Types.
SELECT 'enum ' || n.nspname || '.' || t.typname,
       (SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid)
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype = 'e' AND n.nspname NOT IN ('pg_catalog', 'information_schema');

SELECT 'domain ' || n.nspname || '.' || t.typname, format_type(t.typbasetype, t.typtypmod) AS type, t.typnotnull::text,
       t.typdefault AS expr,
       (SELECT string_agg(k.conname || ' ' || k.convalidated::text || ' ' || pg_get_expr(k.conbin, 0), chr(31) ORDER BY k.conname)
        FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c') AS checks
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype = 'd' AND n.nspname NOT IN ('pg_catalog', 'information_schema');

SELECT 'composite ' || n.nspname || '.' || t.typname,
       (SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), chr(31) ORDER BY a.attnum)
        FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS attributes
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
JOIN pg_catalog.pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema');

SELECT 'type ' || n.nspname || '.' || t.typname
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema');

-- Views.
SELECT 'view ' || CASE WHEN n.nspname LIKE 'pg_temp_%' THEN 'pg_temp' ELSE n.nspname END || '.' || c.relname,
       c.relkind::text, c.relispopulated::text,
       (SELECT string_agg(a.attname, ',' ORDER BY a.attnum) FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0),
       (SELECT string_agg(name, ',' ORDER BY name COLLATE "C") FROM (
            SELECT DISTINCT CASE WHEN rn.nspname LIKE 'pg_temp_%' THEN 'pg_temp' ELSE rn.nspname END || '.' || r.relname AS name
            FROM pg_catalog.pg_rewrite w
            JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = w.oid
                 AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> c.oid
            JOIN pg_catalog.pg_class r ON r.oid = d.refobjid AND r.relkind IN ('r', 'p', 'f', 'v', 'm')
            JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
            WHERE w.ev_class = c.oid) reads)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema');

-- Functions.
SELECT 'function ' || n.nspname || '.' || p.proname || chr(31)
           || coalesce((SELECT string_agg(format_type(a.ty, NULL), chr(31) ORDER BY a.at) FROM unnest(p.proargtypes) WITH ORDINALITY a(ty, at)), '') AS types,
       p.provolatile::text, l.lanname::text
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND p.prokind IN ('f', 'p')
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.objid = p.oid AND d.classid = 'pg_catalog.pg_proc'::regclass AND d.deptype IN ('i', 'e'));

-- Triggers and policies; partitions have copies of their parent's triggers.
SELECT 'trigger ' || CASE WHEN n.nspname LIKE 'pg_temp_%' THEN 'pg_temp' ELSE n.nspname END || '.' || c.relname || '.' || t.tgname,
       fn.nspname || '.' || f.proname,
       (SELECT string_agg(a.attname, ',' ORDER BY a.attname COLLATE "C") FROM unnest(t.tgattr) u(num)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.num),
       CASE WHEN t.tgtype & 1 = 1 THEN 'true' ELSE 'false' END
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_proc f ON f.oid = t.tgfoid JOIN pg_catalog.pg_namespace fn ON fn.oid = f.pronamespace
WHERE NOT t.tgisinternal AND t.tgparentid = 0;

SELECT 'trigger copy ' || n.nspname || '.' || c.relname || '.' || t.tgname
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE t.tgparentid <> 0
  -- Foreign keys of partitions have copies of their own triggers.
  AND t.tgconstraint = 0;

SELECT 'rule ' || n.nspname || '.' || c.relname || '.' || r.rulename
FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE r.rulename <> '_RETURN' AND n.nspname NOT IN ('pg_catalog', 'information_schema');

SELECT 'statistics ' || n.nspname || '.' || s.stxname, tn.nspname || '.' || c.relname
FROM pg_catalog.pg_statistic_ext s JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
JOIN pg_catalog.pg_class c ON c.oid = s.stxrelid JOIN pg_catalog.pg_namespace tn ON tn.oid = c.relnamespace;

SELECT 'policy ' || n.nspname || '.' || c.relname || '.' || p.polname
FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace;
