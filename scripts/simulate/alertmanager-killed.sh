#!/bin/bash
# Who watches dies and is started again: users notice nothing, and nobody is told anything.
# shellcheck source=scripts/simulate.d/lib.sh
. "$(dirname "$0")/../simulate.d/lib.sh"

what 'Alertmanager is killed'
because 'Alertmanager died'
recovers_by_itself
may_fail 0

inject() {
	local pid
	pid=$(noted alertmanager)
	[ -n "$pid" ] || fail 'this stack has no Alertmanager'
	strike "SIGKILL to Alertmanager, pid $pid"
	kill -KILL "$pid"
}

simulate "$@"
