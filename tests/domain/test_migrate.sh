#!/bin/sh
# db/migrate.sh: order, refusals, two at once; db/schema.sql is fresh.
set -eu

case "${1:-}" in
--help | -h)
	echo 'usage: tests/domain/test_migrate.sh   makes a cluster for itself'
	exit 0
	;;
esac
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
[ -n "${LINKSHRINK_TEST_ADMIN_URL:-}" ] || exec "$here/with-cluster.sh" "$0"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

check() { # what must be true, then a command
	says=$1
	shift
	if "$@"; then
		echo "ok - $says"
	else
		echo "not ok - $says"
		sed 's/^/# /' "$work/out"
		failed=1
	fi
}

# A database of its own for each story, and a directory of migrations.
begin() {
	url="${LINKSHRINK_TEST_OWNER_URL% dbname=*} dbname=$1"
	psql -X -q -c "CREATE DATABASE $1 OWNER linkshrink_owner" "$LINKSHRINK_TEST_ADMIN_URL"
	psql -X -q -c "ALTER SCHEMA public OWNER TO linkshrink_owner" \
		"${LINKSHRINK_TEST_ADMIN_URL% dbname=*} dbname=$1"
	mkdir "$work/$1"
	cp "$root"/db/migrations/*.sql "$work/$1"
	next=$(printf '%04d' $(($(find "$work/$1" -name '*.sql' | wc -l) + 1)))
	export MIGRATIONS="$work/$1"
}

migrate() {
	"$root/db/migrate.sh" "$@" "$url" >"$work/out" 2>&1
}

refuses() {
	! migrate && grep -q "$1" "$work/out"
}

answers() { # expected, SQL
	[ "$(psql -X -A -t -c "$2" "$url")" = "$1" ]
}

says() {
	grep -q "$1" "$work/out"
}

status_fails() {
	! migrate --status
}

begin fresh
check 'status of an empty database fails' status_fails
check 'status calls the files pending' says 'pending'
check 'an empty database is brought up' migrate
check 'it says which files it applied' says 'applying 0001_links.sql'
check 'a second run works' migrate
check 'a second run applies nothing' sh -c "! grep -q applying '$work/out'"
check 'status of a current database is good' migrate --status

begin twice
echo 'SELECT pg_sleep(0.5);' >>"$MIGRATIONS/0001_links.sql"
"$root/db/migrate.sh" "$url" >"$work/first" 2>&1 &
first=$!
check 'the second of two at once works' migrate
check 'the first of two at once works' wait "$first"
check 'two at once apply each file once' \
	sh -c "[ \$(cat '$work/first' '$work/out' | grep -c 'applying 0001') = 1 ]"

begin changed
migrate
echo '-- a change' >>"$MIGRATIONS/0001_links.sql"
check 'a changed file is refused by name' refuses '0001_links.sql: changed after it was applied'
check 'status of a changed file fails' status_fails
check 'status names the changed file' says '0001_links.*CHANGED'

begin broken
printf 'CREATE TABLE half (n bigint);\nSELECT nonsense;\n' >"$MIGRATIONS/${next}_broken.sql"
check 'a broken file is refused by name and line' refuses "${next}_broken.sql:2: ERROR"
check 'nothing of a broken file stays' answers '' "SELECT to_regclass('half')"
check 'what came before the broken file stays' answers t "SELECT to_regclass('links') IS NOT NULL"
cat >"$MIGRATIONS/${next}_broken.sql" <<'END'
CREATE TABLE whole (n bigint);
CREATE FUNCTION whole() RETURNS integer LANGUAGE sql RETURN 1;
END
check 'a file that failed may be mended' migrate
check 'the mended file is applied' answers whole "SELECT to_regclass('whole')"
check 'a function is not for everyone' answers f "SELECT has_function_privilege('public', 'whole()', 'EXECUTE')"

begin gap
cp "$MIGRATIONS/0001_links.sql" "$MIGRATIONS/0099_late.sql"
check 'a gap is refused by name' refuses "0099_late.sql: expected number $next"
rm "$MIGRATIONS/0099_late.sql"
echo 'SELECT 1;' >"$MIGRATIONS/0001_again.sql"
check 'a number that comes twice is refused' refuses '0001_links.sql: expected number 0002'

begin away
url='host=/nonexistent'
check 'a database that is away is said so' refuses 'connection to server'

# pg_hba.conf trusts everyone here: psql must be seen to get the password, not to need it.
mkdir "$work/bin"
cat >"$work/bin/psql" <<'END'
#!/bin/sh
printf "%s\n" "arguments $* password $PGPASSWORD"
END
chmod +x "$work/bin/psql"
url='postgresql://u:s%40e%5Cc@h/d?x=y'
PATH="$work/bin:$PATH" migrate
check 'a password goes to psql by the environment' says 'password s@e[\\]c$'
check 'a password is no argument of psql' says 'arguments .* postgresql://u@h/d?x=y password'
url='host=h password=sec user=u'
PATH="$work/bin:$PATH" migrate
check 'a password among keywords as well' says 'arguments .* host=h  user=u password sec$'

"$root/db/dump-schema.sh" "$LINKSHRINK_TEST_OWNER_URL" >"$work/schema.sql"
diff -u "$root/db/schema.sql" "$work/schema.sql" >"$work/out" 2>&1 || true
check 'db/schema.sql is fresh (else: tests/domain/with-cluster.sh --write-schema)' test ! -s "$work/out"

check 'roles.sql may be run again' \
	psql -X -q -v ON_ERROR_STOP=1 -f "$root/db/roles.sql" "$LINKSHRINK_TEST_ADMIN_URL"

# On a server of somebody else: no superuser, but the owner of the database, who may create roles.
as_admin() {
	psql -X -q -v ON_ERROR_STOP=1 -c "$1" "$LINKSHRINK_TEST_ADMIN_URL"
}
as_role() { # role, SQL
	psql -X -q -A -t -v ON_ERROR_STOP=1 -c "$2" "${url% user=*} user=$1 dbname=made" >"$work/out" 2>&1
}
make_roles() { # database
	psql -X -q -f "$root/db/roles.sql" "${url% user=*} user=maker dbname=$1" >"$work/out" 2>&1
}
refuses_roles() { # database, words
	! make_roles "$1" && says "$2"
}
denies() { # role, SQL
	! as_role "$1" "$2" && says 'permission denied'
}
url=$LINKSHRINK_TEST_OWNER_URL
for role in owner web ingest; do as_admin "ALTER ROLE linkshrink_$role RENAME TO former_$role"; done
as_admin 'CREATE ROLE maker LOGIN CREATEROLE'
as_admin 'CREATE ROLE stranger LOGIN'
as_admin 'CREATE DATABASE made OWNER maker'
check 'roles.sql needs no superuser' make_roles made
check 'and has nothing to warn of' test ! -s "$work/out"
check 'it may be run again' make_roles made
check 'likewise without a word' test ! -s "$work/out"
url="${url% dbname=*} dbname=made"
check 'linkshrink_owner brings up the schema' migrate
check 'linkshrink_web may make links' \
	as_role linkshrink_web "INSERT INTO links (code, target) VALUES ('made', 'https://made.example/')"
check 'but no tables' denies linkshrink_web 'CREATE TABLE mine ()'
check 'and no clicks: those are made by linkshrink_ingest' \
	denies linkshrink_web 'INSERT INTO spool_offsets (segment, node, bytes, records) VALUES (1, 1, 0, 0)'
check 'who may do that' \
	as_role linkshrink_ingest 'INSERT INTO spool_offsets (segment, node, bytes, records) VALUES (1, 1, 0, 0)'
check 'and sees no link' denies linkshrink_ingest 'SELECT * FROM links'
check 'nor may others connect' denies stranger 'SELECT 1'
check 'who does not own the database is refused' refuses_roles fresh 'owner of the database fresh'
as_admin 'ALTER ROLE linkshrink_web CREATEDB'
check 'a role that may more than it needs is refused by name' refuses_roles made linkshrink_web
check 'and stays as it is' as_role maker "SELECT 1 / rolcreatedb::integer FROM pg_roles WHERE rolname = 'linkshrink_web'"
as_admin 'ALTER ROLE linkshrink_web NOCREATEDB'
as_admin 'GRANT linkshrink_owner TO linkshrink_web'
check 'also one that may become the owner' refuses_roles made linkshrink_web
as_admin 'REVOKE linkshrink_owner FROM linkshrink_web'
as_admin 'ALTER ROLE linkshrink_ingest RENAME TO lost_ingest'
check 'a role that is missing is no silent loss of rights' refuses 'run db/roles.sql'
exit $failed
