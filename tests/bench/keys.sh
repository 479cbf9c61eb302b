#!/bin/bash
# Whether refusals tell by their time which keys exist; see keys.c.
set -euo pipefail

case ${1:-} in
--help | -h)
	echo 'usage: tests/bench/keys.sh [--keep-docs]'
	echo 'CALLS=100000 of a known id with a wrong secret, and as many of an unknown id.'
	exit 0
	;;
esac
cd "$(dirname "$0")/../.."
# shellcheck source=tests/bench/lib.sh
. tests/bench/lib.sh
trap 'rm -rf "$work"' EXIT

tests/domain/with-cluster.sh "$LINKSHRINK_TESTS/bench/keys" "${CALLS:-100000}" >"$work/keys"
of_keys() { awk -v name="$1" '$1 == name { print $2 }' "$work/keys"; }
size=$(of_keys t | tr -d -)
bar "time of a refused key, known id or unknown: Welch's t" "$size" most 4.5
{
	printf '\nA known id with a wrong secret: %s µs; an unknown id: %s µs; Welch'"'"'s t %s over %s calls each.\n\n' \
		"$(of_keys known_us)" "$(of_keys unknown_us)" "$(of_keys t)" "${CALLS:-100000}"
} | tee "$work/table"
[ "${1:-}" = --keep-docs ] || tests/bench/into-docs keys <"$work/table"
