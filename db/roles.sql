-- The roles, and what they may do with the database as a whole. May be run again at any time.
--
-- Run it in the database of Link-Shrink as someone who may create roles:
--   psql -v ON_ERROR_STOP=1 -f db/roles.sql <connection>
-- Then run db/migrate.sh as linkshrink_owner; it grants what db/grants.sql says, table by table.
-- Roles get no password here: give them one, or let pg_hba.conf say how they prove who they are.

DO $$
DECLARE
	wanted text;
BEGIN
	FOREACH wanted IN ARRAY ARRAY['linkshrink_owner', 'linkshrink_web'] LOOP
		BEGIN
			IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
				EXECUTE format('CREATE ROLE %I', wanted);
			END IF;
		EXCEPTION WHEN duplicate_object OR unique_violation THEN
			NULL; -- somebody else ran this at the same moment
		END;
	END LOOP;
END
$$;

ALTER ROLE linkshrink_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE linkshrink_web LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;

ALTER DATABASE :"DBNAME" OWNER TO linkshrink_owner;
ALTER SCHEMA public OWNER TO linkshrink_owner;

REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT CONNECT ON DATABASE :"DBNAME" TO linkshrink_web;
GRANT USAGE ON SCHEMA public TO linkshrink_web;

-- Functions are for everyone unless one says otherwise.
ALTER DEFAULT PRIVILEGES FOR ROLE linkshrink_owner REVOKE ALL ON FUNCTIONS FROM PUBLIC;
