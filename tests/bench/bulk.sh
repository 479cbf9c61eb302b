#!/bin/bash
# A million rows in and out through the real stack: rows a second, and the memory of the program bulk.
# shellcheck disable=SC2031 # lib.sh has subshells that set the same names
set -euo pipefail

case ${1:-} in
--help | -h)
	echo 'usage: tests/bench/bulk.sh [--keep-docs]'
	echo 'ROWS=1000000 of users, links and events, in files of at most 8 MiB; then all links out.'
	exit 0
	;;
esac
cd "$(dirname "$0")/../.."
# shellcheck source=tests/bench/lib.sh
. tests/bench/lib.sh

rows=${ROWS:-1000000}
export LINKSHRINK_RATE_API=0
bench_begin
key=$(scripts/admin-key)

# piece KIND FIRST LAST: CSV of those rows
piece() {
	seq "$2" "$3" | case $1 in
	users) awk 'BEGIN { print "username,email" } { printf "user%d,user%d@example.org\n", $1, $1 }' ;;
	urls) awk -v users="$rows" 'BEGIN { print "user_id,original_url,title" }
		{ printf "%d,https://www.example.com/shop/%d?from=mail,Offer %d\n", $1 % users + 1, $1, $1 }' ;;
	events) awk -v links="$rows" 'BEGIN { print "url_id,event_type,timestamp" }
		{ printf "%d,shared,2026-01-%02d 12:00:00\n", $1 % links + 1, $1 % 28 + 1 }' ;;
	esac
}

largest() { # resident KiB of the largest process of bulk
	local pid most=0 size
	for pid in $(stack_programs bulk); do
		size=$(awk '$1 == "Pss:" { print $2 }' "/proc/$pid/smaps_rollup" 2>/dev/null || echo 0)
		[ "$size" -le "$most" ] || most=$size
	done
	echo "$most"
}

# take_in KIND: all rows, 100,000 in a file; "seconds created" to $work/KIND
take_in() {
	local first last began=$EPOCHREALTIME created=0 answer spent=0
	for ((first = 1; first <= rows; first += 100000)); do
		last=$((first + 99999 < rows ? first + 99999 : rows))
		piece "$1" "$first" "$last" >"$work/piece"
		began=${EPOCHREALTIME/[.,]/}
		answer=$(curl -s --max-time 120 -H "Authorization: Bearer $key" -H 'Content-Type: text/csv' \
			--data-binary @"$work/piece" "http://127.0.0.1:$LINKSHRINK_PORT/$1/bulk")
		spent=$((spent + ${EPOCHREALTIME/[.,]/} - began))
		created=$((created + $(jq .created <<<"$answer" || echo 0)))
	done
	echo "$spent $created" >"$work/$1"
	largest >"$work/$1.kib"
}

largest >"$work/idle.kib"
printf '\n| | rows | rows/s | memory of bulk, KiB |\n| --- | --- | --- | --- |\n| before | | | %s |\n' \
	"$(cat "$work/idle.kib")" >"$work/table"
for kind in users urls events; do
	say "$kind in"
	take_in "$kind"
	read -r spent created <"$work/$kind"
	rate=$((created * 1000000 / spent))
	printf '| %s in | %s | %s | %s |\n' "$kind" "$created" "$rate" "$(cat "$work/$kind.kib")" >>"$work/table"
	bar "$kind by /$kind/bulk" "$rate" least 50000 'rows/s'
done
say 'links out'
began=${EPOCHREALTIME/[.,]/}
out=$(curl -s --max-time 600 -H "Authorization: Bearer $key" "http://127.0.0.1:$LINKSHRINK_PORT/urls/export" | wc -l)
spent=$((${EPOCHREALTIME/[.,]/} - began))
printf '| links out | %s | %s | %s |\n\n' "$((out - 1))" $(((out - 1) * 1000000 / spent)) "$(largest)" >>"$work/table"
bar 'memory of bulk after a million rows out, beyond before' \
	$((($(largest) - $(cat "$work/idle.kib")) / 1024)) most 8 MiB
cat "$work/table"
[ "${1:-}" = --keep-docs ] || tests/bench/into-docs bulk <"$work/table"
