-- One database for each service, owned by a role that can do nothing else. May be run again: it gives the roles their passwords anew.
-- Each password comes from the variable that is named by its role, ORDERS_PASSWORD, or all from DATABASE_PASSWORD.
-- For a superuser, or a role that may create roles and databases, as the administrator of a managed PostgreSQL.
\set ON_ERROR_STOP on
\set password ''
\getenv password DATABASE_PASSWORD
\set orders :password
\getenv orders ORDERS_PASSWORD
\set inventory :password
\getenv inventory INVENTORY_PASSWORD
\set notifications :password
\getenv notifications NOTIFICATIONS_PASSWORD
\set processing :password
\getenv processing PROCESSING_PASSWORD

CREATE TEMPORARY TABLE wanted (name text, password text);
INSERT INTO wanted VALUES
    ('orders', :'orders'),
    ('inventory', :'inventory'),
    ('notifications', :'notifications'),
    ('processing', :'processing');

SELECT EXISTS (SELECT FROM wanted WHERE password = '') AS missing, current_setting('is_superuser') = 'on' AS superuser
\gset
\if :missing
DO 'BEGIN RAISE ''DATABASE_PASSWORD is not set: it becomes the password of the roles''; END';
\endif

SELECT format('%s ROLE %I LOGIN PASSWORD %L', CASE WHEN rolname IS NULL THEN 'CREATE' ELSE 'ALTER' END, name, password)
FROM wanted LEFT JOIN pg_roles ON rolname = name
\gexec

-- a superuser may give a database to anybody, others to roles that they may become
\if :superuser
\else
SELECT format('GRANT %I TO CURRENT_USER', name) FROM wanted
\gexec
\endif

SELECT format('CREATE DATABASE %I OWNER %I', name, name)
FROM wanted
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name)
\gexec

SELECT format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC', name) FROM wanted
\gexec

-- new databases are a thousand files to be synchronised: now, and not when the server is asked to stop
\if :superuser
CHECKPOINT;
\endif
