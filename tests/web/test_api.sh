#!/bin/bash
# The API on a real stack: who changes a link sees it at the next redirect; bodies, streams, rates.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/web/lib.sh
. tests/web/lib.sh
trap stack_down EXIT

export LINKSHRINK_RATE_API=0 LINKSHRINK_RATE_CREATE=0 LINKSHRINK_BASE_URL=http://127.0.0.1
stack_up
at=http://127.0.0.1:$LINKSHRINK_PORT
key=$(scripts/admin-key)

# call METHOD PATH [curl options…]: the status; the answer is in $work/body
call() {
	local method=$1 path=$2
	shift 2
	status -X "$method" -H "Authorization: Bearer $key" "$@" "$at$path"
}
json() { call "$1" "$2" -H 'Content-Type: application/json' -d "$3"; }
member() { jq -r ".$1" "$work/body"; }
answers() { same "$(status "$at/$1")" "$2"; }

says() { # STATUS WANTED, and how long a change took to be seen is not asked: the answer promises it
	same "$1" "$2" || { cat "$work/body"; return 1; }
}

check 'a link is made' says "$(json POST /urls '{"original_url": "https://example.org/a", "short_code": "api-a"}')" 201
id=$(member id)
check 'and followed at once' answers api-a 302
check 'disabled, it is followed no more, at once' says "$(json PUT "/urls/$id" '{"is_active": false}')" 200
check '… 404' answers api-a 404
check 'enabled with another target' says "$(json PATCH "/urls/$id" '{"is_active": true, "original_url": "https://example.org/b", "redirect_status": 307}')" 200
check '… 307' answers api-a 307
check '… to there' grep -qi '^location: https://example.org/b' "$work/head"
check 'deleted' says "$(call DELETE "/urls/$id")" 200
check '… 410' answers api-a 410
check 'restored' says "$(call POST "/urls/$id/restore" -d '')" 200
check '… 307 again' answers api-a 307

own_click() {
	local n
	curl -s -o /dev/null "$at/api-a"
	n=$(curl -s -H "Authorization: Bearer $key" "$at/urls/$id/events?event_type=redirect" | jq .total_items)
	same "$n" "$1"
}
check 'who follows a link sees the own click in its events' own_click 4
check 'and so does the next one' own_click 5

# ---- Bodies.

head -c 9000000 /dev/zero | tr '\0' a >"$work/large"
check '9 MB of rows are refused' says "$(call POST /urls/bulk -H 'Content-Type: text/csv' --data-binary @"$work/large")" 413
check 'and 9 MB elsewhere' says "$(call POST /urls -H 'Content-Type: application/json' --data-binary @"$work/large")" 413
check '70 KB for one link, too' says "$(call POST /urls -H 'Content-Type: application/json' --data-binary @<(head -c 70000 "$work/large"))" 413
check 'a body that is no JSON is told so' says "$(json POST /urls '{')" 400
check 'and one that is not declared' says "$(call POST /urls -d '{}')" 415

seq 1 60000 | awk 'BEGIN { printf "original_url,title\r\n" }
	{ printf "https://example.net/%d?with=a&longer=query,\"Title, %d\"\r\n", $1, $1 }' >"$work/rows.csv"
check '60,000 rows in one file are taken' says "$(call POST /urls/bulk -F "file=@$work/rows.csv;type=text/csv")" 201
check '… all of them' same "$(member created) $(member skipped)" '60000 0'

out() { curl -s -H "Authorization: Bearer $key" "$at/urls/export$1"; }
check 'and come out again' same "$(out '' | wc -l)" 60002
check '… as CSV that says what went in' grep -q $'^[0-9]*,[^,]*,http://127.0.0.1/[^,]*,https://example.net/60000?with=a&longer=query,"Title, 60000",' <(out '')
sql "UPDATE links SET title = '=cmd|x' WHERE code = 'api-a'" >/dev/null
check 'a cell that a spreadsheet would run is made harmless' grep -q ",'=cmd|x," <(out '')

known_again() {
	out '' | head -n 1001 >"$work/export.csv"
	same "$(call POST /urls/bulk -H 'Content-Type: text/csv' --data-binary @"$work/export.csv")" 201 &&
		same "$(member created) $(member skipped) $(jq -r '.errors[0].error' "$work/body")" '0 1000 id is taken'
}
check 'what was exported is read back, ids and all' known_again

# ---- Who may.

check 'without a key nothing' same "$(status "$at/urls")" 401
check 'nor with a key in the query' same "$(status -H "Authorization: Bearer $key" "$at/urls?key=$key")" 400
second=$(scripts/admin-key --name second)
revoked_soon() {
	local id=${second#ls_}
	call DELETE "/keys/${id%%_*}" >/dev/null
	same "$(status -H "Authorization: Bearer $second" "$at/urls")" 401
}
check 'a key that is revoked is refused' revoked_soon
check 'operations are not here' same "$(status -H "Authorization: Bearer $key" "$at/metrics")" 404
check 'what only begins like a path of the API is a code' same "$(status "$at/urlsEVIL")" 404
check '… of the program redirect' grep -q 'url not found' "$work/body"

# ---- Rates.

export LINKSHRINK_RATE_API=60
stack_restart
limited() {
	local code
	for _ in $(seq 40); do
		code=$(call GET /keys)
		[ "$code" != 429 ] || break
	done
	same "$code" 429
}
call GET /keys >/dev/null
check 'who is limited is told how much is left' grep -qi '^ratelimit-limit: 60' "$work/head"
check 'and refused after that' limited
check '… with the time to wait' grep -qi '^retry-after: [1-9]' "$work/head"
check 'other keys are not' same "$(key=$(scripts/admin-key) && status -H "Authorization: Bearer $key" "$at/keys")" 200

# ---- PostgreSQL is away.

# shellcheck disable=SC2046 # pids are words
kill -STOP $(stack_postgres)
away() {
	local code
	code=$(call GET /keys)
	same "$code" 503 && grep -qi '^retry-after' "$work/head"
}
check 'without PostgreSQL the API says 503 and when to come again' away
check '… in bulk, too' same "$(call POST /urls/bulk -H 'Content-Type: text/csv' -d $'original_url\nhttps://example.com/')" 503
# shellcheck disable=SC2046
kill -CONT $(stack_postgres)
back() { [ "$(call GET /keys)" = 200 ]; }
check 'and serves again when it is back' wait_until 20 back
finish
