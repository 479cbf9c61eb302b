#!/bin/bash
# A short game day passes; one that is killed leaves nothing that recover does not clear away. Both
# at once: together they have as many stacks as a game day has by itself.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/web/lib.sh
. tests/web/lib.sh

# Game days of its own, each in a temporary directory of its own: what is left of one is found there.
short=$work/short cut=$work/cut
mkdir "$short" "$cut"
chmod 755 "$short" "$cut"
short_game='' cut_game='' kept=''

end() {
	local game
	for game in $short_game $cut_game; do kill -TERM "$game" 2>/dev/null || true; done
	wait
	TMPDIR=$cut scripts/simulate/recover.sh >/dev/null 2>&1 || true
	[ -z "$kept" ] || rm -rf "$kept"
	rm -rf "$work"
}
trap end EXIT

# Half of the ports for each.
half=$((${ports#* } / 2))
ports_of_short="${ports% *} $half" ports_of_cut="$((${ports% *} + half)) $half"

passes() { [ "$verdict" -eq 0 ] || { cat "$work/game"; return 1; }; }
phase() { cut -d ' ' -f 1 "$cut"/linkshrink-gameday.*/"$1"/phase 2>/dev/null || true; }
is_at() { [ "$(phase "$1")" = "$2" ]; }
note_kept() { kept=$(sed -n 's/^kept: //p' "$work/game"); }
is_told() { grep -qE "^\| $1 \|.*\| ok \|" "$work/game" || { cat "$work/game"; return 1; }; }
has_report() { grep -q '^## Timeline' "$kept/$1/report.md" && grep -q '</svg>' "$kept/$1/timeline.svg"; }
of_game() { # pids of everything that belongs to the one that is killed
	local process
	for process in /proc/[0-9]*; do
		! grep -qsF -e "$cut/linkshrink-gameday." "$process/cmdline" || echo "${process#/proc/}"
	done
}
nothing_of_game() { [ -z "$(of_game)" ]; }

export QUICK=1
TMPDIR=$short TEST_PORTS=$ports_of_short tests/gameday/run --keep-docs >"$work/game" 2>&1 &
short_game=$!
TMPDIR=$cut TEST_PORTS=$ports_of_cut setsid tests/gameday/run --keep-docs worker-stopped >"$work/killed" 2>&1 &
cut_game=$!
# A machine whose disk is busy may take two minutes to settle, before a stack is there.
check 'a game day is at its fault' wait_until 200 is_at worker-stopped broken
# All of it at once, as by a machine that ran out of memory: its players, their loads and simulations.
# shellcheck disable=SC2046 # pids are words
kill -KILL $(pgrep -g "$cut_game") $(of_game | grep -vxF "$$") 2>/dev/null || true
wait "$cut_game" 2>/dev/null || true
cut_game=''
check 'killed, it leaves a directory' test -n "$(find "$cut" -maxdepth 1 -name 'linkshrink-gameday.*')"
check 'recover clears it away' env TMPDIR="$cut" scripts/simulate/recover.sh
check 'and no process is left' wait_until 10 nothing_of_game
check 'and no file' same "$(ls "$cut")" ''

verdict=0
wait "$short_game" || verdict=$?
short_game=''
check 'a short one beside it passes' passes
note_kept
for fault in lighttpd-gone postgres-killed worker-killed; do
	check "$fault was as it must be" is_told "$fault"
	check 'and has a report with a picture' has_report "$fault"
done
check 'it leaves nothing behind' same "$(ls "$short")" ''
finish
