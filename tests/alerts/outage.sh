#!/bin/bash
# PostgreSQL is stopped: of a known share of 503 people hear within a minute, and a scan of unknown
# codes, which are 503 as well then, wakes nobody once more.
# shellcheck disable=SC2031 # lib.sh has subshells that set the same names
set -euo pipefail

usage() {
	cat <<'USAGE'
usage: tests/alerts/outage.sh [--keep-docs]

Stops PostgreSQL (SIGSTOP) twice under load on a stack of its own. The first time a quarter of the
redirects are of links with max_visits, which need it and answer 503: how long until the page
ErrorBudgetFlash? The second time nobody follows those; after a minute SCANNED unknown codes are asked for:
which pages come that were not there before?
  --keep-docs    print only

  SCANNED=1000000 ROUNDS=3    ROUNDS of the first
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
scanned=${SCANNED:-1000000} rounds=${ROUNDS:-3}
# shellcheck source=tests/alerts/lib.sh
. tests/alerts/lib.sh

stop_postgres() {
	stopped=$(stack_postgres | tr '\n' ' ')
	# shellcheck disable=SC2086 # pids are words
	kill -STOP $stopped
}
continue_postgres() {
	# shellcheck disable=SC2086
	kill -CONT $stopped
}
flashed() { messages "$1" | grep -m 1 -E '^[0-9]+ 🔴 ErrorBudgetFlash.*redirect-availability' >"$work/flash"; }
calm() { settled && [ -z "$(firing)" ]; }

# ---- A quarter of 503

quarter() { # a round
	local broke
	wait_until 600 calm || say "still firing: $(firing)"
	traffic 150 8 20 "$work/mixed" &
	loader=$!
	sleep 30 # what is normal has to be known first
	broke=$(milliseconds)
	stop_postgres
	if wait_until 110 flashed "$broke"; then
		echo "$(($(cut -d ' ' -f 1 "$work/flash") - broke))" >>"$work/flashes"
	else
		say "no ErrorBudgetFlash; firing: $(firing)"
	fi
	share=$(ask 'sum(rate(http_requests_total{handler="redirect",code="503"}[30s])) / sum(rate(http_requests_total{handler="redirect"}[30s]))')
	continue_postgres
	wait "$loader"
}

watched_stack
links 1000
sql "UPDATE links SET max_visits = 1000000000, version = version + 1, updated_at = now() WHERE id % 4 = 0 AND code IN ($(
	sed "s/.*/'&'/" "$work/codes" | paste -sd ,))"
sql "SELECT code FROM links WHERE max_visits IS NULL AND target LIKE 'https://example.com/load/%'" >"$work/plain"
sql "SELECT code FROM links WHERE max_visits IS NOT NULL" >"$work/limited"
paste -d '\n' <(head -n 250 "$work/limited") <(sed -n '1~3p' "$work/plain" | head -n 250) \
	<(sed -n '2~3p' "$work/plain" | head -n 250) <(sed -n '3~3p' "$work/plain" | head -n 250) |
	grep . >"$work/mixed"
: >"$work/flashes"
for number in $(seq "$rounds"); do
	say "outage: a quarter of 503, round $number of $rounds"
	quarter
done

# ---- A scan

say 'outage: a scan'
wait_until 900 calm || say "still firing: $(firing)"
traffic 240 8 20 "$work/plain" &
loader=$!
broke=$(milliseconds)
stop_postgres
sleep 90 # all that the outage itself has to say
own=$(pages "$broke")
scan_begun=$(milliseconds)
"$LINKSHRINK_TESTS/web/load" scan "$LINKSHRINK_PORT" 16 "$scanned" 2>"$work/scan"
sleep 60
all=$(pages "$broke")
continue_postgres
kill "$loader" 2>/dev/null || true
wait "$loader" || true
added=$(comm -13 <(tr ' ' '\n' <<<"$own" | sort) <(tr ' ' '\n' <<<"$all" | sort) | grep . || true)

heard=$(wc -l <"$work/flashes")
[ "$heard" -eq "$rounds" ] || : >"$work/flashes"
worst=$(sort -n "$work/flashes" | tail -n 1)
cat >"$work/table" <<END_REPORT

PostgreSQL stopped (SIGSTOP) under load. $(awk -v share="$share" 'BEGIN { printf "%.0f", 100 * share }') % of the redirects answered 503: ErrorBudgetFlash after $(awk '{ printf "%s%.1f s", (NR > 1 ? ", " : ""), $1 / 1000 }' "$work/flashes"). Then, in another outage, $scanned unknown codes ($(tr '\n' ' ' <"$work/scan" | sed 's/ $//')) in $(((${EPOCHREALTIME/[.,]/} / 1000 - scan_begun) / 1000 - 60)) s: pages of the outage before the scan: ${own:-none }; that the scan added: ${added:-none}.

END_REPORT
cat "$work/table"
bar 'a quarter of redirects 503: ErrorBudgetFlash, worst' "${worst:+$(awk -v ms="$worst" 'BEGIN { printf "%.1f", ms / 1000 }')}" most 60 s
bar 'pages that a scan adds to an outage' "$(wc -w <<<"$added")" most 0
[ "$keep_docs" = yes ] || tests/bench/into-docs alerts-outage <"$work/table"
