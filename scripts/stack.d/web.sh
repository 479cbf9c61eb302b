# lighttpd and the programs: copied, checked, started, ready. Sourced by supervise.
# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared with the other files

# Copies, so that a build under a running stack disturbs nobody, and the users need no checkout.
copy_programs() {
	local program file
	for program in $(list_programs); do
		[ -x "$bin/$program" ] || fail "$bin/$program is missing; type: make build"
		cp "$bin/$program" "$app/bin/.$program" && mv -f "$app/bin/.$program" "$app/bin/$program"
	done
	cp "$repo/lighttpd.conf" "$app/lighttpd.conf"
	for file in "$repo"/lighttpd/*; do cp "$file" "$app/lighttpd/"; done
	rm -rf "$app/www"
	cp -R "$repo/www" "$app/www"
	cp "$repo/docs/openapi.yaml" "$app/"
	! [ -e "$repo/docs/runbook.md" ] || cp "$repo/docs/runbook.md" "$app/"
	chmod -R a+rX "$var/app"
}

check_port_free() { # variable port address
	local address=$3
	address=${address#[}
	! (exec 3<>"/dev/tcp/${address%]}/$2") 2>/dev/null ||
		fail "port $2 is taken; choose another with $1"
}

check_tls_ports_free() {
	local address name
	address=$(reachable_address "$LINKSHRINK_TLS_LISTEN")
	for name in LINKSHRINK_TLS_PORT LINKSHRINK_HTTP_PORT LINKSHRINK_OPS_TLS_PORT; do
		[ -z "${!name:-}" ] || check_port_free "$name" "${!name}" "$address"
	done
}

check_programs() {
	local program
	program=$(list_programs | head -n 1)
	(cd / && unset_foreign && as "$web_user" "$app/bin/$program" --check-config) || fail "not started with these settings"
	[ -z "$LINKSHRINK_TLS_FILE" ] || as "$web_user" test -r "$LINKSHRINK_TLS_FILE" ||
		fail "LINKSHRINK_TLS_FILE: $LINKSHRINK_TLS_FILE is missing, or may not be read by who runs lighttpd"
	(cd / && unset_foreign && as "$web_user" /usr/sbin/lighttpd -tt -f "$app/lighttpd.conf") ||
		fail "lighttpd refuses $repo/lighttpd.conf"
}

start_lighttpd() {
	launch lighttpd "$web_user" TERM "$logs/lighttpd.log" /usr/sbin/lighttpd -f "$app/lighttpd.conf" -D
}

# A database that lost links stays like that until somebody brings them back, and for that, and for
# the redirects meanwhile, all has to run.
lacks_links_alone() { # answer of /ready
	case $1 in *'see scripts/reconcile'*) [ "$(grep -o '"ok":false' <<<"$1" | grep -c .)" -eq 1 ] ;; *) return 1 ;; esac
}

wait_for_ready() {
	local answer
	until answer=$(curl -s --noproxy '*' -m 2 -w '\n%{http_code}' "$operations/ready") &&
		[ "${answer##*$'\n'}" = 200 ]; do
		! lacks_links_alone "$answer" || {
			note="the database lacks links that the local copy has: redirects go on, and new links are refused. See scripts/restore and scripts/reconcile."
			# A key of a database that is about to be replaced is none.
			rm -f "$run/first"
			return
		}
		is_alive lighttpd ||
			{ show_log "$logs/lighttpd.log"; fail "lighttpd did not start"; }
		[ "$SECONDS" -lt "$start_seconds" ] || {
			show_log "$logs/lighttpd.log"
			show_log "$logs/programs.log"
			show_log "$logs/linkshrink.log"
			fail "not ready within $start_seconds s: ${answer//$'\n'/ }"
		}
		pause_for 0.05
	done
}
