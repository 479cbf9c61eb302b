#!/bin/bash
# How long it takes until people know of a total outage, and until they know that it is over.
# shellcheck disable=SC2031 # lib.sh has subshells that set the same names
set -euo pipefail

usage() {
	cat <<'USAGE'
usage: tests/alerts/detection.sh [--keep-docs]

Breaks redirects in three ways, each on a stack of its own and all three at once, and holds back
what would repair them until the first page is in the inbox. Beside our monitoring another
Prometheus and Alertmanager watch the same probe with the settings of the system that this one
replaced. Prints a table and writes it into docs/operations.md.
  --keep-docs    print only

  ROUNDS=10    outages of each kind; one takes about three minutes
  BEFORE=10    of these, how many go on until the other one has told of it; 0: it is not started
USAGE
}

keep_docs=no only=''
case ${1:-} in
--help | -h) usage; exit 0 ;;
--keep-docs) keep_docs=yes ;;
--one) only=$2 ;;
'') ;;
*) usage >&2; exit 2 ;;
esac
cd "$(dirname "$0")/../.."
results=${RESULTS:-}
rounds=${ROUNDS:-10}
before_rounds=${BEFORE:-$rounds}
# shellcheck source=tests/alerts/lib.sh
. tests/alerts/lib.sh
# shellcheck source=tests/alerts/before.sh
. tests/alerts/before.sh

# ---- Outages: what breaks redirects, holds the repair back, and lets it happen

app_redirect() { echo "$LINKSHRINK_VAR/app/bin/redirect"; }

lighttpd_killed() {
	kill -STOP "$(supervisor)"
	kill -9 "$(noted lighttpd)"
}
lighttpd_killed_undo() { kill -CONT "$(supervisor)"; }

redirect_killed() {
	mv "$(app_redirect)" "$(app_redirect).away"
	kill_redirects
}
kill_redirects() {
	# shellcheck disable=SC2046 # pids are words
	kill -9 $(stack_programs redirect) 2>/dev/null || true
}
redirect_killed_undo() { mv "$(app_redirect).away" "$(app_redirect)"; }

# Whoever is killed for hanging has a successor: it is stopped, too.
redirect_stopped() {
	stop_redirects
	while :; do
		sleep 0.05
		stop_redirects
	done &
	stopper=$!
}
stop_redirects() {
	# shellcheck disable=SC2046
	kill -STOP $(stack_programs redirect) 2>/dev/null || true
}
redirect_stopped_undo() {
	kill "$stopper"
	wait "$stopper" || true
	# shellcheck disable=SC2046
	kill -CONT $(stack_programs redirect)
}

title_of() {
	case $1 in
	lighttpd_killed) echo 'lighttpd killed (kill -9)' ;;
	redirect_killed) echo 'all processes of redirect killed (kill -9), none started again' ;;
	redirect_stopped) echo 'all processes of redirect stopped (SIGSTOP)' ;;
	esac
}

# ---- A round

paged() { messages "$1" | grep -m 1 -E '^[0-9]+ 🔴' >"$work/page"; }
over() { messages "$1" | grep -m 1 -E "^[0-9]+ 🟢 $2 .*is over" >"$work/over"; }
follows() { [ "$(curl -s -o /dev/null -m 2 -w '%{http_code}' "http://127.0.0.1:$LINKSHRINK_PORT/known")" = 302 ]; }
field() { cut -d ' ' -f 1 "$1"; }

# "kind round detected over before", milliseconds; a "-" is what was not waited for.
run_round() { # kind round
	local broke back name took=-
	wait_until 180 settled || { say "$1: does not settle: $(firing)"; return 1; }
	if [ "$2" -le "$before_rounds" ]; then
		wait_until 120 before_settled || { say "$1: the other Prometheus does not settle"; return 1; }
		start_before_alertmanager
	fi
	sleep "$((RANDOM % 10)).$((RANDOM % 10))" # no round begins at the same moment of the intervals
	broke=$(milliseconds)
	"$1"
	wait_until 120 paged "$broke" || { say "$1: no page within 120 s"; "$1_undo"; return 1; }
	if [ "$2" -le "$before_rounds" ]; then
		wait_until 240 told_before "$broke" && took=$(($(field "$work/before.page") - broke))
	fi
	"$1_undo"
	wait_until 60 follows || { say "$1: redirects do not come back"; return 1; }
	back=$(milliseconds)
	name=$(names <"$work/page")
	wait_until 240 over "$back" "${name% }" || { say "$1: nobody is told that $name is over"; return 1; }
	echo "$1 $2 $(($(field "$work/page") - broke)) $(($(field "$work/over") - back)) $took" |
		tee -a "$results/$1" >&2
}

end_one() {
	[ -z "$stopper" ] || kill "$stopper" 2>/dev/null || true
	[ -z "$alertmanager" ] || kill "$alertmanager" 2>/dev/null || true
	[ "${#pids[@]}" -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
	watched_end
}

measure() { # kind: all of its rounds, on a stack of its own
	pids=() alertmanager='' stopper=''
	export LINKSHRINK_STALL_MS=60000 # or what is stopped is replaced before anybody hears of it
	watched_stack
	trap end_one EXIT
	curl -sf -o /dev/null -H 'Content-Type: application/json' \
		-d '{"url":"https://example.com/","short_code":"known"}' "http://127.0.0.1:$LINKSHRINK_PORT/shorten"
	[ "$before_rounds" -eq 0 ] || start_before
	for number in $(seq "$rounds"); do run_round "$1" "$number" || true; done
}

# ---- All of them

column() { awk -v n="$2" '$n != "-" { print $n / 1000 }' "$1"; }
worst() { column "$1" "$2" | sort -g | tail -n 1; }
seconds() { if [ -n "$1" ]; then printf '%.1f' "$1"; fi; }

report() {
	cat <<END_REPORT

Seconds from the fault to the first page in the inbox, and from the first redirect that works again to its "is over"; $rounds rounds of each, what repairs it held back until then. Before: scrape 10 s, rules every 30 s, \`for: 1m\`, \`group_wait: 30s\`, on the same probe at the same time.

| outage | rounds | page, median | worst | over, median | worst | before, median | worst |
| --- | --- | --- | --- | --- | --- | --- | --- |
END_REPORT
	for kind in $kinds; do
		printf '| %s | %d |' "$(title_of "$kind")" "$(wc -l <"$results/$kind")"
		for number in 3 4 5; do
			printf ' %s | %s |' "$(seconds "$(column "$results/$kind" "$number" | median)")" \
				"$(seconds "$(worst "$results/$kind" "$number")")"
		done
		echo
	done
	echo
}

kinds=${KINDS:-'lighttpd_killed redirect_killed redirect_stopped'}
if [ -n "$only" ]; then
	measure "$only"
	exit 0
fi
end_all() {
	# shellcheck disable=SC2046 # pids are words
	kill $(jobs -p) 2>/dev/null || true
	wait
	rm -rf "$work"
}
trap end_all EXIT
results=$work
for kind in $kinds; do
	: >"$results/$kind"
	RESULTS=$results tests/alerts/detection.sh --one "$kind" &
done
wait
report >"$work/table"
cat "$work/table"
for kind in $kinds; do
	heard=$(wc -l <"$results/$kind")
	# The worst of some would hide those that nobody heard of.
	[ "$heard" -eq "$rounds" ] || : >"$results/$kind"
	bar "$(title_of "$kind"): page, worst of $rounds" "$(seconds "$(worst "$results/$kind" 3)")" most 30 s
	bar "$(title_of "$kind"): over, worst of $rounds" "$(seconds "$(worst "$results/$kind" 4)")" most 60 s
done
[ "$keep_docs" = yes ] || tests/bench/into-docs alerts-detection <"$work/table"
