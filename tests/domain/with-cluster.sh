#!/bin/sh
# Runs a command beside a PostgreSQL cluster of its own, made for it and removed after it.
set -eu

usage() {
	cat <<'END'
usage: tests/domain/with-cluster.sh <command> [argument…]
       tests/domain/with-cluster.sh --write-schema

Makes a cluster in a temporary directory (Unix socket only), with the roles and the schema, and
runs the command with
  LINKSHRINK_DATABASE_URL     connection of the role linkshrink_web
  LINKSHRINK_TEST_INGEST_URL  … of linkshrink_ingest
  LINKSHRINK_TEST_OWNER_URL   … of linkshrink_owner
  LINKSHRINK_TEST_ADMIN_URL   … of the superuser
  LINKSHRINK_TEST_PGDATA      directory of the cluster; its file postmaster.pid tells the process
  LINKSHRINK_TEST_CONTROL     command that begins a pg_ctl for it: $LINKSHRINK_TEST_CONTROL stop
The exit status is that of the command. --write-schema writes db/schema.sql anew.
END
}

case "${1:---help}" in
--help | -h)
	usage
	exit 0
	;;
esac

root=$(cd "$(dirname "$0")/../.." && pwd)
binaries=$(pg_config --bindir 2>/dev/null || true)
[ -x "$binaries/initdb" ] || binaries=$(dirname "$(find /usr/lib/postgresql -name initdb | sort -V | tail -n 1)")
[ -x "$binaries/initdb" ] || { echo 'with-cluster: PostgreSQL is not installed' >&2 && exit 1; }

# PostgreSQL refuses to run as root.
as_postgres=
[ "$(id -u)" -ne 0 ] ||
	as_postgres='setpriv --reuid=postgres --regid=postgres --init-groups --reset-env --'

# A socket's path has 107 bytes at most, so not below TMPDIR, which may be long.
home=$(mktemp -d /tmp/linkshrink-test.XXXXXX)
data=$home/data
control="$as_postgres $binaries/pg_ctl -s -w -t 60 -D $data -l $home/log"

clean_up() {
	status=$?
	trap - EXIT HUP INT TERM
	if [ -s "$data/postmaster.pid" ]; then
		# A test that failed may have left it stopped: then it would not hear the end.
		postmaster=$(head -n 1 "$data/postmaster.pid")
		kill -CONT "$postmaster" 2>/dev/null || true
		$control stop -m immediate >/dev/null 2>&1 || true
	fi
	rm -rf "$home"
	exit "$status"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
	echo "with-cluster: $1" >&2
	cat "$home/log" >&2 2>/dev/null || true
	exit 1
}

[ -z "$as_postgres" ] || chown postgres: "$home"
$as_postgres "$binaries/initdb" -D "$data" -A trust -U postgres -E UTF8 --locale=C.UTF-8 --no-sync \
	>"$home/initdb" 2>&1 || { cat "$home/initdb" >&2 && fail 'initdb failed'; }
cat >>"$data/postgresql.conf" <<END
listen_addresses = ''
unix_socket_directories = '$home'
fsync = off
max_connections = 100
shared_buffers = 32MB
log_min_messages = fatal
END
$control start >/dev/null || fail 'PostgreSQL did not start'

export LINKSHRINK_TEST_ADMIN_URL="host=$home user=postgres dbname=linkshrink"
export LINKSHRINK_TEST_OWNER_URL="host=$home user=linkshrink_owner dbname=linkshrink"
export LINKSHRINK_DATABASE_URL="host=$home user=linkshrink_web dbname=linkshrink"
export LINKSHRINK_TEST_INGEST_URL="host=$home user=linkshrink_ingest dbname=linkshrink"
export LINKSHRINK_TEST_PGDATA="$data"
export LINKSHRINK_TEST_CONTROL="$control"
# Tests stop and restart the server: one after the other.
export CRITERION_JOBS=1

psql -X -q -v ON_ERROR_STOP=1 -c 'CREATE DATABASE linkshrink' "host=$home user=postgres dbname=postgres" ||
	fail 'no database'
psql -X -q -v ON_ERROR_STOP=1 -f "$root/db/roles.sql" "$LINKSHRINK_TEST_ADMIN_URL" || fail 'no roles'
"$root/db/migrate.sh" "$LINKSHRINK_TEST_OWNER_URL" >"$home/migrate" || fail 'no schema'

if [ "$1" = --write-schema ]; then
	"$root/db/dump-schema.sh" "$LINKSHRINK_TEST_OWNER_URL" >"$home/schema.sql"
	cp "$home/schema.sql" "$root/db/schema.sql"
else
	"$@"
fi
