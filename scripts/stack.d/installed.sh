# What is otherwise where systemd starts Link-Shrink: its directories, and who knows what runs. Sourced
# after paths.sh by those commands of "linkshrink" that look at the machine.
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with those that source it

# As the units say.
settle_paths() {
	note=
	settle_users
	monitoring_user=linkshrink-monitor
	monitoring_group=linkshrink-monitor
	var=$LINKSHRINK_VAR
	run=/run/linkshrink
	logs=/var/log/linkshrink
	bin=$repo/bin
	app=$repo
	plain=$run
	shared=/dev/shm/linkshrink
	configured=/run/linkshrink-monitor
	metrics=/var/lib/linkshrink-monitor/prometheus
	cluster=/var/lib/postgresql # where it is on this machine; it is Debian's affair
}

log_of() { echo "journalctl -u linkshrink-monitor@$1"; }
is_active() { systemctl --quiet is-active "$1" 2>/dev/null; } # unit
is_running() { is_active linkshrink-web.service; }

noted() { # what a stack would have noted
	local port=${LINKSHRINK_OPS_PORT:-9080}
	case $1 in
	lighttpd) process_of linkshrink-web.service ;;
	prometheus) process_of linkshrink-monitor@prometheus.service ;;
	monitoring)
		[ "${LINKSHRINK_MONITORING:-yes}" = no ] || echo "http://127.0.0.1:${LINKSHRINK_MONITORING_PORT:-$((port + 1))}" ;;
	esac
}

process_of() { # unit: its main process, or nothing
	systemctl show -p MainPID --value "$1" 2>/dev/null | grep -vx 0 || true
}
