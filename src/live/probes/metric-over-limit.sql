-- one row: the server's clock, with which the moments are compared
SELECT extract(epoch FROM clock_timestamp())::float8 AS now
