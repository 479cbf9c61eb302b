#!/bin/bash
# The page of metrics of a real stack: complete and bounded, exact at the edge, there whatever else is not.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/web/lib.sh
. tests/web/lib.sh

stack_up
trap end_all EXIT
end_all() {
	stack_programs | xargs -r kill -CONT 2>/dev/null || true
	stack_postgres | xargs -r kill -CONT 2>/dev/null || true
	stack_down
}

public=http://127.0.0.1:$LINKSHRINK_PORT
operations=http://127.0.0.1:$LINKSHRINK_OPS_PORT
edge=$LINKSHRINK_VAR/app/lighttpd/edge-operations.lua

page() { curl -sf --max-time 3 "$operations/metrics" >"$work/$1"; }
series() { grep -vc '^#' "$work/$1"; }
names() { grep -v '^#' "$work/$1" | sed 's/ [^ ]*$//'; }
valid() { promtool check metrics <"$work/$1"; }

# What lighttpd counted between two pages but for operations, which is this test: handler method code n
counted() {
	awk '/^http_requests_total/ && !/"operations"/ {
		split($1, part, "\"")
		if (FNR == NR)
			before[$1] = $2
		else if ($2 != before[$1])
			print part[2], part[4], part[6], $2 - before[$1]
	}' "$work/$1" "$work/$2" | LC_ALL=C sort
}

backwards() { awk -f tests/torture/backwards.awk "$work/$1" "$work/$2"; }

raw() {
	printf '%b' "$1" | timeout 20 bash -c "exec 3<>/dev/tcp/127.0.0.1/$LINKSHRINK_PORT; cat >&3; cat <&3" >/dev/null
}
times() { local n=$1; shift; for _ in $(seq "$n"); do "$@" >/dev/null; done; }
shorten() { status -H 'Content-Type: application/json' -d "$1" "$public/shorten"; }

# ---- Complete, valid, bounded

check 'the page is there' page first
check 'promtool accepts it' valid first
check 'it has at most 1,200 series' test "$(series first)" -le 1200
missing=$(sed -n 's/^[A-Z]*([a-z_]*, "\([a-z_]*\)".*/\1/p' common/base/metrics.def |
	while read -r name; do grep -q "^# TYPE $name " "$work/first" || echo "$name"; done)
check 'every metric of metrics.def is on it' same "$missing" ''
check 'lighttpd tells its counts' grep -qx 'linkshrink_edge_counted 1' "$work/first"
check 'its own time limit is exact: 25 ms' grep -q '^http_request_duration_seconds_bucket{handler="redirect",le="0.025"}' "$work/first"
for program in redirect shorten metrics system; do
	check "two processes of $program are expected" same "$(metric "linkshrink_workers_expected{program=\"$program\"}")" 2
	check "and alive" same "$(metric "linkshrink_workers_alive{program=\"$program\"}")" 2
	check "their memory is shown" test "$(metric "process_resident_memory_bytes{program=\"$program\"}")" -gt 1000000
	check "and their descriptors" test "$(metric "process_open_fds{program=\"$program\"}")" -gt 4
done
check 'the limit of the spool is that of the settings' same "$(metric linkshrink_spool_limit_bytes)" 8589934592
started=$(metric 'process_start_time_seconds{program="ingest"}')
check 'a start is a moment of today' test $(($(date +%s) - ${started%.*})) -lt 300

# ---- Exact

shorten '{"url":"https://example.com/","short_code":"followed"}' >/dev/null
check 'a link is there' same "$(status "$public/followed")" 302
head -c 65537 /dev/zero | tr '\0' ' ' >"$work/large"
page before
times 7 status "$public/followed"
times 5 status -I "$public/followed"
times 3 status "$public/unknown-code"
times 2 status -d x=y "$public/followed"
times 2 status -X PUT "$public/followed"
times 1 status "$public/followed.qr"
times 4 shorten '{"url":"https://example.com/"}'
times 2 shorten '{"url":"nonsense"}'
times 1 status "$public/shorten"
times 1 status -H 'Content-Type: application/json' -H 'Expect:' --data-binary "@$work/large" "$public/shorten"
times 3 status "$public/health"
times 2 status "$public/"
times 1 status "$public/www/style.css"
times 1 status "$public/www/nothing.css"
times 1 status -X BREW "$public/followed"
times 2 status "$public/a%00b"
times 2 status --path-as-is "$public/health/../metrics"
times 1 status "$public/$(printf 'a%.0s' $(seq 9000))"
times 3 raw 'no request\r\n\r\n'
page after
check 'each answer is counted once, by handler, method and status' same "$(counted before after)" \
	"$(LC_ALL=C sort <<-COUNTS
		health GET 200 3
		none GET 400 4
		none other 400 3
		none other 431 1
		none other other 1
		page GET 200 3
		page GET 404 1
		redirect GET 200 1
		redirect GET 302 7
		redirect GET 404 3
		redirect HEAD 302 5
		redirect POST 405 2
		redirect other 405 2
		shorten GET 405 1
		shorten POST 201 4
		shorten POST 400 2
		shorten POST 413 1
	COUNTS
	)"
programs() { awk -v want="linkshrink_worker_requests_total{handler=\"$2\",code=\"$3\"}" '$1 == want { print $2 }' "$work/$1"; }
check 'the programs counted the same redirects' same $(($(programs after redirect 302) - $(programs before redirect 302))) 12
check 'and the same links' same $(($(programs after shorten 201) - $(programs before shorten 201))) 4
check 'answers of a program are timed, whatever they are' same "$(metric 'http_request_duration_seconds_count{handler="shorten"}')" 8
check 'a client cannot put counts in their place' test -z \
	"$(curl -s -H 'Linkshrink-Edge: redirect GET 410 4711,.' "$operations/metrics" | grep ' 4711$' || true)"

# ---- A flood

flood() { # of paths that nobody asked for before
	curl -s -o /dev/null "$public/$1-[1-3000]" && curl -s -o /dev/null "$public/$1/[1-500]/x" &&
		for i in $(seq 20); do curl -s -o /dev/null -X "METHOD$i$1" "$public/followed"; done
}
resident() { awk '/^VmRSS/ { print $2 }' "/proc/$(noted lighttpd)/status"; }
check 'a first flood of paths is answered' flood first
page before
memory=$(resident)
check 'a second one of others, too' flood second
page after
check 'all of it is counted' same "$(counted before after)" "$(printf '%s\n' 'none other other 20' 'redirect GET 404 3500')"
check 'no series came of it' same "$(names after)" "$(names before)"
check 'nor since the first page' same "$(names after)" "$(names first)"
check 'lighttpd did not grow by it' test $(($(resident) - memory)) -lt 1024

# ---- Without PostgreSQL

stack_postgres | xargs kill -STOP
check 'PostgreSQL is stopped: nobody makes a link' same "$(shorten '{"url":"https://example.com/"}')" 503
check 'the page is there' page hung
check 'and promtool accepts it' valid hung
check 'creating is said to be refused' grep -qx 'linkshrink_db_circuit_open{program="shorten"} 1' "$work/hung"
check 'for want of an answer' grep -q '^linkshrink_db_errors_total{class="none"} [1-9]' "$work/hung"
stack_programs | while read -r pid; do
	[ "$(cat "/proc/$pid/comm")" = metrics ] || kill -STOP "$pid"
done
check 'the page is there while all else is stopped, too' page alone
check 'and has all its series' same "$(names alone)" "$(names first)"
check 'those who are stopped are alive' grep -qx 'linkshrink_workers_alive{program="redirect"} 2' "$work/alone"
stack_programs | xargs kill -CONT
stack_postgres | xargs kill -CONT
closed() { [ "$(metric 'linkshrink_db_circuit_open{program="shorten"}')" = 0 ]; }
made() { [ "$(shorten '{"url":"https://example.com/"}')" = 201 ]; }
check 'links are made again' wait_until 10 made
check 'and that is said' wait_until 10 closed
kill -9 "$(noted postgresql)"
check 'the page is there while PostgreSQL is dead' page dead
check 'and it is valid' valid dead
check 'PostgreSQL is back' wait_until 20 made
page back
check 'no counter went backwards in all that' same "$(backwards first back)" ''

# ---- Processes that die and hang

mv "$LINKSHRINK_VAR/app/bin/redirect" "$work/redirect"
stack_programs redirect | xargs kill -9
check 'no process of redirect is left' wait_until 5 alive redirect 0
unavailable() { [ "$(status "$public/followed")" = 503 ]; }
check 'lighttpd says 503 by itself' wait_until 5 unavailable
page before
times 6 status "$public/followed"
times 2 status -I "$public/followed"
id=$(tr -d '\r' <"$work/head" | sed -n 's/^X-Request-Id: //Ip')
page after
check 'its own 503 are counted, each' same "$(counted before after)" "$(printf '%s\n' 'redirect GET 503 6' 'redirect HEAD 503 2')"
check 'no process is alive, two are expected' same \
	"$(metric 'linkshrink_workers_alive{program="redirect"}') of $(metric 'linkshrink_workers_expected{program="redirect"}')" '0 of 2'
check 'the id of such an answer is in the log' grep -qF "\"component\":\"lighttpd\",\"event\":\"request\"" \
	<(grep -F "\"request_id\":\"$id\"" "$LINKSHRINK_VAR/log/linkshrink.log")
check 'and found without a shell' same "$(status "$operations/logs/recent?request_id=$id&level=error")" 200
check 'with what happened' grep -qF '"status":503,"path":"/followed","error":"no program is free"' "$work/body"
mv "$work/redirect" "$LINKSHRINK_VAR/app/bin/redirect"
follows() { [ "$(status "$public/followed")" = 302 ]; }
check 'redirects are back' wait_until 20 follows
check 'with two processes' wait_until 10 running redirect 2
check 'no processor time was lost' same "$(page after; backwards before after | grep process_cpu || true)" ''

page before
stack_programs redirect | xargs kill -STOP
for i in 1 2 3 4; do status "$public/followed" >"$work/code.$i" & done
wait
page after
check 'what clients got of hung processes is what was counted' same "$(counted before after)" \
	"$(cat "$work"/code.* | sed 's/\(...\)/\1\n/g' | grep . | sort | uniq -c | awk '{ print "redirect GET", $2, $1 }')"
check 'redirects are back again' wait_until 20 follows

# ---- Without lighttpd's counts

cp "$edge" "$work/edge.lua"
echo 'return 0' >"$edge"
untold() { [ "$(metric linkshrink_edge_counted)" = 0 ]; }
check 'without its counts the page says so' wait_until 5 untold
page without
check 'it shows none rather than zeros' same "$(grep -c '^http_requests_total' "$work/without")" 0
check 'and is valid' valid without
cp "$work/edge.lua" "$edge"
told() { [ "$(metric linkshrink_edge_counted)" = 1 ]; }
check 'they come back' wait_until 5 told

status "$public/followed" >/dev/null
kill -9 "$(noted lighttpd)"
check 'lighttpd is started again' wait_until 20 follows
check 'its counts are there' wait_until 5 told
page after
check 'the page is valid' valid after
check 'and has all its series' same "$(names after)" "$(names first)"
check 'they began anew' test "$(metric 'http_requests_total{handler="redirect",method="GET",code="404"}')" -eq 0
check 'every line of the log is JSON' "$LINKSHRINK_TESTS/web/json_lines" <"$LINKSHRINK_VAR/log/linkshrink.log"

finish
