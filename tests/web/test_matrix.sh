#!/bin/bash
# Nobody gets in where they don't belong: every route that needs a scope, taken from the programs
# themselves, against every kind of wrong key, on a real stack. See matrix.py.
set -eu
cd "$(dirname "$0")/../.."
. tests/web/lib.sh

# On a busy machine an answer may take its time, and a 503 is none of what is looked for.
export LINKSHRINK_ANONYMOUS_CREATE=no LINKSHRINK_RATE_AUTH_FAIL=0 LINKSHRINK_DATABASE_DEADLINE_MS=1500
stack_up
trap stack_down EXIT

export PUBLIC=127.0.0.1:$LINKSHRINK_PORT DOCUMENT=$PWD/docs/openapi.yaml LOGS=$LINKSHRINK_VAR/log
KEY=$(scripts/admin-key)
export KEY
routes >"$work/routes"
status=0
/usr/bin/python3 tests/web/matrix.py <"$work/routes" || status=$?
check 'the matrix came to its end' test "$status" -le 1
[ "$status" -eq 0 ] || failures=$((failures + 1))

# planted ROUTE: one that is open, or about what the matrix does not know, must be noticed
planted() {
	! /usr/bin/python3 tests/web/matrix.py <<<"$1" >"$work/said" 2>&1 || { echo 'nothing was noticed'; return 1; }
	grep -q '^not ok - GET /[a-z/:]* is closed' "$work/said" || { cat "$work/said"; return 1; }
}
check 'a route that is open is noticed' planted 'GET,HEAD /health links:read - 65536'
check 'a route about new things is noticed' planted 'GET,HEAD /things/:id links:read api 65536'

finish
