#!/bin/bash
# Ten times as many come at once.
# shellcheck source=scripts/simulate.d/lib.sh
. "$(dirname "$0")/../simulate.d/lib.sh"

what 'Ten times as many visitors come at once'
because 'A link that everybody follows'
may_fail 0
lasts 120

inject() {
	local load=${LINKSHRINK_TESTS:-$repo/build/tests}/torture/load scores
	[ -x "$load" ] || fail "$load is missing; type: make torture-programs"
	scores=${SIMULATION_SCORES:-$simulations/.scores}
	mkdir -p "$scores"
	strike '1000 requests a second more'
	helper exec "$load" run "$(public_port)" 64 1000 1 "$scores"
}

simulate "$@"
