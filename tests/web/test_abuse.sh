#!/bin/bash
# What an operator does against abuse, on a running stack: a host is blocked and let go again, links
# are disabled and enabled again, and nothing else is touched.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/web/lib.sh
. tests/web/lib.sh

export LINKSHRINK_BLOCKLIST=$work/blocked
echo '# nothing yet' >"$LINKSHRINK_BLOCKLIST"
chmod 644 "$LINKSHRINK_BLOCKLIST"
stack_up
trap stack_down EXIT

public=http://127.0.0.1:$LINKSHRINK_PORT
log=$LINKSHRINK_VAR/log/linkshrink.log
repo=$PWD

# Where what was disabled is noted, if nothing else is said.
disable() { (cd "$work" && "$repo/scripts/disable-links" "$@"); }

# Who has read the list since a line of the log.
readers() { tail -n "+$(($1 + 1))" "$log" | grep '"blocklist_loaded"' | grep -o '"pid":[0-9]*' | sort -u | grep -c .; }
all_read() { [ "$(readers "$mark")" -eq "$everybody" ]; }

# block LINE…: the list is this now
block() {
	mark=$(wc -l <"$log")
	printf '%s\n' '# by the test' "$@" >"$work/fresh"
	chmod 644 "$work/fresh"
	mv "$work/fresh" "$LINKSHRINK_BLOCKLIST"
}

shorten() { # URL [curl options…]: its status; the answer is in $work/body
	local url=$1
	shift
	status -H 'Content-Type: application/json' "$@" -d "{\"url\":\"$url\"}" "$public/shorten"
}

# make_links NAME HOST [curl options…]: twenty of them; their codes are in $work/NAME
make_links() {
	local name=$1 host=$2 i
	shift 2
	for i in $(seq 20); do
		shorten "https://$host/$name/$i" "$@" >/dev/null
		grep -o '"short_code":"[^"]*' "$work/body" | cut -d '"' -f 4
	done >"$work/$name"
	[ "$(grep -c . "$work/$name")" -eq 20 ]
}

# all NAME STATUS: each of these links answers so
all() {
	local code got
	while read -r code; do
		got=$(status "$public/$code")
		[ "$got" = "$2" ] || { echo "$code of $1 answers $got"; return 1; }
	done <"$work/$1"
}
soon() { wait_until 5 all "$@" >/dev/null || all "$@"; } # said to be within 2 s; the rest is for slow machines

answers() { [ "$(status "$public/$1")" = "$2" ]; }
creating() { # URL STATUS
	[ "$(shorten "$1")" = "$2" ]
}
is() { [ "$(metric "$1")" = "$2" ]; }
stored='linkshrink_blocked_total{when="stored"}'
followed='linkshrink_blocked_total{when="followed"}'
not_followed() { # all twenty, and each is counted
	local before
	before=$(metric "$followed")
	all evil 410 && is "$followed" $((before + 20))
}
everybody=$(readers 0 || true)
check "every process that reads targets has read the list" test "$everybody" -ge 4

check 'links to three hosts are made' eval \
	'make_links evil evil.example && make_links below www.evil.example && make_links good devil.example'
check 'and all are followed' eval 'all evil 302 && all below 302 && all good 302'
check 'nothing is blocked' eval 'is linkshrink_blocklist_hosts 0 && is linkshrink_blocklist_unreadable 0'

# ---- The list

block evil.example 'b\xfccher.example' '203.0.113.7 # an address'
check 'every process that reads targets takes up a change' wait_until 5 all_read
check 'a host that is put on the list is not followed any more' all evil 410
check 'nor is one below it' all below 410
check 'others are' all good 302
check 'the answer says why' eval 'status "$public/$(head -n 1 "$work/evil")" >/dev/null && grep -q "\"url is blocked\"" "$work/body"'
check 'and to a browser in words' eval \
	'status -H "Accept: text/html" "$public/$(head -n 1 "$work/evil")" >/dev/null && grep -q "This link is blocked" "$work/body"'
check 'no preview leads there' same "$(status "$public/$(head -n 1 "$work/evil")+")" 410
check 'and no QR code' same "$(status "$public/$(head -n 1 "$work/evil").qr")" 410
check 'a link to it cannot be made' creating https://evil.example/new 400
check 'and the answer says why' grep -q 'leads to a host that is blocked here' "$work/body"
check 'nor one to a host below, in other letters and with a port' creating https://A.EVIL.example.:8443/x 400
check 'nor one to an address by another spelling' creating 'http://[::ffff:203.0.113.7]/' 400
operator=$(scripts/admin-key --name test)
api() { status -H "Authorization: Bearer $operator" "$@"; }
check 'nor by the API' same "$(api -H 'Content-Type: application/json' -d '{"original_url":"https://evil.example/"}' "$public/urls")" 400
check 'nor in bulk' eval 'api -H "Content-Type: text/csv" --data-binary $'\''original_url\nhttps://evil.example/\n'\'' "$public/urls/bulk" >/dev/null &&
	grep -q "\"created\":0,\"skipped\":1.*is blocked here" "$work/body"'
check 'one to another host can' creating https://devil.example/new 201
check 'two hosts are on the list' is linkshrink_blocklist_hosts 2
check 'and one line is bad' is linkshrink_blocklist_bad_lines 1
check 'the log says which' grep -q '"event":"blocklist_line_skipped".*"line":3' "$log"
check 'what was refused is counted' test "$(metric "$stored")" -ge 3
check 'and what was not followed' not_followed

mv "$LINKSHRINK_BLOCKLIST" "$work/away"
check 'a list that is gone is missed' wait_until 5 is linkshrink_blocklist_unreadable 1
check 'and works on' eval 'all evil 410 && creating https://evil.example/new 400'
mv "$work/away" "$LINKSHRINK_BLOCKLIST"
check 'until it is back' wait_until 5 is linkshrink_blocklist_unreadable 0

block 203.0.113.7
check 'every process takes it up when a host is taken off' wait_until 5 all_read
check 'then it is followed again' all evil 302
check 'and one below it' all below 302
check 'and links to it can be made' creating https://evil.example/new 201
check 'its links were active all the time' same "$(sql "SELECT count(*) FROM links WHERE state <> 'active'")" 0

# ---- Links of a host

exits() { # STATUS command…
	local want=$1 got=0
	shift
	"$@" >"$work/said" 2>&1 || got=$?
	[ "$got" -eq "$want" ] || { echo "# status $got, wanted $want"; cat "$work/said"; return 1; }
}
says() { grep -q "$1" "$work/said" || { cat "$work/said"; return 1; }; }

sql "INSERT INTO links (code, target) VALUES ('host-port', 'http://evil.example:8080/'),
	('host-deep', 'https://a.b.evil.example/?q'), ('not-below', 'https://evil.example.com/'),
	('not-path', 'https://good.example/evil.example/'), ('not-query', 'https://good.example/?u=.evil.example'),
	('not-port', 'https://good.example:81/evil.example'), ('six', 'http://[2001:db8::7]/'),
	('six-port', 'http://[2001:db8::7]:81/'), ('not-six', 'http://[2001:db8::77]/')"
sql "INSERT INTO links (code, target, state) VALUES ('was-off', 'https://evil.example/', 'disabled'),
	('was-gone', 'https://evil.example/', 'deleted')"
states() { sql "SELECT state FROM links WHERE code = '$1'"; }
count=43 # twenty, twenty below, one that was made above, two of these

check 'a dry run counts' eval 'exits 0 disable --host evil.example --dry-run && says "^$count links; nothing was changed"'
check 'and changes nothing' all evil 302
check 'the links to a host are disabled' exits 0 disable --host EVIL.example. --reason 'phishing, "42"' --save "$work/first"
check 'those with a port and in deep names, too' says "^links disabled: $count"
check 'they are not followed' soon evil 404
check 'those below neither' soon below 404
check 'others are' all good 302
check 'what only looks like it is as it was' same \
	"$(sql "SELECT count(*) FROM links WHERE code LIKE 'not-%' AND state = 'active'")" 5
check 'the version tells of the change' same "$(sql "SELECT version FROM links WHERE code = '$(head -n 1 "$work/evil")'")" 2
check 'each has its event' same "$(sql "SELECT count(DISTINCT link) FROM events WHERE type = 'updated'
	AND details = '{\"fields\": [\"is_active\"], \"is_active\": false, \"reason\": \"phishing, \\\"42\\\"\"}'")" "$count"
check 'and stands in the file' same "$(sort "$work/first" | cut -d ' ' -f 1 | grep -cxF -f "$work/evil")" 20
check 'once more there is nothing to do' eval 'exits 0 disable --host evil.example --save "$work/again" && says "^links disabled: 0"'
check 'and no file is left' test ! -e "$work/again"
check 'an address is a host' eval 'exits 0 disable --host 2001:DB8:0::7 --save "$work/six" && says "^links disabled: 2"'

# One link was changed by somebody else meanwhile, and one enabled and disabled again.
sql "UPDATE links SET title = 'x', version = version + 1, updated_at = now() WHERE code = 'host-port'"
check 'who has the file takes it back' eval 'exits 1 disable --enable "$work/first" && says "^links enabled: $((count - 1))"'
check 'the links are followed again' soon evil 302
check 'but for the one that was changed since' same "$(states host-port)" disabled
check 'what was off before is off' same "$(states was-off) $(states was-gone)" 'disabled deleted'
check 'that has its event as well' same \
	"$(sql "SELECT count(*) FROM events WHERE type = 'updated' AND details = '{\"fields\": [\"is_active\"], \"is_active\": true}'")" $((count - 1))

# ---- Of an owner, and one

sql "INSERT INTO users (username, email) VALUES ('mal', 'mal@x'), ('ann', 'ann@x')"
key() { scripts/admin-key --user "$1" --scopes links:write; }
make_links mal shared.example -H "Authorization: Bearer $(key mal)"
make_links ann shared.example -H "Authorization: Bearer $(key ann)"
check 'the links of an account are disabled' eval 'exits 0 disable --user mal && says "^links disabled: 20"'
check 'and not followed' soon mal 404
check 'those of another to the same host are' all ann 302
check 'what was disabled is noted by itself' eval '[ "$(cat "$work"/disabled-links.*Z | cut -d " " -f 1 | sort)" = "$(sort "$work/mal")" ]'
check 'one link is disabled by its code' eval 'exits 0 disable --code "$(head -n 1 "$work/ann")" --save "$work/one" && says "^links disabled: 1"'
check 'and only that' eval 'wait_until 5 answers "$(head -n 1 "$work/ann")" 404 && [ "$(status "$public/$(tail -n 1 "$work/ann")")" = 302 ]'

# ---- Many

sql "INSERT INTO links (code, target) SELECT 'many-' || n, 'https://many.example/' || n FROM generate_series(1, 2500) AS n"
pieces() { sql "SELECT count(DISTINCT xmin::text) FROM links WHERE target LIKE 'https://many.%' AND state = 'disabled'"; }
disabled() { sql "SELECT count(*) FROM links WHERE target LIKE 'https://many.%' AND state = 'disabled'"; }
# Somebody holds one link of the second piece; so the first is done, and the second waits.
PGAPPNAME=holder sql "BEGIN; UPDATE links SET title = 'held' WHERE code = 'many-1500'; SELECT pg_sleep(60); ROLLBACK" >/dev/null 2>&1 &
holds() { [ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'holder' AND wait_event = 'PgSleep'")" -gt 0 ]; }
wait_until 10 holds
env --default-signal=INT setsid "$repo/scripts/disable-links" --host many.example --save "$work/many" >"$work/many.said" 2>&1 &
many=$!
first_is_done() { [ "$(disabled)" -ge 1000 ] && [ "$(grep -c . "$work/many")" -ge 1000 ]; }
check 'the first piece is done and noted while the second waits' wait_until 15 first_is_done
kill -INT -- "-$many"
stopped=0
wait "$many" || stopped=$?
check 'it can be interrupted' same "$stopped" 1
check 'and has noted what it did' same "$(sql "SELECT code FROM links WHERE target LIKE 'https://many.%' AND state = 'disabled' ORDER BY code")" \
	"$(cut -d ' ' -f 1 "$work/many" | LC_ALL=C sort)"
sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'holder'" >/dev/null
check 'run again it does the rest' eval 'exits 0 disable --host many.example --save "$work/more" && says "^links disabled: 1500"'
check 'no transaction had more than 1,000 links' same "$(disabled) $(pieces)" '2500 3'

# ---- Wrong usage

check 'help' eval 'exits 0 disable --help && says ^usage'
check 'it asks which links' exits 2 disable
check 'one way at a time' exits 2 disable --host a.example --user mal
check 'an account that is not there' exits 2 disable --user nobody
check 'a code that is not there' exits 2 disable --code not-there
check 'a host that is none' exits 2 disable --host 'https://evil.example/'
check 'a file that has something else' exits 2 disable --enable "$work/ann"
check 'a file that exists is not written over' eval 'exits 2 disable --host evil.example --save "$work/first" && says "first, or it exists"'
check 'a quote in a name is a quote' exits 2 disable --user "x' OR true --"
finish
