-- One database for each service, owned by a role that can do nothing else. May be run again.
-- The password of the roles comes from DATABASE_PASSWORD.
\set ON_ERROR_STOP on
\set password ''
\getenv password DATABASE_PASSWORD
SELECT :'password' = '' AS missing
\gset
\if :missing
DO 'BEGIN RAISE ''DATABASE_PASSWORD is not set: it becomes the password of the roles''; END';
\endif

CREATE TEMPORARY TABLE service_database AS
SELECT unnest(ARRAY['orders', 'inventory', 'notifications', 'processing']) AS name;

SELECT format('CREATE ROLE %I LOGIN PASSWORD %L', name, :'password')
FROM service_database
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec

SELECT format('CREATE DATABASE %I OWNER %I', name, name)
FROM service_database
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name)
\gexec

SELECT format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC', name)
FROM service_database
\gexec

-- new databases are a thousand files to be synchronised: now, and not when the server is asked to stop
CHECKPOINT;
