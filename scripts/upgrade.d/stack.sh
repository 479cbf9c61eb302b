# The running stack of scripts/stack gets what was built last. Sourced by scripts/upgrade.
# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared with scripts/upgrade and its other files

# Each file at once, and only what is another one: lighttpd reads some of them with each request.
put_file() { # mode from to
	! cmp -s "$2" "$3" || return 0
	install -D -m "$1" "$2" "$3.new"
	mv -f "$3.new" "$3"
}

# What lighttpd reads when it starts.
of_lighttpd() { (cd "$repo" && printf '%s\n' lighttpd.conf lighttpd/*); }

needs_lighttpd() {
	local file
	for file in $(of_lighttpd); do cmp -s "$repo/$file" "$app/$file" || return 0; done
	return 1
}

put_files() {
	local name
	for name in $(list_programs); do put_file 755 "$bin/$name" "$app/bin/$name"; done
	for name in $(of_lighttpd); do put_file 644 "$repo/$name" "$app/$name"; done
	(cd "$repo/www" && find . -type f) | while IFS= read -r name; do put_file 644 "$repo/www/$name" "$app/www/$name"; done
	for name in openapi.yaml runbook.md; do put_file 644 "$repo/docs/$name" "$app/$name"; done
}

upgrade_stack() {
	local name again=no
	settle_paths
	web_pid() { noted lighttpd; }
	is_running || fail "no stack runs in $var; scripts/stack up takes what was built last"
	for name in $(list_programs); do [ -x "$bin/$name" ] || fail "$bin/$name is missing; type: make build"; done
	operations=$(noted operations)
	is_ready || fail "not ready now: $ready_answer"
	DATABASE_OWNER_URL=$(cat "$run/owner.url") "$repo/db/migrate.sh" || fail 'the programs are as they were'
	! needs_lighttpd || again=yes
	put_files
	if [ "$again" = yes ]; then
		say 'lighttpd or its configuration is another one: all is started again, with a short gap'
		"$repo/scripts/stack" restart lighttpd >/dev/null || fail "see $logs/lighttpd.log"
	else
		roll_all
	fi
	wait_until 30 is_ready || fail "not ready: $ready_answer"
	all_current || fail 'a process is not what was built last'
	say 'every process is what was built last'
}
