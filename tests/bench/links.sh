#!/bin/bash
# What a redirect costs as links grow: through HTTP, and the lookup alone.
# shellcheck disable=SC2031 # lib.sh has subshells that set the same names
set -euo pipefail

usage() {
	cat <<'END_USAGE'
usage: tests/bench/links.sh [--keep-docs]

Starts a stack for each number of links, fills its PostgreSQL by SQL, lets replicate copy all of it
anew and takes the time of that; then redirects of 10,000 of the links, alternating. Prints a table
and writes it into docs/operations.md.
  --keep-docs    print only

  CLIENTS=64 SECONDS_EACH=2 ROUNDS=5    connections, seconds of a run, rounds
  SIZES='10000 1000000'                 numbers of links; FULL=1 adds 10000000
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

sizes=${SIZES:-10000 1000000${FULL:+ 10000000}}
base=${sizes%% *}
codes=10000      # of the redirects: as many clicks counted for few links as for many
looked_up=300000 # each another one, if there are so many: what a cache cannot hold
chunk=100000

# The same code for the same number, without an order.
code_of() { echo "'b' || substr(md5($1::text), 1, 12)"; }

fill() { # size
	local from to
	for ((from = 1; from <= $1; from += chunk)); do
		to=$((from + chunk - 1 < $1 ? from + chunk - 1 : $1))
		echo "INSERT INTO links (code, target) SELECT $(code_of i)," \
			"'https://example.com/bench/articles/' || i FROM generate_series($from, $to) AS i;"
	done | psql -X -q -v ON_ERROR_STOP=1 "$(cat "$LINKSHRINK_VAR/run/owner.url")"
	sql 'VACUUM ANALYZE links' >/dev/null
	sql CHECKPOINT >/dev/null 2>&1 || true # where we may
}

draw_codes() { # size count
	sql "SELECT $(code_of 'i') FROM (SELECT 1 + floor(random() * $1)::int AS i
		FROM generate_series(1, $2)) AS drawn"
}

prepare() {
	local size
	for size in $sizes; do
		say "links: filling in $size"
		own_server "l$size"
		within "l$size" fill "$size"
		within "l$size" copy_anew "$size" >"$work/l$size.seconds"
		within "l$size" draw_codes "$size" "$codes" >"$work/l$size.codes"
		within "l$size" draw_codes "$size" "$looked_up" >"$work/l$size.looked-up"
	done
}

run_round() {
	local server
	# shellcheck disable=SC2046,SC2086 # words
	for server in $(in_turn $(printf 'l%s ' $sizes)); do
		postmaster=$(within "$server" noted postgresql)
		drive follow "$server" / follow "$work/$server.codes"
		within "$server" clicks_settle
	done
}

look_up() { # size
	local run
	for ((run = 0; run < ROUNDS; run++)); do
		"$LINKSHRINK_TESTS/bench/lookup" "$work/l$1/replica" "$work/l$1.looked-up" || return 1
	done >"$work/l$1.lookups"
}

# Of lookups drawn at random: 1 one after the other, 2 among the other work of requests.
lookup_ns() { awk -v n="$2" '{ print $n }' "$work/l$1.lookups" | median; } # size column

row() { # size
	printf '| %s | %.1f | %s | %s | %s | %s | %.0f | %.2f | %.1f | %.0f | %.2f | %d |\n' "$1" "$(cat "$work/l$1.seconds")" \
		"$(lookup_ns "$1" 1)" "$(slower "$1" 1)" "$(lookup_ns "$1" 2)" "$(slower "$1" 2)" "$(of follow "l$1" 4)" "$(ratio follow "l$1" "l$base" 4)" \
		"$(of follow "l$1" 6)" "$(of follow "l$1" 7)" "$(ratio follow "l$1" "l$base" 7)" "$(total follow "l$1" 9)"
}

slower() { # size column
	awk -v a="$(lookup_ns "$1" "$2")" -v b="$(lookup_ns "$base" "$2")" 'BEGIN { if (b > 0) printf "%.2f", a / b }'
}

report() {
	local size
	cat <<END_REPORT

$(machine). A stack for each number of links, filled by SQL; the lookup alone of $looked_up drawn at random, in one thread, one after the other and with 16 MiB of other memory touched before each; redirects of $codes drawn at random, $CLIENTS connections, runs of $SECONDS_EACH s, medians of $ROUNDS alternating rounds. A full copy is the time from the file of the replica removed to a complete new one.

| links | full copy s | lookups in a row, ns | of the first | in a request, ns | of the first | requests/s | of the first | p99 ms | CPU µs | of the first | errors |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
END_REPORT
	for size in $sizes; do row "$size"; done
	echo
}

trap bench_end EXIT
export LINKSHRINK_LOG_SAMPLE=1000 LINKSHRINK_VAR=$work/none
prepare
for round in $(seq "$ROUNDS"); do
	say "links: round $round of $ROUNDS"
	run_round
done
for size in $sizes; do look_up "$size"; done
report >"$work/table"
cat "$work/table"
for size in $sizes; do
	[ "$size" = "$base" ] && continue
	bar "lookup in a request with $size links, of that with $base" "$(slower "$size" 2)" most 2
	bar "CPU of a redirect with $size links, of that with $base" \
		"$(printf '%.2f' "$(ratio follow "l$size" "l$base" 7)")" most 2
done
[ ! -e "$work/l1000000.seconds" ] || bar 'full copy of 1,000,000 links' "$(cat "$work/l1000000.seconds")" most 5 s
[ "$keep_docs" = yes ] || tests/bench/into-docs links <"$work/table"
