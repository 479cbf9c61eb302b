#!/bin/bash
# No fault: each program is replaced, process by process, as for a new version.
# shellcheck source=scripts/simulate.d/lib.sh
. "$(dirname "$0")/../simulate.d/lib.sh"

what 'All programs are restarted, one process after the other'
because 'No fault: a new version'
recovers_by_itself
may_fail 0

inject() {
	local program
	strike 'scripts/stack restart of each program'
	for program in $(list_programs); do "$repo/scripts/stack" restart "$program"; done
}

simulate "$@"
