#!/bin/bash
# The running stack gets another version: its migrations, then its programs, and nobody notices.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/web/lib.sh
. tests/web/lib.sh

loads=()
clean_up() {
	[ "${#loads[@]}" -eq 0 ] || kill "${loads[@]}" 2>/dev/null || true
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

start_loads() {
	"$LINKSHRINK_TESTS/web/load" follow "$LINKSHRINK_PORT" 4 0 <"$work/links" >/dev/null 2>"$work/followed" &
	loads=("$!")
	"$LINKSHRINK_TESTS/web/load" create "$LINKSHRINK_PORT" 2 0 >"$work/made" 2>"$work/created" &
	loads+=("$!")
}
end_loads() {
	kill "${loads[@]}"
	wait "${loads[@]}" || true
	loads=()
}
unfailed() { # file: all answers are of the one good status
	if grep -qx 'failed 0' "$1" && [ "$(grep -c '^status' "$1")" -eq 1 ]; then return 0; fi
	cat "$1"
	return 1
}

"$LINKSHRINK_TESTS/web/load" create "$LINKSHRINK_PORT" 4 100 >"$work/links" 2>/dev/null
all="$(stack_programs | wc -l)"
web=$(noted lighttpd)
check 'all processes are of one version' same "$(versions)" "$all $version"

start_loads
check 'another version takes its place under load' scripts/upgrade
end_loads
check 'no link was not followed' unfailed "$work/followed"
check 'none was not made' unfailed "$work/created"
echo "# $(paste -sd ' ' "$work/followed" "$work/created")"
check 'every process is of it' same "$(versions)" "$all $newer"
check 'the schema, too' sql 'SELECT FROM harmless'
check 'lighttpd is the same' same "$(noted lighttpd)" "$web"
"$LINKSHRINK_TESTS/web/load" follow "$LINKSHRINK_PORT" 4 "$(wc -l <"$work/made")" <"$work/made" 2>"$work/followed"
check 'what was made meanwhile is followed' unfailed "$work/followed"

before=$(stack_programs | sort)
check 'again there is nothing to do' scripts/upgrade
check 'and no process is replaced' same "$(stack_programs | sort)" "$before"

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
