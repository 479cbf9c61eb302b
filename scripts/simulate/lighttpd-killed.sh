#!/bin/bash
# The web server dies, and with it all programs; the supervisor starts them again.
# shellcheck source=scripts/simulate.d/lib.sh
. "$(dirname "$0")/../simulate.d/lib.sh"

what 'lighttpd is killed'
because 'lighttpd died'
recovers_by_itself
may_fail 400 # two seconds of 200 requests

inject() {
	local pid
	pid=$(noted lighttpd)
	strike "SIGKILL to lighttpd, pid $pid"
	kill -KILL "$pid"
}

simulate "$@"
