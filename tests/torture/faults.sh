# The faults of a torture, and the dice that choose them. Sourced by run, as bash; then:
#
#   choose_kinds        the kinds that $FAULTS names; all without it
#   forget_kind KIND    that one cannot happen here
#   inject_for SECONDS  one or two faults at a time, with random pauses
#   undo_all            what was stopped or filled goes on
#
# Each fault is a line of $results/journal: time, kind, what it hit. Which faults come, and the pauses
# between them, depend on $SEED alone; which processes are there to be hit depends on the moment.
# shellcheck shell=bash disable=SC2154 # results, disk and the helpers are those of run

kinds=(program-kill program-kill-all program-stop program-pause postgres-kill postgres-quit
	postgres-stop session-end lighttpd-kill restart replica-lost disk-full)
due=() # "time action pid…": what is to be undone, in milliseconds since 1970

choose_kinds() {
	local kind
	[ -n "${FAULTS:-}" ] || return 0
	for kind in $FAULTS; do
		case " ${kinds[*]} " in
		*" $kind "*) ;;
		*) echo "torture: no fault is called '$kind'; see --list" >&2; exit 2 ;;
		esac
	done
	read -r -a kinds <<<"$FAULTS"
}

forget_kind() {
	local kind kept=()
	for kind in "${kinds[@]}"; do [ "$kind" = "$1" ] || kept+=("$kind"); done
	kinds=("${kept[@]}")
	[ "${#kinds[@]}" -gt 0 ] || { echo "torture: no fault is left" >&2; exit 2; }
}

milliseconds() { now=$((${EPOCHREALTIME/[.,]/} / 1000)); }

# A trap ends a wait at once. (It may also crash a "read -t", which would do without a process.)
rest() { # milliseconds
	local seconds
	printf -v seconds '%d.%03d' $(($1 / 1000)) $(($1 % 1000))
	sleep "$seconds" &
	wait $! || true
}

journal() {
	local time
	milliseconds
	printf -v time '%(%FT%T)T.%03dZ' $((now / 1000)) $((now % 1000))
	echo "$time $*" >>"$results/journal"
}

# ---- What is undone later.

later() { # milliseconds action pid…
	milliseconds
	due+=("$((now + $1)) ${*:2}")
}

undo() { # action pid…
	journal "undone: $*"
	case $1 in
	continue) kill -CONT "${@:2}" 2>/dev/null || true ;;
	free) rm -f "$disk/filler" ;;
	esac
}

# Undoes what is due at a time; $next is when the first of the rest is, or empty.
undo_until() { # milliseconds since 1970
	local entry waiting=("${due[@]}")
	due=() next=
	for entry in "${waiting[@]}"; do
		if [ "${entry%% *}" -le "$1" ]; then
			# shellcheck disable=SC2086 # an action and pids are words
			undo ${entry#* }
		else
			due+=("$entry")
			[ -n "$next" ] && [ "$next" -le "${entry%% *}" ] || next=${entry%% *}
		fi
	done
}

undo_all() { undo_until 9999999999999; }

pause() { # milliseconds
	local end until
	milliseconds
	end=$((now + $1))
	while [ "$now" -lt "$end" ]; do
		undo_until "$now"
		until=$end
		[ -z "$next" ] || [ "$next" -ge "$end" ] || until=$next
		rest $((until > now ? until - now : 1))
		milliseconds
	done
}

# ---- Faults.

nth() { # number pid…: one of them
	local number=$1
	shift
	[ "$#" -eq 0 ] || echo "${@:1 + number % $#:1}"
}

# Some of them may be gone by now; nobody, when all are.
hit() { # kind name signal pid…
	if [ "$#" -gt 3 ] && kill -"$3" "${@:4}" 2>/dev/null; then
		journal "$1 $2 ${*:4}"
	else
		journal "$1 $2 nobody ${*:4}"
	fi
}

hit_for_a_while() { # milliseconds kind name pid…
	hit "$2" "$3 for $1 ms" STOP "${@:4}"
	[ "$#" -le 3 ] || later "$1" continue "${@:4}"
}

fill_disk() { # milliseconds bytes-left-free
	local free
	if [ -e "$disk/filler" ]; then
		journal 'disk-full it is already'
		return
	fi
	free=$(df --output=avail -B 1 "$disk" | tail -n 1)
	journal "disk-full but for $2 bytes, for $1 ms"
	head -c $((free > $2 ? free - $2 : 0)) /dev/zero >"$disk/filler" 2>/dev/null || true
	later "$1" free
}

# Deleted, or cut short under those who read it.
lose_replica() { # 0 or 1
	local file=$LINKSHRINK_VAR/replica/current size
	file=$(readlink -f "$file") && size=$(stat -c %s "$file" 2>/dev/null) || size=0
	journal "replica-lost $1 of $size bytes"
	if [ "$1" -eq 0 ]; then rm -f "$file"; else truncate -c -s $((size / 2)) "$file"; fi
}

restart_in_order() { # program
	if [ -n "$restarting" ] && ! ended "$restarting"; then
		journal "restart $1: another one goes on"
		return
	fi
	journal "restart $1"
	timeout 30 scripts/stack restart "$1" >>"$results/restarts" 2>&1 &
	restarting=$!
}

# Sessions of programs.
stack_sessions() {
	ps --ppid "$(noted postgresql | grep . || echo 0)" -o pid=,args= |
		awk '/ linkshrink_[a-z]+ linkshrink / { print $1 }'
}

# The numbers are from 0 to 999: which process of those that are there, and how long or how much.
# shellcheck disable=SC2046 # pids are words
strike() { # kind program which much
	case $1 in
	program-kill) hit "$1" "$2" KILL $(nth "$3" $(stack_programs "$2")) ;;
	program-kill-all) hit "$1" "$2" KILL $(stack_programs "$2") ;;
	program-stop) hit "$1" "$2" STOP $(nth "$3" $(stack_programs "$2")) ;;
	program-pause) hit_for_a_while $((200 + $4 * 2)) "$1" "$2" $(nth "$3" $(stack_programs "$2")) ;;
	postgres-kill) hit "$1" postmaster KILL $(noted postgresql) ;;
	postgres-quit) hit "$1" postmaster QUIT $(noted postgresql) ;;
	postgres-stop) hit_for_a_while $((200 + $4 * 5)) "$1" all $(stack_postgres) ;;
	session-end) hit "$1" postgresql TERM $(nth "$3" $(stack_sessions)) ;;
	lighttpd-kill) hit "$1" lighttpd KILL $(noted lighttpd) ;;
	restart) restart_in_order "$2" ;;
	replica-lost) lose_replica $(($3 % 2)) ;;
	# To the last byte, or into what clicks leave to others.
	disk-full) fill_disk $((1000 + $4 * 4)) $(($3 % 2 * (2 << 20))) ;;
	esac
}

# ---- Dice. Not in a subshell: it would throw other numbers.

throw() { thrown=$((RANDOM % $1)); } # sides: from 0 to one less

throw_fault() {
	local kind program which
	throw "${#kinds[@]}"
	kind=${kinds[thrown]}
	throw "${#programs[@]}"
	program=${programs[thrown]}
	throw 1000
	which=$thrown
	throw 1000
	strike "$kind" "$program" "$which" "$thrown"
}

inject_for() { # seconds
	local end programs
	mapfile -t programs < <(sed -n 's/.*bin + "\([a-z]*\)".*/\1/p' lighttpd.conf | sort)
	: >"$results/journal"
	RANDOM=$SEED
	milliseconds
	end=$((now + $1 * 1000))
	while [ "$now" -lt "$end" ]; do
		throw 4
		[ "$thrown" -ne 0 ] || throw_fault
		throw_fault
		throw 2801
		pause $((200 + thrown))
	done
}
