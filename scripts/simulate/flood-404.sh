#!/bin/bash
# Somebody asks for codes that nobody made, as fast as they are answered.
# shellcheck source=scripts/simulate.d/lib.sh
. "$(dirname "$0")/../simulate.d/lib.sh"

what 'A flood of codes that nobody made'
because 'Somebody tries codes'
needs programs
recovers_by_itself
may_fail 0

inject() {
	local load=${LINKSHRINK_TESTS:-$repo/build/tests}/web/load
	[ -x "$load" ] || fail "$load is missing; type: make tests"
	strike 'GET of 300000 codes that do not exist, by 16 clients'
	helper exec "$load" scan "$(public_port)" 16 300000
}

simulate "$@"
