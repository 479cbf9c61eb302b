#!/bin/bash
# Undoes what simulations left behind that were killed.
# shellcheck source=scripts/simulate.d/lib.sh
. "$(dirname "$0")/../simulate.d/lib.sh"

recover_usage() {
	cat <<'END'
usage: scripts/simulate/recover.sh

Undoes every fault that a simulation put into the stack of LINKSHRINK_VAR and did not take out again,
as one that was killed; ends a simulation that still runs, which then undoes its own. Then it ends
what is left of game days that were killed: their faults, their stacks, their files. What is well stays
as it is. Exit code: 0 nothing is left, 1 something is.
END
}

# A file that says "pid start": whether that process is gone.
is_dead() { # file
	local pid='' start=''
	read -r pid start 2>/dev/null <"$1" || true
	[ -z "$start" ] || [ "$(start_of "$pid")" != "$start" ]
}

end_simulation() {
	local pid
	flock -n "$simulations/.lock" true && return 0
	pid=$(cut -d ' ' -f 1 "$simulations/.lock")
	echo "ending the simulation that runs, pid $pid"
	is_dead "$simulations/.lock" || kill -TERM "$pid" 2>/dev/null || true
	flock -w 90 "$simulations/.lock" true || { echo "it does not end: pid $pid" >&2; return 1; }
}

recover_stack() {
	local file status=0
	[ -d "$simulations" ] || return 0
	end_simulation || return 1
	for file in $(not_undone); do
		echo "undoing $file in $var"
		undo_journal "$simulations/$file" || status=1
	done
	return "$status"
}

# ---- Game days. Each has a directory that says who holds it, and one in it for each fault, with its
# player and its stack.

# It clears away what is its own; with its namespace, if it had one, everything of it ends.
end_player() { # file
	local pid
	is_dead "$1" && return 0
	pid=$(cut -d ' ' -f 1 "$1")
	# shellcheck disable=SC2046 # pids are words
	kill -TERM $(inner "$pid") 2>/dev/null || true
	wait_until 60 is_dead "$1" && return 0
	# shellcheck disable=SC2046
	kill -KILL $(inner "$pid") "$pid" 2>/dev/null || true
	wait_until 10 is_dead "$1"
}

is_stopped() { ! is_running; }

# As root what was noted there are pids of a namespace, which may be anybody's here: it has ended by
# itself, or is about to.
end_game_stack() { # directory of its data
	(
		export LINKSHRINK_VAR=$1
		settle_simulation
		[ "$(id -u)" -ne 0 ] || wait_until 60 is_stopped || exit 1
		recover_stack || exit 1
		if is_running; then "$repo/scripts/stack" down >/dev/null || exit 1; fi
		rm -rf "$shared"
		[ "$plain" = "$run" ] || rm -rf "$plain"
	)
}

recover_game_day() { # directory
	local fault
	echo "ending what is left of the game day in $1"
	for fault in "$1"/*/; do
		[ ! -e "$fault/player" ] || end_player "$fault/player" || { echo "its player does not end: $fault" >&2; return 1; }
		[ ! -d "$fault/work/var" ] || end_game_stack "$fault/work/var" || { echo "its stack does not end: $fault" >&2; return 1; }
	done
	rm -rf "$1"
}

case ${1:-} in
'') ;;
--help | -h) recover_usage; exit 0 ;;
*) recover_usage >&2; exit 2 ;;
esac
settle_simulation
status=0
recover_stack || status=1
for directory in "${TMPDIR:-/tmp}"/linkshrink-gameday.*; do
	if [ ! -d "$directory" ] || ! is_ours "$directory" || ! is_dead "$directory/owner"; then continue; fi
	recover_game_day "$directory" || status=1
done
[ "$status" -ne 0 ] || echo 'nothing is left of any simulation'
exit "$status"
