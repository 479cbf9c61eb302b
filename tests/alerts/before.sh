# The monitoring of the system that this one replaced, beside ours: the same probe, scraped every 10 s,
# rules every 30 s, for: 1m, group_wait: 30s. Sourced as bash after lib.sh; its processes are in the
# caller's array pids and variable alertmanager.
#
#   start_before, start_before_alertmanager, before_settled
#   told_before SINCE      whether it has told of it; the message is in $work/before.page then
# shellcheck shell=bash disable=SC2154 # work is that of the library

start_before() {
	local port
	mkdir -p "$work/before"
	port=$(free_block 2)
	before=http://127.0.0.1:$port
	before_alertmanager=127.0.0.1:$((port + 1))
	sed -e 's/scrape_interval: .*/scrape_interval: 10s/' -e 's/evaluation_interval: .*/evaluation_interval: 30s/' \
		-e "s|^rule_files:.*|rule_files: ['$work/before/rules.yml']|" \
		-e "/alertmanagers:/,/^scrape_configs:/s/127.0.0.1:[0-9]*/$before_alertmanager/" \
		-e '/alertmanagers:/,/^scrape_configs:/s/path_prefix: .*/path_prefix: \//' \
		"$LINKSHRINK_VAR/run/monitoring/prometheus.yml" >"$work/before/prometheus.yml"
	cat >"$work/before/rules.yml" <<-'RULES'
		groups:
		  - name: before
		    rules:
		      - alert: ServiceDown
		        expr: probe_success{probe="redirect"} == 0
		        for: 1m
	RULES
	cat >"$work/before/alertmanager.yml" <<-CONFIG
		route: {receiver: inbox, group_by: [alertname], group_wait: 30s}
		receivers:
		  - name: inbox
		    discord_configs:
		      - webhook_url: http://127.0.0.1:$((LINKSHRINK_MONITORING_PORT + 5))/discord
		        title: 'before {{ .Status }}'
		        message: '{{ .CommonLabels.alertname }}'
	CONFIG
	prometheus --config.file="$work/before/prometheus.yml" --storage.tsdb.path="$work/before/data" \
		--web.listen-address="127.0.0.1:$port" >"$work/before/prometheus.log" 2>&1 &
	pids+=($!)
}

# A new one each round: the old one would wait for its group_interval of 5 minutes.
start_before_alertmanager() {
	[ -z "$alertmanager" ] || { kill "$alertmanager"; wait "$alertmanager" || true; }
	rm -rf "$work/before/alerts"
	prometheus-alertmanager --config.file="$work/before/alertmanager.yml" --storage.path="$work/before/alerts" \
		--web.listen-address="$before_alertmanager" --cluster.listen-address= >"$work/before/alertmanager.log" 2>&1 &
	alertmanager=$!
}
before_settled() {
	[ "$(curl -s -m 5 -G "$before/api/v1/query" --data-urlencode 'query=count(ALERTS) or vector(0)' |
		grep -c '"0"\]')" = 1 ]
}
told_before() { messages "$1" | grep -m 1 -E '^[0-9]+ before firing' >"$work/before.page"; }
