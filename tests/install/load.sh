# People who make and follow links on the machine of container.sh. Sourced after it; boot has to bind
# $LINKSHRINK_TESTS/torture to /mnt/torture, and $work/results to /mnt/results. Then:
#
#   under_load NAME command…   the command, while 100 requests a second come by HTTP, of which every
#                              tenth makes a link; what became of them is in $work/results/NAME
#   score NAME                 how many there were, and how many failed
#   unfailed NAME              whether none did; else which
# shellcheck shell=bash disable=SC2154 # variables of tests/web/lib.sh

make --no-print-directory torture-programs >/dev/null
mkdir "$work/results"

under_load() {
	local name=$1 load status=0
	shift
	mkdir "$work/results/$name"
	inside /mnt/torture/load run 8080 64 100 "$RANDOM" "/mnt/results/$name" </dev/null &
	load=$!
	wait_until 10 test -s "$work/results/$name/seconds" || true
	"$@" || status=$?
	inside pkill -TERM -x load || true
	wait "$load" || true
	return "$status"
}

score() {
	awk '{ good += $2 + $4; bad += $3 + $5 } END { print good + bad " requests in " NR " s, " bad + 0 " failed" }' "$work/results/$1/seconds"
}

unfailed() {
	if [[ $(score "$1") == *' 0 failed' ]] && [ ! -s "$work/results/$1/events" ]; then return 0; fi
	score "$1"
	head -n 5 "$work/results/$1/events"
	return 1
}
