#!/bin/bash
# What users notice while programs are restarted, killed and stopped, and while PostgreSQL is away.
set -eu
cd "$(dirname "$0")/../.."
. tests/web/lib.sh

stack_up
trap 'kill_load; stack_down' EXIT

load=$LINKSHRINK_TESTS/web/load
public=http://127.0.0.1:$LINKSHRINK_PORT
operations=http://127.0.0.1:$LINKSHRINK_OPS_PORT

shorten() { status -H 'Content-Type: application/json' -d '{"url":"https://example.com/"}' "$public/shorten"; }
gives() { [ "$(status "$2")" = "$1" ]; }
creates() { [ "$(shorten)" = 201 ]; }
body_has() { grep -qF -e "$1" "$work/body"; }
head_has() { grep -qi -e "^$1" "$work/head"; }
# What lighttpd hands to the programs says where the file is; its suffix names the layout.
segment_file() {
	local path
	path=$(tr '\0' '\n' <"/proc/$(noted lighttpd)/environ" | sed -n 's/^LINKSHRINK_SEGMENT=//p')
	echo "$path".*
}

# Load goes on in the background until it is asked to stop; its score is then in $work/score.
load_pid=
start_load() {
	"$load" "$@" >/dev/null 2>"$work/score" <"$work/links" &
	load_pid=$!
}
kill_load() { [ -z "$load_pid" ] || kill "$load_pid" 2>/dev/null || true; }
stop_load() {
	kill "$load_pid"
	wait "$load_pid"
	load_pid=
}
unfailed() {
	if grep -qx 'failed 0' "$work/score" && ! grep -Eq '^status 5' "$work/score"; then return 0; fi
	sed 's/^/# /' "$work/score"
	return 1
}

"$load" create "$LINKSHRINK_PORT" 4 100 >"$work/links" 2>/dev/null
code=$(cut -d ' ' -f 1 "$work/links" | head -n 1)

# ---- Restart under load: nobody notices

start_load follow "$LINKSHRINK_PORT" 8 0
check 'redirect is restarted under load' scripts/stack restart redirect
stop_load
check 'without one failed request' unfailed
start_load create "$LINKSHRINK_PORT" 8 0
check 'shorten is restarted under load' scripts/stack restart shorten
stop_load
check 'without one failed request' unfailed
start_load get "$LINKSHRINK_PORT" 4 0 /health
check 'system is restarted under load' scripts/stack restart system
stop_load
check 'without one failed request' unfailed
start_load get "$LINKSHRINK_OPS_PORT" 4 0 /metrics
check 'metrics is restarted under load' scripts/stack restart metrics
stop_load
check 'without one failed request' unfailed

# ---- Before lighttpd is stopped in order

says_goodbye() { curl -s -o /dev/null -D - "$public/$code" | grep -qi "^connection: close"; }
stack_programs redirect | xargs kill -USR2
check 'told so, a program ends connections by its answers' wait_until 5 says_goodbye
stack_programs redirect | xargs kill -TERM
keeps() { gives 302 "$public/$code" && ! says_goodbye; }
check 'its successor keeps them' wait_until 10 keeps

# ---- kill -9 and SIGSTOP

for program in redirect shorten metrics system; do
	pid=$(stack_programs "$program" | head -n 1)
	kill -9 "$pid"
	check "$program: killed, a successor comes" wait_until 10 alive "$program" 2
done
check 'links are followed' gives 302 "$public/$code"
for program in redirect shorten; do
	for pid in $(stack_programs "$program"); do kill -STOP "$pid"; done
	check "$program: stopped as a whole, replaced" wait_until 15 running "$program" 2
done
check 'links are followed again' wait_until 10 gives 302 "$public/$code"
check 'and made' wait_until 10 creates
stalled() { # at least as many
	curl -s "$operations/metrics" |
		awk -v least="$1" '/^linkshrink_worker_exits_total.*stalled/ { n += $2 } END { print n; exit n < least }'
}
check 'stalled processes are counted' wait_until 5 stalled 4

# ---- The shared memory file is lost: nobody notices, and all meet in a new one

all_alive() { # every process has a slot in the segment that /metrics reads
	[ "$(curl -s "$operations/metrics" | awk '/^linkshrink_workers_alive/ { n += $2 } END { print n }')" = 14 ]
}
wait_until 20 all_alive
start_load follow "$LINKSHRINK_PORT" 8 0
rm "$(segment_file)"
check 'the shared memory file is removed: all processes meet in a new one' wait_until 60 all_alive
stop_load
check 'without one failed request' unfailed
check 'and none is left behind' same "$(stack_programs | wc -l)" 14
truncate -s 100 "$(segment_file)"
check 'the file is cut short: links are followed again' wait_until 20 gives 302 "$public/$code"
check 'and all processes meet in a whole one' wait_until 60 all_alive
check 'who ended for it said why' grep -q 'the shared segment was cut short' "$LINKSHRINK_VAR/log/programs.log"

# ---- Its postmaster alone hangs: a process has a session before anybody asked it

scripts/stack restart shorten >/dev/null
kill -STOP "$(noted postgresql)"
"$load" create "$LINKSHRINK_PORT" 8 200 >/dev/null 2>"$work/score" || true
kill -CONT "$(noted postgresql)"
check 'the postmaster stopped: links are made by processes that made none before' unfailed

# ---- PostgreSQL hangs, then comes back

postgres=$(stack_postgres)
# shellcheck disable=SC2086 # pids are words
kill -STOP $postgres
check 'PostgreSQL stopped: health is 200' gives 200 "$public/health"
check 'ready is 503' gives 503 "$operations/ready"
check 'and names the database' body_has '"database":{"ok":false'
check 'shorten is 503' same "$(shorten)" 503
check 'with Retry-After' head_has 'Retry-After: 1'
check 'an unknown code is 503, not 404, as soon as the replica may be old' wait_until 10 gives 503 "$public/unknown-code"
check 'metrics answer' gives 200 "$operations/metrics"
# shellcheck disable=SC2086 # pids are words
kill -CONT $postgres
check 'PostgreSQL goes on: ready again by itself' wait_until 20 gives 200 "$operations/ready"
check 'links are made again' wait_until 20 creates
check 'and followed' wait_until 20 gives 302 "$public/$code"

# ---- The disk is full for the log

export LINKSHRINK_LOG=/dev/full
stack_restart
check 'no room for the log: links are followed' gives 302 "$public/$code"
check 'and the lost lines are counted' test "$(curl -s "$operations/metrics" |
	awk '$1 == "linkshrink_log_lines_lost_total" { print $2 }')" -gt 0

finish
