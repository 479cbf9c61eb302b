#!/bin/bash
# A deadlock that comes back: whoever replaces them hangs at once as well.
# shellcheck source=scripts/simulate.d/lib.sh
. "$(dirname "$0")/../simulate.d/lib.sh"

what 'All processes of redirect hang, and so does each that replaces one'
because 'A fault that stops each process of redirect soon after it starts'
must RedirectsDown 2 'the try of the probe'
may WorkerStalled WorkerCrashLoop WorkersMissing

# Before it serves anybody: so nothing is started here to find it, nor to wait.
stop_redirects() {
	local lighttpd never process line
	lighttpd=$(noted lighttpd)
	exec {never}<> <(:)
	chrt --fifo --pid 1 "$BASHPID" 2>/dev/null || true # that takes root
	while :; do
		for process in /proc/[0-9]*; do
			{ read -r line <"$process/stat"; } 2>/dev/null || continue
			[[ $line != *"(redirect) "[!T]" $lighttpd "* ]] || kill -STOP "${process#/proc/}" 2>/dev/null || true
		done
		read -rt 0.003 -u "$never" || true
	done
}

inject() {
	journal_continue_program redirect
	strike "SIGSTOP to redirect, pids $(programs redirect | words), and to whoever comes after"
	helper stop_redirects
}

simulate "$@"
