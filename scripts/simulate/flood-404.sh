#!/bin/bash
# Somebody asks for codes that nobody made, as fast as they are answered.
# shellcheck source=scripts/simulate.d/lib.sh
. "$(dirname "$0")/../simulate.d/lib.sh"

what 'A flood of codes that nobody made'
because 'Somebody tries codes'
stands_alone
recovers_by_itself
may_fail 0

inject() {
	local load=${LINKSHRINK_TESTS:-$repo/build/tests}/web/load
	[ -x "$load" ] || fail "$load is missing; type: make tests"
	strike 'GET of 300000 codes that do not exist, by 16 clients'
	helper flood "$load" "$(public_port)"
}

flood() { exec "$1" scan "$2" 16 300000 2>"$simulations/.flood"; }

# All of it came, and was answered.
lift() { wait_until 60 grep -q '^status 404 300000' "$simulations/.flood"; }

simulate "$@"
