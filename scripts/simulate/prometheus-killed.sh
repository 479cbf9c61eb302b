#!/bin/bash
# Who watches dies and is started again: users notice nothing, and nobody is told anything.
# shellcheck source=scripts/simulate.d/lib.sh
. "$(dirname "$0")/../simulate.d/lib.sh"

what 'Prometheus is killed'
because 'Prometheus died'
recovers_by_itself
may_fail 0

inject() {
	local pid
	pid=$(noted prometheus)
	[ -n "$pid" ] || fail 'this stack has no Prometheus'
	strike "SIGKILL to Prometheus, pid $pid"
	kill -KILL "$pid"
}

simulate "$@"
