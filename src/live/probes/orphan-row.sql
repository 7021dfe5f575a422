WITH off AS MATERIALIZED (
  SELECT DISTINCT g.tgconstraint AS oid FROM pg_trigger g WHERE g.tgenabled = 'D' AND g.tgconstraint <> 0
)
SELECT n.nspname::text AS schema, t.relname::text AS name, pn.nspname::text AS "parentSchema", p.relname::text AS parent,
       k.conname::text AS key, k.confmatchtype = 'f' AS "full", coalesce((to_jsonb(k) ->> 'conperiod')::bool, false) AS "period",
       NOT k.convalidated AS "notValid",
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u(number, place)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY u.place) AS columns,
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS u(number, place)
             JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number ORDER BY u.place) AS referenced,
       -- The key's own operators, with what is referenced on their left: no other function runs.
       ARRAY(SELECT format('OPERATOR(%I.%s)', s.nspname, o.oprname) FROM unnest(k.conpfeqop) WITH ORDINALITY AS u(operator, place)
             JOIN pg_operator o ON o.oid = u.operator JOIN pg_namespace s ON s.oid = o.oprnamespace ORDER BY u.place) AS operators
FROM pg_constraint k
JOIN pg_class t ON t.oid = k.conrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
JOIN pg_class p ON p.oid = k.confrelid
JOIN pg_namespace pn ON pn.oid = p.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND (NOT k.convalidated OR k.oid IN (SELECT off.oid FROM off))
  -- What is NOT ENFORCED promises nothing.
  AND coalesce((to_jsonb(k) ->> 'conenforced')::bool, true)
ORDER BY 1, 2, 5
LIMIT 50
