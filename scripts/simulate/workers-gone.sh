#!/bin/bash
# As after a release that does not start: nobody is left and nobody comes.
# shellcheck source=scripts/simulate.d/lib.sh
. "$(dirname "$0")/../simulate.d/lib.sh"

what 'All processes of redirect are killed, and none starts again'
because 'The program of redirect cannot be started'
must RedirectsDown 2 'the try of the probe'
may WorkersMissing WorkerCrashLoop

inject() {
	local program=$app/bin/redirect pids
	journal_move "$program.away" "$program"
	mv "$program" "$program.away"
	pids=$(programs redirect | words)
	strike "SIGKILL to redirect, pids $pids; its program is moved away"
	# shellcheck disable=SC2086 # pids are words
	kill -KILL $pids
}

simulate "$@"
