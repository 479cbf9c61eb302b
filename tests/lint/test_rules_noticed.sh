#!/bin/bash
# The tests of the rules can fail: a rule that is off makes them.
set -euo pipefail

case "${1:-}" in --help | -h) echo 'usage: tests/lint/test_rules_noticed.sh'; exit 0 ;; esac
cd "$(dirname "$0")/../.."
# shellcheck source=tests/report.sh
. tests/report.sh
# shellcheck source=tests/lint/promtool.sh
. tests/lint/promtool.sh

# Each case in a file of its own, TEST.NUMBER.yml: the first one that fails is enough. Where others
# before it would take long, a change names that.
mkdir "$work/cases"
awk -v directory="$work/cases/" '
	FNR == 1 { test = FILENAME; sub(/.*\//, "", test); sub(/yml$/, "", test); head = ""; number = 0 }
	/^  - / { close(file); number++; file = directory test number ".yml"; printf "%s", head >file }
	number { print >file; next }
	{ head = head $0 "\n" }' prometheus/tests/*.yml

notices() { # DIRECTORY TEST[.NUMBER]: whether one of its cases got something else than it expected
	local file
	for file in "$1/tests/$2".*yml; do
		! grep -q 'got:' <(promtool test rules "$file" 2>&1) || return 0
	done
	return 1
}

# off TEST[.NUMBER] FILE SED: with this change of a rule that test must fail
off() {
	local copy
	copy=$(mktemp -d "$work/off.XXXXXX")
	cp -r prometheus/rules "$copy/rules"
	cp -r "$work/cases" "$copy/tests"
	sed -i "$3" "$copy/rules/$2.yml"
	if cmp -s "prometheus/rules/$2.yml" "$copy/rules/$2.yml"; then
		echo "not ok - $2: there is nothing that \`$3\` changes"
	elif notices "$copy" "$1"; then
		echo "ok - the tests of $1 notice \`$3\` in $2"
	else
		echo "not ok - the tests of $1 notice \`$3\` in $2"
	fi
}

mapfile -t changes <<'CHANGES'
abuse abuse s/for: 15s/for: 30s/
abuse abuse s/for: 15s/for: 5s/
backup backup s/for: 15m/for: 15s/
certificate certificate s/14 [*]/140 */
certificate certificate s/ 2 [*]/ 20 */
certificate certificate s/for: 5m/for: 1m/
backup.5 backup s/for: 1h/for: 1m/
backup.7 backup /linkshrink_backup_wanted/d
backup backup s/ > 0)$/)/
outages outages s/for: 10s/for: 100s/
outages outages s/for: 20s/for: 2s/
outages outages /unless on(instance)/d
burn-flash burn-flash s/100 \* slo/10 * slo/
burn-flash burn-flash s/100 \* slo/1000 * slo/
burn-flash.3 burn-flash s/>= 10/>= 1/
burn-flash.5 burn-flash /unless on(slo)/d
burn-flash.6 burn-flash s/ \* scalar(slo:watched:ratio2m)//
burn-fast burn-fast s/14\.4 \*/144 */
burn-fast.2 burn-fast s/ \* scalar(slo:watched:ratio1h)//
burn-fast.7 burn-fast /unless on(slo)/d
burn-fast.4 burn-fast /\* 300 >= 5/d
workers workers s/timestamp(.*/time()/
burn-slow burn-slow s/> on(slo) 6 \*/> on(slo) 0.6 */
scenarios.2 burn-flash /lookup="stale"/s/sum(rate(.*)/vector(0)/
scenarios burn-flash s/code=~"5\.\."/code=~"[45].."/
replica replica s/> 10$/> 100/
database database s/\[17s\]/[170s]/
database database s/> 60$/> 600/
database database s/53100/53/
database database /unless on(instance) time/d
workers workers s/> 10$/> 100/
clicks clicks s/-4 \*/-40 */
clicks clicks s/> 0\.5$/> 5/
host host s/< 0\.05$/< 0.005/
monitoring monitoring s/for: 30s/for: 3s/
requests requests s/> 0\.05$/> 0.5/
requests requests s/probe"}\[1m\]) > 0\.25/probe"}[1m]) > 2.5/
CHANGES
for i in "${!changes[@]}"; do
	read -r test file change <<<"${changes[i]}"
	have_room
	off "$test" "$file" "$change" >"$work/said.$i" &
done
wait
for i in "${!changes[@]}"; do cat "$work/said.$i"; done
! grep -q '^not ok' "$work"/said.* || failures=1

finish
