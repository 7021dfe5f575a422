SELECT CASE WHEN r.oid IS NULL THEN 'role' WHEN c.oid IS NOT NULL THEN 'owner' ELSE 'schema' END AS problem,
       t.schema, t.name, pg_get_userbyid(c.relowner)::text AS owner
FROM json_to_recordset($1::json) AS t(role text, schema text, name text)
LEFT JOIN pg_roles r ON r.rolname = t.role
LEFT JOIN pg_namespace n ON n.nspname = t.schema
LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.name
WHERE r.oid IS NULL
   OR c.oid IS NOT NULL AND NOT r.rolsuper AND NOT pg_has_role(r.oid, c.relowner, 'USAGE')
   OR t.name IS NULL AND n.oid IS NOT NULL AND NOT has_schema_privilege(r.oid, n.oid, 'CREATE')
ORDER BY 1, 2, 3
LIMIT 500
