#!/bin/bash
# The page and the pages of programs as people see them: headless Chromium on a real stack.
set -eu

case "${1:-}" in --help | -h) echo 'usage: tests/browser/test_page.sh'; exit 0 ;; esac
cd "$(dirname "$0")/../.."

# Nothing but these tests needs Node: who has none is told so, and the run goes on.
skip() {
	echo "ok - the page in a browser # SKIP $1"
	exit 0
}

chromium=${CHROMIUM:-/usr/bin/chromium}
for program in node npm "$chromium"; do
	command -v "$program" >/dev/null || skip "$program is missing: apt-get install nodejs npm chromium"
done
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 18 ] || skip 'Node is older than 18'

install_driver() {
	local folder=tests/browser
	[ ! "$folder/node_modules/.package-lock.json" -nt "$folder/package-lock.json" ] || return 0
	# A registry may be out for a moment: three tries, less than SUITE_SECONDS together.
	for _ in 1 2 3; do
		(cd "$folder" && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 timeout 60 npm ci --silent) && return 0
	done
	return 1
}
if ! install_driver; then
	# A CI that tries nothing must not look as if it had.
	[ "${CI:-}" != true ] || { echo 'not ok - npm fetches playwright-core'; exit 1; }
	skip 'npm could not fetch playwright-core; is there a network?'
fi

. tests/web/lib.sh

# What is shown must not depend on what else runs on the machine; one worker draws enough.
export LINKSHRINK_ANONYMOUS_CREATE=yes
stack_up
trap stack_down EXIT

drive() { # part
	BASE=http://127.0.0.1:$LINKSHRINK_PORT CHROMIUM=$chromium WORK=$work \
		timeout 120 node tests/browser/page.mjs "$@" || failures=$((failures + 1))
}

expired=$(sql "INSERT INTO links (code, target, valid_until)
	VALUES ('long-over', 'https://example.com/', now() - interval '1 day') RETURNING code")
EXPIRED=$expired drive open

clicks_before=$(metric linkshrink_clicks_total)
drive looking
check 'looking at previews and QR codes is no click' test "$(metric linkshrink_clicks_total)" = "$clicks_before"

export LINKSHRINK_ANONYMOUS_CREATE=no
stack_restart
KEY=$(scripts/admin-key) WEAK_KEY=$(scripts/admin-key --scopes links:read) drive closed

export LINKSHRINK_ANONYMOUS_CREATE=yes LINKSHRINK_RATE_CREATE=2
stack_restart
drive limited

finish
