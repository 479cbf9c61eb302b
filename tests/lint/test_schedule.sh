#!/bin/bash
# Which suites tests/run lets run at once, and that those have no port in common. No stack is needed.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/report.sh
. tests/report.sh
# shellcheck source=tests/schedule.sh
. tests/schedule.sh

# ---- Who may begin beside whom

# need, at most, what runs: each may, or none of them
# shellcheck disable=SC2086 # rows are words
may() { local row; while read -r row; do may_start $row || { echo "$row"; return 1; }; done; }
# shellcheck disable=SC2086
may_not() { local row; while read -r row; do ! may_start $row || { echo "$row"; return 1; }; done; }
check 'whoever comes first may begin' may <<<'alone 2
busy 2
calm 2
patient 2
other 1'
check 'a busy one beside nobody whose clocks run' may_not <<<'busy 2 busy
busy 2 calm
calm 2 busy
busy 2 other
other 2 busy
busy 3 patient calm
calm 3 busy patient'
check 'calm ones beside each other' may <<<'calm 2 calm
calm 3 calm calm
calm 2 other
other 2 calm
other 3 calm calm
calm 3 calm other'
check 'of those without a stack one at a time' may_not <<<'other 2 other
other 3 other calm'
check 'who only computes beside anybody, who does not mind' may <<<'patient 2 alone
patient 2 busy
patient 3 calm other
patient 2 patient
alone 3 patient patient
busy 2 patient
other 2 patient'
check 'who needs all of the machine beside nobody else' may_not <<<'alone 2 other
alone 2 calm
alone 3 busy
alone 3 patient other
other 2 alone
calm 2 alone
busy 3 patient alone'
check 'no more at once than are allowed' may_not <<<'other 1 calm
calm 2 calm other
patient 2 busy patient
other 3 calm patient calm'

# ---- Ports

ranges() { local slot; for ((slot = 0; slot < $1; slot++)); do ports_of "$slot" "$1"; done; }
disjoint() { # slots: each begins where the one before it ends, or later, and none reaches the clients' ports
	ranges "$1" | awk '
		$1 < end || $1 + $2 > 32768 || $2 < 100 { print; wrong = 1 } { end = $1 + $2 } END { exit wrong || NR == 0 }'
}
for slots in 1 2 3 8 16; do
	check "of $slots at once no two have a port in common" disjoint "$slots"
done

# ---- The table

order() { printf '%s\n' "$@" | in_order; }
check 'each suite is tried in the order of its need, with its command' same \
	"$(order 'lint/test_lists tests/lint/test_lists.sh' 'web/test_new x' 'service s' 'web/test_watch y z' 'web/test_gameday g' 'browser/test_page b')" \
	'alone web/test_gameday g
busy web/test_new x
busy browser/test_page b
other service s
calm web/test_watch y z
patient lint/test_lists tests/lint/test_lists.sh'
all=$(find tests -name 'test_*.sh' | sed 's|^tests/||; s|\.sh$||')
check 'every suite that it names exists' same "$(table | cut -d ' ' -f 1 | grep -vxF "$all" || true)" ''
check 'with a need that there is' same "$(table | cut -d ' ' -f 2- | grep -vxE 'alone|busy|calm|other|patient' || true)" ''

finish
