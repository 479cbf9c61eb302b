#!/bin/bash
# Faults are injected for real, undone, and found again by recover after the simulation was killed.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/web/lib.sh
. tests/web/lib.sh

faults() { find scripts/simulate -name '*.sh' ! -name recover.sh | sort; }

# ---- What each says about itself.

is_described() {
	local said word
	said=$("$1" --describe) || return 1
	for word in title cause hands allowed hold alone; do
		grep -q "^$word ." <<<"$said" || { echo "# it says no $word"; return 1; }
	done
	"$1" --help | grep -q '^usage: '
}
# Each bound is the sum of what it is made of, as the configuration has it.
bounds_add_up() {
	"$1" --describe | awk '
		$1 == "must" { bound[$2] = $3 }
		$1 == "bound" {
			name = $2; sum = $3; line = $0
			while (match(line, /\+ [0-9]+ \(/)) { sum += substr(line, RSTART + 2, RLENGTH - 4); line = substr(line, RSTART + RLENGTH) }
			if (sum != bound[name]) { print "# " $0 " is " sum ", not " bound[name]; bad = 1 }
			seen[name] = 1
		}
		END { for (name in bound) if (!(name in seen)) { print "# no bound of " name; bad = 1 } exit bad }'
}
alerts_exist() {
	local name
	for name in $("$1" --describe | awk '$1 == "must" || $1 == "may" { print $2 }'); do
		[ "$name" = Silence ] || grep -q "alert: $name\$" prometheus/rules/*.yml || { echo "# no rule $name"; return 1; }
	done
}

# ---- Simulations.

simulate() { # fault seconds: in the background, until it has struck
	"scripts/simulate/$1.sh" --seconds "$2" --events "$work/events" >"$work/simulation" 2>&1 &
	simulation=$!
	wait_until 20 grep -q $'\tinject\t' "$work/events"
}
postgres_stopped() { [ "$(ps -o stat= -p "$(noted postgresql)" | cut -c 1)" = T ]; }
postgres_runs() { [ "$(ps -o stat= -p "$(noted postgresql)" | cut -c 1)" = S ]; }
redirects_stopped() { [ "$(children "$(noted lighttpd)" | awk '$3 == "redirect" && $2 ~ /^T/' | grep -c .)" -eq 2 ]; }
served() { [ "$(status "http://127.0.0.1:$LINKSHRINK_OPS_PORT/ready")" = 200 ]; }
somebody() { same "$1" "$(sql "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'somebody'")"; }
refused() { ! sql 'SELECT 1' 2>/dev/null; }
nothing_left() { [ -z "$(find "$LINKSHRINK_VAR/simulate" -type f ! -name '.*')" ]; }
refuses() { # words fault [arguments]: ends with 1, says so
	local said wanted=$1 code=0
	shift
	said=$("scripts/simulate/$1.sh" "${@:2}" 2>&1) || code=$?
	if [ "$code" -ne 1 ] || ! grep -q "$wanted" <<<"$said"; then
		echo "# status $code: $said"
		return 1
	fi
}
recovers() {
	scripts/simulate/recover.sh >"$work/recovered" 2>&1 && grep -q 'nothing is left' "$work/recovered" && return 0
	sed 's/^/# /' "$work/recovered"
	return 1
}
killed() { # signal: the simulation, and nothing of it runs on by itself
	kill -"$1" "$simulation"
	wait "$simulation" 2>/dev/null || true
	: >"$work/events"
}

for file in $(faults); do
	name=$(basename "$file" .sh)
	check "$name says what it is" is_described "$file"
	check "$name: each bound is the sum of its parts" bounds_add_up "$file"
	check "$name: its alerts exist" alerts_exist "$file"
done

trap stack_down EXIT
export LINKSHRINK_VAR=$work/var
check 'without a stack there is nothing to break' refuses 'no stack runs' postgres-stopped
LINKSHRINK_BASE_URL=https://go.example stack_up
check 'a stack that others use is refused' refuses 'not this machine alone' postgres-stopped
check 'and is as it was' postgres_runs
stack_restart
: >"$work/events"

simulate postgres-stopped 60
check 'PostgreSQL is stopped, really' wait_until 5 postgres_stopped
check 'one fault at a time' refuses 'another simulation runs' worker-killed
killed TERM
check 'stopped by TERM, the simulation undoes it' postgres_runs
check 'and leaves nothing' nothing_left

simulate postgres-stopped 60
killed KILL
check 'killed, the simulation leaves the fault' postgres_stopped
check 'and the next one refuses' refuses 'was not undone' worker-killed
check 'recover undoes it' recovers
check 'PostgreSQL goes on' wait_until 5 postgres_runs
check 'and all is served' wait_until 20 served

simulate workers-stopped 60
check 'all processes of redirect are stopped, again and again' wait_until 10 redirects_stopped
killed KILL
check 'killed, its helper goes on stopping them' wait_until 10 redirects_stopped
check 'recover ends the helper as well' recovers
check 'and they run' wait_until 30 running redirect 2

before=$(stack_programs redirect | sort)
simulate slow-responses 60
sleep 9 # longer than whoever is stopped for good lives
killed TERM
check 'who is slow is not taken for one who hangs' same "$(stack_programs redirect | sort)" "$before"

simulate lighttpd-gone 60
killed KILL
check 'recover lets the supervisor go on' recovers
check 'which starts lighttpd again' wait_until 30 served

simulate table-locked 60
check 'a simulation that runs is ended by recover' recovers
wait "$simulation" 2>/dev/null || true
: >"$work/events"
check 'and everybody is served again' wait_until 20 served

simulate connections-exhausted 60
check 'all connections are taken' wait_until 20 refused
killed TERM
check 'no session of a client that is gone stays' wait_until 20 somebody 0
check 'no disk is filled that others need' refuses 'no small disk of its own' disk-full-postgres
check 'recover finds nothing where nothing is' recovers
check 'all the programs are there' wait_until 20 running redirect 2
finish
