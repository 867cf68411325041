#!/bin/sh
# Makes SolFlow's database and its two roles: solflow_owner owns the tables and migrates, solflow reads and writes rows
# and nothing else, which is what keeps the audit log append-only. PostgreSQL's image runs this when it makes its data
# directory; elsewhere run it once as a superuser, with PGHOST, PGUSER and the like:
#
#   OWNER_PASSWORD=… APPLICATION_PASSWORD=… deploy/postgres/roles.sh
set -eu
: "${OWNER_PASSWORD:?}" "${APPLICATION_PASSWORD:?}"
export OWNER_PASSWORD APPLICATION_PASSWORD
psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-${PGUSER:-postgres}}" --dbname postgres <<'END'
\getenv owner_password OWNER_PASSWORD
\getenv application_password APPLICATION_PASSWORD
SET password_encryption = 'scram-sha-256';
CREATE ROLE solflow_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE solflow LOGIN PASSWORD :'application_password';
CREATE DATABASE solflow OWNER solflow_owner;
REVOKE ALL ON DATABASE solflow FROM PUBLIC;
GRANT CONNECT ON DATABASE solflow TO solflow;
\connect solflow
GRANT USAGE, CREATE ON SCHEMA public TO solflow_owner;
GRANT USAGE ON SCHEMA public TO solflow;
ALTER DEFAULT PRIVILEGES FOR ROLE solflow_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO solflow;
ALTER DEFAULT PRIVILEGES FOR ROLE solflow_owner IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO solflow;
END
