#!/bin/bash
# Backups of a running stack: made under load, killed half-way, without room, damaged, rehearsed. Then
# the database is destroyed, and every link and every click comes back.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/web/lib.sh
. tests/web/lib.sh

load=$LINKSHRINK_TESTS/web/load
load_pid='' locker='' mounted=''
end_all() {
	[ -z "$load_pid" ] || kill "$load_pid" 2>/dev/null || true
	[ -z "$locker" ] || kill "$locker" 2>/dev/null || true
	[ -z "$mounted" ] || umount "$mounted" 2>/dev/null || true
	stack_down
}
trap end_all EXIT
stack_up
backups=$LINKSHRINK_VAR/backup

# ---- Links and clicks, each answer remembered

answered=0
: >"$work/links"
note_answers() { answered=$((answered + $(awk '$1 == "status" && $2 == 302 { print $3 }' "$work/score"))); }
make_links() { "$load" create "$LINKSHRINK_PORT" 4 "$1" 2>/dev/null >>"$work/links"; }
only_redirects() {
	same "$(sed 's/^\(status 302\) .*/\1/' "$work/score" | paste -sd ' ' -)" 'status 302 failed 0' || { cat "$work/score"; return 1; }
}
follow() {
	"$load" follow "$LINKSHRINK_PORT" 4 "$(wc -l <"$work/links")" <"$work/links" 2>"$work/score"
	only_redirects
}
follow_all() { # NAME
	check "$1" follow
	note_answers
}
start_load() {
	"$load" "$@" "$LINKSHRINK_PORT" 1 0 >"$work/made" 2>"$work/score" <"$work/links" &
	load_pid=$!
}
stop_load() {
	kill "$load_pid"
	wait "$load_pid"
	load_pid=
}
counted() { sql 'SELECT coalesce(sum(n), 0) FROM click_hours'; }
all_counted() {
	wait_until 20 eval '[ "$(counted)" -ge "$answered" ]'
	same "$(counted)" "$answered"
}
fingerprint() { sql 'SELECT count(*), md5(string_agg(links::text, chr(10) ORDER BY code)) FROM links'; }
has_all() { [ "$(metric linkshrink_replica_entries)" = "$(wc -l <"$work/links")" ]; }
is_in_state() { [ "$(metric "linkshrink_replica_state{state=\"$1\"}")" = 1 ]; }

# ---- What backups say

names() { scripts/backup --list 2>/dev/null | cut -d ' ' -f 1; }
count() { names | grep -c . || true; }
nothing_half() { same "$(find "$1" -mindepth 1 -maxdepth 1 ! -name '[0-9]*Z' ! -name '.*lock' | paste -sd ' ')" ''; }
figure() { same "$(awk -v name="linkshrink_backup_$1" '$1 == name { print $2 }' "$LINKSHRINK_VAR"/figures/*.prom)" "$2"; }
doctor_says() { scripts/doctor >"$work/said" 2>&1 || true; grep -q "^$1" "$work/said" || { cat "$work/said"; return 1; }; }
names_nobody() { [ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'linkshrink-backup'")" = 0 ]; }

# ---- Made under load

check 'the doctor misses a backup' doctor_says 'warn  backup .*there is none'
check 'so does who asks for a list' fails_with -E 'there is none' scripts/backup --list
key=$(scripts/admin-key --name kept)
make_links 500
follow_all 'there are clicks'
start_load follow
check 'a backup is made under load' scripts/backup
stop_load
note_answers
check 'which nobody notices' only_redirects
first=$(names)
check 'it is for its owner alone' same "$(stat -c %a "$backups" "$backups/$first" "$backups/$first/dump" | paste -sd ' ')" '700 700 600'
check 'it knows how many links it has' same "$(sed -n 's/^links //p' "$backups/$first/about")" 500
check 'the doctor is content' doctor_says "ok    backup .*$first"
check 'and figures say that it worked' figure failed 0
check 'they are of the form that is wanted' eval '! command -v promtool >/dev/null || cat "$LINKSHRINK_VAR"/figures/*.prom | promtool check metrics'

# ---- Killed half-way, twice at once, no PostgreSQL, no room

# For a table beside ours only pg_dump waits.
sql 'CREATE SCHEMA beside CREATE TABLE held (n integer)'
waits() { same "$(sql "SELECT count(*) FROM pg_locks WHERE relation = 'beside.held'::regclass AND granted = $1")" 1; }
hold_table() {
	psql -X -q -c 'BEGIN' -c 'LOCK TABLE beside.held' -c 'SELECT pg_sleep(60)' \
		"$(cat "$LINKSHRINK_VAR/run/owner.url")" >/dev/null 2>&1 &
	locker=$!
	wait_until 5 waits true >/dev/null
}
release_table() {
	sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'" >/dev/null
	wait "$locker" 2>/dev/null || true
	locker=
}
is_half_way() { waits false && find "$backups"/.new.* -name dump | grep -q .; }
is_free() { flock -n "$backups/.lock" true; }

check 'a table that is held' hold_table
scripts/backup >"$work/killed.log" 2>&1 &
killed=$!
check 'lets a backup wait half-way' wait_until 10 is_half_way
check 'another one at the same time is refused' fails_with -E 'another backup' scripts/backup
{ kill -KILL "$killed" && wait "$killed"; } 2>/dev/null || true
check 'killed, it leaves the old one alone' same "$(names)" "$first"
release_table
check 'and nothing goes on' wait_until 10 is_free
hold_table
scripts/backup >"$work/killed.log" 2>&1 &
killed=$!
check 'another one half-way' wait_until 10 is_half_way
kill -TERM "$killed"
wait "$killed" 2>/dev/null || true
check 'stopped, it leaves nothing' nothing_half "$backups"
check 'in PostgreSQL neither' wait_until 10 names_nobody
check 'and the figures say that it failed' figure failed 1
release_table
sql 'DROP TABLE beside.held; DROP SCHEMA beside'
check 'without PostgreSQL it says why' fails_with -E 'nothing was kept: .*connection' env DATABASE_OWNER_URL='host=/nonexistent dbname=x' scripts/backup
check 'and keeps what there was' same "$(names)" "$first"
small=$work/small
mkdir "$small"
if mount -t tmpfs -o size=64k small "$small" 2>/dev/null; then
	mounted=$small
	check 'without room it says so' fails_with -E 'No space left|no room' env LINKSHRINK_BACKUP="$small" scripts/backup
	check 'and leaves no half backup' nothing_half "$small"
	umount "$small"
	mounted=
else
	echo 'ok - without room it says so # skip nothing can be mounted here'
fi
make_links 100
check 'the next one is made' scripts/backup
check 'and clears up' nothing_half "$backups"
check 'so many are kept as are wanted' env LINKSHRINK_BACKUP_KEEP=2 scripts/backup
check 'the newest ones' same "$(names | grep -vx "$first" | grep -c .)" 2
newest=$(names | tail -n 1)

# ---- Rehearsed

damaged=$work/damaged
mkdir "$damaged"
cp -R "$backups/$newest" "$damaged/"
truncate -s -100 "$damaged/$newest/dump"
check 'a dump that was cut short is named' fails_with -E "$newest is damaged: dump: FAILED" env LINKSHRINK_BACKUP="$damaged" scripts/backup-rehearsal
check 'and the figures say so' figure rehearsal_failed 1
check 'it is not restored either' fails_with -E 'is damaged' env LINKSHRINK_BACKUP="$damaged" scripts/restore --replace
cp "$backups/$newest/dump" "$damaged/$newest/"
sed -i 's/^links [0-9]*/links 601/' "$damaged/$newest/tables"
(cd "$damaged/$newest" && sha256sum about dump tables >SHA256SUMS)
check 'rows that are missing are found' fails_with -E 'links: 601 rows in the backup, 600 restored' env LINKSHRINK_BACKUP="$damaged" scripts/backup-rehearsal
check 'such a backup changes no database' fails_with -E 'as before: links: 601' env LINKSHRINK_BACKUP="$damaged" scripts/restore --replace
check 'whose links are all there' same "$(sql 'SELECT count(*) FROM links')" 600
check 'the good one is restored' scripts/backup-rehearsal
check 'which the figures say' figure rehearsal_failed 0
check 'and of which moment' figure rehearsed_timestamp_seconds "$(sed -n 's/^time //p' "$backups/$newest/about")"
check 'nothing is left of it' test ! -e "$LINKSHRINK_VAR/rehearsal"
sed -i 's/^postgresql .*/postgresql 990001/' "$damaged/$newest/about"
(cd "$damaged/$newest" && sha256sum about dump tables >SHA256SUMS)
check 'a newer PostgreSQL'\''s is refused' fails_with -E 'made of PostgreSQL 99' env LINKSHRINK_BACKUP="$damaged" scripts/restore --replace

# ---- Destroyed, and brought back

check 'a database with links is not overwritten' fails_with -E 'has 600 links' scripts/restore
make_links 100
first_link=$(head -n 1 "$work/links" | cut -d ' ' -f 1)
sql "UPDATE links SET title = 'changed', version = 2, updated_at = now() WHERE code = '$first_link'"
follow_all 'clicks after the backup'
check 'are counted' all_counted
check 'the copy has all links' wait_until 20 has_all
has_change() { scripts/reconcile | grep -qx 'newer in PostgreSQL           0'; }
check 'and the last change' wait_until 20 has_change
whole=$(fingerprint)
scripts/stack down >/dev/null
rm -rf "$LINKSHRINK_VAR/pg"
stack_start
check 'a stack whose cluster is gone starts with an empty one' same "$(sql 'SELECT count(*) FROM links')" 0
check 'and says what it lacks' grep -q 'lacks links' "$work/up.log"
follow_all 'all links redirect'
check 'nobody makes new ones' same "$(status -H 'Content-Type: application/json' -d '{"url":"https://example.com/"}' "http://127.0.0.1:$LINKSHRINK_PORT/shorten")" 503
check 'the newest backup is restored' scripts/restore
check 'links are back to the record' same "$(fingerprint)" "$whole"
check 'the copy follows again' wait_until 20 is_in_state following
check 'every click is back, once' all_counted
follow_all 'all links redirect'
check 'the old key is good' same "$(status -H "Authorization: Bearer $key" "http://127.0.0.1:$LINKSHRINK_PORT/urls?limit=1")" 200
make_links 10
check 'new links have ids of their own' same "$(sql 'SELECT count(*) = count(DISTINCT id) FROM links')" t
follow_all 'and redirect'

# ---- In place, under load

whole=$(fingerprint)
start_load follow
check 'a database is replaced while it serves' scripts/restore --replace
stop_load
note_answers
check 'and nobody notices' only_redirects
check 'links are as they were' same "$(fingerprint)" "$whole"
check 'so are clicks' all_counted
check 'the schema is the one that it was' db/migrate.sh --status "$(cat "$LINKSHRINK_VAR/run/owner.url")"
check 'the roles may do what they need, and no more' doctor_says 'ok    role .*no more'

finish
