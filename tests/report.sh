# How a suite in shell says what is well and what is not, see tests/README.md. Sourced; then:
#
#   check NAME command…     "ok - NAME" if the command succeeds, else "not ok - NAME" and what it said
#   nothing NAME command…   likewise, if it succeeds and prints nothing: what it prints is what is wrong
#   ok NAME, not_ok NAME    the same by hand
#   finish                  the end: fails if anything was not ok
#
# and for commands of check:
#
#   same GOT WANTED                    whether two texts are equal, and how they differ if not
#   fails_with -E|-F WORDS command…    whether it fails and says that, a pattern or the words themselves
# shellcheck shell=bash

failures=0

ok() { echo "ok - $1"; }

not_ok() {
	echo "not ok - $1"
	failures=$((failures + 1))
}

check() {
	local name=$1 said
	shift
	if said=$("$@" 2>&1); then
		ok "$name"
	else
		not_ok "$name"
		[ -z "$said" ] || printf '%s\n' "$said" | head -n 40 | sed 's/^/    /'
	fi
}

nothing() {
	local name=$1
	shift
	check "$name" silent "$@"
}
silent() {
	local said
	said=$("$@") || true # of a pipe, whose grep may have found nothing
	[ -z "$said" ] || { printf '%s\n' "$said"; return 1; }
}

same() {
	[ "$1" = "$2" ] || { diff --label got --label wanted -u0 <(printf '%s\n' "$1") <(printf '%s\n' "$2"); return 1; }
}

fails_with() {
	local kind=$1 words=$2 said
	shift 2
	if said=$("$@" 2>&1); then
		echo "it succeeded: $said"
		return 1
	fi
	grep -q "$kind" -e "$words" <<<"$said" || { echo "$said"; return 1; }
}

finish() {
	[ "$failures" -eq 0 ] || exit 1
	exit 0
}
