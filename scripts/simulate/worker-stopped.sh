#!/bin/bash
# A deadlock in one process: it is alive, takes requests and answers none. Others notice and kill it.
# shellcheck source=scripts/simulate.d/lib.sh
. "$(dirname "$0")/../simulate.d/lib.sh"

what 'One process of redirect hangs'
because 'A process that made no progress'
recovers_by_itself
must WorkerStalled 5 'until it is killed for it'
may_fail 600 # what it is given until then, in a day of 100 requests a second

inject() {
	local pid
	pid=$(programs redirect | head -n 1)
	journal_continue "$pid"
	strike "SIGSTOP to redirect, pid $pid"
	kill -STOP "$pid"
}

simulate "$@"
