# What a stack is told, what it makes of it, and the directories it needs. Sourced by supervise.
# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared with the other files

private_directory() { # path user mode: ours or theirs, never a stranger's
	[ -L "$1" ] || mkdir -p "$1" || fail "can't make $1"
	[ ! -L "$1" ] || fail "$1 is a symbolic link; it must be a directory"
	case $(stat -c %U "$1") in
	"$2" | "$(id -un)") ;;
	*) fail "$1 belongs to $(stat -c %U "$1"); it must belong to $2" ;;
	esac
	chown "$2:$(id -g "$2")" "$1"
	chmod "$3" "$1"
}

take_lock() {
	exec {lock}<>"$run/lock" || fail "can't write to $run"
	flock -w 1 "$lock" || fail "a stack runs in $var already: pid $(cat "$run/lock"); stop it with: scripts/stack down"
	# Not truncated before it is ours: it names who holds it.
	printf '%s\n' "$$" >"$run/lock"
}

make_directories() {
	mkdir -p "$var" "$run" "$logs" "$var/app/bin" "$var/app/lighttpd" "$var/app/www" ||
		fail "can't make directories in $var"
	take_lock
	if [ "$plain" != "$run" ]; then
		private_directory "$plain" "$(id -un)" "$([ "$(id -u)" -eq 0 ] && echo 755 || echo 700)"
		ln -sfnT "$var/app" "$app"
	fi
	private_directory "$plain/web" "$web_user" 700
	# Whoever gets to the socket still has to be somebody, see pg_hba.conf.
	private_directory "$plain/pg" "$database_user" 751
	chgrp "$web_group" "$plain/pg"
	private_directory "$shared" "$web_user" 700
	make_data_directories
	prepare_log "$web_user" linkshrink.log lighttpd.log programs.log
	prepare_log "$(id -un)" postgresql.log stack.log
}

make_data_directories() {
	private_directory "$LINKSHRINK_REPLICA" "$web_user" 750
	private_directory "$LINKSHRINK_SPOOL" "$web_user" 750
}

# The programs may not make them where the directory above is not theirs.
remake_directories() {
	[ ! -d "$LINKSHRINK_REPLICA" ] || [ ! -d "$LINKSHRINK_SPOOL" ] || return 0
	(trap - EXIT; make_data_directories) || true # a failure must not end the stack
}

# The directory is not theirs, so that nobody can plant links where root writes.
prepare_log() { # user file…
	local user=$1 file
	shift
	for file in "$@"; do
		touch "$logs/$file"
		chown "$user:$(id -g "$user")" "$logs/$file"
		chmod 640 "$logs/$file"
	done
}

in_brackets() { # an IPv6 address as lighttpd wants it
	case $1 in *:*) set -- "${1#[}"; printf '[%s]' "${1%]}" ;; *) printf '%s' "$1" ;; esac
}

# What one connects to in order to reach a listener on this machine.
reachable_address() {
	case $1 in 0.0.0.0) echo 127.0.0.1 ;; '[::]') echo '[::1]' ;; *) echo "$1" ;; esac
}

check_port() { # variable value
	case $2 in
	'' | 0* | *[!0-9]* | ??????*) ;;
	*) [ "$2" -gt 65535 ] || return 0 ;;
	esac
	fail "$1 is '$2'; it must be a port from 1 to 65535"
}

settle_settings() {
	export LINKSHRINK_PORT=${LINKSHRINK_PORT:-8080} LINKSHRINK_OPS_PORT=${LINKSHRINK_OPS_PORT:-9080}
	check_port LINKSHRINK_PORT "$LINKSHRINK_PORT"
	check_port LINKSHRINK_OPS_PORT "$LINKSHRINK_OPS_PORT"
	[ "$LINKSHRINK_PORT" -ne "$LINKSHRINK_OPS_PORT" ] ||
		fail "LINKSHRINK_PORT and LINKSHRINK_OPS_PORT are both $LINKSHRINK_PORT; they must differ"
	LINKSHRINK_LISTEN=$(in_brackets "${LINKSHRINK_LISTEN:-127.0.0.1}")
	LINKSHRINK_OPS_LISTEN=$(in_brackets "${LINKSHRINK_OPS_LISTEN:-127.0.0.1}")
	export LINKSHRINK_LISTEN LINKSHRINK_OPS_LISTEN
	operations=http://$(reachable_address "$LINKSHRINK_OPS_LISTEN"):$LINKSHRINK_OPS_PORT
	export LINKSHRINK_BASE_URL=${LINKSHRINK_BASE_URL:-http://127.0.0.1:$LINKSHRINK_PORT}
	# One machine, one address: a demo without these would stop at the first limit.
	export LINKSHRINK_ANONYMOUS_CREATE=${LINKSHRINK_ANONYMOUS_CREATE-yes}
	export LINKSHRINK_RATE_CREATE=${LINKSHRINK_RATE_CREATE-0} LINKSHRINK_RATE_API=${LINKSHRINK_RATE_API-0}
	export LINKSHRINK_REPLICA=${LINKSHRINK_REPLICA:-$var/replica} LINKSHRINK_SPOOL=${LINKSHRINK_SPOOL:-$var/spool}
	export LINKSHRINK_SEGMENT=${LINKSHRINK_SEGMENT:-$shared/segment}
	export LINKSHRINK_LOG=${LINKSHRINK_LOG-$logs/linkshrink.log}
	export LINKSHRINK_PROCESSES=${LINKSHRINK_PROCESSES:-2}
	settle_tls
	# For lighttpd.conf alone.
	export LINKSHRINK_APP=$app LINKSHRINK_SOCKETS=$plain/web LINKSHRINK_LOGS=$logs
	LINKSHRINK_READ_TIMEOUT=$(read_timeout)
	export LINKSHRINK_READ_TIMEOUT
}

# What the internet reaches: lighttpd itself by HTTPS, or a proxy in front of it, or, without both, nothing.
settle_tls() {
	export LINKSHRINK_PROXY=${LINKSHRINK_PROXY:-} LINKSHRINK_TLS_FILE=${LINKSHRINK_TLS_FILE:-}
	export LINKSHRINK_PROXY_CONF=/dev/null LINKSHRINK_TLS_CONF=/dev/null LINKSHRINK_TLS6_CONF=/dev/null LINKSHRINK_OPS_TLS_CONF=/dev/null
	case $LINKSHRINK_PROXY in
	'') ;;
	*[!0-9a-fA-F.:/]*) fail "LINKSHRINK_PROXY is '$LINKSHRINK_PROXY'; it must be one address, or a network as 192.0.2.0/24" ;;
	*) LINKSHRINK_PROXY_CONF=$app/lighttpd/behind-proxy.conf ;;
	esac
	if [ -z "$LINKSHRINK_TLS_FILE" ]; then
		[ -z "${LINKSHRINK_OPS_TLS_PORT:-}" ] ||
			fail "LINKSHRINK_OPS_TLS_PORT is set, but there is no certificate in LINKSHRINK_TLS_FILE"
		return
	fi
	case $LINKSHRINK_BASE_URL in
	https://?*) ;;
	*) fail "LINKSHRINK_BASE_URL is '$LINKSHRINK_BASE_URL'; with LINKSHRINK_TLS_FILE it must begin with https://" ;;
	esac
	LINKSHRINK_TLS_CONF=$app/lighttpd/tls.conf
	LINKSHRINK_TLS_LISTEN=$(in_brackets "${LINKSHRINK_TLS_LISTEN:-0.0.0.0}")
	LINKSHRINK_TLS_LISTEN6=${LINKSHRINK_TLS_LISTEN6:+$(in_brackets "$LINKSHRINK_TLS_LISTEN6")}
	[ -z "$LINKSHRINK_TLS_LISTEN6" ] || LINKSHRINK_TLS6_CONF=$app/lighttpd/tls-listeners.conf
	export LINKSHRINK_TLS_LISTEN LINKSHRINK_TLS_LISTEN6 LINKSHRINK_TLS_PORT=${LINKSHRINK_TLS_PORT:-443} LINKSHRINK_HTTP_PORT=${LINKSHRINK_HTTP_PORT:-80}
	export LINKSHRINK_HSTS=${LINKSHRINK_HSTS:-31536000} LINKSHRINK_ACME=${LINKSHRINK_ACME:-$var/acme}
	check_port LINKSHRINK_TLS_PORT "$LINKSHRINK_TLS_PORT"
	check_port LINKSHRINK_HTTP_PORT "$LINKSHRINK_HTTP_PORT"
	case $LINKSHRINK_HSTS in *[!0-9]* | ??????????*) fail "LINKSHRINK_HSTS is '$LINKSHRINK_HSTS'; it must be a number of seconds" ;; esac
	[ -n "${LINKSHRINK_OPS_TLS_PORT:-}" ] || return 0
	check_port LINKSHRINK_OPS_TLS_PORT "$LINKSHRINK_OPS_TLS_PORT"
	LINKSHRINK_OPS_TLS_CONF=$app/lighttpd/tls-operations.conf
	LINKSHRINK_OPS_ADDRESS=$(reachable_address "$LINKSHRINK_OPS_LISTEN" | tr -d '[]')
	export LINKSHRINK_OPS_ADDRESS LINKSHRINK_OPERATIONS_GATE=yes
}

# Whose certificate users are shown: the name, where it is asked for as host:port (nothing without HTTPS),
# lighttpd's own listener or a proxy in front, and the file of those who may have issued it.
settle_certificate() {
	local authority=${LINKSHRINK_BASE_URL#*://}
	authority=${authority%%/*}
	certificate_address='' public_name=${authority%:*} public_ca=${LINKSHRINK_TLS_CA:-/etc/ssl/certs/ca-certificates.crt}
	case $authority in *]) public_name=$authority ;; esac
	public_name=${public_name//[\[\]]/}
	case $LINKSHRINK_BASE_URL in https://*) ;; *) return 0 ;; esac
	case $authority in *]) certificate_address=$authority:443 ;; *:*) certificate_address=$authority ;; *) certificate_address=$authority:443 ;; esac
	[ -z "${LINKSHRINK_TLS_FILE:-}" ] ||
		certificate_address=$(reachable_address "$(in_brackets "${LINKSHRINK_TLS_LISTEN:-0.0.0.0}")"):${LINKSHRINK_TLS_PORT:-443}
}

# A secret may lie in a file, which NAME_FILE names: an environment is shown around more easily.
take_secret() { # NAME
	local file=$1_FILE
	file=${!file:-}
	[ -n "$file" ] || return 0
	[ -z "${!1:-}" ] || fail "$1 and $1_FILE are both set; one of them is enough"
	{ IFS= read -r "$1" || [ -n "${!1:-}" ]; } 2>/dev/null <"$file" || fail "$1_FILE: no line can be read from $file"
	unset "$1_FILE"
}

# A request may wait for PostgreSQL as long as its deadline says, and then needs a little more.
read_timeout() {
	local deadline=${LINKSHRINK_DATABASE_DEADLINE_MS:-400}
	case $deadline in *[!0-9]* | ??????*) deadline=0 ;; esac
	[ "$deadline" -gt 3000 ] && echo $((deadline / 1000 + 2)) || echo 5
}

settle_database() {
	take_secret LINKSHRINK_DATABASE_URL
	take_secret DATABASE_URL
	take_secret DATABASE_INGEST_URL
	take_secret DATABASE_OWNER_URL
	# For lighttpd.conf: here the programs are given what was read.
	export LINKSHRINK_DATABASE_URL_FILE='' LINKSHRINK_INGEST_URL_FILE=''
	DATABASE_URL=${DATABASE_URL:-${LINKSHRINK_DATABASE_URL:-}}
	if [ -n "$DATABASE_URL" ]; then
		own_cluster=no
		export LINKSHRINK_DATABASE_URL=$DATABASE_URL
		export LINKSHRINK_INGEST_URL=${DATABASE_INGEST_URL:-}
		[ -n "$LINKSHRINK_INGEST_URL" ] ||
			fail "DATABASE_INGEST_URL is not set: the connection of the role linkshrink_ingest, beside DATABASE_URL"
		owner_url=${DATABASE_OWNER_URL:-$DATABASE_URL}
	else
		own_cluster=yes
		export LINKSHRINK_DATABASE_URL="postgresql://linkshrink_web@/linkshrink?host=$plain/pg"
		export LINKSHRINK_INGEST_URL="postgresql://linkshrink_ingest@/linkshrink?host=$plain/pg"
		owner_url="postgresql://linkshrink_owner@/linkshrink?host=$plain/pg"
	fi
}
