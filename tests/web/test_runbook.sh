#!/bin/bash
# Every command of the runbook, on a running stack with its monitoring: each works, takes less than
# a minute, and changes nothing.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/web/lib.sh
. tests/web/lib.sh

# The fenced commands, each in a file; "file section part" on standard output. The first one, before
# any section, says where things are.
fences() {
	awk -v directory="$work/commands" '
	BEGIN { section = "head"; part = "settings" }
	/^## / { section = $2 }
	match($0, /^\*\*[A-Z][a-z ]+\*\*/) { part = tolower(substr($0, 3, RLENGTH - 4)) }
	/^```sh$/ { file = directory "/" ++n; print file, section, part; next }
	/^```$/ { close(file); file = ""; next }
	file != "" { print >file }' docs/runbook.md
}

# 1 is "no line was found", or a doctor who has something to say. The same command runs once.
works() { # FILE
	local said code=0 key
	key=$(sha256sum <"$1" | cut -d ' ' -f 1)
	[ ! -e "$work/commands/$key" ] || return 0
	said=$(timeout 60 bash "$1" 2>&1 </dev/null) || code=$?
	if [ "$code" -gt 1 ] || grep -qE "^$1: |No such file|\"status\":\"error\"|\"type\":\"about:blank\"|nvalid option" <<<"$said"; then
		printf 'status %s of\n' "$code"
		cat "$1"
		printf 'which said\n%s\n' "$said"
		return 1
	fi
	touch "$work/commands/$key"
}

processes() { stack_programs | sort; stack_postgres | head -n 1; noted prometheus; noted alertmanager; }
answers() { curl -s "http://127.0.0.1:$LINKSHRINK_OPS_PORT/prometheus/api/v1/query?query=up" | grep -q probe; }

trap stack_down EXIT
export LINKSHRINK_MONITORING=yes
LINKSHRINK_MONITORING_PORT=$(free_block 7)
export LINKSHRINK_MONITORING_PORT
stack_up
check 'Prometheus has looked' wait_until 30 answers
mkdir "$work/commands"
fences >"$work/list"
read -r file section _ <"$work/list"
same "$section" head
# shellcheck source=/dev/null
. "$file"
before=$(processes)
while read -r file section part; do
	if grep -q scripts/test-alert "$file" && [ ! -x scripts/test-alert ]; then
		echo "ok - $section: $part # skip there is no scripts/test-alert yet"
		continue
	fi
	check "$section: $part" works "$file"
done < <(grep -v ' head ' "$work/list")
check 'and all that ran before runs on' same "$(processes)" "$before"
check 'and users are served' same "$(status "$OPS/ready")" 200
finish
