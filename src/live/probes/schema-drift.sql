WITH held AS MATERIALIZED (
  -- Whoever prints an expression of a table waits for its lock.
  SELECT l.relation FROM pg_locks l
  WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.relation IS NOT NULL
    AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
), t AS MATERIALIZED (
  SELECT c.oid, n.nspname, c.relname,
         EXISTS (SELECT FROM held WHERE held.relation = c.oid
                 OR held.relation IN (SELECT i.indexrelid FROM pg_index i WHERE i.indrelid = c.oid)) AS held
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname IN (SELECT json_array_elements_text($1::json))
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  ORDER BY n.nspname, c.relname
  LIMIT 20000
), columns AS MATERIALIZED (
  SELECT a.attrelid AS oid, json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
           'notNull', a.attnotnull, 'identity', a.attidentity,
           'default', CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END,
           'generated', CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END) ORDER BY a.attnum) AS list
  FROM t
  JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE NOT t.held
  GROUP BY a.attrelid
), constraints AS MATERIALIZED (
  SELECT k.conrelid AS oid, json_agg(json_build_object('name', k.conname, 'kind', k.contype, 'valid', k.convalidated,
           'columns', CASE WHEN k.contype IN ('p', 'u', 'f') THEN
             (SELECT json_agg(a.attname ORDER BY u.place) FROM unnest(k.conkey) WITH ORDINALITY AS u(number, place)
              JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number) END,
           'parent', (SELECT n.nspname || '.' || p.relname FROM pg_class p JOIN pg_namespace n ON n.oid = p.relnamespace
                      WHERE p.oid = k.confrelid),
           'referenced', (SELECT json_agg(a.attname ORDER BY u.place) FROM unnest(k.confkey) WITH ORDINALITY AS u(number, place)
                          JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number),
           'check', CASE WHEN k.contype = 'c' THEN pg_get_expr(k.conbin, k.conrelid) END) ORDER BY k.conname) AS list
  FROM t
  JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype IN ('c', 'f', 'p', 'u', 'x')
  -- A foreign key to a partitioned table has another one for each partition.
  WHERE NOT t.held AND NOT EXISTS (SELECT FROM pg_constraint o WHERE o.oid = k.conparentid AND o.conrelid = k.conrelid)
  GROUP BY k.conrelid
), indexes AS MATERIALIZED (
  SELECT i.indrelid AS oid, json_agg(json_build_object('name', x.relname, 'unique', i.indisunique, 'method', m.amname,
           'keys', (SELECT json_agg(json_build_object(
                      'column', (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = i.indkey[g - 1]),
                      'expression', CASE WHEN i.indkey[g - 1] = 0 THEN pg_get_indexdef(i.indexrelid, g, true) END) ORDER BY g)
                    FROM generate_series(1, i.indnkeyatts) g),
           'include', (SELECT coalesce(json_agg(a.attname ORDER BY g), '[]') FROM generate_series(i.indnkeyatts + 1, i.indnatts) g
                       JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[g - 1]),
           'predicate', pg_get_expr(i.indpred, i.indrelid)) ORDER BY x.relname) AS list
  FROM t
  JOIN pg_index i ON i.indrelid = t.oid
  JOIN pg_class x ON x.oid = i.indexrelid
  JOIN pg_am m ON m.oid = x.relam
  -- What a build left behind is a matter of its own, and that of a constraint goes with it.
  WHERE NOT t.held AND i.indislive AND NOT EXISTS (
    SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x'))
  GROUP BY i.indrelid
)
SELECT t.nspname::text AS schema, t.relname::text AS name,
       EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = t.oid) AS child,
       CASE WHEN NOT t.held THEN coalesce(c.list, '[]') END AS columns,
       CASE WHEN NOT t.held THEN coalesce(k.list, '[]') END AS constraints,
       CASE WHEN NOT t.held THEN coalesce(x.list, '[]') END AS indexes
FROM t
LEFT JOIN columns c ON c.oid = t.oid
LEFT JOIN constraints k ON k.oid = t.oid
LEFT JOIN indexes x ON x.oid = t.oid
ORDER BY 1, 2
LIMIT 20000
