#!/bin/bash
# docs/openapi.yaml is the truth: its shape, its routes, and on a real stack every example and every
# status of it. openapi_walk.py has a recipe for each.
set -eu
cd "$(dirname "$0")/../.."
. tests/web/lib.sh

document=$PWD/docs/openapi.yaml
trap 'rm -rf "$work"' EXIT

# passes NAME COMMAND…: its own lines, and one of ours if it fails without any
passes() {
	local name=$1 status=0
	shift
	"$@" >"$work/said" 2>&1 || status=$?
	grep -E '^((not )?ok - |    )' "$work/said" || true
	[ "$status" -ne 0 ] || { ok "$name"; return; }
	not_ok "$name"
	grep -vE '^((not )?ok - |    )' "$work/said" | sed 's/^/    /' || true
}

/usr/bin/python3 -c 'import yaml, jsonschema' || { not_ok 'python3-yaml and python3-jsonschema are there'; exit 1; }

# ---- The document

shape() { /usr/bin/python3 tests/web/openapi.py shape "$1"; }
compare() { routes | /usr/bin/python3 tests/web/openapi.py routes "$1"; }
passes 'the document is sound' shape "$document"
passes 'the document has the routes of the programs' compare "$document"

# notices STATEMENT WHICH EDIT: the check WHICH fails by that statement after an edit of the document
notices() {
	sed "$3" "$document" >"$work/planted.yaml"
	! cmp -s "$document" "$work/planted.yaml" || { echo 'nothing was planted'; return 1; }
	! "$2" "$work/planted.yaml" >"$work/said" 2>&1 || { echo 'nothing was noticed'; return 1; }
	grep -qxF "not ok - $1" "$work/said" || { cat "$work/said"; return 1; }
}
check 'a $ref to nothing is noticed' notices 'every $ref leads somewhere' shape "s|schemas/Preview'}|schemas/Preveiw'}|"
check 'an operationId that is there twice is noticed' notices 'every operationId is there once' shape 's/operationId: getUser$/operationId: getKey/; s/operationId: getEvent$/operationId: getKey/'
check 'a misspelt word is noticed' notices 'no word is misspelt' shape '0,/summary: Follow/s//sumary: Follow/'
check 'a wrong example is noticed' notices 'every example obeys its schema' shape 's/click_count: 5$/click_count: five/'
check 'a member that no schema has is noticed' notices 'every example obeys its schema' shape 's/{deleted: true}/{deleted: true, when: now}/'
check 'an undeclared parameter of a path is noticed' notices 'every parameter of a path is declared' shape 's|^  /r/{code}:|  /r/{kode}:|'
check 'a status that is left out is noticed' notices 'the statuses that all such operations have are there' shape "/^    delete:/,/'401'/{/'401'/d}"
check 'a route that is left out is noticed' notices 'every route is described' compare 's|^  /version:|  /versions:|'
check 'an operation without a route is noticed' notices 'every operation has a route' compare 's|^  /version:|  /versions:|'
check 'a wrong scope is noticed' notices 'the scopes are those of the routes' compare "0,/key: \['links:write'\]/s//key: ['links:read']/"

# ---- The stack

# On a busy machine an answer may take its time, and a 503 is none of what is looked for.
export LINKSHRINK_ANONYMOUS_CREATE=no LINKSHRINK_RATE_AUTH_FAIL=0 LINKSHRINK_DATABASE_DEADLINE_MS=1500
stack_up
thaw() { :; }
trap 'thaw; stack_down' EXIT
export PUBLIC=127.0.0.1:$LINKSHRINK_PORT OPERATIONS=127.0.0.1:$LINKSHRINK_OPS_PORT RATE=5

scopes=$(sed -n 's/^SCOPE(.*"\(.*\)")$/\1/p' common/domain/scopes.def)
KEYS="all $(scripts/admin-key)
maker $(scripts/admin-key)"
for scope in $scopes; do
	KEYS+="
$scope $(scripts/admin-key --scopes "$(grep -vxF "$scope" <<<"$scopes" | paste -sd , -)")"
done
export KEYS

walk() { /usr/bin/python3 tests/web/openapi_walk.py "$1" "${2:-$document}"; }
passes 'all that needs no trouble is as described' walk plain

# What docs/api.md shows, on this stack.
for_people() {
	awk '/^```/ { on = /^```sh/; next } on' docs/api.md |
		sed "s|127.0.0.1:8080|$PUBLIC|g; s|/tmp/|$work/|g" >"$work/examples"
	if ! bash -eu -o pipefail "$work/examples" >"$work/said" 2>&1 || grep -q about:blank "$work/said" ||
		! grep -q '"created":1,"skipped":1,' "$work/said"; then
		cat "$work/said"
		return 1
	fi
}
check 'the examples for people run' for_people

# unlike STATEMENT OPERATION EDIT: the walk fails by that statement where the document says otherwise
unlike() {
	local statement=$1 operation=$2
	sed "$3" "$document" >"$work/planted.yaml"
	! cmp -s "$document" "$work/planted.yaml" || { echo 'nothing was planted'; return 1; }
	! ONLY=$operation walk plain "$work/planted.yaml" >"$work/said" 2>&1 || { echo 'nothing was noticed'; return 1; }
	grep -qxF "not ok - $statement" "$work/said" || { cat "$work/said"; return 1; }
}
check 'an answer with more members than described is noticed' unlike 'getVersion answers 200' getVersion '/^    Version:/,/^    System:/s/version: {type/number: {type/; /^    Version:/,/^    System:/s/required: \[version\]/required: []/'
check 'an answer of another type is noticed' unlike 'getVersion answers 200' getVersion '/^    Version:/,/^    System:/s/type: string/type: integer/'
check 'a header that is missing is noticed' unlike 'getVersion answers 200' getVersion '/^  \/version:/,/^  \/logs/s/X-Request-Id:/X-Version-Id:/'
check 'a status that is never answered is noticed' unlike 'getVersion answers 404' getVersion "/^  \/version:/,/^  \/logs/s/^        '200':/        '404': {\$ref: '#\/components\/responses\/NotFound'}\n&/"
check 'a status that has no recipe is noticed' unlike 'getVersion answers 418' getVersion "/^  \/version:/,/^  \/logs/s/'200':/'418':/"

chmod 0 "$LINKSHRINK_VAR/log/linkshrink.log"
passes 'and without a log that can be read' walk closedlog
chmod 640 "$LINKSHRINK_VAR/log/linkshrink.log"

frozen=$(stack_postgres | tr '\n' ' ')
# shellcheck disable=SC2086 # pids are words
thaw() { kill -CONT $frozen 2>/dev/null || true; }
# shellcheck disable=SC2086
kill -STOP $frozen
passes 'and while PostgreSQL is stopped' walk stopped
thaw

export LINKSHRINK_RATE_REDIRECT=$RATE LINKSHRINK_RATE_CREATE=$RATE LINKSHRINK_RATE_API=$RATE LINKSHRINK_LOG=
stack_restart
passes 'and with few calls a minute' walk limited
passes 'and where no log is kept' walk nolog

finish
