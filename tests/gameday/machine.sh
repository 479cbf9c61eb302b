# What the machine itself suffers while a game day runs, by the kernel's pressure stall information: so
# that a neighbour's hesitation is not taken for ours. Sourced by run, as bash.
# shellcheck shell=bash disable=SC2154 # run is the game day's

# What was written before still goes to the disk, and the first stacks would feel it.
machine_settle() { # seconds, at most
	local end=$((SECONDS + $1))
	sync
	[ -r /proc/pressure/io ] || return 0
	until awk '$1 == "some" { sub("avg10=", "", $2); exit $2 >= 1 }' /proc/pressure/io || [ "$SECONDS" -ge "$end" ]; do
		sleep 1
	done
}

# Once a second: the time, then what all tasks together waited so far, in microseconds: for a processor
# (some of them), for the disk (all that had anything to do), for memory (likewise).
machine_note() {
	[ -r /proc/pressure/io ] && [ "${machine_noted:-}" != "$SECONDS" ] || return 0
	machine_noted=$SECONDS
	awk -v now="${EPOCHREALTIME%[.,]*}" '
		{ sub("total=", "", $NF) }
		FILENAME ~ /cpu$/ ? $1 == "some" : $1 == "full" { sums = sums " " $NF }
		END { print now sums }' /proc/pressure/cpu /proc/pressure/io /proc/pressure/memory >>"$run/machine"
}

machine_worst() { # seconds
	[ -s "$run/machine" ] || { echo 'for nothing that can be told here'; return; }
	awk -v window="$1" '
		{
			while (first < NR && NR > 1 && $1 - at[first] > window) first++
			at[NR] = $1
			if (NR == 1) first = 1
			for (i = 2; i <= 4; i++) {
				sum[NR, i] = $i
				if ($i - sum[first, i] > worst[i]) worst[i] = $i - sum[first, i]
			}
		}
		END { printf "%.1f s for a processor, %.1f s for the disk, %.1f s for memory\n", worst[2] / 1e6, worst[3] / 1e6, worst[4] / 1e6 }
	' "$run/machine"
}
