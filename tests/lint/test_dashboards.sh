#!/bin/bash
# The files of grafana/: complete, in order, and only of metrics that exist. Each check is tried on a
# dashboard with a planted fault first.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/report.sh
. tests/report.sh

case "${1:-}" in --help | -h) echo 'usage: tests/lint/test_dashboards.sh'; exit 0 ;; esac
list=${LINKSHRINK_TESTS:-$PWD/build/tests}/web/dashboard
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# ---- What there is to be asked for.

# A histogram is asked by its parts.
own_metrics() {
	sed -n 's/^[A-Z]*([a-z_]*, "\([a-z_]*\)".*/\1/p' common/base/metrics.def
	sed -n 's/^\(HISTOGRAM\|DELAY\|SIZE\)([a-z_]*, "\([a-z_]*\)".*/\2/p' common/base/metrics.def |
		awk '{ print $1 "_bucket"; print $1 "_sum"; print $1 "_count" }'
	sed -n 's/^\(linkshrink_[a-z_]*\) .*/\1/p' scripts/backup.d/figures
}

recorded_series() { sed -n 's/.*\brecord: *\([a-zA-Z0-9_:]*\).*/\1/p' prometheus/rules/*.yml | sort -u; }

# Of Prometheus itself and of Debian's exporters.
foreign_metrics() {
	cat <<'END'
ALERTS ALERTS_FOR_STATE up scrape_duration_seconds scrape_samples_post_metric_relabeling
probe_success probe_duration_seconds process_cpu_seconds_total process_resident_memory_bytes
prometheus_config_last_reload_successful prometheus_notifications_alertmanagers_discovered
prometheus_notifications_dropped_total prometheus_notifications_errors_total
prometheus_notifications_sent_total prometheus_rule_evaluation_failures_total
prometheus_rule_group_interval_seconds prometheus_rule_group_iterations_missed_total
prometheus_rule_group_last_duration_seconds prometheus_tsdb_head_samples_appended_total
prometheus_tsdb_head_series
alertmanager_config_last_reload_successful alertmanager_notifications_failed_total
alertmanager_notifications_total alertmanager_notification_latency_seconds_bucket
node_boot_time_seconds node_cpu_seconds_total node_disk_io_time_seconds_total
node_disk_read_bytes_total node_disk_write_time_seconds_total node_disk_writes_completed_total
node_disk_written_bytes_total node_filefd_allocated node_filefd_maximum
node_filesystem_avail_bytes node_filesystem_size_bytes node_load1 node_load5
node_memory_Cached_bytes node_memory_MemAvailable_bytes node_memory_MemTotal_bytes
node_memory_SwapFree_bytes node_memory_SwapTotal_bytes node_network_receive_bytes_total
node_network_transmit_bytes_total node_pressure_cpu_waiting_seconds_total
node_pressure_io_stalled_seconds_total node_pressure_io_waiting_seconds_total
node_pressure_memory_stalled_seconds_total node_pressure_memory_waiting_seconds_total
node_timex_offset_seconds node_uname_info node_vmstat_oom_kill
pg_database_size_bytes pg_locks_count pg_settings_max_connections
pg_settings_superuser_reserved_connections pg_stat_activity_count
pg_stat_activity_max_tx_duration pg_stat_bgwriter_buffers_backend_total
pg_stat_bgwriter_buffers_checkpoint_total pg_stat_bgwriter_buffers_clean_total
pg_stat_database_blks_hit pg_stat_database_blks_read pg_stat_database_deadlocks
pg_stat_database_tup_deleted pg_stat_database_tup_inserted pg_stat_database_tup_updated
pg_stat_database_xact_commit pg_stat_database_xact_rollback pg_up
END
}

{ own_metrics; recorded_series; foreign_metrics; } | tr ' ' '\n' | sort -u >"$work/known"

# ---- The checks: each prints what is wrong with the facts in $work/facts.

facts() { awk -F '\t' "$@" "$work/facts"; }

wrong_head() {
	facts '$1 == "dashboard" {
		file = $3; sub(/.*\//, "", file); sub(/\.json$/, "", file)
		if ($2 != "linkshrink-" file) print $3 ": uid is " $2
		if (uids[$2]++) print $3 ": another one has the uid " $2
		if ($4 != "") print $3 ": has an id of one installation"
		if ($5 != "false") print $3 ": can be edited in the browser"
		if ($6 != 42) print $3 ": schemaVersion is " $6
		if ($7 == "" || $8 == "") print $3 ": no title or no description"
	}'
}

wrong_identity() {
	facts '$1 == "panel" && ($3 == "" || seen[$2, $3]++) { print $2 ": panel id " $3 " twice" }
	$1 == "query" && seen[$2, $3, $4]++ { print $2 ", panel " $3 ": query " $4 " twice" }'
}

# Units of Grafana, as far as they are used here.
wrong_panel() {
	facts -v units=' none short s bytes percentunit reqps ops cps wps Bps ' '
	$1 == "query" { queries[$2, $3]++ }
	$1 == "panel" {
		at = $2 ", panel " $3 " (" $11 ")"
		if ($11 == "") print at ": no title"
		if ($4 == "row") next
		asked[$2, $3] = at
		if ($4 !~ /^(timeseries|stat|table|bargauge|heatmap|state-timeline)$/) print at ": type " $4
		if (length($12) < 10) print at ": no description"
		if (!index(units, " " $10 " ") || $10 == "") print at ": unit \"" $10 "\""
		if ($9 != "${datasource}") print at ": data source " $9
	}
	END { for (panel in asked) if (!queries[panel]) print asked[panel] ": asks nothing" }'
}

# In reading order, within 24 columns, nothing on top of another.
wrong_layout() {
	facts '$1 == "panel" {
		at = $2 ", panel " $3 " (" $11 ")"
		if ($5 < 0 || $7 < 1 || $5 + $7 > 24) print at ": beyond the 24 columns"
		if ($2 == before && ($6 < y || ($6 == y && $5 <= x))) print at ": out of reading order"
		for (i = 1; i <= n[$2]; i++) {
			split(panels[$2, i], p, FS)
			if ($5 < p[1] + p[3] && p[1] < $5 + $7 && $6 < p[2] + p[4] && p[2] < $6 + $8) print at ": covers panel " p[5]
		}
		panels[$2, ++n[$2]] = $5 FS $6 FS $7 FS $8 FS $3
		before = $2; x = $5; y = $6
	}'
}

wrong_variables() {
	facts '
	$1 == "dashboard" { uids[$2] = 1 }
	$1 == "variable" { has[$2, $3] = $5 }
	$1 == "query" || $1 == "annotation" || $1 == "variable" {
		text = $0
		while (match(text, /\$[{]?[a-z_]+/)) {
			name = substr(text, RSTART, RLENGTH); gsub(/[${]/, "", name)
			if (name !~ /^__(rate_interval|range)$/) used[$2, name] = $2
			text = substr(text, RSTART + RLENGTH)
		}
	}
	END {
		for (key in used) { split(key, k, SUBSEP); if (!(key in has)) print k[1] ": no variable " k[2] }
		for (uid in uids) {
			if (has[uid, "datasource"] != "linkshrink-prometheus") print uid ": begins with another data source"
			if (!((uid, "job") in has)) print uid ": no variable job"
		}
	}'
}

wrong_annotations() {
	facts '$1 == "dashboard" { uids[$2] = 1 } $1 == "annotation" { has[$2, $3] = $4 }
	END { for (uid in uids) for (i = split("Alerts Deploys", names, " "); i > 0; i--)
		if (has[uid, names[i]] != "${datasource}") print uid ": no annotations " names[i] }'
}

# Rates over less than four scrapes are full of holes.
wrong_rates() {
	facts '$1 == "query" && /(rate|increase|delta)\([^[]*\[[0-9]+s\]/ { print $2 ", panel " $3 ": a fixed interval of seconds" }'
}

# Our own figures are those of the chosen job and nodes: another installation may send to the same
# Prometheus. Those of backups come by the exporter of the machine.
wrong_scope() {
	facts '$1 == "query" {
		text = $6
		while (match(text, /(linkshrink|http)_[a-z_]+([{][^}]*[}])?/)) {
			series = substr(text, RSTART, RLENGTH)
			job = series ~ /^linkshrink_backup_/ ? "$node_job" : "$job"
			if (!index(series, "{job=~\"" job "\",instance=~\"$instance\"")) print $2 ", panel " $3 ": " series
			text = substr(text, RSTART + RLENGTH)
		}
	}'
}

# What is left of a query without texts, lists of labels, intervals, numbers, functions and words is
# the names of its metrics.
metric_names() {
	facts '$1 == "query" || $1 == "annotation" || ($1 == "variable" && $4 == "query") {
		text = $NF
		gsub(/"[^"]*"/, "", text)
		gsub(/\{[^}]*\}|\[[^]]*\]/, " ", text)
		if ($1 == "variable") { sub(/label_values\(/, "", text); sub(/,.*/, "", text) }
		gsub(/(by|on|ignoring|without|group_left|group_right) *\([^)]*\)/, " ", text)
		gsub(/[a-z_]+ *\(/, " ", text)
		for (i = split(text, words, /[^A-Za-z0-9_:]+/); i > 0; i--)
			if (words[i] ~ /^[A-Za-z_]/ && words[i] !~ /^(and|or|unless|bool|offset)$/)
				print words[i], $2
	}' | sort -u
}

wrong_metrics() {
	metric_names | awk 'NR == FNR { known[$1] = 1; next } !($1 in known) { print $2 ": nobody has " $1 }' "$work/known" -
}

# Texts name alerts; a name with capitals inside is one. "uid panel alert" of each.
named_alerts() {
	facts '$1 == "panel" {
		for (i = split($12, words, /[^A-Za-z]+/); i > 0; i--)
			if (words[i] ~ /^[A-Z][a-z]+[A-Z][A-Za-z]+$/ && words[i] != "PostgreSQL") print $2, $3, words[i]
	}'
}

# "alert number" of each number in the expression of each alert, and the alert alone.
alert_numbers() {
	awk '/- alert:/ { alert = $3; print alert, ""; on = 1 }
	/^ *(for|keep_firing_for|labels|annotations):/ { on = 0 }
	on && !/- alert:/ { for (i = split($0, words, /[^0-9.]+/); i > 0; i--) if (words[i] != "") print alert, words[i] }' \
		prometheus/rules/*.yml
}

wrong_alerts() {
	named_alerts | awk 'NR == FNR { known[$1] = 1; next } !($3 in known) { print $1 ", panel " $2 ": no alert " $3 }' \
		<(alert_numbers) -
}

# Where a panel names an alert, a colour changes at its bound. 0.5 and 1 are how "any" is drawn.
wrong_bounds() {
	{ alert_numbers | sed 's/^/number /'; facts '$1 == "threshold" { print $1, $2, $3, $4 }'; named_alerts | sed 's/^/named /'; } | awk '
	$1 == "number" { number[$2, $3 + 0] = 1 }
	$1 == "threshold" && $4 != "" { values[$2, $3] = values[$2, $3] " " $4; if ($4 != 0.5 && $4 != 1) bound[$2, $3] = 1 }
	$1 == "named" && bound[$2, $3] {
		found = 0
		for (i = split(values[$2, $3], value, " "); i > 0; i--) if (number[$4, value[i] + 0]) found = 1
		if (!found) print $2 ", panel " $3 ": not the bound of " $4 ":" values[$2, $3]
	}'
}

# Messages lead to dashboards; those must be there.
wrong_links() {
	grep -oh '/grafana/d/[a-z-]*' prometheus/rules/*.yml | sed 's|.*/||' | sort -u |
		awk -F '\t' 'NR == FNR { if ($1 == "dashboard") has[$2] = 1; next } !has[$1] { print "the rules lead to " $1 }' \
			"$work/facts" -
}

# ---- Planted faults: each in a copy, one line each: what, the check, how.

is_found() { # what check sed-expression
	local before
	sed "$3" grafana/dashboards/clicks.json >"$work/clicks.json"
	"$list" grafana/dashboards/clicks.json >"$work/facts"
	before=$("$2" | sed 's|grafana/dashboards|'"$work"'|')
	"$list" "$work/clicks.json" >"$work/facts"
	check "$1 is found" test "$("$2")" != "$before"
}

is_found 'another uid' wrong_head 's/linkshrink-clicks/clicks/'
is_found 'a dashboard that can be edited' wrong_head 's/"editable": false/"editable": true/'
is_found 'an id of one installation' wrong_head 's/^  "uid"/  "id": 7, "uid"/'
is_found 'a panel id that comes twice' wrong_identity 's/"id": 3,/"id": 2,/'
is_found 'a panel without a title' wrong_panel 's/"title": "Drift"/"title": ""/'
is_found 'a panel without a description' wrong_panel 's/"description": "Clicks spooled.*"/"description": ""/'
is_found 'an unknown unit' wrong_panel 's/"unit": "cps"/"unit": "clicks"/'
is_found 'a fixed data source' wrong_panel '/"gridPos"/,/"datasource"/s/"uid": "${datasource}"/"uid": "prometheus"/'
is_found 'a panel over another' wrong_layout 's/"x": 8, "y": 1, "w": 4/"x": 7, "y": 1, "w": 4/'
is_found 'a panel beyond the columns' wrong_layout 's/"x": 20, "y": 1, "w": 4/"x": 20, "y": 1, "w": 5/'
is_found 'a variable that is missing' wrong_variables 's/"name": "instance"/"name": "node"/'
is_found 'annotations that are missing' wrong_annotations 's/"name": "Deploys"/"name": "Versions"/'
is_found 'a rate over seconds' wrong_rates 's/\[$__rate_interval\]/[10s]/'
is_found 'an alert that there is not' wrong_alerts 's/ticket ClickDrift/ticket ClickDrifts/'
is_found 'a bound that is not of the alert' wrong_bounds 's/"value": 60 }/"value": 61 }/'
is_found 'a figure of any installation' wrong_scope 's/linkshrink_click_drift{job=~\\"$job\\",/linkshrink_click_drift{/'
is_found 'a metric that nobody has' wrong_metrics 's/linkshrink_click_drift/linkshrink_clicks_drift/'

not_json() { ! "$list" <(echo '{"uid": }') >/dev/null 2>&1; }
check 'what is no JSON is found' not_json

# ---- The files.

list_all() { "$list" grafana/dashboards/*.json >"$work/facts"; }
check 'dashboards are JSON' list_all
nothing 'dashboards have their uid, title and description, and are changed in git alone' wrong_head
nothing 'each panel and each query has an identity' wrong_identity
nothing 'each panel has a title, a description, a unit, a query and the data source of the page' wrong_panel
nothing 'panels lie in reading order and not on each other' wrong_layout
nothing 'variables that are used are there' wrong_variables
nothing 'alerts and deploys are shown in each' wrong_annotations
nothing 'rates are over an interval that fits the scrapes' wrong_rates
nothing 'our own figures are those of the chosen job and nodes' wrong_scope
nothing 'each metric exists' wrong_metrics
nothing 'each alert that a text names exists' wrong_alerts
nothing 'colours change at the bounds of the alerts' wrong_bounds
nothing 'where rules lead to a dashboard there is one' wrong_links
finish
