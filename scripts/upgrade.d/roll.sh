# Replaces the processes of a program by what its file holds now, one at a time, so that no request
# notices. Sourced by scripts/stack and scripts/upgrade, after scripts/stack.d/paths.sh and
#   fail and say   words for whoever asked; the first ends the script
#   web_pid        prints the pid of lighttpd, whose children the processes are; nothing if there is none
#   app, logs      directories: the programs are in $app/bin
# shellcheck shell=bash disable=SC2154 # variables are shared with those that source it

# To end takes a process 5 s at most, and lighttpd looks for the dead once a second. A successor that
# comes and goes takes requests with it, so nobody waits for it for long.
roll_patience=15 roll_start=5

wait_until() { # seconds command…
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.05
	done
}

processes() { # name: pids of those that live
	local web
	web=$(web_pid)
	[ "${web:-0}" -gt 0 ] || return 0
	ps --ppid "$web" -o pid=,stat=,comm= | awk -v name="$1" '$2 !~ /^Z/ && $3 == name { print $1 }'
}

# The file was replaced, not written into: an old process runs one that has no name any more.
is_current() { [ "/proc/$2/exe" -ef "$app/bin/$1" ]; } # name pid

# A process starts its threads when nothing is left that it may refuse: settings, schema, memory.
serves() { # pid
	local threads
	threads=$(awk '/^Threads:/ { print $2 }' "/proc/$1/status" 2>/dev/null) || return 1
	[ "${threads:-0}" -gt 1 ]
}

# How many lighttpd keeps, by what it was told when it started.
kept_processes() { # name
	# shellcheck disable=SC2034 # read by processes_of
	local LINKSHRINK_PROCESSES
	# shellcheck disable=SC2034
	LINKSHRINK_PROCESSES=$(tr '\0' '\n' 2>/dev/null <"/proc/$(web_pid)/environ" |
		sed -n 's/^LINKSHRINK_PROCESSES=//p') || true
	processes_of "$1"
}

are_all_there() { # name
	local pid serving=0 wanted
	wanted=$(kept_processes "$1")
	for pid in $(processes "$1"); do
		! serves "$pid" || serving=$((serving + 1))
	done
	[ "$serving" -ge "${wanted:-1}" ]
}

has_ended() { ! grep -qx "$2" <<<"$(processes "$1")"; } # name pid

last_error() { # name: what the log says of it
	tail -n 1000 "$logs/linkshrink.log" 2>/dev/null | grep '"level":"error"' | grep "\"component\":\"$1\"" | tail -n 1 || true
}

roll_process() { # name pid
	# One that is alone is left alone.
	wait_until "$roll_patience" are_all_there "$1" || fail "not all processes of $1 serve; see $logs"
	kill -TERM "$2" 2>/dev/null || true # it may just have ended
	wait_until "$roll_patience" has_ended "$1" "$2" || fail "$1: pid $2 does not end"
	wait_until "$roll_start" are_all_there "$1" ||
		fail "$1: pid $2 has no successor that serves after $roll_start s; see $logs $(last_error "$1")"
	say "$1: pid $2 was replaced"
}

# The first that runs what its file held before; nothing if all are current. In a trap a return without a
# number is that of what was before the trap.
old_process() { # name
	local pid
	for pid in $(processes "$1"); do
		is_current "$1" "$pid" || { echo "$pid"; return 0; }
	done
}

roll_program() { # name
	local pid
	while pid=$(old_process "$1") && [ -n "$pid" ]; do roll_process "$1" "$pid"; done
}

# A version that does not start at all is noticed by a process of system, which users miss least. Then
# replicate: a version with other metrics has another segment, and who asks there how old the copy is
# gets an answer as soon as replicate is there. For the same reason nobody asks /ready before the end.
# Then who makes links, before who follows them: that a link may not be in the copy yet is noted in the segment
# of its creator, and a redirect that looks into another one would call it unknown.
roll_all() {
	local name pid
	pid=$(old_process system)
	[ -z "$pid" ] || roll_process system "$pid"
	roll_program replicate
	for name in shorten api bulk $(list_programs); do roll_program "$name"; done
}

all_current() {
	local name pid
	for name in $(list_programs); do
		pid=$(old_process "$name")
		[ -z "$pid" ] && are_all_there "$name" || return 1
	done
}
