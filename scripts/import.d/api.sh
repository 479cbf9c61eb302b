# Calls of the API by scripts: where it is, the key, and what it answered. Sourced by import and
# demo-data, which set $repo, a directory $work of their own, and fail().
#
#   settle_api URL NAME   URL, or where it is "" that of the running stack, becomes $public; the key is
#                         LINKSHRINK_KEY, else a new one called NAME, which end_api takes back
#   ask METHOD PATH [curl options…]   the status is in $answered, the answer in $work/answer
#   expect STATUS WHAT    fails with what the API said, unless it answered that
#   post_rows KIND FILE   sends CSV to /KIND/bulk; patient where there were too many requests
# shellcheck shell=bash disable=SC2154 # $repo and $work

settle_api() {
	public=$1 made_key=
	if [ -z "$public" ]; then
		# shellcheck source=scripts/stack.d/paths.sh
		. "$repo/scripts/stack.d/paths.sh"
		settle_paths
		is_running || fail "no stack runs in $var; start it with scripts/stack up, or say --url"
		public=$(noted public)
	fi
	public=${public%/}
	key=${LINKSHRINK_KEY:-}
	if [ -z "$key" ]; then
		made_key=$("$repo/scripts/admin-key" --name "$2" --days 1) ||
			fail 'no key: set LINKSHRINK_KEY, or make one with scripts/admin-key'
		key=$made_key
	fi
	# In a file: arguments are there for everyone to see.
	(umask 077 && printf 'Authorization: Bearer %s\n' "$key" >"$work/key")
}

end_api() {
	[ -z "${made_key:-}" ] || {
		made_key=${made_key#ls_}
		ask DELETE "/keys/${made_key%%_*}" || true
		made_key=
	}
}

ask() { # method path [curl options…]
	local method=$1 path=$2
	shift 2
	[ "$method" = GET ] || set -- -X "$method" "$@"
	answered=$(curl -sS -m 600 -o "$work/answer" -D "$work/head" -w '%{http_code}' -H "@$work/key" -H 'Expect:' \
		"$@" "$public$path" 2>"$work/curl") || answered=000
	[ "$answered" != 000 ]
}

# The short text of an error, and its faults.
reason() {
	if [ "$answered" = 000 ]; then
		echo "no answer from $public: $(sed 's/^curl: ([0-9]*) //' "$work/curl" | head -n 1)"
		return
	fi
	jq -r '[.error // .title // empty] + [.errors[]? | "\(.field // .row): \(.what // .error)"] | join("; ")' \
		"$work/answer" 2>/dev/null | sed "s/^/$answered /" | grep . || echo "$answered"
}

expect() { # status what
	[ "$answered" = "$1" ] || fail "$2: $(reason)"
}

header() { tr -d '\r' <"$work/head" | sed -n "s/^$1: *//Ip" | tail -n 1; }

post_rows() { # kind file
	local wait
	while :; do
		ask POST "/$1/bulk" -H 'Content-Type: text/csv' --data-binary "@$2" || return 0
		[ "$answered" = 429 ] || return 0
		wait=$(header Retry-After)
		case $wait in '' | *[!0-9]* | ????*) return 0 ;; esac
		sleep "$wait" # it says for how long
	done
}
