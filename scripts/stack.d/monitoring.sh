# Prometheus, Alertmanager, the exporters and the local inbox: what they are told and how they are
# started. The product never waits for one of them. Sourced by supervise and doctor.
# shellcheck shell=bash disable=SC2154,SC2034,SC2153,SC2004 # variables are shared with the other files

# In the order of their ports.
readonly monitors=(prometheus alertmanager node-exporter postgres-exporter blackbox-exporter inbox
	grafana) # the last one where there is one
readonly probe_target=https://example.com/link-shrink-probe
# What nobody needs to know for the rules' 30 days goes; so does the oldest before the disk is full.
readonly metrics_kept=35d metrics_bytes=4GB

# ---- Settings.

check_url() { # variable value: as it may stand in quotes in YAML
	local rest=${2#*://}
	case $2 in
	http://?* | https://?*) case $rest in *[!A-Za-z0-9_.~:/?#@!\$\&*+,\;=%\[\]-]*) ;; *) return 0 ;; esac ;;
	esac
	fail "$1 is no http or https URL"
}

settle_monitoring() {
	local number=0 name
	monitoring=${LINKSHRINK_MONITORING:-yes}
	case $monitoring in yes | no) ;; *) fail "LINKSHRINK_MONITORING is '$monitoring'; it must be yes or no" ;; esac
	export LINKSHRINK_MONITORING_PORT=${LINKSHRINK_MONITORING_PORT:-$((LINKSHRINK_OPS_PORT + 1))}
	check_port LINKSHRINK_MONITORING_PORT "$LINKSHRINK_MONITORING_PORT"
	[ "$monitoring" = no ] || check_port LINKSHRINK_MONITORING_PORT+6 $((LINKSHRINK_MONITORING_PORT + 6))
	for name in LINKSHRINK_PORT LINKSHRINK_OPS_PORT; do
		[ "$monitoring" = no ] || [ $((${!name} - LINKSHRINK_MONITORING_PORT)) -lt 0 ] ||
			[ $((${!name} - LINKSHRINK_MONITORING_PORT)) -gt 6 ] ||
			fail "$name is ${!name}, which is one of the seven from LINKSHRINK_MONITORING_PORT on, $LINKSHRINK_MONITORING_PORT"
	done
	for name in "${monitors[@]}"; do
		port[$name]=$((LINKSHRINK_MONITORING_PORT + number))
		number=$((number + 1))
	done
	export LINKSHRINK_OPERATIONS_URL=${LINKSHRINK_OPERATIONS_URL:-$operations}
	LINKSHRINK_OPERATIONS_URL=${LINKSHRINK_OPERATIONS_URL%/}
	export LINKSHRINK_DOCS_URL=${LINKSHRINK_DOCS_URL:-$LINKSHRINK_OPERATIONS_URL}
	LINKSHRINK_DOCS_URL=${LINKSHRINK_DOCS_URL%/}
	node_name=${LINKSHRINK_NODE_NAME:-local}
	case $node_name in *[!A-Za-z0-9._-]*) fail "LINKSHRINK_NODE_NAME is '$node_name'; letters, digits and ._- only" ;; esac
	check_url LINKSHRINK_OPERATIONS_URL "$LINKSHRINK_OPERATIONS_URL"
	check_url LINKSHRINK_DOCS_URL "$LINKSHRINK_DOCS_URL"
	public_address=$(reachable_address "$LINKSHRINK_LISTEN"):$LINKSHRINK_PORT
	settle_public_url
	settle_messages
	settle_monitor_database
	# For lighttpd.conf and grafana.sh.
	export LINKSHRINK_PROMETHEUS_URL=http://127.0.0.1:${port[prometheus]}/prometheus
	export LINKSHRINK_ALERTMANAGER_PORT=${port[alertmanager]} LINKSHRINK_INBOX_PORT=${port[inbox]}
	export LINKSHRINK_GRAFANA_PORT=${port[grafana]}
	switch_monitoring "$monitoring"
}

# Where the probe does what users do: by HTTPS where lighttpd speaks it.
settle_public_url() {
	public_url=http://$public_address
	settle_certificate
	[ -z "$LINKSHRINK_TLS_FILE" ] || public_url=https://$certificate_address
}

# Whoever knows a webhook may write there: only Alertmanager's own file has it.
settle_messages() {
	take_secret LINKSHRINK_DISCORD_URL
	take_secret LINKSHRINK_DEADMAN_URL
	discord_url=${LINKSHRINK_DISCORD_URL:-http://127.0.0.1:${port[inbox]}/discord}
	deadman_url=${LINKSHRINK_DEADMAN_URL-http://127.0.0.1:${port[inbox]}/heartbeat}
	check_url LINKSHRINK_DISCORD_URL "$discord_url"
	[ -z "$deadman_url" ] || check_url LINKSHRINK_DEADMAN_URL "$deadman_url"
	unset LINKSHRINK_DISCORD_URL LINKSHRINK_DEADMAN_URL
}

settle_monitor_database() {
	take_secret DATABASE_MONITOR_URL
	monitor_url=${DATABASE_MONITOR_URL:-}
	unset DATA_SOURCE_NAME
	[ "$own_cluster" = no ] ||
		monitor_url="user=linkshrink_monitor dbname=linkshrink host=$plain/pg sslmode=disable connect_timeout=2"
}

switch_monitoring() { # yes or no
	monitoring=$1
	export LINKSHRINK_MONITORING_CONF=/dev/null
	[ "$1" = no ] || LINKSHRINK_MONITORING_CONF=$app/lighttpd/monitoring.conf
}

# Somebody else's port is no reason to start nothing, but what would be sent there is.
check_monitoring_ports() {
	local name
	[ "$monitoring" = yes ] || return 0
	for name in "${monitors[@]}"; do
		[ "$name" != grafana ] || has_grafana || continue
		! (exec 3<>"/dev/tcp/127.0.0.1/${port[$name]}") 2>/dev/null || {
			switch_monitoring no
			monitoring_fault="port ${port[$name]} is taken; choose six in a row with LINKSHRINK_MONITORING_PORT"
			return 0
		}
	done
}

# ---- The probe's own link and key: made once, asked for again at each start.

make_probe_key() {
	local key
	key=$(
		export DATABASE_OWNER_URL=$owner_url
		# shellcheck source=db/hide-password.sh
		. "$repo/db/hide-password.sh"
		connection=$owner_url
		hide_password
		cd / && psql -X -q -v ON_ERROR_STOP=1 "$connection" -c "INSERT INTO users (username, email)
			VALUES ('linkshrink-probe', 'linkshrink-probe@localhost') ON CONFLICT DO NOTHING" &&
			"$repo/scripts/admin-key" --name probe --scopes links:write --user linkshrink-probe
	) || return 1
	printf '%s' "$key" | write_private "$probe_key"
}

# The database is another one, or somebody revoked it.
drop_probe_key() { rm -f "$probe_key"; }

# The code of the probe's link; the answer's status if there is none.
ask_for_probe_link() {
	local answer
	answer=$(sed 's/^/Authorization: Bearer /' "$probe_key" | curl -s --noproxy '*' -m 1 -H @- \
		-H 'Content-Type: application/json' -A linkshrink-monitor -w '\n%{http_code}' \
		-d "{\"url\": \"$probe_target\", \"find_if_exists\": true}" "http://$public_address/shorten") || true
	case ${answer##*$'\n'} in
	200 | 201) sed -n 's/.*"short_code":"\([^"]*\)".*/\1/p' <<<"$answer" | tr -d '\n' ;;
	*) printf '%s' "${answer##*$'\n'}"; return 1 ;;
	esac
}

settle_probe() {
	local turn said
	for turn in 1 2; do
		[ -s "$probe_key" ] || make_probe_key || break
		if said=$(ask_for_probe_link); then
			printf '%s' "$said" | write_private "$probe/code"
			return
		fi
		case $said in 401 | 403) drop_probe_key || break ;; *) break ;; esac
	done
	[ -s "$probe/code" ] || say "$(date -u +%FT%TZ) the probe has no link yet (${said:-no key}); trying again"
}

# Those who run are told of a code that they do not know yet.
refresh_probe() {
	local name before
	before=$(cat "$probe/code" 2>/dev/null) || true
	settle_probe
	[ "$before" != "$(cat "$probe/code" 2>/dev/null)" ] || return 0
	configure_monitoring
	for name in prometheus blackbox-exporter; do
		! is_alive "$name" || kill -HUP "${pid[$name]}" 2>/dev/null || true
	done
}

# ---- Files.

write_private() { # file: from standard input, for those who watch and nobody else
	(umask 077 && cat >"$1.new") && chgrp "$monitoring_group" "$1.new" && chmod 640 "$1.new" && mv -f "$1.new" "$1"
}

leave_out_part() { text=$(sed "/# $1: begin/,/# $1: end/d" <<<"$text"); } # of what render has

render() { # from to: with the values of the words in capitals
	local text word
	text=$(cat "$1")
	for word in "${!rendered[@]}"; do text=${text//"$word"/"${rendered[$word]}"}; done
	[ -n "$monitor_url" ] || leave_out_part postgres
	[ -n "$deadman_url" ] || leave_out_part deadman
	[ -n "$LINKSHRINK_TLS_FILE" ] || leave_out_part tls
	[ -n "$certificate_address" ] || leave_out_part certificate
	printf '%s\n' "$text" | write_private "$2"
}

make_monitoring_directories() {
	local name
	probe=$var/probe probe_key=$var/probe/key
	mkdir -p "$var/app/monitoring"
	for name in prometheus alertmanager inbox; do private_directory "$var/$name" "$monitoring_user" 750; done
	private_directory "$plain/inbox" "$monitoring_user" 700
	rm -rf "$configured/rules" "$configured/templates"
	mkdir -p "$probe" "$configured/rules" "$configured/templates" "$var/prometheus/rules.d"
	# What scripts/backup tells; by whom it is run, this does not know.
	[ -d "${LINKSHRINK_FIGURES:-$var/figures}" ] || mkdir -m 755 "${LINKSHRINK_FIGURES:-$var/figures}" || true
	chgrp -R "$monitoring_group" "$configured" "$probe"
	chmod 750 "$configured" "$probe"
	prepare_log "$monitoring_user" "${monitors[@]/%/.log}"
}

copy_files() { # pattern directory
	local file
	for file in $1; do [ ! -e "$file" ] || cp "$file" "$2/"; done
}

configure_monitoring() {
	local -A rendered=(
		[NODE_NAME]=$node_name
		[OPERATIONS_URL]=$LINKSHRINK_OPERATIONS_URL [DOCS_URL]=$LINKSHRINK_DOCS_URL
		[OPERATIONS_ADDRESS]=${operations#http://} [PUBLIC_URL]=$public_url
		[PUBLIC_NAME]=$public_name [PUBLIC_CA]=$public_ca [CERTIFICATE_ADDRESS]=$certificate_address
		[PROMETHEUS_PORT]=${port[prometheus]} [ALERTMANAGER_PORT]=${port[alertmanager]}
		[NODE_EXPORTER_PORT]=${port[node-exporter]} [POSTGRES_EXPORTER_PORT]=${port[postgres-exporter]}
		[BLACKBOX_EXPORTER_PORT]=${port[blackbox-exporter]}
		[PROBE_CODE]=$(cat "$probe/code" 2>/dev/null) [PROBE_TARGET]=$probe_target [PROBE_KEY_FILE]=$probe_key
		[DISCORD_URL]=$discord_url [DEADMAN_URL]=$deadman_url [TEMPLATES]=$configured/templates
		[MORE_RULES]=$var/prometheus/rules.d
	)
	(cd "$repo/prometheus" && copy_files 'rules/*.yml' "$configured/rules")
	(cd "$repo/alertmanager" && copy_files 'templates/*.tmpl' "$configured/templates")
	render "$repo/prometheus/prometheus.yml" "$configured/prometheus.yml"
	render "$repo/prometheus/blackbox.yml" "$configured/blackbox.yml"
	render "$repo/alertmanager/alertmanager.yml" "$configured/alertmanager.yml"
}

# ---- Start.

# By a name in our own directory, so that what is left of a dead stack can be told from others.
monitor() { # name program arguments…
	local name=$1 program=$2 limit=()
	shift 2
	# A PostgreSQL that hangs holds each of its scrapes for ever, and 0.2 MB with it: it takes no more
	# of them than that, until PostgreSQL goes on.
	[ "$name" != postgres-exporter ] || limit=(prlimit --nofile=48:48)
	[ -x "$program" ] || { say "$program is missing, so there is no $name; type: make deps"; return 0; }
	ln -sfn "$program" "$var/app/monitoring/$name"
	launch "$name" "$monitoring_user" TERM "$logs/$name.log" "${limit[@]}" "$app/monitoring/$name" "$@"
}

start_prometheus() {
	monitor prometheus /usr/bin/prometheus --config.file="$configured/prometheus.yml" \
		--web.listen-address="127.0.0.1:${port[prometheus]}" \
		--web.external-url="$LINKSHRINK_OPERATIONS_URL/prometheus/" --web.route-prefix=/prometheus/ \
		--storage.tsdb.path="$var/prometheus" --storage.tsdb.wal-compression \
		--storage.tsdb.retention.time="$metrics_kept" --storage.tsdb.retention.size="$metrics_bytes" \
		--rules.alert.resend-delay=10s
}

start_alertmanager() {
	monitor alertmanager /usr/bin/prometheus-alertmanager --config.file="$configured/alertmanager.yml" \
		--web.listen-address="127.0.0.1:${port[alertmanager]}" \
		--web.external-url="$LINKSHRINK_OPERATIONS_URL/alertmanager/" --web.route-prefix=/alertmanager/ \
		--storage.path="$var/alertmanager" --cluster.listen-address=
}

start_node_exporter() {
	local name collectors=()
	for name in cpu diskstats filefd filesystem loadavg meminfo netdev pressure stat time timex uname vmstat; do
		collectors+=("--collector.$name")
	done
	# Every mounted disk, also one that only holds the spool, and the memory file system of the segment.
	monitor node-exporter /usr/bin/prometheus-node-exporter --collector.disable-defaults "${collectors[@]}" \
		--collector.textfile --collector.textfile.directory="${LINKSHRINK_FIGURES:-$var/figures}" \
		--collector.filesystem.mount-points-exclude='^/(dev(/(pts|mqueue|hugepages))?|(proc|sys|run|var/lib/(docker|containers))(/.*)?)$' \
		--web.listen-address="127.0.0.1:${port[node-exporter]}"
}

start_postgres_exporter() {
	[ -n "$monitor_url" ] || return 0
	DATA_SOURCE_NAME=$monitor_url monitor postgres-exporter /usr/bin/prometheus-postgres-exporter \
		--web.listen-address="127.0.0.1:${port[postgres-exporter]}"
}

start_blackbox_exporter() {
	monitor blackbox-exporter /usr/bin/prometheus-blackbox-exporter --config.file="$configured/blackbox.yml" \
		--web.listen-address="127.0.0.1:${port[blackbox-exporter]}"
}

# It lives while the other lighttpd is dead.
start_inbox() {
	[ -x "$bin/inbox" ] || { say "$bin/inbox is missing, so nobody takes alerts; type: make build"; return 0; }
	cp "$bin/inbox" "$var/app/monitoring/.inbox" && mv -f "$var/app/monitoring/.inbox" "$var/app/monitoring/inbox"
	cp "$repo/lighttpd/inbox.conf" "$app/lighttpd/"
	ln -sfn /usr/sbin/lighttpd "$var/app/monitoring/inbox-lighttpd"
	LINKSHRINK_INBOX=$var/inbox LINKSHRINK_INBOX_SOCKET=$plain/inbox/socket LINKSHRINK_INBOX_LOG=$logs/inbox.log \
		launch inbox "$monitoring_user" TERM "$logs/inbox.log" "$app/monitoring/inbox-lighttpd" -D \
		-f "$app/lighttpd/inbox.conf"
}

start_monitor() { # name
	case $1 in
	prometheus) start_prometheus ;;
	alertmanager) start_alertmanager ;;
	node-exporter) start_node_exporter ;;
	postgres-exporter) start_postgres_exporter ;;
	blackbox-exporter) start_blackbox_exporter ;;
	inbox) start_inbox ;;
	grafana) ! has_grafana || { prepare_grafana || true; start_grafana; } ;;
	esac
}

start_monitor_again() { # name
	case $1 in
	blackbox-exporter) refresh_probe ;;
	inbox) end_leftovers inbox KILL 5 || say "the old inbox does not end" ;;
	esac
	configure_monitoring || true # a file that is missing just now must not end the stack
	start_monitor "$1"
}

start_monitoring() {
	local name
	[ "$monitoring" = yes ] || return 0
	make_monitoring_directories
	settle_probe
	configure_monitoring
	for name in "${monitors[@]}"; do start_monitor "$name"; done
}
