SELECT coalesce(r.rolname, '')::text AS role, coalesce(d.datname, '')::text AS database, s.setconfig AS settings
FROM pg_db_role_setting s
LEFT JOIN pg_roles r ON r.oid = s.setrole
LEFT JOIN pg_database d ON d.oid = s.setdatabase
WHERE (s.setrole = 0 OR r.rolname = $1::text) AND (s.setdatabase = 0 OR d.datname = current_database())
ORDER BY s.setrole <> 0, s.setdatabase <> 0
LIMIT 100
