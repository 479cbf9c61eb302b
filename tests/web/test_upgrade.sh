#!/bin/bash
# The running stack gets another version: its migrations, then its programs, and nobody notices.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/web/lib.sh
. tests/web/lib.sh

load=
clean_up() {
	[ -z "$load" ] || kill "$load" 2>/dev/null || true
	stack_down
}
stack_up
trap clean_up EXIT

# The programs as another version that was built elsewhere, and one migration more.
version=$("$LINKSHRINK_BIN/redirect" --version)
newer=${version%?}$(((${version: -1} + 1) % 10))
export LINKSHRINK_BIN_BEFORE=$LINKSHRINK_BIN LINKSHRINK_BIN=$work/bin MIGRATIONS=$work/migrations
cp -r "$LINKSHRINK_BIN_BEFORE" "$LINKSHRINK_BIN"
LC_ALL=C sed -i "s/${version//./\\.}/$newer/g" "$LINKSHRINK_BIN"/*
cp -r db/migrations "$MIGRATIONS"
next=$(printf %04d $(($(find "$MIGRATIONS" -name '*.sql' | wc -l) + 1)))
echo 'CREATE TABLE harmless (n integer);' >"$MIGRATIONS/${next}_harmless.sql"

# What each process itself says, from the file that it runs, which may have no name any more.
versions() {
	local process
	for process in $(stack_programs); do "/proc/$process/exe" --version; done | sort | uniq -c | sed 's/^ *//'
}
ready() { [ "$(status "http://127.0.0.1:$LINKSHRINK_OPS_PORT/ready")" = 200 ]; }

# Requests of people, who do not wait for each other: every tenth makes a link. More would only show what
# two processors cannot do.
start_load() {
	mkdir "$work/score"
	"$LINKSHRINK_TESTS/torture/load" run "$LINKSHRINK_PORT" 64 300 7 "$work/score" &
	load=$!
	wait_until 10 test -s "$work/score/seconds" || true
}
end_load() {
	kill "$load"
	wait "$load" || true
	load=
}
score() { awk '{ good += $2 + $4; bad += $3 + $5 } END { print good + bad " requests, " bad + 0 " failed" }' "$work/score/seconds"; }
unfailed() {
	if [[ $(score) == *' 0 failed' ]] && [ ! -s "$work/score/events" ]; then return 0; fi
	score
	head -n 5 "$work/score/events"
	return 1
}

"$LINKSHRINK_TESTS/web/load" create "$LINKSHRINK_PORT" 4 100 >"$work/links" 2>/dev/null
all="$(stack_programs | wc -l)"
web=$(noted lighttpd)
check 'all processes are of one version' same "$(versions)" "$all $version"

start_load
check 'another version takes its place under load' scripts/upgrade
end_load
check 'no request failed' unfailed
echo "# $(score)"
check 'every process is of it' same "$(versions)" "$all $newer"
check 'the schema, too' sql 'SELECT FROM harmless'
check 'lighttpd is the same' same "$(noted lighttpd)" "$web"
cut -d ' ' -f 2,3 "$work/score/links" >"$work/made"
check 'what was made meanwhile is followed' "$LINKSHRINK_TESTS/torture/load" verify "$LINKSHRINK_PORT" 8 <"$work/made"

before=$(stack_programs | sort)
check 'again there is nothing to do' scripts/upgrade
check 'and no process is replaced' same "$(stack_programs | sort)" "$before"

# ---- Whether a program could start, as linkshrink upgrade asks

could_start() { # program [parameters]: of the connection
	local url
	url=$(cat "$LINKSHRINK_VAR/run/owner.url")${2:-}
	env "LINKSHRINK_DATABASE_URL=$url" "LINKSHRINK_INGEST_URL=$url" "LINKSHRINK_BASE_URL=http://127.0.0.1:$LINKSHRINK_PORT" \
		"LINKSHRINK_REPLICA=$work/none" "LINKSHRINK_SPOOL=$work/none" "$LINKSHRINK_BIN/$1" --check-start 2>&1
}
each_could_start() {
	local program
	for program in "$LINKSHRINK_BIN"/*; do
		could_start "${program##*/}" || { echo "$program could not"; return 1; }
	done
}
check 'each program could start' each_could_start
check 'and has served nobody for that' same "$(stack_programs | sort)" "$before"
check 'none where the schema is missing' fails_with -F schema_too_old could_start redirect '&options=-csearch_path%3Dpg_catalog'
check 'nor with settings that are wrong' env LINKSHRINK_NODE=none bash -c '! "$0" --check-start 2>/dev/null' "$LINKSHRINK_BIN/redirect"

# ---- What does not work

echo 'SELECT 1 / 0;' >"$MIGRATIONS/$(printf %04d $((10#$next + 1)))_bad.sql"
cp "$LINKSHRINK_BIN_BEFORE/redirect" "$LINKSHRINK_BIN/redirect"
check 'a migration that fails is the end of it' fails_with -F 'division by zero' scripts/upgrade
check 'and no process is replaced' same "$(stack_programs | sort)" "$before"
rm "$MIGRATIONS"/*_bad.sql

printf '#!/bin/sh\nexit 1\n' >"$LINKSHRINK_BIN/system"
check 'a program that does not start is noticed' fails_with -F 'no successor that serves' scripts/upgrade
check 'before any other is replaced' same "$(versions | grep -c "$version")" 0
check 'links are followed' same "$(status "http://127.0.0.1:$LINKSHRINK_PORT/$(head -n 1 "$work/links" | cut -d ' ' -f 1)")" 302
LINKSHRINK_BIN=$LINKSHRINK_BIN_BEFORE
check 'the version before takes its place, beside the newer schema' scripts/upgrade
check 'with every process' same "$(versions)" "$all $version"

printf '\n# another one\n' >>"$LINKSHRINK_VAR/app/lighttpd.conf"
check 'another lighttpd.conf needs another lighttpd' scripts/upgrade
check 'which runs' test "$(noted lighttpd)" != "$web"
check 'and is ready' wait_until 10 ready
check 'with every process' same "$(versions)" "$all $version"

scripts/stack down >/dev/null
check 'where nothing runs it says so' fails_with -F 'no stack runs' scripts/upgrade
check 'a package is not for a checkout' fails_with -F 'usage:' scripts/upgrade some.deb
finish
