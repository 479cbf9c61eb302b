# How processes are started, found and ended. Sourced by supervise.
# shellcheck shell=bash disable=SC2154,SC2034,SC2004 # variables are shared with the other files

# Starts a command as the leader of a session of its own, as a user, with the settings and nothing
# else as its environment; the kernel sends it the signal when this process dies. setpriv sets that
# last, since a change of user would clear it.
launch() { # name user signal log command…
	local name=$1 user=$2 signal=$3 log=$4 delay=${pause[$1]:-0}
	shift 4
	local identity=()
	[ "$(id -u)" -ne 0 ] || identity=(--reuid="$user" --regid="$(id -g "$user")" --init-groups)
	(
		exec {lock}>&- {quiet}>&- </dev/null >>"$log" 2>&1
		trap - EXIT
		cd /
		[ "$delay" -eq 0 ] || sleep "$((delay / 1000)).$(printf %03d $((delay % 1000)))"
		raise_limit
		unset_foreign
		exec env --default-signal=INT,QUIT,TERM,HUP setsid \
			setpriv "${identity[@]}" --pdeathsig "$signal" -- "$@"
	) &
	pid[$name]=$!
	started[$name]=$(milliseconds)
	note_state
}

milliseconds() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

raise_limit() {
	local hard
	hard=$(ulimit -Hn)
	[ "$hard" != unlimited ] && [ "$hard" -le 32768 ] || hard=32768
	ulimit -n "$hard"
}

unset_foreign() {
	local name
	for name in $(compgen -e); do
		case $name in
		LINKSHRINK_* | LISTEN_PID | LISTEN_FDS | LISTEN_FDNAMES | PGSSLMODE | PGSSLROOTCERT | DATA_SOURCE_NAME | PATH | LC_ALL | TZ | [ALTU]*SAN_OPTIONS) ;;
		*) unset "$name" ;;
		esac
	done
}

# What status and restart read.
note_state() {
	local name
	{
		echo "public $LINKSHRINK_BASE_URL"
		echo "operations $operations"
		echo "listens $LINKSHRINK_LISTEN $LINKSHRINK_OPS_LISTEN"
		[ "$monitoring" = no ] || echo "monitoring http://127.0.0.1:$LINKSHRINK_MONITORING_PORT"
		for name in "${!pid[@]}"; do echo "$name ${pid[$name]}"; done
	} >"$run/.state"
	mv -f "$run/.state" "$run/state"
}

# Processes of this stack by what they run, whoever their parent is: "web", "monitoring", "inbox"
# alone, "postmaster" or "database" (all of PostgreSQL, which puts the cluster's name into its titles).
leftovers() {
	local process arguments owner
	for process in /proc/[0-9]*; do
		mapfile -d '' -t arguments 2>/dev/null <"$process/cmdline" || continue
		case "$1 ${arguments[*]:0:3}" in
		"web $app/bin/"* | "web /usr/sbin/lighttpd -f $app/lighttpd.conf") ;;
		"monitoring $app/monitoring/"* | "inbox $app/monitoring/inbox"*) ;;
		"postmaster $pg_bin/postgres -D $cluster" | "database $pg_bin/postgres -D $cluster") ;;
		"database postgres: $cluster_name: "*) ;;
		*) continue ;;
		esac
		owner=$(stat -c %U "$process" 2>/dev/null) || continue
		case $owner in "$web_user" | "$database_user" | "$(id -un)") ;; *) continue ;; esac
		grep -q '^State:.Z' "$process/status" 2>/dev/null || echo "${process#/proc/}"
	done
}

# Sends a signal to all of a kind and waits until none is left.
end_leftovers() { # kind signal seconds
	local end left
	mapfile -t left < <(leftovers "$1")
	[ "${#left[@]}" -gt 0 ] || return 0
	kill -"$2" "${left[@]}" 2>/dev/null || true
	# A stopped one would never hear the first, and a postmaster waits for all of its own.
	[ "$1" != postmaster ] || mapfile -t left < <(leftovers database)
	kill -CONT "${left[@]}" 2>/dev/null || true
	end=$((SECONDS + $3))
	while [ -n "$(leftovers "$1")" ]; do
		[ "$SECONDS" -lt "$end" ] || return 1
		pause_for 0.05
	done
}

clear_leftovers() {
	end_leftovers monitoring TERM 5 || end_leftovers monitoring KILL 5 || fail "can't end old monitoring in $var"
	end_leftovers web TERM 5 || end_leftovers web KILL 5 || fail "can't end old processes in $var"
	end_leftovers postmaster INT 20 || end_leftovers postmaster KILL 5 || true
	end_leftovers database KILL 10 || fail "can't end the old PostgreSQL in $cluster"
	forget_dead_postmaster
}

# PostgreSQL takes a postmaster for alive whose parent has not taken note of its death, which some
# containers never do.
forget_dead_postmaster() {
	local old
	old=$(as "$database_user" head -n 1 "$cluster/postmaster.pid" 2>/dev/null) || return 0
	! grep -qs '^State:.Z' "/proc/$old/status" ||
		as "$database_user" rm -f "$cluster/postmaster.pid" "$plain/pg/.s.PGSQL.5432.lock"
}

# Waits without starting a process: nothing ever comes through this pipe.
exec {quiet}<> <(:)
pause_for() { read -r -t "$1" -u "$quiet" || true; }

# By the kernel's word: bash 5.2 overlooks in "wait -n" whoever ended just before it, and in a trap
# it does not notice deaths at all.
is_alive() {
	local state
	read_state "${pid[$1]:-none}" || return 1
	case $state in Z | X) return 1 ;; esac
}

read_state() { # pid: the letter of ps, into $state of the caller
	{ IFS= read -r state <"/proc/$1/stat"; } 2>/dev/null || return 1
	state=${state##*) }
	state=${state%% *}
}

# How often the kernel let the main thread of a process run, into $runs of the caller.
read_runs() { # pid
	{ read -r _ _ runs <"/proc/$1/schedstat"; } 2>/dev/null || runs=0
}

# Kills lighttpd and its children when they were found stopped at that many looks in a row, and did not
# run in between: one that is stopped and continued is slow, and slow ones are not killed. A
# stopped lighttpd has nobody else, and of the programs one must run to watch the others. A
# debugger's stop is another letter, t. PostgreSQL is left alone: who stops it means it, and no
# request waits for it beyond its deadline.
end_stopped() { # looks
	local web=${pid[lighttpd]} process name state runs children=() still=() seen=()
	{ read -r -a children <"/proc/$web/task/$web/children"; } 2>/dev/null || true # has no newline
	for process in "$web" "${children[@]}"; do
		if ! read_state "$process" || [ "$state" != T ]; then continue; fi
		read_runs "$process"
		seen[process]=$runs
		if [ "${ran[process]:-}" = "$runs" ]; then still[process]=$((stopped[process] + 1)); else still[process]=1; fi
		[ "${still[process]}" -ge "$1" ] || continue
		{ IFS= read -r name <"/proc/$process/comm"; } 2>/dev/null || continue
		say "$(date -u +%FT%TZ) $name (pid $process) stays stopped; killing it"
		kill -KILL "$process" 2>/dev/null || true
	done
	stopped=() ran=()
	for process in "${!still[@]}"; do stopped[process]=${still[process]} ran[process]=${seen[process]}; done
}

# Ends one of our children: a signal, a bounded wait.
end_child() { # name signal seconds
	local end=$((SECONDS + $3))
	[ -n "${pid[$1]:-}" ] || return 0
	kill -"$2" "${pid[$1]}" 2>/dev/null || return 0
	kill -CONT "${pid[$1]}" 2>/dev/null || true
	while is_alive "$1"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		pause_for 0.02
	done
}

# First of all, or it would tell people that the rest is down. All at once, since each takes a while.
stop_monitoring() {
	local name
	for name in "${monitors[@]}"; do
		[ -z "${pid[$name]:-}" ] || kill -TERM "${pid[$name]}" 2>/dev/null
	done
	for name in "${monitors[@]}"; do end_child "$name" TERM 5 || end_child "$name" KILL 2; done
}

stop_all() {
	[ -z "$stopping" ] || return 0
	stopping=yes
	set +e
	trap '' INT TERM HUP
	[ "${#pid[@]}" -eq 0 ] || rm -f "$run/state"
	stop_monitoring
	end_child lighttpd INT 7 || end_child lighttpd KILL 2
	end_child postgresql INT 20 || end_child postgresql QUIT 5 || end_child postgresql KILL 2
	[ "${#pid[@]}" -eq 0 ] || clear_leftovers
}
