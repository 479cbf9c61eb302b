# Fills a disk, of which nobody but the stack can have need. Sourced by the faults that do.
# shellcheck shell=bash

readonly largest_disk=$((2 << 30))

fill_disk_of() { # directory
	local filler=$1/.filler size room
	size=$(df --output=size -B 1 "$1" | tail -n 1)
	if [ "$size" -gt "$largest_disk" ] || ! mountpoint -q "$1"; then
		fail "$1 is no small disk of its own; filling the one that it lies on would harm others"
	fi
	journal_remove "$filler"
	room=$(df --output=avail -B 1 "$1" | tail -n 1)
	strike "the last $room bytes of the disk at $1 are taken"
	# Not through a link that somebody put there.
	(set -C && head -c "$((room + 65536))" /dev/zero >"$filler") 2>/dev/null || true
	[ -s "$filler" ] || fail "nothing can be written to $filler"
}
