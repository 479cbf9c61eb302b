#!/bin/bash
# Every process of redirect stands still most of the time, and goes on before anybody calls it hung.
# shellcheck source=scripts/simulate.d/lib.sh
. "$(dirname "$0")/../simulate.d/lib.sh"

what 'All processes of redirect stand still for 700 of every 800 ms'
because 'Processes that were given no time, as beside a greedy neighbour'
may_fail 0
must SlowResponseTime 6 'until two of the thirty tries of a minute were slow'

all() { # signal
	# shellcheck disable=SC2046 # pids are words
	kill -"$1" $(programs redirect) 2>/dev/null || true
}

hold_back() {
	while :; do
		all STOP
		sleep 0.7
		all CONT
		sleep 0.1
	done
}

inject() {
	journal_continue_program redirect
	strike "SIGSTOP for 700 ms and SIGCONT for 100 ms, in turn, to redirect, pids $(programs redirect | words)"
	helper hold_back
}

simulate "$@"
