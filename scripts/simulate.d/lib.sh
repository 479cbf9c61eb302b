# What the faults share. Each file of scripts/simulate/ is one fault; it sources this, says what it
# is, and ends with simulate "$@". Before that it sets or calls:
#
#   what TEXT                  what breaks, in words for a report
#   because TEXT               why it breaks, likewise
#   must ALERT SECONDS WHY     its message has to come: SECONDS until its condition holds, and why so
#                              many; the rest of the bound is computed from the configuration
#   must_fall_silent SECONDS WHY   the dead man's switch has to: nobody can be told otherwise
#   may ALERT…                 they follow from it, or not; every other alert is one too many
#   may_fail NUMBER            requests that its users may see fail (all)
#   may_drop_clicks            clicks may be missing, if they were counted as dropped
#   recovers_by_itself         nothing has to be undone for it
#   lasts SECONDS              at least, for its effects to be seen (60; 20 where something must come)
#   stands_alone               the whole machine suffers: nothing else may run beside it
#   needs WORD…                of a game day: small-pg, small-spool
#   inject                     function: does it; journals each undo before the act (journal_…), calls
#                              strike TEXT at the moment of the act, and starts what goes on beside
#                              it with helper
#   lift                       function, if anything has to happen before the journal is undone
#
# The journal is $simulations/FAULT: one undo a line, the last one first to be done. It is on the disk
# before the fault is in the system, so that whoever is killed here leaves what recover.sh needs.
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with the faults

set -euo pipefail
export LC_ALL=C.UTF-8

fault=$(basename "$0" .sh)
repo=$(cd "$(dirname "$0")/../.." && pwd -P)
title='' cause='' allowed=all drops=no hands=yes hold=60 alone=no needs=''
musts=() bounds=() mays=()

what() { title=$1; }
because() { cause=$1; }
may() { mays+=("$@"); }
may_fail() { allowed=$1; }
may_drop_clicks() { drops=yes; }
recovers_by_itself() { hands=no; }
lasts() { hold=$1; }
stands_alone() { alone=yes; }
needs() { needs=$*; }

fail() {
	echo "$fault: $*" >&2
	exit 1
}

# shellcheck source=scripts/stack.d/paths.sh
. "$repo/scripts/stack.d/paths.sh"
# shellcheck source=scripts/simulate.d/pids.sh
. "$repo/scripts/simulate.d/pids.sh"
# shellcheck source=scripts/simulate.d/bounds.sh
. "$repo/scripts/simulate.d/bounds.sh"

milliseconds() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

wait_until() { # seconds command…
	local end=$(($(milliseconds) + $1 * 1000))
	shift
	until "$@"; do
		[ "$(milliseconds)" -lt "$end" ] || return 1
		sleep 0.05
	done
}

# ---- What is there to be hit.

settle_simulation() {
	settle_paths
	simulations=$var/simulate
}

supervisor() { cat "$run/lock"; }

programs() { # [name]: pids
	children "$(noted lighttpd)" | awk -v name="${1:-}" 'name == "" || $3 == name { print $1 }'
}

postgres() { # all of it
	noted postgresql
	children "$(noted postgresql)" | awk '{ print $1 }'
}

# Its postmaster first, so that no session begins while they are listed.
stop_postgres() { # what else is to be told
	local postmaster sessions
	postmaster=$(noted postgresql)
	journal_continue "$postmaster"
	strike "SIGSTOP to all of PostgreSQL, postmaster $postmaster, $1"
	kill -STOP "$postmaster"
	sessions=$(postgres | words)
	# shellcheck disable=SC2086 # pids are words
	journal_continue $sessions
	# shellcheck disable=SC2086
	kill -STOP $sessions
}

words() { tr '\n' ' ' | sed 's/ $//'; }
public_port() { noted public | sed 's/.*://; s/\/.*//'; }

sql() {
	PGOPTIONS='-c statement_timeout=10s' PGCONNECT_TIMEOUT=5 psql -X -q -A -t -v ON_ERROR_STOP=1 \
		-c "$1" "$(cat "$run/owner.url")" {simulation_lock}>&-
}
simulation_lock=0 # before it is taken

# ---- The journal of what is to be undone.

# One write a line: what was cut off in the middle must not hide another one.
journal() { # function arguments…
	printf '%s\n' "${*@Q}" >>"$simulations/$fault"
	sync -d "$simulations/$fault"
}

journal_continue() { # pid…
	local pid
	for pid in "$@"; do journal undo_continue "$pid" "$(start_of "$pid")"; done
}
undo_continue() { # pid start
	[ -z "$2" ] || [ "$(start_of "$1")" != "$2" ] || kill -CONT "$1" 2>/dev/null || true
}

journal_continue_program() { journal undo_continue_program "$1"; } # whoever of them is there then
undo_continue_program() {
	# shellcheck disable=SC2046 # pids are words
	kill -CONT $(programs "$1") 2>/dev/null || true
}

# Runs a function of the fault, or a command, in the background. It has its mark in its environment,
# so it is found again even if nobody lived to note its pid.
helper() {
	grep -qs "^'undo_helpers'" "$simulations/$fault" || journal undo_helpers "$fault"
	LINKSHRINK_SIMULATION=$simulations/$fault "$0" --helper "$@" {simulation_lock}>&- >/dev/null 2>&1 &
}
helpers() { # fault: pids
	grep -lzxF -e "LINKSHRINK_SIMULATION=$simulations/$1" /proc/[0-9]*/environ 2>/dev/null | cut -d / -f 3 || true
}
no_helpers() { [ -z "$(helpers "$1")" ]; }
undo_helpers() { # fault
	# shellcheck disable=SC2046 # pids are words
	kill -TERM $(helpers "$1") 2>/dev/null || true
	# shellcheck disable=SC2046
	wait_until 15 no_helpers "$1" || kill -KILL $(helpers "$1") 2>/dev/null || true
}

journal_move() { journal undo_move "$1" "$2"; } # from to: back again, unless a new one is there by then
undo_move() { if [ -e "$2" ]; then rm -f "$1"; elif [ -e "$1" ]; then mv "$1" "$2"; fi; }

journal_remove() { journal undo_remove "$1"; }
undo_remove() { rm -f "$1"; }

journal_sql() { journal undo_sql "$1"; } # a statement, for when PostgreSQL answers again
undo_sql() { wait_until 30 sql "$1" >/dev/null; }

journal_group() { journal undo_group "$1"; } # directory of a control group
undo_group() {
	local pid
	[ -d "$1" ] || return 0
	while read -r pid; do
		[ "$pid" -eq 0 ] || kill -KILL "$pid" 2>/dev/null || true # 0 is who lives in another namespace
	done <"$1/cgroup.procs"
	wait_until 10 rmdir "$1" 2>/dev/null
}

# What is there is ours: nobody else may say what is to be done.
is_ours() { [ ! -L "$1" ] && [ -O "$1" ]; }

# The last first. A line that cannot be undone does not keep back the others.
undo_journal() { # file
	local line status=0
	[ -s "$1" ] || { rm -f "$1"; return 0; }
	if ! is_ours "$1" || ! is_ours "$(dirname "$1")"; then
		echo "$1 belongs to somebody else" >&2
		return 1
	fi
	while read -r line; do
		case $line in
		"'undo_"*) eval "$line" || { echo "not undone: $line" >&2; status=1; } ;;
		*) echo "no undo: $line" >&2; status=1 ;;
		esac
	done < <(tac "$1")
	[ "$status" -ne 0 ] || rm -f "$1"
	return "$status"
}

# ---- Who looks on.

events=/dev/null
event() { # kind text
	printf '%s\t%s\t%s\t%s\t%s\n' "$(milliseconds)" "$1" "$fault" "${2//[$'\t\n']/ }" \
		"scripts/simulate/$fault.sh" >>"$events"
}
strike() {
	event inject "$1"
	echo "$(date -u +%T) $1"
}

# ---- The command.

usage() {
	cat <<END
usage: scripts/simulate/$fault.sh [--seconds N] [--even-if-not-local]
       scripts/simulate/$fault.sh --describe

$title.
Does that to the running stack (LINKSHRINK_VAR says which), really: its users notice what such a
fault makes them notice: requests that fail: $allowed; clicks that are dropped: $drops. After N seconds
($(lasting)), at Ctrl-C or TERM it is undone; if this is killed, scripts/simulate/recover.sh undoes it.
  --seconds             how long it lasts
  --even-if-not-local   also on a stack that listens beyond loopback, or whose PostgreSQL is not its own
  --describe            which alerts have to come and when, and what users may notice
  --events FILE         adds the moments of the fault and of its end, as a game day wants them

${musts[*]:+It must raise:$(printf '\n  %s s' "${musts[@]}")}
${mays[*]:+It may raise: ${mays[*]}}
END
}

describe() {
	local line
	printf '%s\n' "fault $fault" "title $title" "cause $cause" "hands $hands" "allowed $allowed" \
		"drops $drops" "hold $hold" "alone $alone" "needs $needs"
	for line in "${musts[@]}"; do echo "must $line"; done
	for line in "${bounds[@]}"; do echo "bound $line"; done
	for line in "${mays[@]}"; do echo "may $line"; done
}

# Whose stack is it? Only one that nobody else can have come to rely on is broken without asking twice.
check_local() {
	local url address
	is_running || fail "no stack runs in $var; start it with scripts/stack up"
	for url in "$(noted public)" "$(noted operations)"; do
		case $url in
		http://127.0.0.1:* | http://localhost:* | 'http://[::1]:'*) ;;
		*) fail "this stack says that it is $url, which is not this machine alone; --even-if-not-local does it all the same" ;;
		esac
	done
	for address in $(noted listens | grep . || echo unknown); do
		case $address in
		127.* | localhost | '[::1]') ;;
		*) fail "this stack listens on $address; --even-if-not-local does it all the same" ;;
		esac
	done
	[ -n "$(noted postgresql)" ] || fail "its PostgreSQL is not its own; --even-if-not-local does it all the same"
	[ -z "$(noted monitoring)" ] || grep -q 'webhook_url:.*127\.0\.0\.1' "$run/monitoring/alertmanager.yml" ||
		fail "its alerts go to people; --even-if-not-local does it all the same"
}

not_undone() { find "$simulations" -maxdepth 1 -type f ! -name '.*' -printf '%f\n' 2>/dev/null | sort | words; }

take_simulation_lock() {
	mkdir -p "$simulations"
	is_ours "$simulations" || fail "$simulations belongs to somebody else"
	chmod 700 "$simulations"
	exec {simulation_lock}<>"$simulations/.lock"
	flock -n "$simulation_lock" ||
		fail "another simulation runs on this stack: pid $(cut -d ' ' -f 1 "$simulations/.lock")"
	[ -z "$(not_undone)" ] || fail "$(not_undone) was not undone; scripts/simulate/recover.sh does that"
	echo "$$ $(start_of "$$")" >"$simulations/.lock"
}

waiting='' undone=no
undo() {
	local missing=no
	[ "$undone" = no ] || return 0
	undone=yes
	trap '' INT TERM HUP
	[ -z "$waiting" ] || kill "$waiting" 2>/dev/null || true
	[ "$(type -t lift)" != function ] || lift || missing=yes
	event undo 'undone'
	undo_journal "$simulations/$fault" || fail "not all could be undone; scripts/simulate/recover.sh tries again"
	echo "$(date -u +%T) undone"
	[ "$missing" = no ] || fail 'it did not do what it had to'
}

longest() { # seconds within which its last message has to be there
	local line most=0
	for line in "${musts[@]}"; do [ "${line#* }" -le "$most" ] || most=${line#* }; done
	echo "$most"
}

lasting() { # seconds, when nobody says how many
	local longest
	longest=$(($(longest) + 15))
	echo $((longest > hold ? longest : hold))
}

simulate() {
	local seconds='' anywhere=no
	while [ "$#" -gt 0 ]; do
		case $1 in
		--help | -h) usage; exit 0 ;;
		--describe) describe; exit 0 ;;
		--seconds) seconds=${2:-}; shift $(($# > 1)) ;;
		--events) events=${2:-}; shift $(($# > 1)) ;;
		--even-if-not-local) anywhere=yes ;;
		--helper) shift; settle_simulation; "$@"; exit ;;
		*) usage >&2; exit 2 ;;
		esac
		shift
	done
	[ -n "$seconds" ] || seconds=$(lasting)
	case $seconds in 0* | *[!0-9]* | ??????*) usage >&2; exit 2 ;; esac
	settle_simulation
	[ "$anywhere" = yes ] || check_local
	is_running || fail "no stack runs in $var"
	take_simulation_lock
	trap undo EXIT
	trap 'exit 0' INT TERM HUP
	inject
	event note 'the fault is in place'
	# A trap ends this wait at once.
	sleep "$seconds" {simulation_lock}>&- &
	waiting=$!
	wait "$waiting" || true
}
