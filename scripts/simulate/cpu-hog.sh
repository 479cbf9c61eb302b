#!/bin/bash
# Others want the processors: four of them for each.
# shellcheck source=scripts/simulate.d/lib.sh
. "$(dirname "$0")/../simulate.d/lib.sh"

what 'Four processes for each processor compute without end'
because 'Somebody else took the processors'
stands_alone
must CpuPressure 48 'until 80 % of a minute was waited for'
may HighCPU SlowResponseTime

compute() { while :; do :; done; }

inject() {
	local number count
	count=$(($(nproc) * 4))
	strike "$count processes that compute without end"
	for ((number = 0; number < count; number++)); do helper compute; done
}

simulate "$@"
