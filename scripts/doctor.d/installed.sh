# What the doctor looks at where systemd starts Link-Shrink, and what to type there, in the place of what
# is a stack's. Sourced last, and only by "linkshrink doctor".
# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared with the other files

migrate='linkshrink migrate' roles=$repo/db/roles.sql
make_backup='systemctl start linkshrink-backup' backup_timer=linkshrink-backup.timer
rehearse='systemctl start linkshrink-backup-rehearsal, then journalctl -u linkshrink-backup-rehearsal,'

comes_back() { echo 'systemd starts it again, see journalctl -u linkshrink-web'; }
most_files() { systemctl show -p LimitNOFILE --value linkshrink-web.service 2>/dev/null; }

# ---- What is installed

# The package says what it needs; "make install" does not.
check_packages() {
	local program missing=''
	for program in /usr/sbin/lighttpd curl flock jq ps psql setpriv; do
		command -v "$program" >/dev/null || missing+=" ${program##*/}"
	done
	[ -e /usr/lib/lighttpd/mod_magnet.so ] || missing+=' lighttpd-modules-lua'
	if [ -n "$missing" ]; then
		bad packages "not installed:$missing; type: apt install --fix-broken, or install what brings them"
	else
		ok packages "everything that running needs is installed"
	fi
}

# A process keeps the file that it was started from, also when another one has taken its name.
check_programs_built() {
	local program process missing='' old=''
	for program in $(list_programs); do
		[ -x "$bin/$program" ] || missing+=" $program"
	done
	for process in $(ps --ppid "$(noted lighttpd)" -o pid= 2>/dev/null); do
		case $(readlink "/proc/$process/exe") in *' (deleted)') old+=" $(cat "/proc/$process/comm")" ;; esac
	done
	if [ -n "$missing" ]; then
		bad programs "not in $bin:$missing; install the package again"
	elif [ -n "$old" ]; then
		warn programs "another build runs than the one that is installed:$old; type: systemctl restart linkshrink.target"
	else
		ok programs "installed"
	fi
}

# scripts/service starts with the programs' own defaults, not with those of a demo.
take_running_settings() {
	local name
	for name in LINKSHRINK_ANONYMOUS_CREATE LINKSHRINK_RATE_CREATE LINKSHRINK_RATE_API; do export "$name=${!name:-}"; done
	[ -n "${LINKSHRINK_DEADMAN_URL_FILE:-}" ] || export LINKSHRINK_DEADMAN_URL=${LINKSHRINK_DEADMAN_URL:-}
	[ -n "${DATABASE_URL:-}${DATABASE_URL_FILE:-}" ] ||
		{ bad settings "DATABASE_URL is not set; add it to $(readlink -f "$repo/etc/linkshrink.env")"; verdict; }
}

check_cluster_rights() { :; } # Debian's affair

check_directories() {
	local well=yes
	if [ ! -d "$shared" ]; then
		bad memory "$shared is missing, so each program counts for itself; type: systemd-tmpfiles --create"
		well=no
	fi
	if [ ! -e "$var" ]; then
		ok directories "$var does not exist yet; systemctl start linkshrink.target makes it"
	elif check_rights && [ "$well" = yes ]; then
		ok directories "$var, $run and $logs are as they should be"
	fi
}

# ---- What runs

check_ports() {
	local address name
	# Who connects to what systemd holds starts what was stopped.
	! is_running && ! is_active linkshrink-web.socket || return 0
	check_port_of LINKSHRINK_PORT "$LINKSHRINK_LISTEN"
	check_port_of LINKSHRINK_OPS_PORT "$LINKSHRINK_OPS_LISTEN"
	[ -n "$LINKSHRINK_TLS_FILE" ] || return 0
	for address in "$LINKSHRINK_TLS_LISTEN" ${LINKSHRINK_TLS_LISTEN6:+"$LINKSHRINK_TLS_LISTEN6"}; do
		for name in LINKSHRINK_TLS_PORT LINKSHRINK_HTTP_PORT LINKSHRINK_OPS_TLS_PORT; do
			[ -z "${!name:-}" ] || check_port_of "$name" "$address"
		done
	done
}

check_port_of() { # variable address
	local number=${!1}
	if is_taken "$(reachable_address "$2")" "$number"; then
		bad ports "$number of $2 is taken by $(port_holder "$number"); stop that, or choose another with $1; then: systemctl start linkshrink.target"
	else
		ok ports "$number of $2 is free"
	fi
}

check_monitoring_port_range() { :; } # whose port is taken does not run, which check_units says

check_running() {
	check_units
	is_running || return 0
	check_processes
	check_ready
	check_edited
}

# All that the target wants: active, or left out on purpose.
check_units() {
	local unit state restarts away='' names='' again=''
	if ! is_active linkshrink.target; then
		if systemctl --quiet is-enabled linkshrink.target 2>/dev/null; then
			bad services "linkshrink.target is not active; type: systemctl start linkshrink.target"
		else
			ok services "not started; type: systemctl enable --now linkshrink.target"
		fi
		return
	fi
	for unit in $(systemctl show -p Wants --value linkshrink.target); do
		state=$(systemctl show -p ActiveState --value "$unit")
		is_as_wanted "$unit" "$state" || { away+=", $unit is $state"; names+=" $unit"; }
		restarts=$(systemctl show -p NRestarts --value "$unit")
		[ "${restarts:-0}" -eq 0 ] || again+=" $unit"
	done
	if [ -n "$away" ]; then
		names=${names# }
		bad services "${away#, }; type: systemctl start $names, and see journalctl -u ${names%% *}"
	else
		ok services "all that linkshrink.target wants"
	fi
	[ -z "$again" ] || warn services "ended by themselves and were started again:$again; see journalctl -u <unit>"
}

is_as_wanted() { # unit state
	case $2 in
	active | reloading) return 0 ;;
	failed) return 1 ;;
	esac
	case $1 in
	linkshrink-monitoring.service) return 0 ;; # has its turn each minute
	linkshrink-monitor@*) [ "$(systemctl show -p ExecMainStatus --value "$1")" = 78 ] ;; # nothing to watch here
	*) [ "$(systemctl show -p LoadState --value "$1")" = masked ] ;;
	esac
}

# Settings are read at the start.
check_edited() {
	local file since
	since=$(ps -o etimes= -p "$(noted lighttpd)" 2>/dev/null) || return 0
	since=$(($(date +%s) - since))
	for file in "$(readlink -f "$repo/etc")"/{linkshrink.env,lighttpd.conf}; do
		[ "$(stat -L -c %Y "$file")" -le "$since" ] ||
			warn settings "$file was changed after lighttpd started; type: systemctl daemon-reload && systemctl restart linkshrink.target"
	done
}

# ---- Backups and monitoring

makes_no_backups() { [ "$(systemctl show -p LoadState --value "$backup_timer" 2>/dev/null)" = masked ]; }

check_monitoring_programs() {
	local program missing=''
	for program in prometheus prometheus-{alertmanager,node-exporter,postgres-exporter,blackbox-exporter}; do
		[ -x "/usr/bin/$program" ] || missing+=" $program"
	done
	[ -z "$missing" ] || warn monitoring "not installed:$missing; without them nobody is told when it breaks: apt install$missing"
}

monitors_live() { :; } # check_units said it

check_receiver() {
	local here=http://127.0.0.1:${port[inbox]}/discord
	if [ "$discord_url" = "$here" ]; then
		warn alerts "reach nobody; put the webhook of a channel into a file and name it in LINKSHRINK_DISCORD_URL_FILE"
	else
		ok alerts "go to a webhook of Discord; linkshrink test-alert tries it"
	fi
	[ -n "$deadman_url" ] ||
		warn alerts "nobody expects a sign of life, so nobody hears when this machine is gone; set LINKSHRINK_DEADMAN_URL_FILE"
}
