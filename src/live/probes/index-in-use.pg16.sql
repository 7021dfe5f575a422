-- the time of the last scan is kept from 16 on
SELECT n.nspname::text AS schema, c.relname::text AS name, tc.relname::text AS "table",
       pg_stat_get_numscans(c.oid) AS scans, i.indisunique AS "unique",
       extract(epoch FROM clock_timestamp() - pg_stat_get_lastscan(c.oid))::float8 AS last,
       extract(epoch FROM clock_timestamp() - coalesce(pg_stat_get_db_stat_reset_time(d.oid),
               pg_postmaster_start_time()))::float8 AS window
FROM json_to_recordset($1::json) AS t(schema text, name text)
JOIN pg_namespace n ON n.nspname = t.schema
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.name AND c.relkind = 'i'
JOIN pg_index i ON i.indexrelid = c.oid
JOIN pg_class tc ON tc.oid = i.indrelid
JOIN pg_database d ON d.datname = current_database()
ORDER BY 1, 2
LIMIT 1000
