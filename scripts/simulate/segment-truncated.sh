#!/bin/bash
# The memory that all programs share is cut to nothing under them.
# shellcheck source=scripts/simulate.d/lib.sh
. "$(dirname "$0")/../simulate.d/lib.sh"

what 'The shared memory of all programs is truncated'
because 'Somebody emptied a file in /dev/shm'
recovers_by_itself
may_fail 600 # all programs die of it once
may WorkersMissing WorkerCrashLoop SharedMemoryUnhealthy

inject() {
	local file
	file=$(find "$shared" -name 'segment.*' -type f | head -n 1)
	[ -n "$file" ] || fail "no segment is in $shared"
	strike "truncate to 0 of $file"
	truncate -s 0 "$file"
}

simulate "$@"
