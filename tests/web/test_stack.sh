#!/bin/bash
# The stack itself: starting, stopping, refusing, and what is killed comes back or goes for good.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/web/lib.sh
. tests/web/lib.sh

# ---- Helpers

# other NAME [variable=value…] command…: scripts/stack for another stack, with data in $work/NAME
other() {
	local name=$1
	shift
	env LINKSHRINK_VAR="$work/$name" LINKSHRINK_PORT="$other_port" LINKSHRINK_OPS_PORT="$other_ops_port" "$@"
}

end_other() { # as stack_down, for one of the others
	other "$1" scripts/stack down >/dev/null 2>&1 || true
	LINKSHRINK_VAR="$work/$1" forget_stack
}

end_all() {
	local name
	for name in 'with space' second nobody "${deep:-none}"; do
		[ ! -e "$work/$name" ] || end_other "$name"
	done
	stack_down
}

gives() { [ "$(curl -s -o "$work/body" -w '%{http_code}' --max-time 5 "$2")" = "$1" ]; }
ready() { gives 200 "http://127.0.0.1:$LINKSHRINK_OPS_PORT/ready"; }
follows() { gives 302 "http://127.0.0.1:$LINKSHRINK_PORT/$1"; }

refused() { fails_with -F "$@"; } # WORDS command…

exits() { # STATUS command…
	local want=$1 got=0
	shift
	"$@" || got=$?
	[ "$got" -eq "$want" ]
}

dead() { # pid…: none is alive; one that waits for its parent to take note of that counts as dead
	local pid
	for pid in "$@"; do
		! grep -qs '^State:.[^ZX]' "/proc/$pid/status" || return 1
	done
}

shorten() {
	curl -s "http://127.0.0.1:$LINKSHRINK_PORT/shorten" -H 'Content-Type: application/json' \
		-d '{"url":"https://example.com/"}' | sed -n 's/.*"short_code":"\([^"]*\)".*/\1/p'
}

new_lighttpd() { [ -n "$(noted lighttpd)" ] && [ "$(noted lighttpd)" != "$1" ] && ready; }
new_postgres() { [ -n "$(noted postgresql)" ] && [ "$(noted postgresql)" != "$1" ] && ready; }

other_port=$(free_port)
other_ops_port=$(free_port)
trap end_all EXIT
export LINKSHRINK_TEST_STRANGER=1 SOME_SECRET=1
stack_up

# ---- The counters of a stack whose directory was removed are gone with it

shorten >/dev/null
scripts/stack down >/dev/null
rm -rf "$LINKSHRINK_VAR"
stack_start
check 'a new stack in the place of an old one begins at 0' same "$(metric linkshrink_links_created_total)" 0

# ---- It runs

check 'it says how to shorten' grep -q "curl -s http://127.0.0.1:$LINKSHRINK_PORT/shorten" "$work/up.log"
check 'the first start shows an admin key' grep -q 'admin key *ls_1_[0-9a-f]\{64\}' "$work/up.log"
check 'status: runs and is ready' scripts/stack status
code=$(shorten)
check 'a link is made and followed' follows "$code"
check 'a second up refuses and names the first' refused "pid $(cat "$LINKSHRINK_VAR/run/lock")" scripts/stack up
check 'also detached' refused "pid $(cat "$LINKSHRINK_VAR/run/lock")" scripts/stack up --detach
check 'and the first goes on' ready

# ---- Who sees what

environment() { tr '\0' '\n' <"/proc/$(stack_programs redirect | head -n 1)/environ"; }
check 'programs get settings' grep -q '^LINKSHRINK_DATABASE_URL=' <(environment)
check 'and nothing else of the environment' refused '' grep -E '^(SOME_SECRET|HOME|USER|LINKSHRINK_TEST_STRANGER|LINKSHRINK_VAR)=' <(environment)
check 'lighttpd.conf passes on every setting of config.def' diff \
	<(sed -n -e 's/^CONFIG_SECRET([a-z_]*, "\([A-Z_]*\)".*/\1\n\1_FILE/p; t' \
		-e 's/^CONFIG_[A-Z]*([a-z_]*, "\([A-Z_]*\)".*/\1/p' common/base/config.def | sort) \
	<(awk '/^var.settings/,/^\)/; /^var.as_web/,/\)$/' lighttpd.conf | grep -o 'LINKSHRINK_[A-Z_]*' | sort -u)
check 'PostgreSQL is not on the network' refused '' psql -X -h 127.0.0.1 -p 5432 -U linkshrink_web -d linkshrink -c ''
check 'writes are durable' test "$(sql "SELECT string_agg(setting, ' ' ORDER BY name) FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit')")" = 'on on on'
if [ "$(id -u)" -eq 0 ]; then
	as_web() { setpriv --reuid=www-data --regid=www-data --init-groups -- "$@"; }
	check 'programs do not run as root' test "$(ps -o user= -p "$(stack_programs redirect | head -n 1)")" = www-data
	check 'nor does PostgreSQL' test "$(ps -o user= -p "$(noted postgresql)")" = postgres
	check 'the programs can not read the cluster' refused 'ermission denied' as_web ls "$LINKSHRINK_VAR/pg"
	check 'nor the owner'\''s connection' refused 'ermission denied' as_web cat "$LINKSHRINK_VAR/run/owner.url"
	check 'nor enter another database' refused 'no pg_hba.conf entry' as_web psql -X -c '' \
		"postgresql://linkshrink_web@/postgres?host=$LINKSHRINK_VAR/run/pg"
	check 'nor be the owner' refused 'eer authentication failed' as_web psql -X -c '' "$(cat "$LINKSHRINK_VAR/run/owner.url")"
fi

# ---- What is killed comes back

old=$(noted lighttpd)
mapfile -t programs < <(stack_programs)
kill -9 "$old"
check 'lighttpd killed: links are followed again within 2 s' wait_until 2 follows "$code"
check 'it is a new one' wait_until 2 new_lighttpd "$old"
check 'no program of the old generation is left' wait_until 2 dead "${programs[@]}"
check 'and all programs are there twice' wait_until 2 eval 'alive redirect 2 && alive shorten 2 && alive metrics 2 && alive system 2'

old=$(noted lighttpd)
kill -STOP "$old"
mapfile -t programs < <(stack_programs)
kill -9 "$old"
check 'lighttpd stopped, then killed: back' wait_until 3 new_lighttpd "$old"
check 'without its programs' wait_until 2 dead "${programs[@]}"

old=$(noted postgresql)
kill -9 "$old"
check 'PostgreSQL killed: ready again within 5 s' wait_until 5 new_postgres "$old"
check 'with all links' wait_until 2 follows "$code"

old=$(stack_programs redirect | head -n 1)
kill -9 "$old"
check 'a program killed: replaced within 2 s' wait_until 2 alive redirect 2
check 'status: ready after all that' scripts/stack status

check 'restart lighttpd: a new one, ready' scripts/stack restart lighttpd
mapfile -t programs < <(stack_programs redirect)
check 'restart a program' scripts/stack restart redirect
check 'all of its processes are new' dead "${programs[@]}"
check 'restart of something unknown is refused' refused "no program 'nonsense'" scripts/stack restart nonsense

# ---- What stays stopped is killed and comes back, PostgreSQL excepted

state_is() { # LETTER pid…
	local letter=$1 pid
	shift
	for pid in "$@"; do grep -qs "^State:.$letter" "/proc/$pid/status" || return 1; done
}
other_lighttpd() { [ "$(noted lighttpd)" != "$1" ] && gives 200 "http://127.0.0.1:$LINKSHRINK_PORT/health"; }
stack_log_has() { grep -q "$1" "$LINKSHRINK_VAR/log/stack.log"; }
trace() { # PID: holds it as a debugger does; seize and interrupt, by their numbers
	perl -e '$call = {x86_64 => 101, aarch64 => 117}->{$ARGV[1]} or exit 1;
		syscall($call, $_, $ARGV[0] + 0, 0, 0) == 0 or exit 1 for 0x4206, 0x4207;
		sleep 60' "$1" "$(uname -m)" 2>/dev/null &
	tracer=$!
}

old=$(noted lighttpd)
mapfile -t programs < <(stack_programs)
mapfile -t postgres < <(stack_postgres)
kill -STOP "$old" "${postgres[@]}"
check 'lighttpd stopped: another one within 8 s' wait_until 8 other_lighttpd "$old"
check 'no program of the old generation is left' wait_until 2 dead "${programs[@]}"
check 'the log says why' stack_log_has "lighttpd (pid $old) .*stopped"
check 'PostgreSQL, stopped as long, is left alone' state_is T "${postgres[@]}"
kill -CONT "${postgres[@]}"
check 'ready when it goes on' wait_until 10 ready

old=$(noted lighttpd)
mapfile -t programs < <(stack_programs)
trace "$old"
wait_until 1 state_is t "$old" || echo "# nobody may be traced here"
kill -STOP "${programs[@]}"
check 'all programs stopped: killed within 8 s' wait_until 8 dead "${programs[@]}"
check 'the log says which' stack_log_has "redirect (pid [0-9]*) .*stopped"
check 'a debugger may hold lighttpd' test "$(noted lighttpd)" = "$old"
{ kill "$tracer" && wait "$tracer"; } 2>/dev/null || true
check 'links are followed again' wait_until 3 follows "$code"
check 'by the same lighttpd' test "$(noted lighttpd)" = "$old"

# ---- The supervisor dies

supervisor=$(cat "$LINKSHRINK_VAR/run/lock")
kill -9 "$supervisor"
check 'supervisor killed: all else goes within 5 s' wait_until 5 nothing_runs_in "$LINKSHRINK_VAR"
check 'status: not running' exits 3 scripts/stack status
check 'down has nothing to do' scripts/stack down
stack_start
check 'the next up has the old links' follows "$code"
check 'and shows no second key' refused '' grep -q 'admin key' "$work/up.log"

supervisor=$(cat "$LINKSHRINK_VAR/run/lock")
mapfile -t stopped < <(stack_postgres; stack_programs; noted lighttpd)
kill -STOP "${stopped[@]}"
kill -9 "$supervisor"
check 'supervisor killed while all else was stopped: the next up works' scripts/stack up --detach
check 'and has cleared the old' dead "${stopped[@]}"
check 'and has the links' follows "$code"

# ---- Others beside it

check 'a second stack runs beside it, in a path with a space' other 'with space' scripts/stack up --detach
check 'and answers' gives 200 "http://127.0.0.1:$other_port/health"
check 'the first one still does' ready
check 'each has its own links' gives 404 "http://127.0.0.1:$other_port/$code"
check 'down of the second' other 'with space' scripts/stack down
check 'leaves nothing of it' nothing_runs_in "$work/with space"
check 'and the first one' ready
end_other 'with space'

check 'a port that is taken is named' refused "port $LINKSHRINK_PORT is taken; choose another with LINKSHRINK_PORT" \
	other second LINKSHRINK_PORT="$LINKSHRINK_PORT" scripts/stack up --detach
check 'also that for operations' refused "choose another with LINKSHRINK_OPS_PORT" \
	other second LINKSHRINK_OPS_PORT="$LINKSHRINK_OPS_PORT" scripts/stack up --detach
check 'a wrong port is refused' refused "LINKSHRINK_PORT is '80x'" other second LINKSHRINK_PORT=80x scripts/stack up
check 'a wrong setting is named' refused LINKSHRINK_NODE other second LINKSHRINK_NODE=zero scripts/stack up --detach
check 'none of them leaves anything running' nothing_runs_in "$work/second"

mkdir -p "$work/second"
cp -r "$LINKSHRINK_VAR/log" "$work/second/pg.new"
check 'half a cluster of an interrupted start is no hindrance' other second scripts/stack up --detach
end_other second
rm -rf "$work/second"

web_url="postgresql://linkshrink_web@/linkshrink?host=$LINKSHRINK_VAR/run/pg"
ingest_url=${web_url/linkshrink_web/linkshrink_ingest}
check 'DATABASE_URL alone is not enough: clicks are counted by another role' \
	refused DATABASE_INGEST_URL other second DATABASE_URL="$web_url" scripts/stack up --detach
check 'DATABASE_URL: that database is used' other second DATABASE_URL="$web_url" DATABASE_INGEST_URL="$ingest_url" \
	DATABASE_OWNER_URL="$(cat "$LINKSHRINK_VAR/run/owner.url")" scripts/stack up --detach
check 'it has the links' gives 302 "http://127.0.0.1:$other_port/$code"
check 'no cluster was made' test ! -e "$work/second/pg"
check 'the password of such a URL is for its owner alone' test "$(stat -c %a "$work/second/run/owner.url")" = 600
other second scripts/stack down >/dev/null
check 'a database that is away is a reason' refused 'the migrations failed' \
	other second DATABASE_URL='postgresql://nobody@/none?host=/nonexistent' \
		DATABASE_INGEST_URL='postgresql://nobody@/none?host=/nonexistent' scripts/stack up --detach
end_other second
rm -rf "$work/second"

# ---- In the foreground

foreground() { # starts one, its pid in $foreground; a shell ignores SIGINT for what it starts with &
	LINKSHRINK_VAR=$work/second LINKSHRINK_PORT=$other_port LINKSHRINK_OPS_PORT=$other_ops_port \
		env --default-signal=INT scripts/stack up >"$work/foreground.log" 2>&1 &
	foreground=$!
}
end_foreground() { # SIGNAL: its exit status is then in $status; check runs in a subshell and can't wait
	kill -"$1" "$foreground"
	status=0
	wait "$foreground" || status=$?
}
other_ready() { gives 200 "http://127.0.0.1:$other_ops_port/ready"; }

foreground
check 'up in the foreground' wait_until 30 grep -q 'Ctrl-C' "$work/foreground.log"
end_foreground INT
check 'Ctrl-C ends it in order' test "$status" -eq 0
check 'and nothing is left' nothing_runs_in "$work/second"
foreground
check 'up again' wait_until 30 grep -q 'Ctrl-C' "$work/foreground.log"
end_foreground HUP
check 'a closed terminal ends it in order' test "$status" -eq 0
check 'and nothing is left' nothing_runs_in "$work/second"
foreground
check 'and again' wait_until 30 test -e "$work/second/run/state"
end_foreground TERM
check 'SIGTERM while it starts ends it' test "$status" -eq 130
check 'and nothing is left' nothing_runs_in "$work/second"
end_other second

# ---- Elsewhere, as somebody else

deep=long
while [ "${#deep}" -lt 120 ]; do deep+=/a-directory-with-a-rather-long-name; done
check 'a path longer than that of a socket can be' other "$deep" scripts/stack up --detach
check 'answers' other_ready
other "$deep" scripts/stack down >/dev/null
end_other "$deep"

if [ "$(id -u)" -eq 0 ] && setpriv --reuid=nobody --regid=nogroup --clear-groups test -x scripts/stack -a -x "$LINKSHRINK_BIN"; then
	mkdir "$work/nobody"
	chown nobody: "$work/nobody"
	as_nobody() { other nobody setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"; }
	check 'a normal user can have one' as_nobody scripts/stack up --detach
	check 'it answers' other_ready
	check 'status' as_nobody scripts/stack status
	check 'it survives a kill -9 of lighttpd' eval \
		'kill -9 "$(sed -n "s/^lighttpd //p" "$work/nobody/run/state")"; wait_until 3 other_ready'
	check 'down' as_nobody scripts/stack down
	check 'leaves nothing' nothing_runs_in "$work/nobody"
	hash=$(printf %s "$work/nobody" | sha256sum | cut -c 1-12)
	rm -rf "/dev/shm/linkshrink-$(id -u nobody)-$hash"
fi

# ---- The end

check 'down' scripts/stack down
check 'leaves nothing' nothing_runs_in "$LINKSHRINK_VAR"
check 'and down again is fine' scripts/stack down

finish
