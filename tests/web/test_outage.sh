#!/bin/bash
# PostgreSQL freezes under load: known links redirect all the time, nobody waits for it, and every
# click is there soon after it comes back. OUTAGE_SECONDS=60 makes a longer outage of it.
set -eu
cd "$(dirname "$0")/../.."
. tests/web/lib.sh

OUTAGE_SECONDS=${OUTAGE_SECONDS:-8}
links=1000

stack_up
trap 'continue_postgres; stack_down' EXIT

load=$LINKSHRINK_TESTS/web/load
public=http://127.0.0.1:$LINKSHRINK_PORT

frozen=
freeze_postgres() {
	frozen=$(stack_postgres | tr '\n' ' ')
	# shellcheck disable=SC2086 # pids are words
	kill -STOP $frozen
}
continue_postgres() {
	# shellcheck disable=SC2086
	[ -z "$frozen" ] || kill -CONT $frozen 2>/dev/null || true
	frozen=
}

create() { # the status and the milliseconds that it took
	curl -s -o "$work/body" -w '%{http_code} %{time_total}\n' --max-time 20 "$public/shorten" \
		-H 'Content-Type: application/json' -d '{"url":"https://example.com/outage"}'
}
answered() { sed -n 's/^status 302 //p' "$work/score"; }
counted() { sql 'SELECT coalesce(sum(n), 0) FROM click_hours'; }
all_counted() { [ "$(counted)" = "$(answered)" ]; }
milliseconds() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

"$load" create "$LINKSHRINK_PORT" 8 $links >"$work/links" 2>/dev/null
"$load" follow "$LINKSHRINK_PORT" 16 0 <"$work/links" 2>"$work/score" &
loader=$!
wait_until 10 test "$(metric linkshrink_clicks_total)" != 0
freeze_postgres
end=$((SECONDS + OUTAGE_SECONDS))
: >"$work/creates"
while [ "$SECONDS" -lt "$end" ]; do create >>"$work/creates"; done
continue_postgres
back=$(milliseconds)
kill -TERM "$loader"
wait "$loader"
check "every redirect of a known link succeeds for $OUTAGE_SECONDS s" \
	same "$(sed 's/ [0-9]*$//' "$work/score")" "$(printf 'status 302\nfailed')"
check 'and none fails' same "$(sed -n 's/^failed //p' "$work/score")" 0
check 'who creates gets 503 meanwhile' same "$(cut -d ' ' -f 1 "$work/creates" | sort -u)" 503
check 'every click is counted when it is back' wait_until 60 all_counted
echo "# $(answered) redirects; all counted $(($(milliseconds) - back)) ms after PostgreSQL came back;" \
	"slowest 503 $(cut -d ' ' -f 2 "$work/creates" | sort -g | tail -n 1) s"
check 'to the record' scripts/audit
check 'links are made again' wait_until 10 eval 'create | grep -q "^201 "'
finish
