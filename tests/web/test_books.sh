#!/bin/bash
# The books: what clients were told, what PostgreSQL has and what /metrics says are the same.
set -eu
cd "$(dirname "$0")/../.."
. tests/web/lib.sh

stack_up
trap stack_down EXIT

load=$LINKSHRINK_TESTS/web/load
operations=http://127.0.0.1:$LINKSHRINK_OPS_PORT
count=10000

requests() { metric "linkshrink_worker_requests_total{handler=\"$1\",code=\"$2\"}"; }

# kill_programs: kill -9 of every program at once; back when all have successors
kill_programs() {
	local old
	old=$(stack_programs)
	# shellcheck disable=SC2086 # pids are words
	kill -9 $old
	wait_until 20 replaced "$old"
	wait_until 20 is_ready
}
replaced() {
	local pid
	for pid in $1; do ! kill -0 "$pid" 2>/dev/null || return 1; done
}
counted() { same "$(sql 'SELECT sum(n) FROM click_hours')" "$1"; }
dropped() { curl -s "$operations/metrics" | awk '/^linkshrink_clicks_dropped_total/ { n += $2 } END { print n + 0 }'; }
is_ready() { [ "$(curl -s -o /dev/null -w '%{http_code}' "$operations/ready")" = 200 ]; }

for run in 1 2; do
	"$load" create "$LINKSHRINK_PORT" 16 $count >"$work/links.$run" 2>"$work/score"
	check "run $run: 16 clients create $count links, all acknowledged" \
		same "$(cat "$work/score")" "$(printf 'status 201 %d\nfailed 0' $count)"
	"$load" follow "$LINKSHRINK_PORT" 16 $count <"$work/links.$run" 2>"$work/score"
	check "run $run: each leads to its own target" \
		same "$(cat "$work/score")" "$(printf 'status 302 %d\nfailed 0' $count)"
	sort -u "$work"/links.* >"$work/all"
	check "run $run: all codes are distinct" same "$(cut -d ' ' -f 1 "$work/all" | uniq | wc -l)" $((run * count))
	sql 'SELECT code, target FROM links' | tr '|' ' ' | sort >"$work/stored"
	check "run $run: PostgreSQL has exactly those" cmp "$work/all" "$work/stored"
	check "run $run: and every click once" wait_until 30 counted $((run * count))
	check "run $run: links created in /metrics" same "$(metric linkshrink_links_created_total)" $((run * count))
	check "run $run: creations answered in /metrics" same "$(requests shorten 201)" $((run * count))
	check "run $run: redirects answered in /metrics" same "$(requests redirect 302)" $((run * count))
	check "run $run: clicks in /metrics" same "$(metric linkshrink_clicks_total)" $((run * count))
	check "run $run: none dropped" same "$(dropped)" 0
	[ "$run" = 2 ] || check 'all programs killed and replaced' kill_programs
done

finish
