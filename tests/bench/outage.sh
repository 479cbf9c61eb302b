#!/bin/bash
# Redirects while PostgreSQL does not answer, or is not there, or programs are being killed.
# shellcheck disable=SC2031 # lib.sh has subshells that set the same names
set -euo pipefail

usage() {
	cat <<'END_USAGE'
usage: tests/bench/outage.sh [--keep-docs]

Redirects of a stack beside those of itself: with PostgreSQL up, with all of it stopped by SIGSTOP,
and with none there (its supervisor is held, so that it does not come back). Then at half of that
rate while each second a program that redirects is killed. Prints a table and writes it into
docs/operations.md.
  --keep-docs    print only

  CLIENTS=64 SECONDS_EACH=2 ROUNDS=5    connections, seconds of a run, rounds
  KILL_SECONDS=20                       seconds of kills
END_USAGE
}

keep_docs=no
case ${1:-} in
--help | -h) usage; exit 0 ;;
--keep-docs) keep_docs=yes ;;
'') ;;
*) usage >&2; exit 2 ;;
esac
cd "$(dirname "$0")/../.."
# shellcheck source=tests/bench/lib.sh
. tests/bench/lib.sh

links=10000
kill_seconds=${KILL_SECONDS:-20}
pause_ms=4 # of each client between two requests, when half of the peak is wanted

is_ready() { [ "$(curl -s -o /dev/null -m 2 -w '%{http_code}' "http://127.0.0.1:$LINKSHRINK_OPS_PORT/ready")" = 200 ]; }
settled() { is_ready && all_counted; }
supervisor() { cat "$LINKSHRINK_VAR/run/lock"; }

everything_goes_on() {
	kill -CONT "$(supervisor)" 2>/dev/null || true
	# shellcheck disable=SC2046 # pids are words
	kill -CONT $(stack_postgres) 2>/dev/null || true
	bench_end
}

prepare() {
	bench_begin
	trap everything_goes_on EXIT
	"$LINKSHRINK_TESTS/web/load" create "$LINKSHRINK_PORT" 16 $links 2>"$work/score" |
		cut -d ' ' -f 1 >"$work/codes"
	[ "$(wc -l <"$work/codes")" -eq $links ] || { cat "$work/score" >&2; exit 1; }
}

follow() { drive "$1" stack / follow "$work/codes"; }

up() { follow up; }

again() { follow again; }

frozen() {
	local pids
	pids=$(stack_postgres)
	# shellcheck disable=SC2086 # pids are words
	kill -STOP $pids
	follow frozen
	# shellcheck disable=SC2086
	kill -CONT $pids
}

away() {
	kill -STOP "$(supervisor)"
	kill -QUIT "$postmaster"
	wait_until 10 postmaster_gone
	follow away
	kill -CONT "$(supervisor)"
	wait_until 30 came_back
	postmaster=$(noted postgresql)
}

# Its parent is held and cannot bury it.
postmaster_gone() { ! ps -o stat= -p "$postmaster" | grep -q '^[^Z]'; }
came_back() { [ "$(noted postgresql)" != "$postmaster" ] && is_ready; }

run_round() {
	local state
	for state in $(in_turn up frozen away again); do
		wait_until 120 settled || { say "not ready, or $(answered) clicks and $(counted) counted"; exit 1; }
		"$state"
	done
}

# ---- Kills.

kill_workers() { # seconds
	local end=$((SECONDS + $1))
	while [ "$SECONDS" -lt "$end" ]; do
		kill -9 "$(stack_programs redirect | shuf -n 1)" 2>/dev/null || true
		echo killed >>"$work/kills"
		sleep 1 # the pace that is asked for
	done
}

# At half of the peak: how many clients that takes is found out first.
kills() {
	local wanted clients
	wait_until 120 settled
	all_clicks=$(answered) # those of the kills are the matter of tests/torture
	wanted=$(awk -v peak="$(of up stack 4)" 'BEGIN { print peak / 2 }')
	clients=$(awk -v wanted="$wanted" -v ms="$pause_ms" 'BEGIN { printf "%d", wanted * ms / 1000 }')
	CLIENTS=$clients drive pace stack / follow "$work/codes" "$pause_ms"
	clients=$(awk -v n="$clients" -v wanted="$wanted" -v got="$(of pace stack 4)" 'BEGIN { printf "%d", n * wanted / got }')
	kill_workers "$kill_seconds" &
	CLIENTS=$clients SECONDS_EACH=$kill_seconds drive kills stack / follow "$work/codes" "$pause_ms"
	wait "$!"
	kill_rate=$(of kills stack 4)
	kill_share=$(awk -v n="$kill_rate" -v s="$kill_seconds" -v errors="$(total kills stack 9)" \
		'BEGIN { printf "%.3f", 100 * errors / (n * s) }')
}

row() { # case title
	printf '| %s | %.0f | %.2f | %.1f | %.1f | %.0f | %.2f | %d |\n' "$2" "$(of "$1" stack 4)" \
		"$(between "$1" 4)" "$(of "$1" stack 5)" "$(of "$1" stack 6)" "$(of "$1" stack 7)" \
		"$(between "$1" 7)" "$(total "$1" stack 9)"
}

# As ratio, but of two cases of one server.
between() { # case column
	awk -v c="$1" -v n="$2" '
		$1 == "up" { base[$3] = $n } $1 == c { mine[$3] = $n }
		END { for (r in mine) if (base[r] > 0) print mine[r] / base[r] }' "$work/results" | median
}

report() {
	cat <<END_REPORT

$(machine). Redirects of $links links in turn, $CLIENTS connections, runs of $SECONDS_EACH s, medians of $ROUNDS alternating rounds; ratios are formed within a round. Something else took $(others) % of the machine. Afterwards all $all_clicks clicks were counted in PostgreSQL, to the click.

| PostgreSQL | requests/s | of up | p50 ms | p99 ms | CPU µs | of up | errors |
| --- | --- | --- | --- | --- | --- | --- | --- |
$(row up 'up')
$(row again 'up, another run (control)')
$(row frozen 'stopped by SIGSTOP')
$(row away 'not there')

Half of that rate ($(printf '%.0f' "$kill_rate") requests/s) for $kill_seconds s while each second one of the two processes of \`redirect\` was killed by SIGKILL: $(total kills stack 9) errors, $kill_share %.

END_REPORT
}

prepare
for round in $(seq "$ROUNDS"); do
	say "outage: round $round of $ROUNDS"
	run_round
done
say 'outage: kills'
kills
report >"$work/table"
cat "$work/table"
bar 'redirect with PostgreSQL stopped (SIGSTOP), of itself with PostgreSQL up' \
	"$(printf '%.2f' "$(between frozen 4)")" least 0.95
bar 'redirect without PostgreSQL, of itself with PostgreSQL up' \
	"$(printf '%.2f' "$(between away 4)")" least 0.95
bar 'p99 of redirects with PostgreSQL stopped (SIGSTOP)' "$(printf '%.1f' "$(of frozen stack 6)")" most 25 ms
bar 'redirects without a good answer meanwhile' "$(($(total frozen stack 9) + $(total away stack 9)))" most 0
bar 'errors at half of peak, one worker killed each second' "$kill_share" most 0.1 %
[ "$keep_docs" = yes ] || tests/bench/into-docs outage <"$work/table"
