#!/bin/bash
# What lists, searches and statistics cost when there are very many links and clicks.
# shellcheck disable=SC2031 # lib.sh has subshells that set the same names
set -euo pipefail

usage() {
	cat <<'END_USAGE'
usage: tests/bench/lists.sh [--keep-docs]

Starts a stack, fills its PostgreSQL by tests/bench/lists.sql with links, clicks and what is counted
of them, and lets replicate copy all links anew. Then it asks for first pages, searches and the
statistics of one link, alternating, and reads from the page of metrics how long the program took.
Prints a table and writes it into docs/operations.md.
  --keep-docs    print only

  LINKS=100000 CLICKS=500000            FULL=1 makes them 10000000 and 50000000: an hour and 60 GB
  CLIENTS=$(nproc) SECONDS_EACH=5 ROUNDS=5     connections, seconds of a run, rounds
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
# Few, as people who look at lists are: the figure is that of a request, not of a queue for processors.
CLIENTS=${CLIENTS:-$(nproc)}
SECONDS_EACH=${SECONDS_EACH:-5}
# shellcheck source=tests/bench/lib.sh
. tests/bench/lib.sh

links=${LINKS:-$([ -n "${FULL:-}" ] && echo 10000000 || echo 100000)}
clicks=${CLICKS:-$([ -n "${FULL:-}" ] && echo 50000000 || echo 500000)}
days=90     # of clicks: as long as their rows are kept
asked=20000 # other paths of a kind, so that no cache holds all answers
cases='page owner search phrase word stats hottest events link_events user_events rare_events event_counts'
bar_ms=50

# ---- The data.

fill() {
	local begin=$SECONDS
	say "lists: filling in $links links and $clicks clicks"
	psql -X -q -v links="$links" -v clicks="$clicks" -v days=$days -f tests/bench/lists.sql "$database_url" \
		>"$work/fill" 2>&1 || { cat "$work/fill" >&2; exit 1; }
	filled=$((SECONDS - begin))
	say "lists: copying the links, after $filled s"
	copied=$(copy_anew "$links")
}

# The links of these statistics are drawn half by their clicks, half evenly.
draw_paths() {
	local some="generate_series(1, $asked) AS i"
	echo '/urls?per_page=20' >"$work/page.paths"
	sql "SELECT '/urls?user_id=' || id FROM users" >"$work/owner.paths"
	sql "SELECT '/urls?search=' || substr(md5((1 + floor(random() * $links))::bigint::text), 3, 8) FROM $some" \
		>"$work/search.paths"
	sql "SELECT '/urls?search=' || replace(substr(title, 1, 16), ' ', '%20') 
		FROM (SELECT title FROM links WHERE title IS NOT NULL LIMIT $asked) AS drawn" >"$work/phrase.paths"
	sql "SELECT DISTINCT '/urls?search=' || split_part(title, ' ', 1)
		FROM (SELECT title FROM links WHERE title IS NOT NULL LIMIT 1000) AS drawn" >"$work/word.paths"
	sql "SELECT '/urls/' || 1 + floor($links * random() ^ CASE i % 2 WHEN 0 THEN 4 ELSE 1 END)::bigint
		* 15485863 % $links || '/stats' FROM $some" >"$work/stats.paths"
	echo '/urls/1/stats?interval=hour' >"$work/hottest.paths"
	echo '/events' >"$work/events.paths"
	sed 's/stats$/events/' "$work/stats.paths" >"$work/link_events.paths"
	sql "SELECT '/users/' || id || '/events' FROM users" >"$work/user_events.paths"
	echo '/events?event_type=updated' >"$work/rare_events.paths"
	echo '/events/stats' >"$work/event_counts.paths"
}

# So that a fault is seen here and not in a column of errors. Whatever was never read may come from the disk
# and take too long for an answer at first.
answers() { [ "$(status -H "Authorization: Bearer $key" "http://127.0.0.1:$LINKSHRINK_PORT$1")" = 200 ]; }
try() {
	local case path
	for case in $cases; do
		path=$(shuf -n 1 "$work/$case.paths")
		wait_until 60 answers "$path" && continue
		say "lists: GET $path"
		cat "$work/head" "$work/body" >&2
		exit 1
	done
}

prepare() {
	bench_begin
	fill
	draw_paths
	key=$(scripts/admin-key --name lists --scopes links:read,stats:read)
	try
}

# ---- Runs.

handler_of() {
	case $1 in
	stats | hottest) echo links_stats ;;
	*events | event_counts) echo events ;;
	*) echo links_list ;;
	esac
}

# Lines "bound count" of the histogram of a handler, as Prometheus reads it: each holds those below.
buckets() { # handler
	curl -s "http://127.0.0.1:$LINKSHRINK_OPS_PORT/metrics" |
		sed -n "s/^linkshrink_worker_request_duration_seconds_bucket{handler=\"$1\",le=\"\(.*\)\"} /\1 /p"
}

ask() { # case
	local handler before
	handler=$(handler_of "$1")
	shuf "$work/$1.paths" >"$work/paths"
	before=$(buckets "$handler")
	drive "$1" stack / ask "$work/paths" "$key"
	paste -d ' ' <(echo "$before") <(buckets "$handler") | awk '{ print $1, $4 - $2 }' >>"$work/$1.buckets"
}

# The bound of the bucket in which the quantile lies, in ms: it took no longer.
within_ms() { # case quantile
	awk -v q="$2" '{ if (!($1 in n)) bounds[++count] = $1; n[$1] += $2 }
		END { for (i = 1; i < count && n[bounds[i]] < q * n["+Inf"]; i++);
			if (n["+Inf"] > 0) print bounds[i] == "+Inf" ? "9999" : bounds[i] * 1000 }' "$work/$1.buckets"
}

private() { printf '%s %s\n' "$(stack_programs api | private_mib)" "$(stack_postgres | private_mib)"; }

run_round() {
	local case
	# shellcheck disable=SC2046,SC2086 # words
	for case in $(in_turn $cases); do ask "$case"; done
	private >>"$work/private"
}

# ---- The report.

title_of() {
	case $1 in
	page) echo 'first page' ;;
	owner) echo "first page of an owner's" ;;
	search) echo 'search, part of a code' ;;
	phrase) echo 'search, words of a title' ;;
	word) echo 'search, a word of many titles' ;;
	stats) echo 'statistics' ;;
	hottest) echo 'statistics of the most popular, by hour' ;;
	events) echo 'first page of events' ;;
	link_events) echo "first page of a link's events" ;;
	user_events) echo "first page of a user's events" ;;
	rare_events) echo 'first page of events of a rare type' ;;
	event_counts) echo 'events by type' ;;
	esac
}

row() { # case
	printf '| %s | %s | %s | %.1f | %.1f | %.0f | %.0f | %.0f | %d |\n' "$(title_of "$1")" "$(within_ms "$1" 0.5)" \
		"$(within_ms "$1" 0.99)" "$(of "$1" stack 5)" "$(of "$1" stack 6)" "$(of "$1" stack 4)" \
		"$(of "$1" stack 7)" "$(of "$1" stack 8)" "$(total "$1" stack 9)"
}

grown() { # column: from the first round, which fills caches, to the last
	awk -v n="$1" 'NR == 1 { first = $n } { last = $n } END { printf "%.1f", last - first }' "$work/private"
}

hottest_clicks() { sql 'SELECT sum(n) FROM click_hours WHERE link = 1'; }

report() {
	local case
	cat <<END_REPORT

$(machine). $links links and $clicks clicks of $days days, $(sql "SELECT pg_size_pretty(pg_database_size(current_database()))") in PostgreSQL, filled by SQL in $filled s; a full copy of the links took $copied s. The most popular link has $(hottest_clicks) clicks. $CLIENTS connections, runs of $SECONDS_EACH s, $ROUNDS alternating rounds. "Within" is the program's own time, the bound of the bucket of \`linkshrink_worker_request_duration_seconds\` over all rounds; the rest are medians, as wrk saw it. Something else took $(others) % of the machine. Private memory of the largest process, MiB: \`api\` $(tail -n 1 "$work/private" | cut -d ' ' -f 1), grown by $(grown 1) since the first round; PostgreSQL $(tail -n 1 "$work/private" | cut -d ' ' -f 2), by $(grown 2).

| | half within ms | 99 % within ms | p50 ms | p99 ms | requests/s | CPU µs | PostgreSQL µs | errors |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
END_REPORT
	for case in $cases; do row "$case"; done
	echo
}

prepare
for round in $(seq "$ROUNDS"); do
	say "lists: round $round of $ROUNDS"
	run_round
done
report >"$work/table"
cat "$work/table"
for case in $cases; do
	bar "p99 of $(title_of "$case"), $links links, $clicks clicks" "$(within_ms "$case" 0.99)" most $bar_ms ms
done
bar 'growth of private memory of `api` meanwhile' "$(grown 1)" most 1 MiB
[ "$keep_docs" = yes ] || tests/bench/into-docs lists <"$work/table"
