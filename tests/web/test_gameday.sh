#!/bin/bash
# A short game day passes; one that is killed leaves nothing that recover does not clear away.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/web/lib.sh
. tests/web/lib.sh

# A game day of its own in a temporary directory of its own: what is left of it is found there.
export TMPDIR=$work/tmp
mkdir "$TMPDIR"
chmod 755 "$TMPDIR"
game='' kept=''

end() {
	[ -z "$game" ] || kill -TERM "$game" 2>/dev/null || true
	wait
	scripts/simulate/recover.sh >/dev/null 2>&1 || true
	[ -z "$kept" ] || rm -rf "$kept"
	rm -rf "$work"
}
trap end EXIT

run_game() { tests/gameday/run --keep-docs "$@" >"$work/game" 2>&1; }
passes() { run_game "$@" || { cat "$work/game"; return 1; }; }
phase() { cut -d ' ' -f 1 "$TMPDIR"/linkshrink-gameday.*/"$1"/phase 2>/dev/null || true; }
is_at() { [ "$(phase "$1")" = "$2" ]; }
note_kept() { kept=$(sed -n 's/^kept: //p' "$work/game"); }
is_told() { grep -qE "^\| $1 \|.*\| ok \|" "$work/game" || { cat "$work/game"; return 1; }; }
has_report() { grep -q '^## Timeline' "$kept/$1/report.md" && grep -q '</svg>' "$kept/$1/timeline.svg"; }
of_game() { # pids of everything that belongs to one
	local process
	for process in /proc/[0-9]*; do
		! grep -qsF -e "$TMPDIR/linkshrink-gameday." "$process/cmdline" || echo "${process#/proc/}"
	done
}
nothing_of_game() { [ -z "$(of_game)" ]; }

export QUICK=1
check 'a short game day passes' passes
note_kept
for fault in lighttpd-gone postgres-killed worker-killed; do
	check "$fault was as it must be" is_told "$fault"
	check 'and has a report with a picture' has_report "$fault"
done
check 'it leaves nothing behind' same "$(ls "$TMPDIR")" ''

setsid tests/gameday/run --keep-docs worker-stopped >"$work/killed" 2>&1 &
game=$!
check 'another one is at its fault' wait_until 120 is_at worker-stopped broken
# All of it at once, as by a machine that ran out of memory: its players, their loads and simulations.
# shellcheck disable=SC2046 # pids are words
kill -KILL $(pgrep -g "$game") $(of_game | grep -vxF "$$") 2>/dev/null || true
wait "$game" 2>/dev/null || true
game=''
check 'killed, it leaves a directory' test -n "$(find "$TMPDIR" -maxdepth 1 -name 'linkshrink-gameday.*')"
check 'recover clears it away' scripts/simulate/recover.sh
check 'and no process is left' wait_until 10 nothing_of_game
check 'and no file' same "$(ls "$TMPDIR")" ''
finish
