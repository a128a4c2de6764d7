#!/bin/sh
# Run once by the image of PostgreSQL, when the database is made: the portal's own role, without a superuser's rights.
set -eu
psql --set ON_ERROR_STOP=1 --set password="$XUEJI_DB_PASSWORD" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE ROLE xueji LOGIN PASSWORD :'password' NOSUPERUSER NOBYPASSRLS NOCREATEROLE;
CREATE DATABASE xueji OWNER xueji ENCODING 'UTF8' TEMPLATE template0;
SQL
