#!/bin/bash
# Holds target_url against the URL parser of browsers, as Node has it.
set -eu

case "${1:-}" in
--help | -h)
	echo 'usage: tests/fuzz/test_browser_urls.sh'
	echo 'Needs node (skipped without it) and $LINKSHRINK_TESTS/fuzz/read_urls.'
	echo 'COUNT=N compares N made-up URLs (25000), SEED=N others than usual.'
	exit 0
	;;
esac
cd "$(dirname "$0")/../.."

if ! command -v node >/dev/null; then
	echo 'ok - target_url leads where browsers go # skip: node is not installed'
	exit 0
fi
exec node tests/fuzz/browser_urls.mjs "${LINKSHRINK_TESTS:-build/tests}/fuzz/read_urls"
