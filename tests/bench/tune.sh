#!/bin/bash
# Which event handler, how many threads and processes, what counting costs: measured beside each other.
# shellcheck disable=SC2031 # lib.sh has subshells that set the same names
set -euo pipefail

usage() {
	cat <<'END_USAGE'
usage: tests/bench/tune.sh [events | workers | edge]

Prints tables, by default all; docs/decisions keeps what was concluded from them.
  events     server.event-handler poll beside linux-sysepoll, with bare programs: 16, 64 and 256
             clients, and 16 and 64 beside 1,000 and 4,000 connections that do nothing
  workers    threads and processes of the programs: /health (no SQL) and redirects
  edge       lighttpd counting each answer, timing it as well, and neither, with bare programs
Build before it as `make bench` does. SECONDS_EACH=2 ROUNDS=5 CLIENTS=64 (of workers, edge)
END_USAGE
}

case ${1:-all} in
--help | -h) usage; exit 0 ;;
all | events | workers | edge) ;;
*) usage >&2; exit 2 ;;
esac
part=${1:-all}
cd "$(dirname "$0")/../.."
# shellcheck source=tests/bench/lib.sh
. tests/bench/lib.sh

links=10000
event_cases='16 64 256 64+1000 16+4000 64+4000' # clients + idle connections, not falling
workers='2x2 2x4 2x8 4x2 4x4' # processes x threads
idle_pids=()

everything_ends() {
	[ "${#idle_pids[@]}" -eq 0 ] || kill "${idle_pids[@]}" 2>/dev/null || true
	bench_end
}

# A copy of the sources and of what is built, to be changed.
copy_tree() { # directory
	local entry
	mkdir -p "$1/tests" "$1/build"
	for entry in *; do
		case $entry in build | var | tests) ;; *) cp -a "$entry" "$1/" ;; esac
	done
	cp -a tests/tests.mk "$1/tests/"
	for entry in bin cgi-bin common main libcommon.a; do cp -a "$LINKSHRINK_BIN/../$entry" "$1/build/"; done
}

set_to() { # file what value: a word after what
	grep -q "$2" "$1" || { say "tune.sh: $1 does not say '$2'"; exit 1; }
	sed -i "s/\($2\)[^ ,]*/\1$3/" "$1"
}

# ---- The event handler.

event_server() { # handler
	local tree=$work/tree-$1
	copy_tree "$tree"
	# The idle ones stay as long as it takes.
	set_to "$tree/lighttpd.conf" 'server.event-handler = ' "\"$1\""
	set_to "$tree/lighttpd.conf" 'server.max-read-idle = ' 600
	set_to "$tree/lighttpd.conf" 'server.max-keep-alive-idle = ' 600
	LINKSHRINK_BIN=$work/bare-bin side_server "$1" "$tree"
}

# Connections that send nothing, until this process is killed.
open_idle() { # server count
	local port ready=$work/$1.$2.idle
	read -r port <"$work/$1.port"
	(
		trap - EXIT INT TERM
		ulimit -n $(($2 + 256))
		# shellcheck disable=SC2034 # nobody needs to know which they are
		for ((i = 0; i < $2; i++)); do exec {connection}<>"/dev/tcp/127.0.0.1/$port"; done
		touch "$ready"
		exec sleep 900
	) &
	idle_pids+=("$!")
	wait_until 60 test -e "$ready"
}

event_runs() { # case
	local server
	for round in $(seq "$ROUNDS"); do
		for server in $(in_turn poll linux-sysepoll); do
			CLIENTS=${1%+*} drive "$1" "$server" /known
		done
	done
}

events() {
	local case idle=0 more server
	bare_programs "$work/bare-bin"
	for server in poll linux-sysepoll; do event_server "$server"; done
	for case in $event_cases; do
		say "event handler: $case clients"
		more=0
		case $case in *+*) more=$((${case#*+} - idle)) ;; esac
		if [ "$more" -gt 0 ]; then
			for server in poll linux-sysepoll; do open_idle "$server" "$more"; done
			idle=$((idle + more))
		fi
		event_runs "$case"
	done
	[ "${#idle_pids[@]}" -eq 0 ] || kill "${idle_pids[@]}"
	idle_pids=()
	printf '\nPrograms that do nothing under lighttpd; ratios of poll to linux-sysepoll.\n\n'
	printf '| clients | epoll/s | poll/s | ratio | epoll p99 ms | poll p99 ms | epoll CPU µs | poll CPU µs | ratio | errors |\n'
	printf '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n'
	for case in $event_cases; do
		printf '| %s | %.0f | %.0f | %.2f | %.1f | %.1f | %.1f | %.1f | %.2f | %d |\n' "$case" \
			"$(of "$case" linux-sysepoll 4)" "$(of "$case" poll 4)" "$(ratio "$case" poll linux-sysepoll 4)" \
			"$(of "$case" linux-sysepoll 6)" "$(of "$case" poll 6)" \
			"$(of "$case" linux-sysepoll 7)" "$(of "$case" poll 7)" "$(ratio "$case" poll linux-sysepoll 7)" \
			$(($(total "$case" poll 9) + $(total "$case" linux-sysepoll 9)))
	done
}

# ---- Threads and processes.

worker_server() { # processes x threads
	local tree=$work/tree-$1 program
	copy_tree "$tree"
	for program in redirect system; do
		set_to "$tree/cgi-bin/$program.c" '\.threads = ' "${1#*x}"
	done
	make -s -C "$tree" build >"$work/make.log" 2>&1 || { cat "$work/make.log" >&2; exit 1; }
	LINKSHRINK_PROCESSES=${1%x*} LINKSHRINK_BIN=$tree/build/bin side_server "$1" "$tree"
}

worker_rows() { # case title
	local kind
	for kind in $workers; do
		printf '| %s | %s | %s | %.0f | %.2f | %.1f | %.1f | %.1f | %.2f | %.0f | %d |\n' "$2" \
			"${kind%x*}" "${kind#*x}" "$(of "$1" "$kind" 4)" "$(ratio "$1" "$kind" 2x4 4)" \
			"$(of "$1" "$kind" 5)" "$(of "$1" "$kind" 6)" "$(of "$1" "$kind" 7)" \
			"$(ratio "$1" "$kind" 2x4 7)" "$(of "$1" "$kind" 8)" "$(total "$1" "$kind" 9)"
	done
}

workers() {
	local kind
	"$LINKSHRINK_TESTS/web/load" create "$LINKSHRINK_PORT" 16 $links 2>/dev/null | cut -d ' ' -f 1 >"$work/codes"
	for kind in $workers; do
		say "processes x threads: starting $kind"
		worker_server "$kind"
	done
	for round in $(seq "$ROUNDS"); do
		say "processes x threads: round $round of $ROUNDS"
		# shellcheck disable=SC2086 # words
		for kind in $(in_turn $workers); do
			drive health "$kind" /health
			drive distinct "$kind" / follow "$work/codes"
		done
	done
	printf '\nRatios to 2 processes of 4 threads; %s connections.\n\n' "$CLIENTS"
	printf '| | processes | threads | requests/s | ratio | p50 ms | p99 ms | CPU µs | ratio | PostgreSQL µs | errors |\n'
	printf '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n'
	worker_rows health '`/health`'
	worker_rows distinct "redirect, $links links"
}

# ---- Counting at the edge.

# What lighttpd/edge.lua does to a good answer: nothing, counting, or counting and timing it.
edge_server() { # silent | counting | again | timing
	local tree=$work/tree-$1 script=$work/tree-$1/lighttpd/edge.lua
	copy_tree "$tree"
	case $1 in
	silent) sed -i '1i if lighty.r.req_item.http_status < 400 then return 0 end' "$tree"/lighttpd/edge-*.lua ;;
	timing)
		awk '{ print } /^\t\tcounts\[kind\] = / {
			print "local began, fraction = r.req_item.start_time()"
			print "local now, part = lighty.c.hrtime()"
			print "local us, bucket = (now - began) * 1000000 + (part - fraction) // 1000, 100"
			print "while bucket < 2500000 and us > bucket do bucket = bucket * 5 // 2 end"
			print "buckets[bucket] = (buckets[bucket] or 0) + 1"
			print "buckets.sum = (buckets.sum or 0) + us"
		} /^\tlocal counts = / { print "local buckets = {}" }' lighttpd/edge.lua >"$script"
		;;
	esac
	LINKSHRINK_BIN=$work/bare-bin side_server "$1" "$tree"
}

edge() {
	local server kinds='silent counting again timing'
	bare_programs "$work/bare-bin"
	for server in $kinds; do edge_server "$server"; done
	for round in $(seq "$ROUNDS"); do
		say "counting: round $round of $ROUNDS"
		# shellcheck disable=SC2086 # words
		for server in $(in_turn $kinds); do drive edge "$server" /known; done
	done
	printf '\nPrograms that do nothing; ratios to a lighttpd that does not count.\n\n'
	printf '| lighttpd | requests/s | ratio | CPU µs | ratio | errors |\n| --- | --- | --- | --- | --- | --- |\n'
	for server in $kinds; do
		printf '| %s | %.0f | %.3f | %.2f | %.3f | %d |\n' "$server" "$(of edge "$server" 4)" \
			"$(ratio edge "$server" silent 4)" "$(of edge "$server" 7)" "$(ratio edge "$server" silent 7)" \
			"$(total edge "$server" 9)"
	done
}

bench_begin
trap everything_ends EXIT
case $part in all | events) events ;; esac
case $part in all | workers) workers ;; esac
case $part in all | edge) edge ;; esac
printf '\n%s. Runs of %s s, medians of %s alternating rounds. Something else took %s %% of the machine.\n' \
	"$(machine)" "$SECONDS_EACH" "$ROUNDS" "$(others)"
