# Grafana, where somebody installed it, since Debian has none: what it is given and how it is started.
# Nothing waits for it. What the settings are: grafana/README.md. Sourced by supervise.
# shellcheck shell=bash disable=SC2154 # variables are shared with the other files

grafana_home=${LINKSHRINK_GRAFANA_HOME:-/usr/share/grafana}

has_grafana() { [ -x "$grafana_home/bin/grafana" ]; }

# A copy, as of the programs: its users need no checkout, and the link to the runbook is this stack's.
prepare_grafana() {
	local file text
	export LINKSHRINK_GRAFANA=$app/grafana LINKSHRINK_GRAFANA_DATA=$var/grafana
	private_directory "$var/grafana" "$monitoring_user" 750
	prepare_log "$monitoring_user" grafana.log
	rm -rf "$var/app/grafana"
	cp -R "$repo/grafana" "$var/app/grafana"
	for file in "$var"/app/grafana/dashboards/*.json; do
		text=$(cat "$file")
		printf '%s\n' "${text//DOCS_URL/"$LINKSHRINK_DOCS_URL"}" >"$file"
	done
	chmod -R a+rX "$var/app/grafana"
}

start_grafana() {
	monitor grafana "$grafana_home/bin/grafana" server --homepath="$grafana_home" \
		--config="$LINKSHRINK_GRAFANA/grafana.ini"
}
