#!/bin/bash
# Processes that need more memory than they may have: they wait for pages that were just taken from
# them. In a control group of their own, so that it is their memory that runs short and nobody's end.
# shellcheck source=scripts/simulate.d/lib.sh
. "$(dirname "$0")/../simulate.d/lib.sh"

what 'Sixteen processes share too little memory and wait for it'
because 'Somebody else needed more memory than there was'
stands_alone
must MemoryPressure 6 'until a tenth of a minute was waited for'
may CpuPressure HighCPU IoPressure

readonly file_bytes=$((24 << 20)) group_bytes=$((16 << 20)) readers=16

# Where groups of memory are made, and the file of their limit: version 1 of control groups, or 2.
find_groups() {
	if [ -w /sys/fs/cgroup/memory/cgroup.procs ]; then
		group=/sys/fs/cgroup/memory/linkshrink-simulation-$hash limit=memory.limit_in_bytes
	elif grep -qsw memory /sys/fs/cgroup/cgroup.subtree_control && [ -w /sys/fs/cgroup/cgroup.procs ]; then
		group=/sys/fs/cgroup/linkshrink-simulation-$hash limit=memory.max
	else
		fail 'no control group of memory can be made here: it takes root, and a kernel that has them'
	fi
}

enter() { echo "$BASHPID" >"$group/cgroup.procs"; }

# The pages of a file belong to the group that touched it first.
make_file() (
	enter
	exec head -c "$file_bytes" /dev/urandom >"$simulations/.pages"
)

# None of the wanted pages is ever there: the next reader took its room.
read_again() {
	find_groups
	enter
	while :; do cat "$simulations/.pages" >/dev/null; done
}

inject() {
	local number
	find_groups
	journal_remove "$simulations/.pages"
	journal_group "$group"
	mkdir -p "$group"
	echo "$group_bytes" >"$group/$limit"
	make_file
	strike "$readers processes read a file of $((file_bytes >> 20)) MiB again and again in a group that may have $((group_bytes >> 20))"
	for ((number = 0; number < readers; number++)); do helper read_again; done
}

simulate "$@"
