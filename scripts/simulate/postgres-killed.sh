#!/bin/bash
# PostgreSQL dies; the supervisor starts it again and it recovers.
# shellcheck source=scripts/simulate.d/lib.sh
. "$(dirname "$0")/../simulate.d/lib.sh"

what 'PostgreSQL is killed'
because 'The postmaster died'
recovers_by_itself
may_fail 200 # creations of some seconds

inject() {
	local pid
	pid=$(noted postgresql)
	strike "SIGKILL to the postmaster, pid $pid"
	kill -KILL "$pid"
}

simulate "$@"
