#!/bin/bash
# Everything is killed, the supervisor, too, and started again: nothing is left firing.
# shellcheck disable=SC2031 # lib.sh has subshells that set the same names
set -euo pipefail

usage() {
	cat <<'USAGE'
usage: tests/alerts/restart.sh [--keep-docs]

Kills all processes of a stack under load at once (SIGKILL), starts it again and waits until nothing
fires, in Prometheus and in Alertmanager, and each message that something is wrong has its "is over".
  --keep-docs    print only

  RESTART_SECONDS=300    how long that may take
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
patience=${RESTART_SECONDS:-300}
# shellcheck source=tests/alerts/lib.sh
. tests/alerts/lib.sh

descendants() { # of a pid, itself included
	local child
	echo "$1"
	for child in $(ps --ppid "$1" -o pid=); do descendants "$child"; done
}
alertmanager() { echo "http://127.0.0.1:$((LINKSHRINK_MONITORING_PORT + 1))/alertmanager"; }
known() { # to Alertmanager
	curl -s -m 5 "$(alertmanager)/api/v2/alerts" | grep -o '"alertname":"[^"]*"' | cut -d '"' -f 4 |
		grep -vx Watchdog | sort -u | tr '\n' ' '
}
unfinished() { # names in messages that say that something is wrong, without a later "is over"
	messages "$1" | awk '{ name = $3 ~ /^[0-9]+$/ ? $5 : $3; gsub(/[^A-Za-z]/, "", name); open[name] = $2 != "🟢" }
		END { for (name in open) if (open[name]) printf "%s ", name }'
}
is_quiet() { [ "$(ask 'count(ALERTS{alertname!="Watchdog"}) or vector(0)')" = 0 ] && [ -z "$(known)" ] && [ -z "$(unfinished "$begun")" ]; }

watched_stack
links 1000
begun=$(milliseconds)
traffic 20 8 20 "$work/codes" &
loader=$!
sleep 10
# shellcheck disable=SC2046 # pids are words
kill -9 $(descendants "$(supervisor)") 2>/dev/null || true # some end with their parents
wait "$loader" || true
stack_start
back=$(milliseconds)
wait_until "$patience" is_quiet && took=$((($(milliseconds) - back) / 1000)) || took=''
sleep 30 # it stays so
is_quiet || took=''
told="$(pages "$begun")$(tickets "$begun")"
left=$(echo "$(firing)$(known)$(unfinished "$begun")" | tr ' ' '\n' | sort -u | tr '\n' ' ' | sed 's/^ //')

cat >"$work/table" <<END_REPORT

All processes of a stack under load killed at once (SIGKILL, the supervisor, PostgreSQL and monitoring, too), then started again: ${took:-not within $patience} s later nothing fires. People were told of: ${told:-nothing }. Left: ${left:-nothing }.

END_REPORT
cat "$work/table"
bar 'alerts left after kill -9 of everything' "$(wc -w <<<"$left")" most 0
[ "$keep_docs" = yes ] || tests/bench/into-docs alerts-restart <"$work/table"
