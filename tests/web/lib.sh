# What the tests of the running system share. Sourced from the root of the repository; then:
#
#   check, ok, not_ok, nothing, same, fails_with, finish     see tests/report.sh
#   wait_until SECONDS command…  until it succeeds; fails when the time is up
#   free_port                    a port that nobody listens on
#   free_block COUNT             the first of so many in a row
#   stack_up, stack_down         a stack of the test's own, on free ports, in $LINKSHRINK_VAR; gone after
#   stack_restart                the same again, with the settings as they are now
#   stack_programs [NAME]        pids of its programs, one a line
#   stack_postgres               pids of all of its PostgreSQL, one a line
#   alive NAME COUNT             whether that many processes of a program exist
#   running NAME COUNT           likewise, and none of them is stopped
#   nothing_runs_in DIRECTORY    whether no process runs from there, and which does if not
#   routes                       of all programs, as their --routes prints them
#   sql STATEMENT                what its database answers
#   metric SERIES                its value on the page of metrics
#   status [curl options…] URL   the status; the answer is in $work/body and $work/head
#
# $work is a directory that is gone after stack_down.
# shellcheck shell=bash

# shellcheck source=tests/report.sh
. tests/report.sh

LINKSHRINK_BIN=${LINKSHRINK_BIN:-$PWD/build/bin}
LINKSHRINK_TESTS=${LINKSHRINK_TESTS:-$PWD/build/tests}
# Who wants to be watched says yes; the others save the time.
LINKSHRINK_MONITORING=${LINKSHRINK_MONITORING:-no}
export LINKSHRINK_BIN LINKSHRINK_TESTS LINKSHRINK_MONITORING

# What is trapped at EXIT happens when a test is stopped, too.
trap 'exit 130' INT
trap 'exit 143' TERM

work=$(mktemp -d "${TMPDIR:-/tmp}/linkshrink-web.XXXXXX")
chmod 755 "$work"   # the users of the stack have to get in

wait_until() {
	local end=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
	shift
	until "$@"; do
		[ "${EPOCHREALTIME/[.,]/}" -lt "$end" ] || return 1
		sleep 0.05
	done
}

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Below the ports that the kernel gives to clients; remembered, since they are asked for in pairs. Who
# starts several at once gives each a range of its own: "first count".
ports=${TEST_PORTS:-20000 12000}
random_port() { echo $((${ports% *} + RANDOM % (${ports#* } - 10))); }

free_port() {
	local port
	while :; do
		port=$(random_port)
		! grep -qx "$port" "$work/ports" 2>/dev/null && ! listens "$port" && break
	done
	echo "$port" | tee -a "$work/ports"
}

free_block() {
	local first port
	while :; do
		first=$(random_port)
		for ((port = first; port < first + $1; port++)); do
			! grep -qx "$port" "$work/ports" 2>/dev/null || continue 2
			! listens "$port" || continue 2
		done
		seq "$first" $((first + $1 - 1)) >>"$work/ports"
		echo "$first"
		return
	done
}

# What the stack in $LINKSHRINK_VAR keeps outside of it, by the stack's own account.
forget_stack() (
	# shellcheck disable=SC2034 # for paths.sh
	repo=$PWD
	fail() { exit 1; }
	# shellcheck source=scripts/stack.d/paths.sh
	. scripts/stack.d/paths.sh
	settle_paths
	# shellcheck disable=SC2154 # from settle_paths
	{
		rm -rf "$shared"
		[ "$plain" = "$run" ] || rm -rf "$plain"
	}
)

stack_up() {
	# shellcheck disable=SC2031 # the subshell is another matter
	export LINKSHRINK_VAR=$work/var
	LINKSHRINK_PORT=$(free_port)
	LINKSHRINK_OPS_PORT=$(free_port)
	export LINKSHRINK_PORT LINKSHRINK_OPS_PORT
	stack_start
}

stack_start() {
	scripts/stack up --detach >"$work/up.log" 2>&1 || {
		not_ok "the stack starts"
		sed 's/^/    /' "$work/up.log"
		exit 1
	}
}

stack_restart() {
	scripts/stack down >/dev/null
	stack_start
}

stack_down() {
	scripts/stack down >/dev/null 2>&1 || true
	forget_stack || true
	rm -rf "$work"
}

noted() { sed -n "s/^$1 //p" "$LINKSHRINK_VAR/run/state" 2>/dev/null || true; }

children() { # of a pid, with their state and name; not those that are dead already
	ps --ppid "${1:-0}" -o pid=,stat=,comm= | awk '$2 !~ /^Z/'
}

# Everything that runs from a directory: PostgreSQL, lighttpd, programs, supervisor's children.
nothing_runs_in() {
	local process left=
	for process in /proc/[0-9]*; do
		! tr '\0' ' ' 2>/dev/null <"$process/cmdline" | grep -qF -e "$1/" || left+=" ${process#/proc/}"
	done
	[ -z "$left" ] || { ps -o pid,ppid,stat,args -p "$(tr -s ' ' , <<<"${left# }")"; return 1; }
}

stack_programs() {
	children "$(noted lighttpd)" | awk -v name="${1:-}" 'name == "" || $3 == name { print $1 }'
}

stack_postgres() {
	noted postgresql
	children "$(noted postgresql)" | awk '{ print $1 }'
}

alive() { [ "$(stack_programs "$1" | grep -c .)" -eq "$2" ]; }

running() {
	[ "$(children "$(noted lighttpd)" | awk -v name="$1" '$3 == name && $2 !~ /^T/' | grep -c .)" -eq "$2" ]
}

routes() {
	local program
	sed -n 's/.*bin + "\([a-z]*\)".*/\1/p' lighttpd.conf |
		while read -r program; do "$LINKSHRINK_BIN/$program" --routes || return 1; done
}

sql() { psql -X -q -A -t -v ON_ERROR_STOP=1 -c "$1" "$(cat "$LINKSHRINK_VAR/run/owner.url")"; }

metric() {
	curl -s "http://127.0.0.1:$LINKSHRINK_OPS_PORT/metrics" |
		awk -v name="$1" '$1 == name { print $2 }'
}

status() { curl -s -o "$work/body" -D "$work/head" -w '%{http_code}' --max-time 20 "$@"; }
