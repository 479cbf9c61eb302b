#!/bin/bash
# Brings the schema of a database up to the newest file of db/migrations.
set -eu

usage() {
	cat <<'END'
usage: db/migrate.sh [--status] [connection]

Applies the files of db/migrations that the database has not seen yet, in order, each in one
transaction together with its row in schema_migrations, and then db/grants.sql if the roles
of db/roles.sql exist. It may run at any time, also twice at once.

connection  libpq connection string or URL of the owner of the database; without it
            DATABASE_OWNER_URL, which others cannot see in the list of processes
--status    only say which files were applied; the exit status is 1 if any is missing or changed

MIGRATIONS  another directory of migrations (for tests)
END
}

die() {
	echo "migrate: $*" >&2
	exit 1
}

# Files that are numbered without a gap, one per number; this is where the next one is missed.
check_numbers() {
	expected=1
	for file in [0-9]*.sql; do
		[ -e "$file" ] || die "no migrations in $PWD"
		number=$(printf '%04d' "$expected")
		case $file in
		*[!0-9a-z_.]*) die "$file: a name has small letters, digits and _ only" ;;
		"${number}"_?*.sql) ;;
		*) die "$file: expected number $number here; numbers have no gap and no number comes twice" ;;
		esac
		expected=$((expected + 1))
	done
}

hash_of() {
	sha256sum <"$1" | cut -d ' ' -f 1
}

# The whole run as one session of psql: the lock is held from the first look to the last file.
print_session() {
	cat <<'END'
SET search_path = public;
SET client_min_messages = warning;
SET lock_timeout = '60s';
SELECT pg_advisory_lock(hashtext('linkshrink migrations')) AS locked \gset
-- From here on rather fail than queue in front of those who serve.
SET lock_timeout = '5s';
-- Functions are for everyone unless one says otherwise.
ALTER DEFAULT PRIVILEGES REVOKE ALL ON FUNCTIONS FROM PUBLIC;
CREATE TABLE IF NOT EXISTS schema_migrations (
	version    integer NOT NULL,
	name       text NOT NULL,
	sha256     text NOT NULL,
	applied_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT schema_migrations_pkey PRIMARY KEY (version)
);
COMMENT ON TABLE schema_migrations IS 'The files of db/migrations that were applied; kept by db/migrate.sh.';
SELECT coalesce(max(version), 0) <> count(*) AS gap FROM schema_migrations \gset
\if :gap
	\set VERBOSITY terse
	DO $$ BEGIN RAISE 'schema_migrations has a gap: a row was removed by hand'; END $$;
\endif
END
	for file in [0-9]*.sql; do
		print_file "$file" "${file%%_*}" "$(hash_of "$file")"
	done
	print_end
}

print_file() {
	cat <<END
SELECT count(*) = 0 AS pending, coalesce(bool_or(sha256 <> '$3'), false) AS changed
FROM schema_migrations WHERE version = $2::integer \gset
\if :changed
	\set VERBOSITY terse
	DO 'BEGIN RAISE ''$1: changed after it was applied; put it back and add a new file''; END';
\endif
\if :pending
	\echo 'migrate: applying $1'
	BEGIN;
	\i '$1'
	INSERT INTO schema_migrations (version, name, sha256) VALUES ($2::integer, '${1%.sql}', '$3');
	COMMIT;
\endif
END
}

print_end() {
	cat <<END
SELECT count(*) = 2 AS roles, count(*) = 1 AS half,
	(SELECT max(version) FROM schema_migrations) AS version
FROM pg_roles WHERE rolname IN ('linkshrink_web', 'linkshrink_ingest') \gset
\if :half
	\set VERBOSITY terse
	DO 'BEGIN RAISE ''a role is missing: run db/roles.sql first''; END';
\endif
\if :roles
	BEGIN;
	\i '$grants'
	COMMIT;
\endif
\echo 'migrate: the schema is at version' :version
END
}

apply() {
	# -f, not standard input as it is: only then psql names the file and the line of an error.
	print_session | psql -X -q -v ON_ERROR_STOP=1 -f - "$connection" ||
		die 'stopped; what was applied before stays, the rest was undone'
}

applied() {
	psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -f - "$connection" <<'END'
SELECT to_regclass('public.schema_migrations') IS NOT NULL AS made \gset
\if :made
SELECT version, sha256, to_char(applied_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM public.schema_migrations ORDER BY version;
\endif
END
}

status() {
	rows=$(applied) || die 'the database cannot be asked'
	current=0
	expected=1
	for file in [0-9]*.sql; do
		row=$(printf '%s\n' "$rows" | grep "^$expected ") || row=
		case $row in
		'') state=pending current=1 ;;
		*" $(hash_of "$file") "*) state="applied ${row##* }" ;;
		*) state=CHANGED current=1 ;;
		esac
		printf '%-40s %s\n' "${file%.sql}" "$state"
		expected=$((expected + 1))
	done
	return $current
}

action=apply
case "${1:-}" in
--help | -h)
	usage
	exit 0
	;;
--status)
	action=status
	shift
	;;
--*) die "unknown option $1; see --help" ;;
esac
connection=${1:-${DATABASE_OWNER_URL:-}}
[ -n "$connection" ] || die 'no connection given; see --help'
[ $# -le 1 ] || die 'one connection at most; see --help'
command -v psql >/dev/null || die 'psql is not installed'
directory=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=/dev/null
. "$directory/hide-password.sh"
hide_password
grants=$(printf '%s' "$directory/grants.sql" | sed "s/'/''/g")
cd "${MIGRATIONS:-$directory/migrations}" || die 'no directory of migrations'
check_numbers
$action
