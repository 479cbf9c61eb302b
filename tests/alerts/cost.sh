#!/bin/bash
# What monitoring costs: redirects with and without it, and its memory.
# shellcheck disable=SC2031 # lib.sh has subshells that set the same names
set -euo pipefail

usage() {
	cat <<'USAGE'
usage: tests/alerts/cost.sh [--keep-docs]

Redirects of one stack in alternating runs with its monitoring going on and with all of that stopped
(SIGSTOP), and the memory of monitoring after that.
  --keep-docs    print only

  CLIENTS=64 SECONDS_EACH=10 ROUNDS=5    connections, seconds of a run (several scrapes), rounds
USAGE
}

keep_docs=no
case ${1:-} in
--help | -h) usage; exit 0 ;;
--keep-docs) keep_docs=yes ;;
'') ;;
*) usage >&2; exit 2 ;;
esac
cd "$(dirname "$0")/../.."
SECONDS_EACH=${SECONDS_EACH:-10}
# shellcheck source=tests/alerts/lib.sh
. tests/alerts/lib.sh

monitors='prometheus alertmanager node-exporter postgres-exporter blackbox-exporter inbox'
monitors() { # their pids, and those of the inbox's children
	local name pid
	for name in $monitors; do
		pid=$(noted "$name")
		[ -z "$pid" ] || { echo "$pid"; ps --ppid "$pid" -o pid= || true; }
	done
}
memory() { # MiB of one of them, with its children; pages that are shared, divided
	local pid
	pid=$(noted "$1")
	for pid in $pid $(ps --ppid "${pid:-0}" -o pid=); do cat "/proc/$pid/smaps_rollup"; done |
		awk '/^Pss:/ { n += $2 } END { printf "%.0f", n / 1024 }'
}
on() { drive on stack / follow "$work/codes"; }
off() {
	local pids
	pids=$(monitors)
	# shellcheck disable=SC2086 # pids are words
	kill -STOP $pids
	drive off stack / follow "$work/codes"
	# shellcheck disable=SC2086
	kill -CONT $pids
}
end() {
	# shellcheck disable=SC2046
	kill -CONT $(monitors) 2>/dev/null || true
	watched_end
}
change() { # column: on, of off, within each round
	awk -v n="$1" '$1 == "off" { base[$3] = $n } $1 == "on" { mine[$3] = $n }
		END { for (r in mine) if (base[r] > 0) print mine[r] / base[r] }' "$work/results" | median
}

watched_stack
trap end EXIT
links 10000
for round in $(seq "$ROUNDS"); do
	say "cost: round $round of $ROUNDS"
	for state in $(in_turn on off); do "$state"; done
done
sleep 10
loss=$(awk -v ratio="$(change 4)" 'BEGIN { printf "%.1f", 100 * (1 - ratio) }')
all=0
{
	cat <<-END_REPORT

		Redirects with monitoring: $(of on stack 4) requests/s, without (all of it stopped): $(of off stack 4); CPU $(of on stack 7) and $(of off stack 7) µs a request. $CLIENTS connections, runs of $SECONDS_EACH s, medians of $ROUNDS alternating rounds.

		| memory, MiB | |
		| --- | --- |
	END_REPORT
	for name in $monitors; do
		mib=$(memory "$name")
		all=$((all + mib))
		echo "| $name | $mib |"
	done
	printf '| in all | %d |\n\n' "$all"
} >"$work/table"
cat "$work/table"
bar 'redirects that monitoring costs' "$loss" most 5 %
bar 'memory of monitoring' "$all" most 300 MiB
[ "$keep_docs" = yes ] || tests/bench/into-docs alerts-cost <"$work/table"
