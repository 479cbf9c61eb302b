# Who is who among processes. Sourced by lib.sh and by tests/gameday/run.
# shellcheck shell=bash

children() { # of a pid; not those that are dead already
	ps --ppid "${1:-0}" -o pid=,stat=,comm= | awk '$2 !~ /^Z/'
}

# The time at which a process started, in ticks: a pid alone may be another process by now. Nothing if
# it is dead, also while its parent has not noticed.
start_of() { sed -n '/) [ZX] /!s/.*) //p' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }

# Of who plays a fault of a game day: the first process of its namespace, or itself. What is around a
# namespace hears no TERM.
inner() { # pid
	if [ "$(cat "/proc/$1/comm" 2>/dev/null)" = unshare ]; then children "$1" | awk '{ print $1 }'; else echo "$1"; fi
}
