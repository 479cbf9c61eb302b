#!/bin/bash
# Nobody is told of anything while all is well: normal load, a restart, a flood of 404s, a spike.
# shellcheck disable=SC2031 # lib.sh has subshells that set the same names
set -euo pipefail

usage() {
	cat <<'USAGE'
usage: tests/alerts/quiet.sh [--keep-docs]

A stack under normal load for QUIET_SECONDS; meanwhile its programs are restarted one by one,
SCANNED codes are asked for that nobody made, and for a while ten times as many clients come. The
inbox must stay empty and the page of metrics must have as many series as before.
  --keep-docs    print only

  QUIET_SECONDS=600 SCANNED=1000000 CLIENTS=8
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
seconds=${QUIET_SECONDS:-600} scanned=${SCANNED:-1000000} clients=${CLIENTS:-8}
# shellcheck source=tests/alerts/lib.sh
. tests/alerts/lib.sh

series() { curl -s -m 5 "http://127.0.0.1:$LINKSHRINK_OPS_PORT/metrics" | grep -vc '^#'; }
stored_series() { ask 'scrape_samples_post_metric_relabeling{job="linkshrink"}'; }
rest_until() { # a share of the time
	local now
	now=$(($(milliseconds) - begun))
	[ "$now" -ge $((seconds * 10 * $1)) ] || sleep "$(awk -v ms=$((seconds * 10 * $1 - now)) 'BEGIN { print ms / 1000 }')"
}

watched_stack
links 1000
"$LINKSHRINK_TESTS/web/load" follow "$LINKSHRINK_PORT" 4 2000 <"$work/links" 2>/dev/null
before=$(series)
stored=$(stored_series)
begun=$(milliseconds)
traffic "$seconds" "$clients" 20 "$work/codes" &
loader=$!
rest_until 20
say 'quiet: a rolling restart'
for program in redirect shorten; do scripts/stack restart "$program" >/dev/null; done
rest_until 35
say "quiet: $scanned codes that nobody made"
"$LINKSHRINK_TESTS/web/load" scan "$LINKSHRINK_PORT" 16 "$scanned" 2>"$work/scan"
rest_until 75
say 'quiet: ten times the clients'
traffic $((seconds / 10)) $((clients * 10)) 20 "$work/codes"
wait "$loader"
sed -n 's/^bench //p' "$work"/traffic.* >"$work/runs"
normal=$(awk '{ if ($2 > m) { m = $2; n = $1 / ($2 / 1e6) } } END { printf "%.0f", n }' "$work/runs")
spike=$(awk -v rate="$normal" '{ if (!m || $2 < m) { m = $2; n = $1 / ($2 / 1e6) } } END { printf "%.0f", n }' "$work/runs")
errors=$(awk '{ n += $5 } END { print n + 0 }' "$work/runs")
found_pages=$(pages "$begun")
found_tickets=$(tickets "$begun")

cat >"$work/table" <<END_REPORT

$seconds s of $normal redirects/s; each process of \`redirect\` and \`shorten\` replaced; $scanned codes asked for that nobody made ($(tr '\n' ' ' <"$work/scan" | sed 's/ $//')); for a tenth of the time $spike redirects/s more. Redirects that failed: $errors. Pages: ${found_pages:-none }, tickets: ${found_tickets:-none }. Series on the page: $before before, $(series) after; kept by Prometheus of it: $stored, $(stored_series).

END_REPORT
cat "$work/table"
bar 'messages while all is well' "$(wc -w <<<"$found_pages $found_tickets")" most 0
bar 'series that a million unknown codes added' "$(($(series) - before))" most 0
[ "$keep_docs" = yes ] || tests/bench/into-docs alerts-quiet <"$work/table"
