# What the measurements of alerts share. Sourced from the root of the repository, as bash; it has
# all of tests/bench/lib.sh and tests/web/lib.sh, and:
#
#   watched_stack               a stack of its own with monitoring; returns when that has settled
#   settled                     whether no page is pending or firing
#   ask EXPRESSION              what Prometheus answers: one number, or nothing
#   firing                      names of what fires, but for the Watchdog
#   messages SINCE              "milliseconds title" of each message in the inbox from then on
#   pages SINCE, tickets SINCE  names in the titles of those that say that something is wrong, sorted
#   links COUNT                 makes links; "code target" into $work/links, codes into $work/codes
#   traffic SECONDS CLIENTS MS FILE   follows the codes of FILE, each client resting MS in between
#   supervisor                  its pid
#   milliseconds                now
#
# Everything ends with the script.
# shellcheck shell=bash disable=SC2031 # the bench's library has subshells that set the same names

# shellcheck source=tests/bench/lib.sh
. tests/bench/lib.sh

milliseconds() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }
supervisor() { cat "$LINKSHRINK_VAR/run/lock"; }

watched_end() {
	[ ! -e "$LINKSHRINK_VAR/run/lock" ] || kill -CONT "$(supervisor)" 2>/dev/null || true
	# shellcheck disable=SC2046 # pids are words
	kill -CONT $(stack_postgres) 2>/dev/null || true
	bench_end
}

watched_stack() {
	export LINKSHRINK_MONITORING=yes LINKSHRINK_LOG_SAMPLE=1000
	LINKSHRINK_MONITORING_PORT=$(free_block 7)
	export LINKSHRINK_MONITORING_PORT
	trap watched_end EXIT
	stack_up
	database_url=$(cat "$LINKSHRINK_VAR/run/owner.url")
	postmaster=$(noted postgresql)
	note_server stack "$LINKSHRINK_PORT"
	wait_until 120 has_begun || { say "monitoring does not settle: $(firing)"; exit 1; }
}

has_begun() { [ "$(ask 'sum(probe_success)')" = 2 ] && [ "$(ask 'count(ALERTS{alertname="Watchdog"})')" = 1 ] && settled; }

prometheus_url() { echo "http://127.0.0.1:$LINKSHRINK_MONITORING_PORT/prometheus"; }

ask() {
	curl -s -m 5 -G "$(prometheus_url)/api/v1/query" --data-urlencode "query=$1" |
		sed -n 's/.*"value":\[[0-9.]*,"\([^"]*\)"\]}\].*/\1/p'
}

settled() { [ "$(ask 'count(ALERTS{severity="critical"}) or vector(0)')" = 0 ]; }

firing() {
	curl -s -m 5 -G "$(prometheus_url)/api/v1/query" \
		--data-urlencode 'query=ALERTS{alertstate="firing",alertname!="Watchdog"}' |
		grep -o '"alertname":"[^"]*"' | cut -d '"' -f 4 | sort -u | tr '\n' ' '
}

# ---- Messages

messages() {
	local received title at
	# Where nobody was told of anything there is no file.
	{ cat "$LINKSHRINK_VAR/inbox/messages.jsonl" 2>/dev/null || true; } |
		sed -n 's/.*"received": *"\([^"]*\)".*"status": *20[0-9].*"title": *"\([^"]*\)".*/\1 \2/p' | tail -n 300 |
		while read -r received title; do
			at=$(date -d "$received" +%s%3N)
			[ "$at" -lt "$1" ] || echo "$at $title"
		done
}

names() { sed 's/^[0-9]* [^ ]* \([0-9]* × \)*//; s/[^A-Za-z].*//' | sort -u | tr '\n' ' '; }
pages() { messages "$1" | { grep -E '^[0-9]+ 🔴' || true; } | names; }
tickets() { messages "$1" | { grep -E '^[0-9]+ 🟠' || true; } | names; }

# ---- Load

links() {
	"$LINKSHRINK_TESTS/web/load" create "$LINKSHRINK_PORT" 16 "$1" 2>"$work/score" >"$work/links"
	[ "$(wc -l <"$work/links")" -eq "$1" ] || { cat "$work/score" >&2; exit 1; }
	cut -d ' ' -f 1 "$work/links" >"$work/codes"
}

traffic() {
	wrk -t 2 -c "$2" -d "${1}s" --timeout 15s -s tests/bench/wrk.lua "http://127.0.0.1:$LINKSHRINK_PORT/" \
		-- follow "$4" "$3" >"$work/traffic.$BASHPID" 2>&1
}
