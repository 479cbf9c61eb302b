# What the doctor asks of a running stack, and what a dead one left.
# shellcheck shell=bash disable=SC2154 # variables are shared with the other files

comes_back() { echo "the stack starts it again, see $logs/stack.log"; }
lives() { grep -qs '^State:.[^ZX]' "/proc/${1:-none}/status"; } # pid

# What is not set here is as the running stack has it.
take_running_settings() {
	local line name
	is_running && [ -r "/proc/$(noted lighttpd)/environ" ] || return 0
	while IFS= read -r -d '' line; do
		name=${line%%=*}
		# Whose process that is, only its owner knows: no name may be more than a name, because
		# the shell would evaluate it.
		[[ $name =~ ^LINKSHRINK_[A-Z_]+$ ]] || continue
		case $name in
		LINKSHRINK_APP | LINKSHRINK_SOCKETS | LINKSHRINK_LOGS | LINKSHRINK_READ_TIMEOUT | LINKSHRINK_MONITORING_CONF | LINKSHRINK_VAR | LINKSHRINK_BIN) continue ;;
		LINKSHRINK_DATABASE_URL) [ "${line#*=}" != "postgresql://linkshrink_web@/linkshrink?host=$plain/pg" ] || continue ;;
		LINKSHRINK_INGEST_URL)
			[ -n "${DATABASE_INGEST_URL+set}" ] || export DATABASE_INGEST_URL=${line#*=}
			continue ;;
		esac
		[ -n "${!name+set}" ] || export "$name=${line#*=}"
	done <"/proc/$(noted lighttpd)/environ"
}

check_running() {
	[ "$foreign" = no ] || return 0
	if is_running; then
		check_processes
		check_ready
	else
		check_leftovers
	fi
}

check_processes() {
	local lighttpd postgresql program wanted alive short=
	lighttpd=$(noted lighttpd) postgresql=$(noted postgresql)
	[ "$own_cluster" = no ] || lives "$postgresql" ||
		bad processes "PostgreSQL is away; $(comes_back) and $logs/postgresql.log"
	if ! lives "$lighttpd"; then
		bad processes "lighttpd is away; $(comes_back) and $logs/lighttpd.log"
		return
	fi
	for program in $(list_programs); do
		# Stopped ones are no help.
		alive=$(ps --ppid "$lighttpd" -o stat=,comm= | awk -v name="$program" '$2 == name && $1 !~ /^[ZT]/' | grep -c .)
		wanted=$(processes_of "$program")
		[ "$alive" -ge "$wanted" ] || short+=" $program $alive of $wanted"
	done
	if [ -n "$short" ]; then
		bad processes "too few run:$short; if that lasts, see $logs/lighttpd.log and $logs/linkshrink.log"
	else
		ok processes "lighttpd and every program"
	fi
}

check_ready() {
	local answer code page exits lost
	answer=$(curl -s --noproxy '*' -m 2 -w '\n%{http_code}' "$operations/ready" 2>/dev/null)
	code=${answer##*$'\n'}
	case $code in
	200) ok ready "users are served" ;;
	000) bad ready "nobody answers at $operations; see $logs/lighttpd.log" ;;
	*) bad ready "$code from /ready: $(grep -o '"[a-z]*":{"ok":false,"error":"[^"]*"' <<<"$answer" | tr -d '{}' | sed 's/"ok":false,//')" ;;
	esac
	page=$(curl -s --noproxy '*' -m 2 "$operations/metrics" 2>/dev/null) || return 0
	lost=$(awk '$1 == "linkshrink_log_lines_lost_total" { print $2 }' <<<"$page")
	[ "${lost:-0}" = 0 ] || warn logs "$lost lines were lost since the counters began: was the disk full?"
	exits=$(awk '/^linkshrink_worker_exits_total.*(died|stalled)/ { n += $2 } END { print n + 0 }' <<<"$page")
	[ "$exits" = 0 ] || warn processes "$exits died or were killed since the counters began; see worker_exits in /metrics and $logs/programs.log"
}

check_leftovers() {
	local kind left=
	pg_bin=${pg_bin:-/usr/lib/postgresql/none/bin}
	for kind in web postmaster database; do left+=" $(leftovers "$kind" | tr '\n' ' ')"; done
	left=$(tr -s ' ' '\n' <<<"$left" | sort -un | tr '\n' ' ')
	if [ -n "${left// /}" ]; then
		warn stack "not running in $var, but left of a dead one are pids ${left# }; scripts/stack up clears them"
	else
		ok stack "not running in $var; type: scripts/stack up"
	fi
}
