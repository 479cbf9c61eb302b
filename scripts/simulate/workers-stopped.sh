#!/bin/bash
# A deadlock that comes back: whoever replaces them hangs at once as well.
# shellcheck source=scripts/simulate.d/lib.sh
. "$(dirname "$0")/../simulate.d/lib.sh"

what 'All processes of redirect hang, and so does each that replaces one'
because 'A fault that stops each process of redirect soon after it starts'
must RedirectsDown 2 'the try of the probe'
may WorkerStalled WorkerCrashLoop WorkersMissing

stop_redirects() {
	while :; do
		# shellcheck disable=SC2046 # pids are words
		kill -STOP $(programs redirect) 2>/dev/null || true
		sleep 0.05
	done
}

inject() {
	journal_continue_program redirect
	strike "SIGSTOP to redirect, pids $(programs redirect | words), and to whoever comes after"
	helper stop_redirects
}

simulate "$@"
