# What the benchmarks share. Sourced from the root of the repository, as bash; then:
#
#   bench_begin                 a stack of its own, PostgreSQL included; the server "stack"
#   side_server NAME [TREE]     a further server on the same PostgreSQL, from another copy of the tree
#   own_server NAME             a further stack with a PostgreSQL of its own
#   within SERVER command…      a command of this library, about the stack of own_server
#   bare_programs DIRECTORY     puts bare there in the place of every program
#   drive SERVER CASE PATH [WORDS…]   one run of wrk; adds a line to $work/results
#   in_turn SERVER…             their order in this round: there and back
#   copy_anew LINKS             has replicate build its replica anew; how many seconds that took
#   private_mib                 private memory of the largest of the pids on standard input
#   median                      of the numbers on standard input
#   of CASE SERVER COLUMN       the median of a column over all rounds
#   ratio CASE SERVER BASE COLUMN     the median of the ratios, each within its round
#   bar WHAT FIGURE least|most BAR [UNIT]    a row for the table of all bars: is it met?
#
# A line of results: case server round requests/s p50_ms p99_ms web_us database_us errors others,
# where web_us is the time of processors for one request in lighttpd and the programs, database_us
# that in PostgreSQL, and others the share of the machine, in percent, that something else took.
# Everything ends with the script. Settings: CLIENTS, SECONDS_EACH, ROUNDS.
# shellcheck shell=bash disable=SC2030,SC2031 # servers have variables of their own, in subshells

# A benchmark sees its own settings only.
mapfile -t foreign < <(compgen -v | grep -E '^(LINKSHRINK_|PG|DATABASE_)' | grep -vE '^LINKSHRINK_(BIN|TESTS)$' || true)
[ "${#foreign[@]}" -eq 0 ] || unset "${foreign[@]}"

# shellcheck source=tests/web/lib.sh
. tests/web/lib.sh

CLIENTS=${CLIENTS:-64}
SECONDS_EACH=${SECONDS_EACH:-2}
ROUNDS=${ROUNDS:-5}
round=0
servers=()
database_url=''
tick_us=$((1000000 / $(getconf CLK_TCK)))

say() { printf '%s\n' "$*" >&2; }

# ---- Servers.

bench_end() {
	local name
	for name in "${servers[@]}"; do
		(
			export LINKSHRINK_VAR=$work/$name
			scripts/stack down >/dev/null 2>&1 || true
			forget_stack || true
		)
	done
	stack_down
}

bench_begin() {
	trap bench_end EXIT
	export LINKSHRINK_LOG_SAMPLE=${SAMPLE:-1000}
	stack_up
	database_url=$(cat "$LINKSHRINK_VAR/run/owner.url")
	postmaster=$(noted postgresql)
	note_server stack "$LINKSHRINK_PORT"
}

note_server() { # name port
	echo "$2" >"$work/$1.port"
	echo "$LINKSHRINK_VAR" >"$work/$1.var"
}

# As it is now: the stack may have had reason to start another one.
lighttpd_of() { LINKSHRINK_VAR=$(cat "$work/$1.var") noted lighttpd; }

# Its database is that of the stack, so that PostgreSQL is there once and idle memory alike.
side_server() {
	local name=$1 tree=${2:-.}
	servers+=("$name")
	(
		export LINKSHRINK_VAR=$work/$name DATABASE_OWNER_URL=$database_url
		export DATABASE_URL=${database_url/linkshrink_owner/linkshrink_web}
		export DATABASE_INGEST_URL=${database_url/linkshrink_owner/linkshrink_ingest}
		LINKSHRINK_PORT=$(free_port)
		LINKSHRINK_OPS_PORT=$(free_port)
		export LINKSHRINK_PORT LINKSHRINK_OPS_PORT
		"$tree/scripts/stack" up --detach >"$work/up.log" 2>&1 || {
			cat "$work/up.log" >&2
			exit 1
		}
		note_server "$name" "$LINKSHRINK_PORT"
	)
}

# One where a program serves nobody: lighttpd starts it all the same.
# Everything of its own; beside the others it costs memory, and nothing while it is idle.
own_server() {
	servers+=("$1")
	(
		export LINKSHRINK_VAR=$work/$1
		LINKSHRINK_PORT=$(free_port)
		LINKSHRINK_OPS_PORT=$(free_port)
		export LINKSHRINK_PORT LINKSHRINK_OPS_PORT
		stack_start
		note_server "$1" "$LINKSHRINK_PORT"
		echo "$LINKSHRINK_OPS_PORT" >"$work/$1.ops"
	)
}

within() { # server command…
	local LINKSHRINK_VAR=$work/$1 LINKSHRINK_OPS_PORT
	read -r LINKSHRINK_OPS_PORT <"$work/$1.ops"
	shift
	"$@"
}

threads_of() { sed -n 's/.*\.threads = \([0-9]*\).*/\1/p; $a 1' "${2:-.}/cgi-bin/$1.c" | head -n 1; }

# bash, because its exec can keep the name by which the stack knows its programs.
bare_programs() { # directory [tree]
	local program answer
	mkdir -p "$1"
	chmod 755 "$1"
	cp "$LINKSHRINK_TESTS/bench/bare" "$1/bare"
	sed -n 's/.*bin + "\([a-z]*\)".*/\1/p' lighttpd.conf | while read -r program; do
		[ "$program" = system ] && answer=health || answer=redirect
		cat >"$1/$program" <<-SCRIPT
			#!/bin/bash
			[ "\$#" -eq 0 ] || exit 0 # --check-config: nothing to check
			exec -a "\$0" "$1/bare" $(threads_of "$program" "${2:-.}") $answer
		SCRIPT
		chmod 755 "$1/$program"
	done
}

# ---- Times of processors.

# User and system ticks of processes, and of those of their children that have ended.
ticks() {
	local pid
	for pid in "$@"; do cat "/proc/$pid/stat" 2>/dev/null || true; done |
		sed 's/.*) //' | awk '{ n += $12 + $13 + $14 + $15 } END { print n + 0 }'
}

# shellcheck disable=SC2046 # pids are words
web_ticks() {
	if [ "$1" = none ]; then echo 0; else ticks "$1" $(children "$1" | awk '{ print $1 }'); fi
}

# shellcheck disable=SC2046
database_ticks() { ticks "$postmaster" $(children "$postmaster" | awk '{ print $1 }'); }

own_ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 + $14 + $15 }' "/proc/$$/stat"; }

# Of all processors since boot: busy (guests are within user already), and all.
machine_ticks() { awk '/^cpu / { print $2 + $3 + $4 + $7 + $8 + $9, $2 + $3 + $4 + $5 + $6 + $7 + $8 + $9 }' /proc/stat; }

# All of them at once: web (of a lighttpd, or none), database, own, busy, all.
look() { echo "$(web_ticks "$1") $(database_ticks) $(own_ticks) $(machine_ticks)"; }

# ---- Memory.

# Without the replica: its pages are the kernel's cache of a file, there once and given up at need.
private_mib() { # pids on standard input: that of the largest
	while read -r pid; do
		awk '/^[0-9a-f]+-[0-9a-f]+ / { replica = /\.mdb$/ } /^Private_/ && !replica { n += $2 }
			END { printf "%.1f\n", n / 1024 }' "/proc/$pid/smaps" 2>/dev/null || true
	done | sort -g | tail -n 1
}

# ---- The replica.

follows() { [ "$(metric 'linkshrink_replica_state{state="following"}')" = 1 ]; }
is_copied() {
	follows && [ "$(metric linkshrink_replica_entries)" = "$1" ] &&
		[ "$(metric linkshrink_replica_builds_total)" -gt "$2" ]
}

microseconds() { echo "${EPOCHREALTIME/[.,]/}"; }

# The file goes away, as by a clumsy hand; how many seconds until there is a complete one.
copy_anew() { # links
	local builds begin
	wait_until 60 follows || { say 'the replica does not follow'; exit 1; }
	builds=$(metric linkshrink_replica_builds_total)
	rm -f "$LINKSHRINK_VAR"/replica/links-*.mdb "$LINKSHRINK_VAR/replica/current"
	begin=$(microseconds)
	wait_until 600 is_copied "$1" "$builds" || { say "no new replica of $1 links"; exit 1; }
	awk -v us="$(($(microseconds) - begin))" 'BEGIN { printf "%.1f\n", us / 1e6 }'
}

# ---- Runs.

# note CASE SERVER: adds the result of a run, from what wrk or pgbench said and two looks.
note() { # case server requests us p50_us p99_us errors before after
	awk -v before="$8" -v after="$9" -v tick="$tick_us" -v line="$1 $2 $round" \
		-v n="$3" -v us="$4" -v p50="$5" -v p99="$6" -v errors="$7" 'BEGIN {
		split(before, b); split(after, a)
		for (i in a) d[i] = a[i] - b[i]
		if (n < 1) n = 1
		others = d[5] > 0 ? 100 * (d[4] - d[1] - d[2] - d[3]) / d[5] : 0
		printf "%s %.0f %.3f %.3f %.2f %.2f %d %.0f\n", line, n * 1e6 / us, p50 / 1000, p99 / 1000,
			d[1] * tick / n, d[2] * tick / n, errors, others < 0 ? 0 : others }' >>"$work/results"
}

drive() {
	local case=$1 server=$2 path=$3 port lighttpd before after result
	shift 3
	read -r port <"$work/$server.port"
	lighttpd=$(lighttpd_of "$server")
	before=$(look "$lighttpd")
	wrk -t 2 -c "$CLIENTS" -d "${SECONDS_EACH}s" --timeout 5s -s tests/bench/wrk.lua \
		"http://127.0.0.1:$port$path" -- "$@" >"$work/wrk" 2>&1 || { cat "$work/wrk" >&2; exit 1; }
	after=$(look "$lighttpd")
	result=$(sed -n 's/^bench //p' "$work/wrk")
	[ -n "$result" ] || { cat "$work/wrk" >&2; exit 1; }
	# shellcheck disable=SC2086 # five numbers
	set -- $result
	note "$case" "$server" "$@" "$before" "$after"
}

# What ran before leaves PostgreSQL with work to do; so nobody is always the one who runs after it.
in_turn() { # server…
	if [ $((round % 2)) -eq 1 ]; then printf '%s\n' "$@"; else printf '%s\n' "$@" | tac; fi
}

# ---- Figures.

median() {
	sort -g | awk '{ v[NR] = $1 }
		END { if (NR) print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

of() { awk -v c="$1" -v s="$2" -v n="$3" '$1 == c && $2 == s { print $n }' "$work/results" | median; }

total() { awk -v c="$1" -v s="$2" -v n="$3" '$1 == c && $2 == s { t += $n } END { print t + 0 }' "$work/results"; }

ratio() { # case server base column
	awk -v c="$1" -v s="$2" -v base="$3" -v n="$4" '
		$1 == c && $2 == base { b[$3] = $n }
		$1 == c && $2 == s { v[$3] = $n }
		END { for (r in v) if (b[r] > 0) print v[r] / b[r] }' "$work/results" | median
}

# The share of the machine that something else took, over all runs.
others() { awk '{ print $10 }' "$work/results" | median; }

version() { dpkg-query -W -f '${Version}' "$1" | sed 's/^[0-9]*://; s/[-+~].*//'; }

machine() {
	local model
	model=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
	echo "$(nproc) cores${model:+ of $model}, $(uname -s) $(uname -r | cut -d . -f 1,2), lighttpd $(version lighttpd)," \
		"libfcgi $(version libfcgi0ldbl), PostgreSQL $(version postgresql-15), wrk $(version wrk)"
}

# ---- Clicks.

answered() { metric linkshrink_clicks_total; }
counted() { sql 'SELECT coalesce(sum(n), 0) FROM click_hours'; }
all_counted() { [ "$(counted)" = "$(answered)" ]; }
clicks_settle() { wait_until 120 all_counted || { say "$(answered) clicks, $(counted) counted"; exit 1; }; }

# ---- Bars.

# Into the file that tests/bench/run names, and to whoever looks on.
bar() { # what figure least|most bar [unit]
	awk -v what="$1" -v figure="$2" -v kind="$3" -v bar="$4" -v unit="${5:+ $5}" 'BEGIN {
		met = figure == "" ? "not measured" : (kind == "least" ? figure + 0 >= bar + 0 : figure + 0 <= bar + 0) ? "met" : "**missed**"
		printf "| %s | %s%s | %s %s%s | %s |\n", what, figure, unit, kind == "least" ? "≥" : "≤", bar, unit, met }' |
		tee -a "${BENCH_BARS:-/dev/null}"
}
