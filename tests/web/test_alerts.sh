#!/bin/bash
# People hear of an outage, and that it is over; scripts/test-alert says whether they would.
# tests/alerts/ measures the same at length.
# shellcheck disable=SC2031 # lib.sh has subshells that set the same names
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/alerts/lib.sh
. tests/alerts/lib.sh

test_alert() { timeout 100 scripts/test-alert --seconds 20 "$@" >"$work/said" 2>&1; }
arrives() { test_alert "$@" || { cat "$work/said"; return 1; }; }
says() { # words: it fails and names the part
	if test_alert; then cat "$work/said"; return 1; fi
	grep -q "$1" "$work/said" || { cat "$work/said"; return 1; }
}
left_behind() { find "$LINKSHRINK_VAR/prometheus/rules.d" -type f; }
not_known() { [ -z "$(ask 'count(ALERTS{alertname="TestAlert"})')" ]; }

follows() { [ "$(status "http://127.0.0.1:$LINKSHRINK_PORT/known")" = 302 ]; }
paged() { grep -q RedirectsDown <<<"$(pages "$broke")"; }
told_over() { messages "$back" | grep -qE '^[0-9]+ 🟢 RedirectsDown is over'; }

watched_stack
curl -sf -o /dev/null -H 'Content-Type: application/json' \
	-d '{"url":"https://example.com/","short_code":"known"}' "http://127.0.0.1:$LINKSHRINK_PORT/shorten"

broke=$(milliseconds)
kill -STOP "$(supervisor)" # or it is back within a second
kill -9 "$(noted lighttpd)"
check 'lighttpd is killed: a page within 30 s' wait_until 30 paged
echo "# after $(($(messages "$broke" | grep -m 1 '🔴 RedirectsDown' | cut -d ' ' -f 1) - broke)) ms"
kill -CONT "$(supervisor)"
wait_until 30 follows
back=$(milliseconds)
check 'people know within 60 s that it is over' wait_until 60 told_over
check 'and hear of nothing else' same "$(pages "$broke" | sed 's/ShortenDown //')" 'RedirectsDown '

# ---- What it will be remembered by.

at() { date -u -d "@$(($1 / 1000))" +%FT%TZ; }
now=$(at "$(milliseconds)")
records() {
	scripts/incident-report --record "$(at "$broke")" "$now" "$work/incident" --title 'lighttpd died' &&
		scripts/incident-report "$work/incident"
}
check 'the outage can be recorded, when the last figures have come, and told of' wait_until 20 records
check 'with the page and its end' grep -qE 'page RedirectsDown arrived' "$work/incident/report.md"
check 'and a picture' grep -q '</svg>' "$work/incident/timeline.svg"

check 'a test message arrives, and people read that it is over' arrives
check 'it leaves no file behind' same "$(left_behind)" ''
check 'and no alert' wait_until 15 not_known
echo 429 >"$LINKSHRINK_VAR/inbox/behave"
check 'refused by Discord, it says so' says 'delivery fails.*429'
rm "$LINKSHRINK_VAR/inbox/behave"
kill -STOP "$(noted alertmanager)"
check 'of Alertmanager that hangs, too' says 'Alertmanager does not answer'
kill -CONT "$(noted alertmanager)"
kill -STOP "$(noted prometheus)"
check 'and of Prometheus' says 'Prometheus does not answer'
kill -CONT "$(noted prometheus)"

check 'and no message could not be read by Discord' same \
	"$(grep -cvE '"status": *(204|429)' "$LINKSHRINK_VAR/inbox/messages.jsonl")" 0
finish
