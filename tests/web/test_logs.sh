#!/bin/bash
# Logs: what a line says, how it leads to PostgreSQL's log, /logs/recent, and rotation by logrotate
# itself under load without the loss of a line.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/web/lib.sh
. tests/web/lib.sh

stack_up
trap end_all EXIT
end_all() {
	[ -z "${load_pid:-}" ] || kill "$load_pid" 2>/dev/null || true
	stack_down
}

public=http://127.0.0.1:$LINKSHRINK_PORT
operations=http://127.0.0.1:$LINKSHRINK_OPS_PORT
logs=$LINKSHRINK_VAR/log
load=$LINKSHRINK_TESTS/web/load
logrotate=$(command -v logrotate || echo /usr/sbin/logrotate)

body_has() { grep -qF -e "$1" "$work/body" || { cat "$work/body"; return 1; }; }
request_id() { tr -d '\r' <"$work/head" | sed -n 's/^X-Request-Id: //Ip'; }
shorten() { status -H 'Content-Type: application/json' -d "$1" "$public/shorten"; }
line_of() { grep -F "\"request_id\":\"$1\"" "$logs/linkshrink.log" | grep -F '"event":"request"'; }
member() { sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p" <<<"$2"; }

# ---- What a line says

trace=4bf92f3577b34da6a3ce929d0e0e4736
check 'a link is made' same "$(status -H "traceparent: 00-$trace-00f067aa0ba902b7-01" -H 'Content-Type: application/json' \
	-d '{"url":"https://example.com/","short_code":"logged"}' "$public/shorten")" 201
line=$(line_of "$(request_id)")
for key in ts level component event pid request_id trace_id handler method status duration_us db_us db_pid code client; do
	check "its line has $key" test -n "$(member $key "$line")"
done
check 'it goes on with the trace that it was sent' same "$(member trace_id "$line")" $trace
check 'an error is in it, in words' same "$(shorten '{"url":"ftp://example.com/"}') $(member error "$(line_of "$(request_id)")")" '400 invalid_url'

sql 'REVOKE INSERT (code) ON links FROM linkshrink_web' >/dev/null
check 'a statement fails' same "$(shorten '{"url":"https://example.com/"}')" 503
failed=$(request_id)
sql 'GRANT INSERT (code) ON links TO linkshrink_web' >/dev/null
session=$(member db_pid "$(line_of "$failed")")
check 'its session is found in the log of PostgreSQL' \
	grep -qF "[${session:-none}] ERROR:  permission denied for table links" "$logs/postgresql.log"
check 'and what the database said is found by the id of the request' same "$(status "$operations/logs/recent?request_id=$failed&level=warning")" 200
check 'with the statement' body_has '"event":"database_error"'
check 'and the request' body_has '"status":503'

# ---- /logs/recent

check 'the newest lines are there for operations' same "$(status "$operations/logs/recent?limit=2")" 200
check 'as many as wanted' same "$(grep -o '"ts"' "$work/body" | grep -c .)" 2
check 'all wrong parameters are refused at once' same "$(status "$operations/logs/recent?limit=0&level=x&request_id=y")" 400
check 'by name' body_has '"field":"request_id"'
check 'nothing of it is on the public listener' same "$(status "$public/logs/recent")" 404
mv "$logs/linkshrink.log" "$work/hidden"
mkdir "$logs/linkshrink.log"
check 'a log that cannot be read is said so' same "$(status "$operations/logs/recent")" 503
check 'without its path' same "$(grep -c "$logs" "$work/body")" 0
rmdir "$logs/linkshrink.log"
mv "$work/hidden" "$logs/linkshrink.log"

# ---- Rotation

scripts/logrotate-config >"$work/logrotate.conf"
# logrotate believes nobody else's.
chmod 644 "$work/logrotate.conf"
rotate() { "$logrotate" --force --state "$work/logrotate.state" "$work/logrotate.conf"; }
each() { local file; for file in "$1"*; do case $file in *.gz) zcat "$file" ;; *) cat "$file" ;; esac; done; }
follow() { echo 'logged https://example.com/' | "$load" follow "$LINKSHRINK_PORT" 16 "$1"; }
logged() { each "$logs/linkshrink.log" | grep -c '"handler":"redirect"' || true; }
fresh() { [ -s "$logs/linkshrink.log" ]; }

check 'logrotate understands its configuration' "$logrotate" --debug --state "$work/logrotate.state" "$work/logrotate.conf"
# Programs that started apart go over to a new file apart.
check 'programs are restarted' scripts/stack restart redirect
before=$(logged)
"$load" follow "$LINKSHRINK_PORT" 16 0 2>"$work/score" <<<'logged https://example.com/' &
load_pid=$!
for round in 1 2 3 4 5 6; do
	check "rotation $round under load" rotate
	# The next one comes as soon as one program has gone over; the other still writes to the old.
	check "programs go on in the new file, $round" wait_until 5 fresh
done
kill "$load_pid"
wait "$load_pid" || true
load_pid=
answered=$(awk '$1 == "status" { n += $3 } END { print n + 0 }' "$work/score")
check 'no request failed' same "$(awk '$1 == "failed" { print $2 }' "$work/score")" 0
check 'there was a load' test "$answered" -gt 1000
check "each of the answers has its line" wait_until 5 eval '[ "$(logged)" -eq $((before + answered)) ]'
check 'every line in every file is JSON' eval 'each "$logs/linkshrink.log" | "$LINKSHRINK_TESTS/web/json_lines"'
check 'old files are compressed, all but the last' test -e "$logs/linkshrink.log.6.gz" -a -s "$logs/linkshrink.log.1"
follow 50 2>"$work/score"
rotate
check 'a reader goes on in the file rotated last' same "$(status "$operations/logs/recent?limit=40")" 200
check 'and finds what it wants' same "$(grep -o '"ts"' "$work/body" | grep -c .)" 40
check 'the new file is closed to others' wait_until 5 eval '[ "$(stat -c %a "$logs/linkshrink.log" 2>&1)" = 640 ]'

check 'lighttpd writes to its new log' grep -qs . "$logs/lighttpd.log"
check 'what it wrote before is kept' test -e "$logs/lighttpd.log.1"
sql 'SELECT 1/0' >/dev/null 2>&1 || true
check 'PostgreSQL goes on in its log' grep -q 'division by zero' "$logs/postgresql.log"
check 'and its old lines are kept' test -e "$logs/postgresql.log.1.gz"

# What holds the last file open for writing stops the next rotation: its lines would be lost.
wait_until 5 eval 'follow 1 2>"$work/score"; fresh' # logrotate leaves an empty file alone
exec 7>>"$logs/linkshrink.log.1"
sed "s/+ 15/+ 1/" "$work/logrotate.conf" >"$work/hasty.conf"
before=$(each "$logs/linkshrink.log" | grep -c .)
check 'a writer that stays behind stops the rotation' eval '! "$logrotate" --force --state "$work/logrotate.state" "$work/hasty.conf" 2>"$work/said"'
check 'which says why' grep -q 'still writes to' "$work/said"
exec 7>&-
check 'and nothing is lost' test "$(each "$logs/linkshrink.log" | grep -c .)" -ge "$before"
check 'the next one works' rotate

finish
