-- What pg_depend says about columns, as `table.column: kind name`.
SELECT line FROM (SELECT r.relname || '.' || a.attname || ': ' || CASE
    WHEN w.oid IS NOT NULL AND w.rulename <> '_RETURN' THEN 'rule ' || w.rulename
    WHEN x.oid IS NOT NULL THEN 'statistics ' || x.stxname
    WHEN w.oid IS NOT NULL THEN CASE v.relkind WHEN 'm' THEN 'materialized view ' ELSE 'view ' END || v.relname
    WHEN k.oid IS NOT NULL AND k.conrelid = r.oid THEN 'constraint ' || k.conname
    WHEN k.oid IS NOT NULL THEN 'foreign key ' || k.conname
    WHEN g.oid IS NOT NULL THEN 'trigger ' || g.tgname
    WHEN p.oid IS NOT NULL THEN 'policy ' || p.polname
    WHEN f.oid IS NOT NULL THEN 'generated column ' || fa.attname
    WHEN i.relkind = 'i' THEN 'index ' || i.relname
    WHEN i.relkind = 'S' THEN 'sequence ' || i.relname
    -- Up to 13 a generated column depends itself, and not its expression.
    WHEN i.relkind = 'r' AND d.objsubid > 0 AND d.objid = d.refobjid THEN 'generated column '
        || (SELECT attname FROM pg_attribute WHERE attrelid = i.oid AND attnum = d.objsubid)
    END AS line
FROM pg_depend d
JOIN pg_class r ON d.refclassid = 'pg_class'::regclass AND r.oid = d.refobjid AND r.relkind IN ('r', 'p')
JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = d.refobjsubid AND a.attnum > 0
LEFT JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
LEFT JOIN pg_statistic_ext x ON d.classid = 'pg_statistic_ext'::regclass AND x.oid = d.objid
LEFT JOIN pg_class v ON v.oid = w.ev_class
LEFT JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
LEFT JOIN pg_trigger g ON d.classid = 'pg_trigger'::regclass AND g.oid = d.objid
LEFT JOIN pg_policy p ON d.classid = 'pg_policy'::regclass AND p.oid = d.objid
LEFT JOIN pg_attrdef f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid AND f.adnum <> a.attnum
LEFT JOIN pg_attribute fa ON fa.attrelid = f.adrelid AND fa.attnum = f.adnum
LEFT JOIN pg_class i ON d.classid = 'pg_class'::regclass AND i.oid = d.objid
WHERE r.relnamespace = 'public'::regnamespace
  AND (k.oid IS NULL OR k.contype <> 'n')
  ) found WHERE line IS NOT NULL
