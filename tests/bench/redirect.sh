#!/bin/bash
# What our programs cost beside a program that does nothing, under the same lighttpd.
# shellcheck disable=SC2031 # lib.sh has subshells that set the same names
set -euo pipefail

usage() {
	cat <<'END_USAGE'
usage: tests/bench/redirect.sh [--keep-docs]

Runs, alternating: this stack; the same with every answer logged; tests/bench/bare.c in the place
of its programs; and a second bare one, as a control. Then creates beside pgbench, and the memory
after all that. Prints tables and writes them into docs/operations.md. `make bench` builds what it
needs.
  --keep-docs    print only

  CLIENTS=64 SECONDS_EACH=2 ROUNDS=5    connections, seconds of a run, rounds
  SAMPLE=1000                           LINKSHRINK_LOG_SAMPLE of the stack
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

prepare() {
	bench_begin
	LINKSHRINK_LOG_SAMPLE=1 own_server logging
	bare_programs "$work/bare-bin"
	LINKSHRINK_BIN=$work/bare-bin side_server bare
	LINKSHRINK_BIN=$work/bare-bin side_server control
	"$LINKSHRINK_TESTS/web/load" create "$LINKSHRINK_PORT" 16 $links 2>"$work/score" |
		cut -d ' ' -f 1 >"$work/codes"
	[ "$(wc -l <"$work/codes")" -eq $links ] || { cat "$work/score" >&2; exit 1; }
	hot=/$(head -n 1 "$work/codes")
	insert_script >"$work/create.sql"
}

# Our own INSERT with pgbench's variables in the place of the parameters. The code is as good as
# random, the target another one each time, the rest as an anonymous POST leaves it.
insert_script() {
	echo '\set code random(1000000000, 9999999999)'
	printf '#define STATEMENT(id, sql) id: sql\n#include "db/statements.def"\n' |
		gcc -E -P -Icommon - | sed -n '/^link_create:/,/^[a-z_]*:/p' | sed '1s/^link_create: *//; 2,$ { /^[a-z_]*:/d }' |
		tr '\n' ' ' | sed "s/\" *\"//g; s/^ *\"//; s/\" *\$//
			s/\$10/''/; s/\$1,/:code,/; s/\$2,/'https:\/\/example.com\/bench\/pgbench\/' || :code,/
			s/\$3/''/; s/\$4/'0'/; s/\$5/'302'/; s/\$6/'false'/; s/\$[789]/'0'/g; s/\$/;/"
	echo
}

# pgbench SERVER CLIENTS: as drive, but no web server is between
run_pgbench() {
	local before after
	before=$(look none)
	pgbench -n -M prepared -f "$work/create.sql" -c "$2" -j 2 -T "$SECONDS_EACH" "$database_url" \
		>"$work/pgbench" 2>&1 || { cat "$work/pgbench" >&2; exit 1; }
	after=$(look none)
	# shellcheck disable=SC2046 # numbers
	note create "$1" $(awk -v seconds="$SECONDS_EACH" '
		/^number of transactions actually/ { n = $NF } /^latency average/ { ms = $4 } /^tps/ { tps = $3 }
		/^number of failed/ { failed = $5 }
		END { printf "%d %.0f %.0f 0 %d", n, n * 1e6 / tps, ms * 1000, failed }' "$work/pgbench") \
		"$before" "$after"
}

run_round() {
	local server
	for server in $(in_turn stack bare control); do drive hot "$server" "$hot"; done
	for server in $(in_turn stack bare control); do drive distinct "$server" / follow "$work/codes"; done
	clicks_settle # what is left to do is done before others are measured
	for server in $(in_turn stack logging bare control); do drive health "$server" /health; done
	drive create stack /shorten create "$round"
	run_pgbench pgbench "$CLIENTS"
	run_pgbench pgbench8 8
}

row() { # case server base title
	local errors
	errors=$(total "$1" "$2" 9)
	printf '| %s | %.0f | %.2f | %.1f | %.1f | %.0f | %.2f | %.0f | %d |\n' "$4" "$(of "$1" "$2" 4)" \
		"$(ratio "$1" "$2" "$3" 4)" "$(of "$1" "$2" 5)" "$(of "$1" "$2" 6)" "$(of "$1" "$2" 7)" \
		"$(ratio "$1" "$2" "$3" 7)" "$(of "$1" "$2" 8)" "$errors"
}

create_row() { # server title
	local web
	web=$(of create "$1" 7)
	printf '| %s | %.0f | %.2f | %.1f | %s | %s | %.0f | %d |\n' "$2" "$(of create "$1" 4)" \
		"$(ratio create "$1" pgbench 4)" "$(of create "$1" 5)" \
		"$([ "$1" = stack ] && printf '%.1f' "$(of create "$1" 6)" || echo '')" \
		"$([ "$1" = stack ] && printf '%.0f' "$web" || echo '')" "$(of create "$1" 8)" \
		"$(total create "$1" 9)"
}

# ---- Memory.

# Pages that several share count in part in each, so that the sum is what the machine gives.
sum_mib() { # pids on standard input
	while read -r pid; do cat "/proc/$pid/smaps_rollup" 2>/dev/null || true; done |
		awk '/^Pss:/ { n += $2 } END { printf "%.0f", n / 1024 }'
}

list_stack() {
	cat "$LINKSHRINK_VAR/run/lock"
	noted lighttpd
	stack_programs
	stack_postgres
}

programs() { stack_programs | while read -r pid; do cat "/proc/$pid/comm"; done | sort -u; }

memory_rows() {
	local program
	for program in $(programs); do
		printf '| `%s` | %s | %s |\n' "$program" "$(stack_programs "$program" | private_mib)" \
			"$(stack_programs "$program" | sum_mib)"
	done
	printf '| lighttpd | %s | %s |\n' "$(noted lighttpd | private_mib)" "$(noted lighttpd | sum_mib)"
	printf '| PostgreSQL | %s | %s |\n' "$(stack_postgres | private_mib)" "$(stack_postgres | sum_mib)"
	printf '| all of the stack | | %s |\n' "$(list_stack | sum_mib)"
}

report() {
	cat <<END_REPORT

$(machine). $CLIENTS connections with keep-alive, runs of $SECONDS_EACH s, medians of $ROUNDS alternating rounds; ratios are formed within a round. 2 processes of each program, as many threads in \`bare\`. \`LINKSHRINK_LOG_SAMPLE\` $LINKSHRINK_LOG_SAMPLE, no rate limits, durable settings of PostgreSQL. Each redirect is a click, recorded and counted: afterwards PostgreSQL had all $(answered), to the click. Something else took $(others) % of the machine meanwhile (the generator of the load is not counted).

| | requests/s | of bare | p50 ms | p99 ms | CPU µs | of bare | PostgreSQL µs | errors |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
$(row hot stack bare 'redirect, one link')
$(row hot bare bare 'bare')
$(row hot control bare 'bare again (control)')
$(row distinct stack bare "redirect, $links links in turn")
$(row distinct bare bare 'bare')
$(row distinct control bare 'bare again (control)')
$(row health stack bare '`/health`: our program without SQL')
$(row health logging bare 'the same, every answer logged')
$(row health bare bare 'bare')
$(row health control bare 'bare again (control)')

| | requests/s | of pgbench | mean or p50 ms | p99 ms | CPU µs | PostgreSQL µs | errors |
| --- | --- | --- | --- | --- | --- | --- | --- |
$(create_row stack 'create, `POST /shorten`')
$(create_row pgbench "pgbench, the same INSERT, $CLIENTS clients")
$(create_row pgbench8 'pgbench, 8 clients: as many connections as `shorten` has')

After that load, MiB: private ones of the largest process (pages of the replica aside, which are the kernel's cache of a file), and what all together take of the machine (Pss).

| | private | in all |
| --- | --- | --- |
$(memory_rows)

END_REPORT
}

prepare
for round in $(seq "$ROUNDS"); do
	say "round $round of $ROUNDS"
	run_round
done
clicks_settle
report >"$work/table"
cat "$work/table"
two_digits() { printf '%.2f' "$1"; }
bar 'redirect of one link, of bare' "$(two_digits "$(ratio hot stack bare 4)")" least 0.90
bar "redirect of $links links in turn, of bare" "$(two_digits "$(ratio distinct stack bare 4)")" least 0.90
bar "create, of pgbench with $CLIENTS clients" "$(two_digits "$(ratio create stack pgbench 4)")" least 0.80
bar 'private memory of the largest program' "$(stack_programs | private_mib)" most 8 MiB
bar 'memory of the whole stack' "$(list_stack | sum_mib)" most 600 MiB
[ "$keep_docs" = yes ] || tests/bench/into-docs bench <"$work/table"
