# promtool, and what its tests of rules are run with. Sourced by suites after tests/report.sh, as bash:
#
#   $work        a directory of the suite's own
#   have_room    waits until there is a processor for one more in the background
# shellcheck shell=bash

if ! command -v promtool >/dev/null; then
	echo 'ok - rules # skip promtool (package prometheus) is not installed'
	exit 0
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/linkshrink-rules.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 143' TERM INT

# Each computes for seconds: only as many at once as there are processors, one of them for each; and
# memory is cheaper.
export GOGC=400 GOMAXPROCS=1
have_room() { while [ "$(jobs -pr | wc -l)" -ge "$(nproc)" ]; do wait -n || true; done; }
