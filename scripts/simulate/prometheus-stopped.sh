#!/bin/bash
# Who watches hangs: nobody is told anything, and just that is the alarm.
# shellcheck source=scripts/simulate.d/lib.sh
. "$(dirname "$0")/../simulate.d/lib.sh"

what 'Prometheus hangs'
because 'Prometheus made no progress'
may_fail 0
must_fall_silent 70 'four times the resend delay of 10 s until Alertmanager calls it over, and the 30 s between two of its messages'

inject() {
	local pid
	pid=$(noted prometheus)
	[ -n "$pid" ] || fail 'this stack has no Prometheus'
	journal_continue "$pid"
	strike "SIGSTOP to Prometheus, pid $pid"
	kill -STOP "$pid"
}

simulate "$@"
