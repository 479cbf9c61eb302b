#!/bin/bash
# make demo-data on a real stack: what it says is there is there, and may be done again.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/web/lib.sh
. tests/web/lib.sh

stack_up
trap stack_down EXIT

public=http://127.0.0.1:$LINKSHRINK_PORT

fill() { # what make gets
	make -s demo-data "$@" >"$work/said" 2>&1 || { cat "$work/said"; return 1; }
}
said() { grep -qF -e "$1" "$work/said" || { cat "$work/said"; return 1; }; }
clicks_are() { same "$(sql 'SELECT coalesce(sum(n), 0) FROM click_hours')" "$1"; }
ends_with() { # status words arguments…
	local want=$1 words=$2 got=0
	shift 2
	env "$@" >"$work/said" 2>&1 || got=$?
	same "$got" "$want" && said "$words"
}

check 'an empty stack is filled' fill USERS=20 LINKS=60 EVENTS=900 SEED=7
check 'with 20 users' same "$(sql 'SELECT count(*) FROM users')" 20
check 'whose names are of many countries' test "$(sql "SELECT count(*) FROM users WHERE username ~ '[^ -~]'")" -ge 5
check 'with 60 links' same "$(sql "SELECT count(*) FROM links WHERE 'demo' = ANY (tags)")" 60
check 'that have titles' same "$(sql "SELECT count(*) FROM links WHERE 'demo' = ANY (tags) AND title IS NULL")" 0
check 'that were made in the past' test "$(sql "SELECT count(*) FROM links WHERE 'demo' = ANY (tags) AND created_at < now() - interval '1 day'")" -ge 50
check 'most of them somebody'"'"'s' test "$(sql "SELECT count(owner) FROM links WHERE 'demo' = ANY (tags)")" -ge 40
check 'with 900 clicks' wait_until 20 clicks_are 900
check 'of a month' test "$(sql "SELECT count(DISTINCT hour::date) FROM click_hours")" -ge 25
check 'some of bots' test "$(sql 'SELECT sum(bots) FROM click_hours')" -ge 20
check 'with referrers' test "$(sql "SELECT count(DISTINCT value) FROM click_values WHERE dimension = 'referrer'")" -ge 5
check 'it says how to look' said "/stats?interval=day"
tail -n +1 "$work/said" | awk '/^ *clicks /{ on = 1; next } on && NF == 0 { exit } on' >"$work/table"
check 'and what was clicked most: five' same "$(wc -l <"$work/table")" 5
read -r n short _ <"$work/table"
code=${short##*/}
check 'with the number of the database' same "$n" "$(sql "SELECT sum(n) FROM click_hours JOIN links ON links.id = link WHERE code = '$code'")"

# Days that are over are packed, when ingest starts and then hourly. Whoever asks sees no difference.
key=$(scripts/admin-key --name mine)
today=$(date -u +%F)
ask() { curl -s -m 5 -H "Authorization: Bearer $key" "$public/urls$1"; }
statistics() {
	local range
	range="from=$(date -u -d "$today - 30 days" +%FT%TZ)&to=${today}T00:00:00Z"
	ask "?per_page=100&tag=demo"
	ask "/$1/stats?interval=day&$range" | sed 's/"as_of":"[^"]*"//'
	ask "/$1/stats?interval=hour&$range" | sed 's/"as_of":"[^"]*"//'
}
is_packed() {
	same "$(sql "SELECT (SELECT count(*) FROM click_stats WHERE day < date '$today' - 1)
		+ (SELECT count(*) FROM click_counts WHERE hour < date '$today' - 1)")" 0
}
id=$(sql "SELECT id FROM links WHERE code = '$code'")
statistics "$id" >"$work/counted"
check 'the statistics are there' grep -q '"unique_visitors"' "$work/counted"
kill "$(stack_programs ingest)"
check 'days that are over are packed' wait_until 20 is_packed
statistics "$id" >"$work/packed"
check 'which changes no list and no statistics' cmp "$work/counted" "$work/packed"
check 'and no click' clicks_are 900

check 'the first leads somewhere' same "$(status "$public/$code")" 302
check 'its own key is taken back' same "$(sql "SELECT count(*) FROM api_keys WHERE name = 'demo-data' AND revoked_at IS NULL")" 0
check 'and does not stand in what it said' test -z "$(grep -o 'ls_[0-9]*_' "$work/said")"

before=$(sql 'SELECT sum(n) FROM click_hours')
check 'it may be done again' fill USERS=20 LINKS=60 EVENTS=900 SEED=7
check 'the users are the same' same "$(sql 'SELECT count(*) FROM users')" 20
check 'links are added' same "$(sql "SELECT count(*) FROM links WHERE 'demo' = ANY (tags)")" 120
check 'and clicks' wait_until 20 clicks_are $((before + 900))
check 'another seed brings other users' fill USERS=20 LINKS=0 EVENTS=0 SEED=8
check 'beside the others' test "$(sql 'SELECT count(*) FROM users')" -gt 20
check 'the spool and PostgreSQL agree' scripts/audit

check 'a key that is given is used' ends_with 0 '1 links' LINKSHRINK_KEY="$key" LINKSHRINK_VAR="$work/none" \
	scripts/demo-data --users 0 --links 1 --events 0 --url "$public"
check 'and kept' same "$(sql "SELECT count(*) FROM api_keys WHERE name = 'mine' AND revoked_at IS NULL")" 1
check 'a wrong one is said to be wrong' ends_with 1 401 LINKSHRINK_KEY=ls_1_0 scripts/demo-data --users 1 --links 0 --events 0
check 'without a stack nothing is filled' ends_with 1 'no stack runs' LINKSHRINK_VAR="$work/none" scripts/demo-data

finish
