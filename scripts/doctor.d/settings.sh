# What the doctor asks of the settings: each by itself, and together.
# shellcheck shell=bash disable=SC2154 # variables are shared with the other files

value() { # setting: as it is set, or its default in config.def
	local name=$1
	if [ -n "${!name:-}" ]; then
		printf '%s\n' "${!name}"
	else
		sed -n "s/^CONFIG_[A-Z]*([a-z_]*, \"$name\", \"\{0,1\}\([^,\"]*\).*/\1/p" "$repo/common/base/config.def"
	fi
}

# By a program itself: it knows best what it refuses.
check_config() {
	local program said fault
	program=$bin/redirect
	[ -x "$program" ] || return 0
	if said=$(cd / && unset_foreign && "$program" --check-config 2>&1); then
		ok settings "each by itself is accepted"
		return
	fi
	while IFS= read -r fault; do
		[ -z "$fault" ] || bad settings "$fault"
	done < <(sed '/the settings are wrong:$/d' <<<"$said")
}

# In a directory like the one that the stack makes, so that nothing needs to run.
check_lighttpd() {
	local said
	command -v /usr/sbin/lighttpd >/dev/null || return 0
	[ -x "$bin/redirect" ] || return 0
	home=$(mktemp -d) || return 0
	trap 'rm -rf "$home"' EXIT
	mkdir "$home/www"
	ln -s "$bin" "$home/bin"
	ln -s "$repo/lighttpd" "$home/lighttpd"
	# Not as the user who runs lighttpd, who need not get into the checkout: the stack makes copies.
	if said=$(cd / && unset_foreign && LINKSHRINK_APP=$home LINKSHRINK_MONITORING_CONF=$repo/lighttpd/monitoring.conf LINKSHRINK_SOCKETS=$home LINKSHRINK_LOGS=$home \
		/usr/sbin/lighttpd -tt -f "$repo/lighttpd.conf" 2>&1); then
		ok lighttpd "accepts lighttpd.conf"
	else
		bad lighttpd "refuses lighttpd.conf: $(tail -n 3 <<<"$said")"
	fi
}

# ---- Who can reach what

kind_of() { # address: loopback, private, every (a wildcard) or public
	case ${1//[\[\]]/} in
	127.* | ::1 | localhost) echo loopback ;;
	0.0.0.0 | ::) echo every ;;
	10.* | 192.168.* | 169.254.* | 172.1[6-9].* | 172.2[0-9].* | 172.3[01].* | [fF][cdCD]* | [fF][eE]80:*) echo private ;;
	100.6[4-9].* | 100.[7-9][0-9].* | 100.1[01][0-9].* | 100.12[0-7].*) echo private ;;
	*) echo public ;;
	esac
}

is_here() { # address: an interface of this machine has it, as far as one can tell
	case $1 in
	*[!0-9.]* | 0.0.0.0 | 127.*) return 0 ;;
	esac
	[ ! -r /proc/net/fib_trie ] || grep -qF -e "|-- $1" /proc/net/fib_trie
}

check_listeners() {
	local name
	for name in LINKSHRINK_LISTEN LINKSHRINK_OPS_LISTEN; do
		is_here "${!name}" || bad listeners "$name is ${!name}, which no interface of this machine has; correct it"
	done
	case $(kind_of "$LINKSHRINK_OPS_LISTEN") in
	loopback | private) ok listeners "operations only on $LINKSHRINK_OPS_LISTEN" ;;
	*) bad listeners "operations are open on $LINKSHRINK_OPS_LISTEN: anyone reads metrics and logs; set LINKSHRINK_OPS_LISTEN to 127.0.0.1 or a private address" ;;
	esac
}

# ---- Settings that contradict each other

# By itself, by HTTPS or by a proxy.
is_open_to_others() { [ "$(kind_of "$LINKSHRINK_LISTEN")" != loopback ] || [ -n "$LINKSHRINK_TLS_FILE$LINKSHRINK_PROXY" ]; }

check_together() {
	local before=${count[warn]}.${count[FAIL]}
	check_base_url
	! is_open_to_others || check_open_to_others
	check_times
	check_log_settings
	check_blocklist
	[ "$before" != "${count[warn]}.${count[FAIL]}" ] || ok settings "nothing contradicts"
}

check_base_url() {
	local host=${LINKSHRINK_BASE_URL#*://} kind port=80
	case $host in
	*]) ;;
	*:*) port=${host##*:} host=${host%:*} ;;
	esac
	kind=$(kind_of "$host")
	if [ "$(kind_of "$LINKSHRINK_LISTEN")" != loopback ]; then
		[ "$kind" != loopback ] || warn settings "others can reach $LINKSHRINK_LISTEN, but short links begin with $LINKSHRINK_BASE_URL, which leads nobody here; set LINKSHRINK_BASE_URL"
		case $LINKSHRINK_BASE_URL in
		http://*) warn settings "LINKSHRINK_BASE_URL is http: links and keys travel in clear; put TLS in front and say https" ;;
		esac
	elif [ "$kind" = loopback ] && [ -z "$LINKSHRINK_TLS_FILE$LINKSHRINK_PROXY" ] && [ "$port" != "$LINKSHRINK_PORT" ]; then
		warn settings "short links begin with $LINKSHRINK_BASE_URL, but the port is $LINKSHRINK_PORT; correct LINKSHRINK_BASE_URL"
	fi
}

# The stack's own defaults are for a demo on loopback.
check_open_to_others() {
	local name
	if [ "$(value LINKSHRINK_ANONYMOUS_CREATE)" = yes ] && [ "$(value LINKSHRINK_RATE_CREATE)" = 0 ]; then
		bad settings "anyone who reaches $LINKSHRINK_BASE_URL may make links without limit; set LINKSHRINK_ANONYMOUS_CREATE=no or LINKSHRINK_RATE_CREATE"
	fi
	for name in LINKSHRINK_RATE_CREATE LINKSHRINK_RATE_API LINKSHRINK_RATE_AUTH_FAIL; do
		[ "$(value "$name")" != 0 ] || warn settings "$name is 0, no limit, and others can reach $LINKSHRINK_LISTEN; set it"
	done
	[ "$(value LINKSHRINK_PRIVATE_TARGETS)" != yes ] ||
		warn settings "links may lead into the private network, and others can reach $LINKSHRINK_LISTEN; set LINKSHRINK_PRIVATE_TARGETS=no"
}

# Times that are no numbers were a fault of their own before.
check_times() {
	local deadline stall slow reads=$((LINKSHRINK_READ_TIMEOUT * 1000))
	deadline=$(value LINKSHRINK_DATABASE_DEADLINE_MS) stall=$(value LINKSHRINK_STALL_MS) slow=$(value LINKSHRINK_SLOW_MS)
	case $deadline$stall$slow in *[!0-9]*) return ;; esac
	deadline=$((10#$deadline)) stall=$((10#$stall)) slow=$((10#$slow)) # 0900 is not octal
	[ "$reads" -gt "$deadline" ] ||
		bad settings "lighttpd gives up after $reads ms, before the database's deadline of $deadline ms; lower LINKSHRINK_DATABASE_DEADLINE_MS"
	[ "$stall" -le "$reads" ] || [ "$stall" -le $((4 * deadline)) ] ||
		warn settings "a hung process is replaced after $stall ms, but clients get 504 after $reads ms; lower LINKSHRINK_STALL_MS"
	[ "$slow" -le "$deadline" ] ||
		warn settings "a request counts as slow after $slow ms, but none waits for the database over $deadline ms; lower LINKSHRINK_SLOW_MS"
}

check_log_settings() {
	local log=${LINKSHRINK_LOG:-}
	case $(value LINKSHRINK_LOG_LEVEL) in
	warning | error) warn settings "LINKSHRINK_LOG_LEVEL leaves out the lines of ordinary requests; info keeps them" ;;
	esac
	if [ -z "$log" ]; then
		warn logs "LINKSHRINK_LOG is empty: lines go to $logs/programs.log and /logs/recent has none; set it"
	elif [ "$log" != "$logs/linkshrink.log" ] && ! may "$web_user" w "$log" && ! may "$web_user" w "$(dirname "$log")"; then
		bad logs "LINKSHRINK_LOG: $web_user can't write to $log; make the file and give it to $web_user"
	fi
}

# Programs start without it, as redirects must go on.
check_blocklist() {
	local list=${LINKSHRINK_BLOCKLIST:-}
	case $list in
	'') return ;;
	/*) ;;
	*) bad settings "LINKSHRINK_BLOCKLIST is $list, and programs run in another directory; begin it with /"; return ;;
	esac
	if [ ! -f "$list" ] || ! may "$web_user" r "$list"; then
		bad settings "LINKSHRINK_BLOCKLIST: $web_user can't read $list, so nothing new is blocked; make it, or chmod it and the directories above"
	fi
}

# ---- Ports

port_holder() { # port: "name (pid)" of who listens, as far as one may know
	local inode file process
	inode=$(awk -v port="$(printf ':%04X' "$1")" \
		'$4 == "0A" && substr($2, length($2) - 4) == port { print $10; exit }' \
		/proc/net/tcp /proc/net/tcp6 2>/dev/null)
	file=$(find /proc/[0-9]*/fd -lname "socket:\[${inode:-none}\]" -print -quit 2>/dev/null)
	if [ -n "$file" ]; then
		process=${file#/proc/}
		process=${process%%/*}
		echo "$(cat "/proc/$process/comm" 2>/dev/null) (pid $process)"
	else
		echo "a process of another user"
	fi
}

is_taken() { # address port
	local address=${1#[}
	timeout 1 bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash "${address%]}" "$2" 2>/dev/null
}

check_port_of() { # variable address
	local port=${!1} first
	first=$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start 2>/dev/null || echo 1024)
	if [ "$port" -lt "$first" ]; then
		bad ports "$1 is $port, and lighttpd as $web_user may not listen below $first; choose another, or: sysctl -w net.ipv4.ip_unprivileged_port_start=$port"
	elif is_running; then
		return 0
	elif is_taken "$(reachable_address "$2")" "$port"; then
		bad ports "$port is taken by $(port_holder "$port"); stop that, or choose another with $1"
	else
		ok ports "$port is free"
	fi
}

check_ports() {
	check_port_of LINKSHRINK_PORT "$LINKSHRINK_LISTEN"
	check_port_of LINKSHRINK_OPS_PORT "$LINKSHRINK_OPS_LISTEN"
}
