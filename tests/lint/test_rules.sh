#!/bin/bash
# The rules of prometheus/: valid, each alert tested both ways, complete, explained in the runbook;
# and they speak of what exists. That their tests can fail: test_rules_noticed.sh.
set -euo pipefail

case "${1:-}" in --help | -h) echo 'usage: tests/lint/test_rules.sh'; exit 0 ;; esac
cd "$(dirname "$0")/../.."
# shellcheck source=tests/report.sh
. tests/report.sh
# shellcheck source=tests/lint/promtool.sh
. tests/lint/promtool.sh

rules=(prometheus/rules/*.yml)
tests=(prometheus/tests/*.yml)

# ---- Valid, and true to their tests.

check 'promtool finds nothing to say against the rules' \
	promtool check rules --lint=all --lint-fatal "${rules[@]}"
[ ! -f prometheus/prometheus.yml ] ||
	check 'nor against the configuration' promtool check config prometheus/prometheus.yml

# run_tests DIRECTORY: each file in a process of its own
run_tests() {
	local file
	for file in "$1"/tests/*.yml; do
		have_room
		promtool test rules "$file" >"$file.said" 2>&1 || mv "$file.said" "$file.failed" &
	done
	wait
	! cat "$1"/tests/*.failed 2>/dev/null
}

copy() { # name: a copy of rules and tests to be changed
	mkdir -p "$work/$1"
	cp -r prometheus/rules prometheus/tests "$work/$1/"
}

copy as-is
check 'every test holds' run_tests "$work/as-is"

# From Prometheus 3 on a range does not hold the sample at its very beginning. So does one that is a
# millisecond shorter. One of the hundreds in windows of hours changes nothing, and costs the most.
copy three
rm "$work"/three/tests/{burn-slow,objectives}.yml
for file in "${rules[@]}"; do
	awk 'BEGIN { seconds["s"] = 1; seconds["m"] = 60; seconds["h"] = 3600; seconds["d"] = 86400 }
	{
		line = ""
		while (match($0, /\[[0-9]+[smhd]\]/)) {
			n = substr($0, RSTART + 1, RLENGTH - 3); unit = substr($0, RSTART + RLENGTH - 2, 1)
			line = line substr($0, 1, RSTART) sprintf("%d", n * seconds[unit] * 1000 - 1) "ms]"
			$0 = substr($0, RSTART + RLENGTH)
		}
		print line $0
	}' "$file" >"$work/three/${file#prometheus/}"
done
check 'and with ranges as Prometheus 3 reads them' run_tests "$work/three"

# ---- Complete. One line for each alert: name, file, what it has.

alerts() {
	awk '
	function out() { if (name != "") print name, file, has }
	FNR == 1 { out(); name = ""; file = FILENAME; sub(/.*\//, "", file) }
	$1 == "-" && $2 ~ /^(alert|record):$/ { out(); name = ""; has = ""; if ($2 == "alert:") name = $3 }
	name == "" { next }
	$1 == "labels:" && match($0, /severity: [a-z]+/) { has = has " " substr($0, RSTART + 10, RLENGTH - 10) }
	$1 ~ /^(summary|impact|first_action):$/ && length($0) > length($1) + 16 { has = has " " $1 }
	$1 ~ /_url:$/ { url = $0; sub(/.*externalLabels[.]/, "", url); sub(/ *}}/, "", url); gsub(/\x27/, "", url); has = has " " url }
	END { out() }' "${rules[@]}"
}

alerts >"$work/alerts"
names=$(cut -d ' ' -f 1 "$work/alerts" | sort -u)

incomplete() {
	awk -v uids=' overview workers clicks database host monitoring ' '
	{
		wanted = "runbook.md#" tolower($1)
		if ($3 !~ /^(critical|warning|none)$/) print $1 ": severity is critical, warning or none"
		if ($0 !~ / summary: /) print $1 ": no summary"
		if ($0 !~ / impact: /) print $1 ": no impact"
		if ($0 !~ / first_action: /) print $1 ": no first action"
		if (index($0, " docs/" wanted) == 0) print $1 ": runbook_url does not end in " wanted
		if (!match($0, / operations\/grafana\/d\/linkshrink-[a-z]+$/)) print $1 ": no dashboard_url"
		else { uid = $0; sub(/.*-/, "", uid); if (index(uids, " " uid " ") == 0) print $1 ": no dashboard " uid }
	}' "$work/alerts"
}
nothing 'every alert has a severity, summary, impact, first action, runbook and dashboard' incomplete
uid_without_file() {
	sed -n 's/.*grafana\/d\/\(linkshrink-[a-z]*\).*/\1/p' "${rules[@]}" | sort -u |
		while read -r uid; do
			grep -lq "\"uid\": *\"$uid\"" grafana/dashboards/*.json || echo "no dashboard has the uid $uid"
		done
}
nothing 'every dashboard that an alert leads to exists' uid_without_file

sections=$(sed -n 's/^## //p' docs/runbook.md | sort)
check 'every alert has its section in the runbook, and every section an alert' \
	diff <(echo "$names") <(echo "$sections")
parts_missing() {
	awk '
	function out(i, list, n) {
		n = split("Meaning,Impact,First action,Diagnosis,Mitigation,Verify,Time to detect", list, ",")
		for (i = 1; name != "" && i <= n; i++) if (!(list[i] in seen)) print name ": no " list[i]
		if (name != "" && !fenced) print name ": no command"
		delete seen; fenced = 0
	}
	/^## / { out(); name = $2 }
	match($0, /^\*\*[A-Z][a-z ]+\*\*/) { seen[substr($0, 3, RLENGTH - 4)] = 1 }
	/^```sh$/ { fenced = 1 }
	END { out() }' docs/runbook.md
}
nothing 'each says what it means, what to do first, how to mend it and how fast it is' parts_missing

# Lines of the tests that say: this alert fires now; it does not.
fires() {
	sed -n 's/.*alertname="\([A-Za-z]*\)",alertstate="firing"}.*exp_samples: \[{labels: .ALERTS{alertname="\1".*/\1/p' "${tests[@]}"
	awk '$1 == "alertname:" { name = $2 } $1 == "exp_alerts:" && NF == 1 { print name }' "${tests[@]}"
}
quiet() {
	sed -n 's/.*alertname="\([A-Za-z]*\)",alertstate="firing"}.*exp_samples: \[\]}$/\1/p' "${tests[@]}"
	sed -n 's/.*alertname: \([A-Za-z]*\), exp_alerts: \[\]}$/\1/p' "${tests[@]}"
}
lacks() { comm -23 <(echo "$names") <("$1" | sort -u); }
nothing 'every alert has a test in which it fires' lacks fires
check 'and all but the Watchdog one in which it does not' test "$(lacks quiet)" = Watchdog
files_without_annotations() {
	local file
	for file in "${rules[@]}"; do
		! grep -q 'alert:' "$file" || grep -q exp_annotations "prometheus/tests/$(basename "$file")" ||
			echo "prometheus/tests/$(basename "$file") looks at no annotation"
	done
}
nothing 'of every file one alert is compared to the word' files_without_annotations

# ---- What rules speak of exists.

unknown_figures() {
	awk '
	FILENAME ~ /labels[.]def$/ {
		if (match($0, /^LABEL_BEGIN\(/)) { split($0, part, /[(), ]+/); shown[part[2]] = part[3] == "" ? part[2] : part[3] }
		if (match($0, /^LABEL_VALUE\(/)) { split($0, part, /[(), ]+/); split($0, quoted, "\""); value[part[2], quoted[2]] = 1 }
		next
	}
	FILENAME ~ /backup[.]d/ { known[$1] = $1; next }
	FILENAME ~ /metrics[.]def$/ {
		if (match($0, /^[A-Z]+\([a-z_]+, "/)) {
			split($0, quoted, "\""); name = quoted[2]; kind = $0; sub(/\(.*/, "", kind)
			known[name] = name
			if (kind ~ /^(HISTOGRAM|DELAY|SIZE)$/)
				known[name "_bucket"] = known[name "_sum"] = known[name "_count"] = name
			n = split(quoted[3], part, /[, ]+/)
			for (i = 2; i <= n; i++)
				if (part[i] in shown && part[i] != "none") own[name, shown[part[i]]] = part[i]
		}
		next
	}
	/^ *(summary|impact|first_action|description|runbook_url|dashboard_url):/ || /^ *#/ { next }
	{
		line = $0
		while (match(line, /(linkshrink|http|process)_[a-z0-9_]+/)) {
			name = substr(line, RSTART, RLENGTH); line = substr(line, RSTART + RLENGTH)
			if (!(name in known)) { print FILENAME ": " name " is not in metrics.def, nor a figure of backups"; continue }
			if (substr(line, 1, 1) != "{") continue
			base = known[name]
			matchers = substr(line, 2, index(line, "}") - 2)
			while (match(matchers, /[a-z_]+(=~|!~|!=|=)"[^"]*"/)) {
				one = substr(matchers, RSTART, RLENGTH); matchers = substr(matchers, RSTART + RLENGTH)
				label = one; sub(/[=!].*/, "", label); split(one, quoted, "\"")
				if (label ~ /^(job|instance|le)$/) continue
				if (!((base, label) in own)) { print FILENAME ": " name " has no label " label; continue }
				if (one ~ /[=!]~/ && quoted[2] !~ /^[a-z_|]+$/) continue
				n = split(quoted[2], part, "|")
				for (i = 1; i <= n; i++)
					if (!((own[base, label], part[i]) in value))
						print FILENAME ": " label " of " name " is never " part[i]
			}
		}
		rest = $0; gsub(/"[^"]*"/, "", rest)
		while (match(rest, /slo:[a-z_]+:[a-z0-9_]+/)) {
			used[substr(rest, RSTART, RLENGTH)] = FILENAME
			rest = substr(rest, RSTART + RLENGTH)
		}
		if ($2 == "record:" || $2 == "{record:") { name = $3; sub(/,$/, "", name); recorded[name] = 1 }
	}
	END { for (name in used) if (!(name in recorded)) print used[name] ": nobody records " name }
	' common/base/labels.def common/base/metrics.def scripts/backup.d/figures "${rules[@]}"
}
nothing 'every figure of ours in a rule is one that we have, with these labels' unknown_figures

# What the exporters say; names as in Debian 12.
foreign=' node_filesystem_avail_bytes node_filesystem_size_bytes node_filesystem_readonly
 node_filesystem_files node_filesystem_files_free node_pressure_cpu_waiting_seconds_total
 node_pressure_memory_stalled_seconds_total node_pressure_io_stalled_seconds_total
 node_cpu_seconds_total node_vmstat_oom_kill pg_up pg_stat_activity_count
 pg_stat_activity_max_tx_duration pg_settings_max_connections
 pg_settings_superuser_reserved_connections probe_success probe_duration_seconds
 probe_ssl_earliest_cert_expiry
 prometheus_notifications_errors_total
 prometheus_notifications_dropped_total prometheus_notifications_alertmanagers_discovered
 prometheus_rule_evaluation_failures_total alertmanager_notifications_failed_total '
unknown_foreign() {
	grep -hv '^ *[a-z_]*: *'\' "${rules[@]}" | grep -v '^ *#' | sed 's/"[^"]*"//g' |
		grep -oE '\b(node|pg|probe|prometheus|alertmanager|scrape)_[a-z0-9_]+' | sort -u |
		while read -r name; do
			grep -qw "$name" <<<"$foreign" || echo "$name is no figure that an exporter is known to have"
		done
}
nothing 'and every other one is an exporter'\''s' unknown_foreign

# ---- As an installed machine says them: what there is there, and nothing else is different.

mkdir "$work/installed"
for file in "${rules[@]}"; do sed -E -f scripts/stack.d/installed.sed "$file" >"$work/installed/${file##*/}"; done
check 'installed: promtool finds nothing to say either' \
	promtool check rules --lint=all --lint-fatal "$work"/installed/*.yml
others() { diff prometheus/rules "$work/installed" | grep '^[<>]' | grep -v '^. *first_action: '; }
nothing 'installed: but for first actions all is the same' others
said_there() { grep -hv '^ *#' "$work"/installed/*.yml; }
of_a_checkout() { said_there | grep -E 'scripts/|(^|[` ])(log|pg|replica|spool|var)/|(^|[` ])pg |linkshrink/(stack|postgresql|prometheus|alertmanager)[.]log'; }
nothing 'installed: nobody is sent to what only a checkout has' of_a_checkout
# As many characters as alertmanager/templates/discord.tmpl shows of it.
too_long() { said_there | sed -nE "s/^ *first_action: '(.*)'$/\1/p" | sed "s/''/'/g" | grep -E '^.{401}'; }
nothing 'installed: what to do first fits a message' too_long
unknown_commands() {
	said_there | grep -oE '`linkshrink [a-z-]+' | sort -u | while read -r _ name; do
		scripts/linkshrink help | grep -q "^$name " || echo "linkshrink does not know $name"
	done
}
nothing 'installed: every command of linkshrink exists' unknown_commands
unknown_units() {
	said_there | grep -oE '(-u|start) linkshrink-[a-z@-]+[a-z]' | sort -u | while read -r _ name; do
		[ -e "systemd/${name%%@*}.service" ] || [ -e "systemd/${name%%@*}@.service" ] || echo "there is no unit $name"
	done
}
nothing 'installed: and every unit' unknown_units
not_translated() {
	scripts/linkshrink help | sed -nE 's/^([a-z-]+) .*/\1/p' | while read -r name; do
		[ ! -x "scripts/$name" ] || sed -E -f scripts/stack.d/installed.sed <<<"\`scripts/$name --list\`" | grep -qxF "\`linkshrink $name --list\`" ||
			echo "scripts/$name is left as it is"
	done
}
nothing 'installed: whatever linkshrink can do is called by its name there' not_translated
left_alone='`/opt/scripts/doctor`, `scripts/ours`, `cat /opt/catalog/x`, {path="log/"}, /logs/recent'
check 'installed: what is none of ours stays' same "$(sed -E -f scripts/stack.d/installed.sed <<<"$left_alone")" "$left_alone"
# Of the runbook's table: what a stack calls so has that name beside it.
other_names() {
	local stack there word
	sed -n '/^| | a stack | installed |/,/^$/p' docs/runbook.md | while IFS='|' read -r _ _ stack there _; do
		grep -oE '`[^`]+`' <<<"$stack" | while read -r word; do
			word=$(sed -E -f scripts/stack.d/installed.sed <<<"$word" | sed "s/''/'/g")
			if [[ $word =~ ^.(systemctl|journalctl|linkshrink|runuser)\  ]]; then
				grep -qF -e "$word" <<<"$there" || echo "the table lacks $word"
			elif [[ $word =~ ^.(scripts|log)/[a-z] ]]; then
				echo "the table has $word, for which there is no name"
			fi
		done
	done
}
nothing 'installed: the table of the runbook has the same names' other_names
check 'installed: there is such a table' grep -q '^| | a stack | installed |' docs/runbook.md

finish
