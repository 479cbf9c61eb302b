#!/bin/bash
# scripts/import on a real stack: links of other shorteners lead where they did, once, however often
# it is run; and what is refused is named, row by row.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/web/lib.sh
. tests/web/lib.sh

stack_up
trap stack_down EXIT

public=http://127.0.0.1:$LINKSHRINK_PORT
recorded=tests/lint/import

import() { # status arguments…
	local want=$1 got=0
	shift
	scripts/import "$@" --report "$work/report.csv" >"$work/said" 2>&1 || got=$?
	[ "$got" -eq "$want" ] || { echo "# status $got, wanted $want"; cat "$work/said" "$work/report.csv"; return 1; }
}
said() { grep -qF -e "$1" "$work/said" || { cat "$work/said"; return 1; }; }
reported() { grep -qE -e "$1" "$work/report.csv" || { cat "$work/report.csv"; return 1; }; }
link() { sql "SELECT target, title, state, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') FROM links WHERE code = '$1'"; }
links() { sql 'SELECT count(*) FROM links'; }
clicks_are() { same "$(sql "SELECT coalesce(sum(n), 0) FROM click_hours JOIN links ON links.id = link WHERE code = '$1'")" "$2"; }
leads_to() { # code target
	same "$(status "$public/$1")" 302 && same "$(tr -d '\r' <"$work/head" | sed -n 's/^Location: //Ip')" "$2"
}

# ---- One after another

check 'bitly: what it can take it takes, and says what not' import 1 bitly "$recorded/bitly.csv"
check 'bitly: a custom code leads on' wait_until 5 leads_to LaunchCase 'https://example.com/launch'
check 'bitly: and so does the other on the same domain' wait_until 5 leads_to 4Qwe7Rt 'https://example.com/launch'
check 'bitly: title and date came along' same "$(link 3xYzAb1)" \
	'https://example.com/products?campaign=summer&x=1|Launch, "Summer" 2024|active|2024-03-01 08:30:00'
check 'bitly: what was deleted there leads nowhere' same "$(status "$public/OldLink1")" 404
check 'bitly: the row without a code is named' reported ',5,7,,.*refused,it has no short code'
check 'bitly: the clicks that stay are counted' said '1253 clicks were counted there'
before=$(links)
check 'bitly: again' import 1 bitly "$recorded/bitly.csv"
check 'bitly: makes nothing twice' same "$(links)" "$before"
check 'bitly: and takes nothing that is there for a fault' said '6 links are there now (6 before), 2 refused'

check 'yourls: codes that are none here are refused' import 1 yourls "$recorded/yourls.csv"
check 'yourls: by the row' reported '^[^,]*yourls\.csv,2,3,7,https://example\.com/seven,refused,'
check 'yourls: others are there' wait_until 5 leads_to ozh 'http://ozh.org/'
check 'yourls: with --mend-codes all are' import 0 yourls "$recorded/yourls.csv" --mend-codes
check 'yourls: under codes that can be' wait_until 5 leads_to 7__ 'https://example.com/seven'
check 'yourls: and the report says under which' reported '7__,.*changed'
check 'yourls: the file of the plugin' import 0 yourls "$recorded/yourls-plugin.csv"
check 'yourls: its codes lead on' wait_until 5 leads_to plug-in 'https://example.com/a,b'

sql "INSERT INTO users (username, email) VALUES ('Ada King', 'ada.king@example.org')" >/dev/null
check 'kutt: with an owner' import 1 kutt "$recorded/kutt.csv" --user 'Ada King'
check 'kutt: whose it is then' same "$(sql "SELECT username FROM links JOIN users ON users.id = owner WHERE code = 'kutt-one'")" 'Ada King'
check 'kutt: a banned one leads nowhere' same "$(status "$public/banned1")" 404
check 'kutt: one with a password is refused' reported ',3,4,secret1,.*refused,.*password'
check 'kutt: its end came along' same "$(sql "SELECT valid_until = '2031-01-01 00:00:00+02' FROM links WHERE code = 'expires'")" t
check 'an owner who is nobody' import 2 kutt "$recorded/kutt.csv" --user Nobody

check 'shlink: what is no code here is refused' import 1 shlink "$recorded/shlink.csv"
check 'shlink: tags came along' same "$(sql "SELECT tags FROM links WHERE code = 'a1b2c'")" '{foo,"bar baz"}'
check 'shlink: however the target is written it is there already' import 1 shlink "$recorded/shlink.csv"
check 'shlink: so nothing else is refused' same "$(grep -c ',refused,' "$work/report.csv")" 1

# ---- A code that leads elsewhere

printf 'keyword,url\nozh,https://elsewhere.example/\nnew-one,https://example.com/new\n' >"$work/clash.csv"
check 'a code that is taken is refused' import 1 yourls "$work/clash.csv"
check 'with what it leads to' reported ',1,2,ozh,.*is taken, by a link to http://ozh\.org/'
check 'it still leads there' wait_until 5 leads_to ozh 'http://ozh.org/'
check 'and the next row is made' wait_until 5 leads_to new-one 'https://example.com/new'

# ---- Many rows

{
	echo 'keyword,url,title'
	seq 12000 | awk '{ print "many" $1 "," ($1 % 50 == 0 ? "ftp" : "https") "://example.com/" $1 ",\"Row, " $1 "\n\"" }'
} >"$work/many.csv"
check 'many: 12,000 rows, 240 of them bad' import 1 yourls "$work/many.csv"
check 'many: all others are made' same "$(sql "SELECT count(*) FROM links WHERE code LIKE 'many%'")" 11760
check 'many: each bad one is named' same "$(grep -c ',refused,' "$work/report.csv")" 240
check 'many: by its row and its line' reported '^[^,]*many\.csv,50,100,many50,ftp://example\.com/50,refused,'
check 'many: also the last' reported ',12000,24000,many12000,'
check 'many: it says so' said '12000 rows; 11760 links are there now, 240 refused'
check 'many: again' import 1 yourls "$work/many.csv"
check 'many: nothing is made' said '11760 links are there now (11760 before), 240 refused'

seq 30000 | awk 'BEGIN { print "keyword,url" } { print "stop" $1 ",https://example.com/" $1 }' >"$work/stopped.csv"
begun() { [ "$(sql "SELECT count(*) FROM links WHERE code LIKE 'stop%'")" -gt 0 ]; }
stop_in_the_middle() {
	scripts/import yourls "$work/stopped.csv" --report "$work/report.csv" >"$work/said" 2>&1 &
	local pid=$!
	wait_until 60 begun
	kill -TERM "$pid"
	! wait "$pid"
}
check 'it can be stopped' stop_in_the_middle
check 'and begun again' import 0 yourls "$work/stopped.csv"
check 'then all is there' same "$(sql "SELECT count(*) FROM links WHERE code LIKE 'stop%'")" 30000
check 'no key of it is left that works' same "$(sql "SELECT count(*) FROM api_keys WHERE name = 'import' AND revoked_at IS NULL")" 0

# ---- The predecessor

sed 's/^\([0-9]\),/9000000\1,/' "$recorded/users.csv" >"$work/users.csv"
sed 's/^\([0-9]\),\([0-9]*\),/9000000\1,9000000\2,/; s/^\(9*[0-9]*\),9000000,/\1,,/' "$recorded/urls.csv" >"$work/urls.csv"
sed 's/^\([0-9]\),\([0-9]\),1*,/9000000\1,9000000\2,,/' "$recorded/events.csv" >"$work/events.csv"
check 'predecessor: users, links and events, in whatever order they are named' \
	import 1 predecessor "$work/events.csv" "$work/urls.csv" "$work/users.csv"
check 'predecessor: users keep their ids' same "$(sql 'SELECT username FROM users WHERE id = 90000002')" 'Hopper, Grace'
check 'predecessor: links keep theirs and their owners' same "$(sql "SELECT id, owner FROM links WHERE code = 'Q8Kd2L'")" '90000001|90000001'
check 'predecessor: with their dates' same "$(link Q8Kd2L)" 'https://example.com/q8|Quoted "title"|active|2025-10-09 14:52:14'
check 'predecessor: what was not active leads nowhere' same "$(status "$public/Zz9Zz9")" 404
check 'predecessor: a redirect is a click' wait_until 20 clicks_are Q8Kd2L 1
check 'predecessor: of its own time' same "$(sql "SELECT hour AT TIME ZONE 'UTC' FROM click_hours WHERE link = 90000001")" '2025-10-09 15:00:00'
check 'predecessor: an event without a time is named' reported 'events\.csv,3,5,.*refused,timestamp is no time'
check 'predecessor: again' import 1 predecessor "$work/users.csv" "$work/urls.csv" "$work/events.csv"
check 'predecessor: no click twice' clicks_are Q8Kd2L 1

# Numbers of there that are somebody else's here.
sql "INSERT INTO users (id, username, email) VALUES (90000003, 'native', 'native@example.org');
	INSERT INTO links (id, code, target) VALUES (90000050, 'native', 'https://native.example/');
	INSERT INTO links (code, target) VALUES ('was-here', 'https://example.com/here')" >/dev/null
printf 'id,username,email\n90000001,ada,ada@example.org\n90000003,eve,eve@example.org\n' >"$work/users.csv"
{
	echo 'id,user_id,short_code,original_url'
	echo '90000050,,ozh,https://elsewhere.example/'
	echo '90000051,,was-here,https://example.com/here'
	echo '90000052,90000003,of-eve,https://example.com/eve'
	echo '90000053,90000001,of-ada-too,https://example.com/ada'
} >"$work/urls.csv"
{
	echo 'id,url_id,event_type,timestamp'
	seq 90000050 90000053 | sed 's/.*/&,&,redirect,2025-10-09 15:00:00/'
} >"$work/events.csv"
take() { import 1 predecessor "$work/users.csv" "$work/urls.csv" "$work/events.csv"; }
before=$(links)
check 'predecessor: a user whose id somebody has' take
check 'predecessor: stops it before the links' said 'stopped before the links'
check 'predecessor: is named' reported 'users\.csv,2,3,eve,.*refused,id is taken'
check 'predecessor: and nothing was made' same "$(links)" "$before"
sed -i 's/90000003,eve/90000004,ada/; s/eve@/ada@/' "$work/users.csv"
check 'predecessor: so does one who is here under another id' take
check 'predecessor: and that is said' reported 'users\.csv,2,3,ada,.*refused,user is here under another id'
sed -i 3d "$work/users.csv"
for time in once again; do
	check "predecessor: without them, $time" take
	check 'predecessor: their links are left out' reported 'urls\.csv,3,4,of-eve,.*refused,user 90000003 is none'
	check 'predecessor: and clicks of other links' same "$(grep -c 'events\.csv.*of these files is not here under that id' "$work/report.csv")" 3
	check 'predecessor: no stranger got a click' clicks_are native 0
	check 'predecessor: nor a link that was here' clicks_are was-here 0
	check 'predecessor: the others got theirs, once' clicks_are of-ada-too 1
done
check 'the books agree' scripts/audit

# ---- Other keys

key=$(scripts/admin-key --user 'Ada King' --scopes links:write,links:read)
printf 'keyword,url,timestamp\nof-ada,https://example.com/ada,2020-01-01 00:00:00\n' >"$work/ada.csv"
export LINKSHRINK_KEY=$key
check 'a key of one user may not write dates' import 1 yourls "$work/ada.csv"
check 'and that is said of the row' reported ',1,2,of-ada,.*refused,.*created_at'
check 'without them its owner is the key'"'"'s' import 0 yourls "$work/ada.csv" --no-dates
check 'as it should' same "$(sql "SELECT username FROM links JOIN users ON users.id = owner WHERE code = 'of-ada'")" 'Ada King'
export LINKSHRINK_KEY=ls_1_0
check 'a wrong key is said to be wrong' import 1 yourls "$work/ada.csv"
check 'with the status' said 401
unset LINKSHRINK_KEY

finish
