#!/bin/bash
# The replica on a whole stack: its file goes or is cut short, its writer is killed, and PostgreSQL
# comes back with links missing.
set -eu
cd "$(dirname "$0")/../.."
. tests/web/lib.sh

load_pid=
trap '[ -z "$load_pid" ] || kill "$load_pid" 2>/dev/null || true; stack_down' EXIT
stack_up

load=$LINKSHRINK_TESTS/web/load
replica=$LINKSHRINK_VAR/replica

start_load() {
	"$load" "$@" >"$work/made" 2>"$work/score" <"$work/links" &
	load_pid=$!
}
stop_load() {
	kill "$load_pid"
	wait "$load_pid"
	load_pid=
}
none_wrong() { grep -qx 'failed 0' "$work/score" || { sed 's/^/# /' "$work/score"; return 1; }; }
all_found() { none_wrong && same "$(grep -c '^status ' "$work/score")" 1 && grep -q '^status 302' "$work/score"; }
follow_all() {
	"$load" follow "$LINKSHRINK_PORT" 4 "$(wc -l <"$work/links")" <"$work/links" 2>"$work/score"
	all_found || { sed 's/^/# /' "$work/score"; return 1; }
}
is_in_state() { [ "$(metric "linkshrink_replica_state{state=\"$1\"}")" = 1 ]; }
entries_are() { [ "$(metric linkshrink_replica_entries)" = "$1" ]; }
has_all() { entries_are "$(wc -l <"$work/links")"; }
builds() { metric linkshrink_replica_builds_total; }
is_rebuilt() { [ "$(builds)" -gt "$1" ] && is_in_state following && [ -e "$replica/current" ]; }
redirect_pids() { stack_programs redirect | sort | paste -sd ' '; }
make_links() { "$load" create "$LINKSHRINK_PORT" 4 "$1" 2>/dev/null >>"$work/links"; }
# All that is known of all links.
fingerprint() { sql 'SELECT count(*), md5(string_agg(links::text, chr(10) ORDER BY code)) FROM links'; }

: >"$work/links"
make_links 500
check 'replicate follows' wait_until 10 is_in_state following
check 'and has every link' wait_until 10 has_all
check 'all of which redirect' follow_all

# ---- The file goes, or is cut short

pids=$(redirect_pids)
before=$(builds)
start_load follow "$LINKSHRINK_PORT" 8 0
rm "$replica"/links-*.mdb
check 'a file that was deleted is built anew' wait_until 20 is_rebuilt "$before"
stop_load
check 'and nobody notices' all_found

before=$(builds)
start_load follow "$LINKSHRINK_PORT" 8 0
truncate -s 8192 "$(readlink -f "$replica/current")"
check 'a file that was cut short is built anew' wait_until 20 is_rebuilt "$before"
stop_load
check 'without a wrong redirect' none_wrong
check 'without a crash' same "$(redirect_pids)" "$pids"
check 'and all links redirect' follow_all

before=$(builds)
rm -rf "$replica"
check 'a directory that was removed is made again, and a file in it' wait_until 20 is_rebuilt "$before"
check 'and all links redirect again' follow_all

# ---- The writer is killed

is_replaced() { stack_programs replicate | grep -qvx "$1"; }
kill_writer() {
	local old
	old=$(stack_programs replicate)
	kill -KILL "$old"
	wait_until 20 is_replaced "$old"
}

start_load create "$LINKSHRINK_PORT" 4 0
for _ in 1 2 3; do
	check 'a killed replicate is replaced' kill_writer
done
stop_load
cat "$work/made" >>"$work/links"
check 'no link that was made meanwhile is missed' wait_until 20 has_all
check 'and all redirect' follow_all

# ---- PostgreSQL comes back with links missing

superuser() (
	# shellcheck disable=SC2034 # for paths.sh
	repo=$PWD
	fail() { exit 1; }
	# shellcheck source=scripts/stack.d/paths.sh
	. scripts/stack.d/paths.sh
	settle_paths
	cd /
	# shellcheck disable=SC2154 # from settle_paths
	as "$database_user" psql -X -q -A -t -v ON_ERROR_STOP=1 -h "$plain/pg" -U postgres "$@"
)
owner() { cat "$LINKSHRINK_VAR/run/owner.url"; }
new_database() {
	superuser -d postgres -c 'DROP DATABASE linkshrink WITH (FORCE)' -c 'CREATE DATABASE linkshrink' &&
		superuser -d linkshrink -f - <db/roles.sql
}
refuses() { is_in_state refusing; }
lost_are() { [ "$(metric linkshrink_links_lost)" = "$1" ]; }
says() {
	scripts/reconcile >"$work/said" 2>&1
	grep -qE "$1" "$work/said" || { sed 's/^/# /' "$work/said"; return 1; }
}
says_of_restore() {
	scripts/reconcile --restore >"$work/said" 2>&1
	grep -qE "$1" "$work/said" || { sed 's/^/# /' "$work/said"; return 1; }
}
is_back() { same "$(fingerprint)" "$whole"; }

pg_dump -Fc -f "$work/dump" "$(owner)"
make_links 100
last=$(tail -n 1 "$work/links" | cut -d ' ' -f 1)
first=$(head -n 1 "$work/links" | cut -d ' ' -f 1)
sql "UPDATE links SET title = 'changed', version = 2, updated_at = now() WHERE code = '$first'"
check 'the replica has the last links' wait_until 20 has_all
has_last_change() { scripts/reconcile | grep -qx 'newer in PostgreSQL           0'; }
check 'and the last change' wait_until 20 has_last_change
whole=$(fingerprint)

new_database >/dev/null
pg_restore -d "$(owner)" --no-owner "$work/dump" 2>"$work/restore.log" || true
check 'the database is an older one now' same "$(sql "SELECT count(*) FROM links WHERE code = '$last'")" 0
check 'a database that went back in time is refused' wait_until 20 refuses
check 'links that it lacks redirect' follow_all
check 'it is known how many were lost' wait_until 20 lost_are 101
check 'reconcile says what is' says '^only in the copy +100$'
check 'and changes nothing' same "$(sql "SELECT count(*) FROM links WHERE code = '$last'")" 0
check 'reconcile puts them back' scripts/reconcile --restore
check 'to the record' is_back
check 'and replicate follows again' wait_until 20 is_in_state following
check 'and misses none' wait_until 20 lost_are 0

before=$(builds)
sql "DELETE FROM links WHERE code IN (SELECT code FROM links ORDER BY updated_at DESC LIMIT 30)"
check 'links that disappear within a session are missed' wait_until 20 refuses
# Each writer that finds it so writes a new note.
judges_anew() { rm -f "$replica/status" && kill_writer && wait_until 20 grep -qsx 'state refusing' "$replica/status"; }
for _ in 1 2 3 4 5 6; do
	check 'a new writer refuses as well' judges_anew
done
check 'and has all links' follow_all
mv "$replica/current" "$replica/current.away"
check 'a writer that finds no replica refuses as well' judges_anew
check 'so nothing of that was copied' same "$(builds)" "$before"
mv "$replica/current.away" "$replica/current"
check 'nor with the replica there again' judges_anew
check 'links are put back where the sequence is ahead' scripts/reconcile --restore
check 'to the record, once more' is_back
check 'what was restored may be restored again' scripts/reconcile --restore
check 'and is followed' wait_until 20 is_in_state following
# A replicate for reconcile which, once it has printed the copy, waits until that has grown and is noted.
mkdir "$work/between"
cat >"$work/between/replicate" <<END
#!/bin/sh
"$LINKSHRINK_BIN/replicate" "\$1" || exit
[ "\$1" != --dump ] || until [ -e "$work/grown" ]; do : >"$work/between/printed"; sleep 0.05; done
END
chmod 755 "$work/between/replicate"
chmod 777 "$work/between"
has_noted() { grep -qx "entries $(wc -l <"$work/links")" "$replica/status"; }
restored_while_it_grows() {
	local restoring status=0
	DATABASE_OWNER_URL=$(owner) LINKSHRINK_REPLICA=$replica LINKSHRINK_VAR=$work/none LINKSHRINK_BIN=$work/between \
		scripts/reconcile --restore &
	restoring=$!
	wait_until 20 test -e "$work/between/printed" && make_links 1 && wait_until 20 has_all && kill_writer &&
		wait_until 20 has_noted || status=1
	: >"$work/grown"
	wait "$restoring" || status=$?
	return "$status"
}
check 'so may a copy that grows meanwhile' restored_while_it_grows

sql "DELETE FROM links WHERE code = '$last'; INSERT INTO links (code, target) VALUES ('$last', 'https://example.com/')"
check 'a code that was given away is missed' wait_until 20 refuses
check 'its link redirects as before' follow_all
check 'nobody says that all is well' says_of_restore "^code $last: the copy has link"
check 'as long as it is not' eval '! scripts/reconcile --restore >/dev/null 2>&1'
sql "UPDATE links SET code = 'given-away', version = 2, updated_at = now() WHERE code = '$last'"
check 'settled by hand it is restored' scripts/reconcile --restore
has_both() { entries_are $(($(wc -l <"$work/links") + 1)); }
check 'and both links are followed' wait_until 20 has_both
check 'by a replicate that is content' wait_until 20 is_in_state following
whole=$(fingerprint)

new_database >/dev/null
db/migrate.sh "$(owner)" >/dev/null
check 'an empty database is refused' wait_until 20 refuses
check 'all links redirect' follow_all
check 'reconcile puts all of them back' scripts/reconcile --restore
check 'to the record, again' is_back
check 'and replicate follows the new database' wait_until 20 is_in_state following
make_links 10
check 'new links are made and redirect' follow_all

new_database >/dev/null
db/migrate.sh "$(owner)" >/dev/null
check 'a third database is refused' wait_until 20 refuses
id=$(scripts/psql -A -t -c "INSERT INTO links (code, target, id) VALUES ('in-its-place', 'https://example.com/', 1) RETURNING id" | head -n 1)
check 'an id that is taken' says_of_restore "^code [^ ]+: id $id belongs to another link by now"
check 'costs no link' follow_all

new_database >/dev/null
db/migrate.sh "$(owner)" >/dev/null
check 'another empty database is refused' wait_until 20 refuses
check 'to forget links is asked for twice' eval '! scripts/reconcile --accept-database </dev/null 2>/dev/null'
check 'an operator may say that the database is right' scripts/reconcile --accept-database --yes
check 'and the replica is made anew' wait_until 20 entries_are 0

finish
