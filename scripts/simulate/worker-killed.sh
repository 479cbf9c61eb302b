#!/bin/bash
# Routine: one of the processes dies, its sibling goes on, lighttpd starts another.
# shellcheck source=scripts/simulate.d/lib.sh
. "$(dirname "$0")/../simulate.d/lib.sh"

what 'One process of redirect is killed'
because 'A process that died, as of a bug or for want of memory'
recovers_by_itself
may_fail 8 # the requests in its hands: as many as it has threads, and as many queued

inject() {
	local pid
	pid=$(programs redirect | head -n 1)
	strike "SIGKILL to redirect, pid $pid"
	kill -KILL "$pid"
}

simulate "$@"
