#!/bin/bash
# All at once, and lighttpd is free to start others.
# shellcheck source=scripts/simulate.d/lib.sh
. "$(dirname "$0")/../simulate.d/lib.sh"

what 'All processes of redirect are killed at once'
because 'All processes of a program died at the same moment'
recovers_by_itself
may_fail 400 # lighttpd starts them again at its next turn, a second at most; twice that
may WorkersMissing

inject() {
	local pids
	pids=$(programs redirect | words)
	strike "SIGKILL to redirect, pids $pids"
	# shellcheck disable=SC2086 # pids are words
	kill -KILL $pids
}

simulate "$@"
