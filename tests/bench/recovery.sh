#!/bin/bash
# How long users and on-call wait until a part that died is back: median and worst of some rounds.
set -eu

usage() {
	cat <<'END'
usage: tests/bench/recovery.sh [--keep-docs] [ROUNDS]

Starts a stack of its own and, in each of ROUNDS (10), kills or stops one part after another and
measures the milliseconds until all is well again. Prints a table and writes it into
docs/operations.md. Nothing else should run beside it.
  --keep-docs    print only
END
}

keep_docs=no
case ${1:-} in
--help | -h) usage; exit 0 ;;
--keep-docs) keep_docs=yes; shift ;;
esac
rounds=${1:-10}
cd "$(dirname "$0")/../.."
# shellcheck source=tests/web/lib.sh
. tests/web/lib.sh
stack_up
trap stack_down EXIT

public=http://127.0.0.1:$LINKSHRINK_PORT
operations=http://127.0.0.1:$LINKSHRINK_OPS_PORT

gives() { [ "$(curl -s -o /dev/null -m 2 -w '%{http_code}' "$2")" = "$1" ]; }
create() {
	curl -s -o /dev/null -m 5 -w "$1" -H 'Content-Type: application/json' \
		-d '{"url":"https://example.com/"}' "$public/shorten"
}
creates() { [ "$(create '%{http_code}')" = 201 ]; }
follows() { gives 302 "$public/known"; }
is_ready() { gives 200 "$operations/ready"; }
gone() { ! kill -0 "$1" 2>/dev/null; }
replaced() { gone "$1" && running redirect 2; }
all_replaced() {
	local pid
	for pid in $1; do gone "$pid" || return 1; done
	running redirect 2
}

milliseconds() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

# measure NAME command…: notes the time from now until the command succeeds
measure() {
	local name=$1 begin
	shift
	begin=$(milliseconds)
	wait_until 60 "$@" || { echo "$name: not within 60 s" >&2; exit 1; }
	echo "$(($(milliseconds) - begin))" >>"$work/$name"
}

settled() { is_ready && running redirect 2 && running shorten 2 && creates && follows; }

curl -sf -o /dev/null -H 'Content-Type: application/json' \
	-d '{"url":"https://example.com/","short_code":"known"}' "$public/shorten"
for _ in $(seq "$rounds"); do
	wait_until 30 settled
	old=$(stack_programs)
	kill -9 "$(noted lighttpd)"
	measure lighttpd_killed follows
	for pid in $old; do measure old_generation_gone gone "$pid"; done
	wait_until 30 settled
	pid=$(stack_programs redirect | head -n 1)
	kill -9 "$pid"
	measure worker_killed_followed follows
	measure worker_killed_replaced running redirect 2
	wait_until 30 settled
	pids=$(stack_programs redirect)
	# shellcheck disable=SC2086 # pids are words
	kill -9 $pids
	measure all_workers_killed follows
	wait_until 30 settled
	pid=$(stack_programs redirect | head -n 1)
	kill -STOP "$pid"
	measure worker_stopped_replaced replaced "$pid"
	wait_until 30 settled
	pids=$(stack_programs redirect)
	# shellcheck disable=SC2086
	kill -STOP $pids
	measure all_workers_stopped_replaced all_replaced "$pids"
	wait_until 30 settled
	kill -9 "$(noted postgresql)"
	measure postgresql_killed creates
	wait_until 30 settled
	pids=$(stack_postgres)
	# shellcheck disable=SC2086
	kill -STOP $pids
	create '%{time_total}\n' | awk '{ print int($1 * 1000) }' >>"$work/shorten_503_postgresql_stopped"
	# shellcheck disable=SC2086
	kill -CONT $pids
	measure postgresql_continued creates
done

report() {
	echo
	echo "| after | median ms | worst ms | of |"
	echo "| --- | --- | --- | --- |"
	for name in lighttpd_killed old_generation_gone worker_killed_followed worker_killed_replaced \
		all_workers_killed worker_stopped_replaced all_workers_stopped_replaced postgresql_killed \
		shorten_503_postgresql_stopped postgresql_continued; do
		sort -n "$work/$name" | awk -v name="${name//_/ }" '{ value[NR] = $1 }
			END { printf "| %s | %d | %d | %d |\n", name, value[int((NR + 1) / 2)], value[NR], NR }'
	done
	echo
}

report | tee "$work/table"
[ "$keep_docs" = yes ] || tests/bench/into-docs recovery <"$work/table"
