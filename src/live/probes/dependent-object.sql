WITH gone AS (
    SELECT t.index, c.oid, c.reltype, a.attnum, t.name, t."column", t.retyped
    FROM json_to_recordset($1::json) AS t(index int4, schema text, name text, "column" text, retyped bool)
    JOIN pg_namespace n ON n.nspname = t.schema
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.name
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = t."column" AND NOT a.attisdropped
    WHERE t."column" IS NULL OR a.attnum IS NOT NULL
)
SELECT g.index, CASE WHEN v.oid IS NOT NULL THEN pg_describe_object('pg_class'::regclass, v.oid, 0)
                     ELSE pg_describe_object(d.classid, d.objid, d.objsubid) END AS what, false AS body,
       coalesce(vn.nspname, cn.nspname)::text AS schema, coalesce(v.relname, cc.relname)::text AS relation,
       coalesce(k.conname)::text AS "constraint"
FROM gone g
JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = g.oid AND d.deptype = 'n'
     AND (g.attnum IS NULL OR d.refobjsubid = g.attnum)
LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
LEFT JOIN pg_class v ON v.oid = r.ev_class
LEFT JOIN pg_namespace vn ON vn.oid = v.relnamespace
LEFT JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
LEFT JOIN pg_class cc ON cc.oid = k.conrelid
LEFT JOIN pg_namespace cn ON cn.oid = cc.relnamespace
WHERE coalesce(v.oid, cc.oid, 0) <> g.oid
  AND NOT (g.retyped AND d.classid IN ('pg_constraint'::regclass))
UNION
SELECT g.index, p.oid::regprocedure::text, true, fn.nspname::text, NULL, NULL
FROM gone g
JOIN pg_proc p ON strpos(lower(p.prosrc), lower(g.name)) > 0
     AND (g."column" IS NULL OR strpos(lower(p.prosrc), lower(g."column")) > 0)
JOIN pg_namespace fn ON fn.oid = p.pronamespace
JOIN pg_language l ON l.oid = p.prolang
WHERE l.lanname IN ('sql', 'plpgsql') AND fn.nspname NOT IN ('pg_catalog', 'information_schema') AND NOT g.retyped
  AND p.prosrc ~* ('\m' || regexp_replace(g.name, '([^[:alnum:]_])', '\\\1', 'g') || '\M')
  AND (g."column" IS NULL
       OR p.prosrc ~* ('\m' || regexp_replace(g."column", '([^[:alnum:]_])', '\\\1', 'g') || '\M'))
ORDER BY 1, 2
LIMIT 500
