#!/bin/bash
# How fast ingest carries clicks from the spool to PostgreSQL: all the time, and after an outage.
# shellcheck disable=SC2031 # lib.sh has subshells that set the same names
set -euo pipefail

usage() {
	cat <<'END_USAGE'
usage: tests/bench/clicks.sh [--keep-docs]

Rounds of clicks written to the spool of a stack as fast as that goes, until PostgreSQL has counted
each; then many written while PostgreSQL is stopped, and the time from its return until it has
counted each. Prints a table and writes it into docs/operations.md.
  --keep-docs    print only

  ROUNDS=5           rounds
  CLICKS=500000      of each round
  WAITING=2000000    of the outage; FULL=1 makes it 18000000: an hour of 5,000 a second
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
clicks=${CLICKS:-500000}
waiting=${WAITING:-$([ -n "${FULL:-}" ] && echo 18000000 || echo 2000000)}
hour=18000000 # clicks
made=0
seed=0 # other visitors each time

prepare() {
	bench_begin
	"$LINKSHRINK_TESTS/web/load" create "$LINKSHRINK_PORT" 16 $links >/dev/null 2>"$work/score"
	grep -q "status 201 $links" "$work/score" || { cat "$work/score" >&2; exit 1; }
	first=$(sql 'SELECT min(id) FROM links')
	cp "$LINKSHRINK_TESTS/bench/clicks" "$work/clicks" # where the user of the stack gets to it
}

# As the user of the stack, whose files ingest can read.
write_clicks() { # count
	local user
	user=$(stat -c %U "$LINKSHRINK_VAR/spool")
	if [ "$(id -u)" -eq 0 ]; then
		set -- setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups "$work/clicks" "$LINKSHRINK_VAR/spool" "$1" "$first" "$links" "$((++seed))"
	else
		set -- "$work/clicks" "$LINKSHRINK_VAR/spool" "$1" "$first" "$links" "$((++seed))"
	fi
	"$@" >"$work/clicks.log" 2>&1 || { cat "$work/clicks.log" >&2; exit 1; }
}

has_all() { [ "$(counted)" -ge "$made" ]; }

# From a moment until all are counted: clicks/s into a file, with the time of processors for each.
until_counted() { # file clicks begin before
	local after
	wait_until 1800 has_all || { say "$(counted) of $made clicks counted"; exit 1; }
	after=$(look "$(noted lighttpd)")
	[ "$(counted)" -eq "$made" ] || { say "$(counted) clicks counted, but $made made"; exit 1; }
	awk -v n="$2" -v us="$(($(microseconds) - $3))" -v before="$4" -v after="$after" -v tick="$tick_us" 'BEGIN {
		split(before, b); split(after, a)
		printf "%.0f %.2f %.2f %.1f\n", n * 1e6 / us, (a[1] - b[1]) * tick / n, (a[2] - b[2]) * tick / n, us / 1e6 }' >>"$work/$1"
}

run_round() {
	local begin before
	begin=$(microseconds)
	before=$(look "$(noted lighttpd)")
	made=$((made + clicks))
	write_clicks "$clicks"
	until_counted sustained "$clicks" "$begin" "$before"
}

outage() {
	local pids
	pids=$(stack_postgres)
	# shellcheck disable=SC2086 # pids are words
	kill -STOP $pids
	made=$((made + waiting))
	write_clicks "$waiting"
	# shellcheck disable=SC2086
	kill -CONT $pids
	until_counted outage "$waiting" "$(microseconds)" "$(look "$(noted lighttpd)")"
}

everything_goes_on() {
	# shellcheck disable=SC2046 # pids are words
	kill -CONT $(stack_postgres) 2>/dev/null || true
	bench_end
}

column() { awk -v n="$2" '{ print $n }' "$work/$1" | median; }

row() { # file title clicks
	printf '| %s | %s | %.0f | %.1f | %.1f | %.1f |\n' "$2" "$3" "$(column "$1" 1)" "$(column "$1" 4)" \
		"$(column "$1" 2)" "$(column "$1" 3)"
}

report() {
	cat <<END_REPORT

$(machine). Clicks on $links links, one connection; each is a row of \`clicks\` and part of the counts and statistics. Writing them took part of the same processors. All $made were counted, to the click.

| | clicks | clicks/s | seconds | CPU µs of ingest | PostgreSQL µs |
| --- | --- | --- | --- | --- | --- |
$(row sustained "as they come, median of $ROUNDS rounds" "$clicks")
$(row outage 'after an outage' "$waiting")

END_REPORT
}

prepare
trap everything_goes_on EXIT
for round in $(seq "$ROUNDS"); do
	say "clicks: round $round of $ROUNDS"
	run_round
done
say "clicks: an outage"
outage
report >"$work/table"
cat "$work/table"
bar 'click ingest' "$(column sustained 1)" least 100000 clicks/s
bar "an hour of 5,000 clicks/s drained (from $waiting)" \
	"$(awk -v n=$hour -v rate="$(column outage 1)" 'BEGIN { printf "%.0f", n / rate }')" most 300 s
[ "$keep_docs" = yes ] || tests/bench/into-docs clicks <"$work/table"
