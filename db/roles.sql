-- The roles, and what they may do with the database as a whole. May be run again at any time.
--
-- Run it in the database of Link-Shrink as its owner, who needs CREATEROLE, or as a superuser:
--   psql -f db/roles.sql <connection>
-- Then run db/migrate.sh as linkshrink_owner; it grants what db/grants.sql says, table by table.
-- Roles get no password here: give them one, or let pg_hba.conf say how they prove who they are.
\set ON_ERROR_STOP on

DO $$
BEGIN
	-- PostgreSQL would only warn of each GRANT that does nothing.
	IF NOT (SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = current_database())
		OR NOT pg_has_role((SELECT nspowner FROM pg_namespace WHERE nspname = 'public'), 'USAGE')
	THEN
		RAISE 'run this as the owner of the database % and of its schema public, or as a superuser',
			current_database();
	END IF;
END
$$;

DO $$
DECLARE
	wanted text;
BEGIN
	FOREACH wanted IN ARRAY ARRAY['linkshrink_owner', 'linkshrink_web', 'linkshrink_ingest',
		'linkshrink_monitor'] LOOP
		BEGIN
			IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
				EXECUTE format('CREATE ROLE %I LOGIN', wanted);
			END IF;
		EXCEPTION WHEN duplicate_object OR unique_violation THEN
			NULL; -- somebody else ran this at the same moment
		END;
	END LOOP;
END
$$;

-- A role that was there before may be more than it should. Only its maker knows what else needs
-- that, and only a superuser may take all of it away, so this refuses and changes nothing.
DO $$
DECLARE
	made record;
BEGIN
	FOR made IN SELECT * FROM pg_roles WHERE rolname IN ('linkshrink_owner', 'linkshrink_web',
		'linkshrink_ingest', 'linkshrink_monitor')
	LOOP
		IF made.rolsuper OR made.rolcreatedb OR made.rolcreaterole OR made.rolreplication
			OR made.rolbypassrls
		THEN
			RAISE 'the role % may do more than it needs', made.rolname USING HINT = format(
				'ALTER ROLE %I NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS',
				made.rolname);
		END IF;
		IF NOT made.rolcanlogin THEN
			EXECUTE format('ALTER ROLE %I LOGIN', made.rolname);
		END IF;
	END LOOP;
	FOR made IN SELECT * FROM pg_roles
		WHERE rolname IN ('linkshrink_web', 'linkshrink_ingest', 'linkshrink_monitor')
	LOOP
		IF pg_has_role(made.rolname, 'linkshrink_owner', 'MEMBER') THEN
			RAISE 'the role % may become linkshrink_owner', made.rolname
				USING HINT = format('REVOKE linkshrink_owner FROM %I', made.rolname);
		END IF;
	END LOOP;
END
$$;

REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC, linkshrink_web, linkshrink_ingest, linkshrink_monitor;
REVOKE ALL ON SCHEMA public FROM PUBLIC, linkshrink_web, linkshrink_ingest, linkshrink_monitor;
GRANT ALL ON DATABASE :"DBNAME" TO linkshrink_owner;
GRANT ALL ON SCHEMA public TO linkshrink_owner;
GRANT CONNECT ON DATABASE :"DBNAME" TO linkshrink_web, linkshrink_ingest, linkshrink_monitor;
GRANT USAGE ON SCHEMA public TO linkshrink_web, linkshrink_ingest;

-- Who watches PostgreSQL sees its statistics and no table of ours, and must not be what fills it up.
ALTER ROLE linkshrink_monitor CONNECTION LIMIT 4;
ALTER ROLE linkshrink_monitor SET statement_timeout = '2s';
DO $$
BEGIN
	IF NOT pg_has_role('linkshrink_monitor', 'pg_monitor', 'MEMBER') THEN
		GRANT pg_monitor TO linkshrink_monitor;
	END IF;
EXCEPTION WHEN insufficient_privilege THEN -- from PostgreSQL 16 on, CREATEROLE is not enough
	RAISE WARNING 'linkshrink_monitor sees only part of the statistics'
		USING HINT = 'as a superuser: GRANT pg_monitor TO linkshrink_monitor';
END
$$;
