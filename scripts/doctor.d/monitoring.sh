# What the doctor asks of monitoring: programs, ports, room, who is told, and of what runs.
# shellcheck shell=bash disable=SC2154 # variables are shared with the other files

check_monitoring() {
	if [ "$monitoring" = no ]; then
		ok monitoring "left out by LINKSHRINK_MONITORING: nobody is told when it breaks"
		return
	fi
	check_monitoring_programs
	check_debian_services
	check_monitoring_port_range
	check_monitoring_disk
	check_receiver
	check_probe_rates
	[ -e /proc/pressure/cpu ] ||
		warn monitoring "the kernel has no /proc/pressure: CpuPressure, MemoryPressure and IoPressure can't fire, and SeriesMissing does; boot with psi=1"
	[ -n "$monitor_url" ] ||
		warn monitoring "PostgreSQL itself is not watched; set DATABASE_MONITOR_URL to a connection of linkshrink_monitor, see db/roles.sql"
	if [ "$foreign" = no ] && is_running; then check_monitors; fi
}

check_monitoring_programs() {
	local program said='' version
	for program in prometheus prometheus-{alertmanager,node-exporter,postgres-exporter,blackbox-exporter}; do
		[ -x "/usr/bin/$program" ] || continue # a package that is missing was said already
		version=$("/usr/bin/$program" --version 2>&1 | sed -n '1s/.*version \([^ ,)]*\).*/\1/p')
		said+=", ${program#prometheus-} ${version%%+*}"
	done
	[ -x "$bin/inbox" ] || bad monitoring "$bin/inbox is missing; type: make build"
	[ -z "$said" ] || ok monitoring "installed: ${said#, }"
}

# Debian's packages start services of their own, on every address; ours are others.
check_debian_services() {
	local service active=''
	for service in prometheus prometheus-{alertmanager,node-exporter,postgres-exporter,blackbox-exporter}; do
		! systemctl --quiet is-active "$service" 2>/dev/null || active+=" $service"
	done
	[ -z "$active" ] ||
		warn monitoring "Debian's own services run, which Link-Shrink does not use; if nobody does, type: systemctl disable --now$active"
}

check_monitoring_port_range() {
	local name taken=''
	! is_running || return 0
	for name in "${monitors[@]}"; do
		[ "$name" != grafana ] || has_grafana || continue
		! is_taken 127.0.0.1 "${port[$name]}" || taken+=", ${port[$name]} by $(port_holder "${port[$name]}")"
	done
	if [ -n "$taken" ]; then
		bad ports "of those for monitoring are taken: ${taken#, }; the stack would start without it: choose others with LINKSHRINK_MONITORING_PORT"
	else
		ok ports "${port[prometheus]} to ${port[inbox]} are free"
	fi
}

check_monitoring_disk() {
	local free
	free=$(df -P -B 1M "$(existing "$metrics")" 2>/dev/null | awk 'NR == 2 { print $4 }')
	[ "${free:-0}" -ge 5120 ] ||
		warn disk "$free MB free for $metrics, where metrics take up to $metrics_bytes in $metrics_kept"
}

# Of a running stack its own file says it; whom exactly, nobody says.
check_receiver() {
	local file=$configured/alertmanager.yml local_url=http://127.0.0.1:${port[inbox]}/discord
	if is_running && [ -r "$file" ] && ! grep -qF "'$local_url'" "$file"; then discord_url=elsewhere; fi
	if [ "$discord_url" != "$local_url" ]; then
		ok alerts "go to a webhook of Discord; scripts/test-alert tries it"
	elif [ "$(kind_of "$LINKSHRINK_LISTEN")" = loopback ]; then
		ok alerts "go to the local inbox, $operations/inbox; LINKSHRINK_DISCORD_URL sends them to people"
	else
		warn alerts "go to the local inbox only, so nobody is woken; set LINKSHRINK_DISCORD_URL"
	fi
}

# It asks 12 times a minute from this machine; refused, it would say that users are.
check_probe_rates() {
	local name rate
	for name in LINKSHRINK_RATE_REDIRECT LINKSHRINK_RATE_CREATE; do
		rate=$(value "$name")
		case $rate in 0 | *[!0-9]*) continue ;; esac
		[ "$((10#$rate))" -ge 30 ] ||
			warn settings "$name is $rate, but the probe asks 12 times a minute from this machine and a false page would come of its being refused; raise it to 30"
	done
}

monitors_live() {
	local name away=''
	for name in "${monitors[@]}"; do
		case $name in
		grafana) has_grafana || continue ;;
		postgres-exporter) [ -n "$monitor_url" ] || continue ;;
		esac
		lives "$(noted "$name")" || away+=" $name"
	done
	[ -n "$away" ] || return 0
	bad monitoring "away:$away; the stack starts them again, see $logs/stack.log and the log of each"
	return 1
}

check_monitors() {
	local down
	monitors_live || return 0
	down=$(curl -sf --noproxy '*' -m 2 --get --data-urlencode 'query=up == 0 or probe_success == 0' \
		"$LINKSHRINK_PROMETHEUS_URL/api/v1/query" 2>/dev/null) ||
		{ bad monitoring "Prometheus does not answer; see $(log_of prometheus)"; return; }
	down=$(grep -o '"job":"[^}]*' <<<"$down" | sed 's/"job":"\([a-z]*\)"\(,"probe":"\([a-z]*\)"\)\{0,1\}.*/\1 \3/' | paste -sd , -)
	if [ -n "$down" ]; then
		warn monitoring "does not answer Prometheus: $down; see $operations/prometheus/targets"
	else
		ok monitoring "runs, and everything answers it"
	fi
}
