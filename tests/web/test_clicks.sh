#!/bin/bash
# Clicks on the running system: each counted once, whatever dies, and scripts/audit says so.
set -eu
cd "$(dirname "$0")/../.."
. tests/web/lib.sh

stack_up
trap stack_down EXIT

load=$LINKSHRINK_TESTS/web/load
count=2000
followed=0

counted() { sql 'SELECT coalesce(sum(n), 0) FROM click_hours'; }
has_counted() { [ "$(counted)" -ge "$1" ]; }
all_counted() { # waits; exactly so many
	wait_until 20 has_counted "$followed"
	same "$(counted)" "$followed"
}

# follow_links NAME: they are answered, and have to be counted
follow_links() {
	followed=$((followed + count))
	check "$1" follow
}
follow() {
	"$load" follow "$LINKSHRINK_PORT" 8 "$count" <"$work/links" 2>"$work/score"
	same "$(cat "$work/score")" "$(printf 'status 302 %d\nfailed 0' "$count")"
}

audit() { scripts/audit >"$work/audit" 2>&1; }
audit_is_well() { audit || { cat "$work/audit"; return 1; }; }
audit_differs() { # pattern
	if audit || ! grep -q "$1" "$work/audit"; then
		cat "$work/audit"
		return 1
	fi
}

spooled() { metric linkshrink_clicks_spooled_total; }
no_drift() { [ "$(metric linkshrink_click_drift)" = 0 ]; }
nothing_waits() { [ "$(metric 'linkshrink_spool_bytes{part="pending"}')" = 0 ]; }

"$load" create "$LINKSHRINK_PORT" 8 50 >"$work/links" 2>"$work/score"

follow_links "$count clicks are answered"
check 'and each is counted' all_counted
check 'each is a row' same "$(sql 'SELECT count(*) FROM clicks')" "$followed"
check 'the metrics say the same' same "$(spooled)" "$followed"
check 'and that they are committed' wait_until 5 eval '[ "$(metric linkshrink_clicks_committed_total)" = "$followed" ]'
check 'there is no drift' wait_until 5 no_drift
check 'and no partition for other days is used' same "$(sql 'SELECT count(*) FROM clicks_other')" 0
check 'the audit is well' audit_is_well

# PostgreSQL hangs: clicks wait on the disk.
hang() {
	# shellcheck disable=SC2046 # pids are words
	kill -STOP $(stack_postgres)
}
go_on() {
	# shellcheck disable=SC2046
	kill -CONT $(stack_postgres)
}
hang
follow_links 'with PostgreSQL stopped clicks are answered'
check 'and wait' wait_until 5 eval '[ "$(metric "linkshrink_spool_bytes{part=\"pending\"}")" -gt 0 ]'
go_on
check 'once it goes on each is counted' all_counted
check 'nothing waits any more' wait_until 5 nothing_waits

# Whoever is killed while it works: the offsets decide.
kill_all_the_time() { # program, until the file is gone
	while [ -e "$work/killing" ]; do
		# shellcheck disable=SC2046
		kill -9 $(stack_programs "$1") 2>/dev/null || true
		sleep 0.2
	done
}
touch "$work/killing"
kill_all_the_time ingest &
killer=$!
for run in 1 2 3; do follow_links "while ingest is killed clicks are answered, run $run"; done
rm "$work/killing"
wait "$killer"
check 'with ingest killed all the time each click is counted' all_counted
check 'and the audit is well' audit_is_well

# A process of redirect dies: its segment is read to the end and kept.
follow_links 'clicks again'
# shellcheck disable=SC2046
kill -9 $(stack_programs redirect)
check 'a segment whose writer is gone moves to kept' wait_until 10 eval 'ls "$LINKSHRINK_VAR"/spool/kept/*.clicks'
check 'each is counted still' all_counted
check 'the program lists the segments' "$LINKSHRINK_BIN/ingest" --segments "$LINKSHRINK_VAR/spool"
check 'with all records' same "$followed" \
	"$("$LINKSHRINK_BIN/ingest" --segments "$LINKSHRINK_VAR/spool" | awk '{ n += $3 } END { print n }')"

# A database that forgets: restored from a backup, and emptied.
is_back() { alive redirect 2 && [ "$(status "http://127.0.0.1:$LINKSHRINK_OPS_PORT/metrics")" = 200 ]; }
check 'redirect is back' wait_until 20 is_back
pg_dump --data-only --table=clicks --table='clicks_*' --table=click_counts --table=click_stats --table=click_days --table=click_totals \
	--table=click_visitors --table='click_visitors_*' --table=spool_offsets --table=spool_runs \
	"$(cat "$LINKSHRINK_VAR/run/owner.url")" >"$work/dump"
follow_links 'more clicks after a backup'
check 'are counted' all_counted
forget='TRUNCATE clicks, click_counts, click_stats, click_days, click_totals, click_visitors, spool_offsets, spool_runs;'
restore() {
	{
		echo "BEGIN; $forget"
		cat "$work/dump"
		echo 'COMMIT;'
	} | psql -X -q -v ON_ERROR_STOP=1 -f - "$(cat "$LINKSHRINK_VAR/run/owner.url")" >/dev/null
}
check 'the backup is restored' restore
check 'the later clicks come again, each once' all_counted
check 'the audit is well' audit_is_well
sql "$forget"
check 'an emptied database gets all clicks again, each once' all_counted
check 'the audit is well' audit_is_well

# The audit finds what is wrong.
sql "DELETE FROM clicks WHERE ctid IN (SELECT ctid FROM clicks LIMIT 1)"
check 'a row that is missing is found' audit_differs 'counted less rows: 1'
sql "$forget"
check 'all comes again' all_counted
sql "UPDATE click_counts SET n = n + 1 WHERE (link, hour) = (SELECT link, hour FROM click_counts LIMIT 1)"
check 'a count too many is found' audit_differs 'the counts have 1 more'
sql "UPDATE click_counts SET n = n - 1 WHERE (link, hour) = (SELECT link, hour FROM click_counts ORDER BY n DESC LIMIT 1)"
check 'and mended' audit_is_well
sql "INSERT INTO click_totals (hour, node, counted) VALUES ('2020-02-03 04:00Z', 1, 5)"
check 'a total of all links that nobody counted is found' audit_differs 'of 1 hours the total of all links'
sql "$(sed -n 's/^    \(BEGIN; LOCK TABLE click_days.*\)/\1/p' docs/operations.md)"
check 'and mended as the documents say' audit_is_well
sql "BEGIN; ALTER TABLE events DISABLE TRIGGER events_more; INSERT INTO events (type, link) VALUES ('shared', 1); ALTER TABLE events ENABLE TRIGGER events_more; COMMIT"
check 'an event that nobody counted is found' audit_differs 'of 1 days and types the sum of events'
sql "$(sed -n 's/^    \(BEGIN; LOCK TABLE event_totals.*\)/\1/p' docs/operations.md)"
check 'and mended as the documents say' audit_is_well
sql "UPDATE spool_offsets SET records = records - 1 WHERE segment = (SELECT max(segment) FROM spool_offsets)"
check 'a record that was not counted is found' audit_differs 'the file has 1 more'
sql "$forget"
check 'all comes again' all_counted

# A kept file that PostgreSQL has only a part of, with books that agree; ingest, stopped, cannot help.
check 'the audit is well' audit_is_well
# shellcheck disable=SC2046
kill -STOP $(stack_programs ingest)
kept=$(find "$LINKSHRINK_VAR/spool/kept" -size +4k | head -n 1)
tail -n 1 "$kept" >"$work/line"
cat "$work/line" >>"$kept"
check 'a kept file with more than PostgreSQL has is found' audit_differs 'PostgreSQL lacks 1 records'
truncate -s "-$(($(wc -c <"$work/line") * 2))" "$kept"
check 'one with a lost end is no fault' audit_is_well
check 'but is told' grep -q 'of 1 segments the end was lost' "$work/audit"
# shellcheck disable=SC2046
kill -CONT $(stack_programs ingest)

finish
