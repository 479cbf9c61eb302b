#!/bin/bash
# The postmaster hangs: no new session, but those that are there go on.
# shellcheck source=scripts/simulate.d/lib.sh
. "$(dirname "$0")/../simulate.d/lib.sh"

what 'The postmaster of PostgreSQL hangs, its sessions do not'
because 'The postmaster made no progress'
may_fail 0
lasts 120

inject() {
	local pid
	pid=$(noted postgresql)
	journal_continue "$pid"
	strike "SIGSTOP to the postmaster, pid $pid"
	kill -STOP "$pid"
}

simulate "$@"
