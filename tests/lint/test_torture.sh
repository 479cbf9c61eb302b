#!/bin/bash
# The judge of a torture must notice what is wrong, and its dice must be honest. No stack is needed.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/report.sh
. tests/report.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# ---- The books

printf '%s https://example.com/%s\n' good 1 lost 2 moved 3 less 4 more 5 uncertain 6 rows 7 >"$work/acknowledged"
printf '%s %s %s\n' good 5 0 lost 3 0 moved 1 0 less 5 9 more 5 1 uncertain 5 2 rows 2 0 >"$work/clicks"
printf '%s\thttps://example.com/%s\t%s\t%s\n' good 1 5 5 moved 9 1 1 less 4 3 3 more 5 7 7 \
	uncertain 6 7 7 rows 7 2 1 unasked 8 0 0 stray 9 1 1 >"$work/stored"
sums=$(awk -f tests/torture/books.awk -v differences="$work/differences" \
	file=acknowledged "$work/acknowledged" file=clicks "$work/clicks" file=stored "$work/stored")
check 'lost links, missing clicks and those counted twice are told apart' same \
	"$(echo "$sums" | tr '\n' ' ')" \
	'links 7 lost 1 retargeted 1 unasked 2 acknowledged 26 unknown 12 counted 26 missing 5 surplus 2 rows 1 '
check 'and named' same "$(sort "$work/differences" | cut -d ' ' -f 1,2)" \
	"$(printf '%s\n' 'lost lost' 'missing less' 'retargeted moved' 'rows rows' 'surplus more' 'surplus stray')"

# ---- Counters

page() { # created requests bucket gauge
	printf 'linkshrink_segment_created_timestamp_seconds %s\n' "$1"
	printf 'some_requests_total{handler="a",code="200"} %s\n' "$2"
	printf 'some_seconds_bucket{le="0.1"} %s\nsome_gauge %s\n' "$3" "$4"
}
backwards() { awk -v now=now -f tests/torture/backwards.awk "$work/old" "$work/new"; }
page 1 1000 9 5 >"$work/old"
page 1 1000 10 4 >"$work/new"
check 'counters may stand still or grow, gauges may fall' same "$(backwards)" ''
page 1 999 8 5 >"$work/new"
check 'a counter that falls is named' same "$(backwards)" \
	"$(printf '%s\n' 'now some_requests_total{handler="a",code="200"} from 1000 to 999' \
		'now some_seconds_bucket{le="0.1"} from 9 to 8')"
page 2 0 0 0 >"$work/new"
check 'in another segment they begin at 0' same "$(backwards)" ''

# ---- Dice

# shellcheck disable=SC2034,SC2329 # used by what is sourced
faults() ( # seed: the faults and pauses that come of it, without a stack
	results=$work SEED=$1 FAULTS=
	. tests/torture/faults.sh
	strike() { echo "$*"; }
	pause() { echo "pause $1"; now=$((now + $1)); }
	milliseconds() { now=${now:-0}; }
	inject_for 60
)
check 'the same seed brings the same faults' same "$(faults 7)" "$(faults 7)"
if [ "$(faults 7)" = "$(faults 8)" ]; then fewer=same; else fewer=others; fi
check 'another seed brings others' same "$fewer" others
check 'in ten minutes all kinds come' same "$(for seed in 1 2 3 4 5 6 7 8 9 10; do faults $seed; done |
	grep -v '^pause' | cut -d ' ' -f 1 | sort -u)" "$(tests/torture/run --list | sort)"

# ---- Planted bugs

tests/torture/plant --check || failures=1
finish
