# Makes a journal of a real incident from what the running stack knows. Sourced by incident-report.
#
# Whatever cannot be reached is a hole: without --partial there is no journal then, with it a note.
# shellcheck shell=bash disable=SC2154 # variables are shared with incident-report and paths.sh

readonly record_step=5        # seconds of a row: Prometheus knows no more
readonly record_most=43200    # seconds that a journal may cover

record() { # the arguments after --record
	settle_arguments "$@"
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	holes=()
	: >"$work/events"
	settle_stack
	record_prometheus
	record_silences
	record_messages
	if [ -n "${LINKSHRINK_INSTALLED:-}" ]; then record_journal; else record_stack_log; fi
	record_program_log
	end_record
}

# ---- What is asked for

settle_arguments() {
	local plain=() title_given=''
	partial=no title=''
	while [ "$#" -gt 0 ]; do
		case $1 in
		--partial) partial=yes ;;
		--title) [ "$#" -gt 1 ] || wrong "--title wants a text"; title=$2 title_given=yes; shift ;;
		--*) wrong "$1 is unknown" ;;
		*) plain+=("$1") ;;
		esac
		shift
	done
	[ "${#plain[@]}" -eq 3 ] || wrong '--record wants FROM, TO and JOURNAL'
	from=$(moment "${plain[0]}") || wrong "'${plain[0]}' is no time"
	to=$(moment "${plain[1]}") || wrong "'${plain[1]}' is no time"
	journal=${plain[2]}
	[ "$from" -lt "$to" ] || wrong 'FROM must be before TO'
	[ "$to" -le $((${EPOCHREALTIME/[.,]/} / 1000)) ] || wrong 'TO is not over yet'
	[ $(((to - from) / 1000)) -le "$record_most" ] || wrong "at most $((record_most / 3600)) hours"
	[ ! -e "$journal" ] || [ -z "$(ls -A "$journal")" ] || fail "$journal is there already"
	title=$(tr -s '[:cntrl:] ' ' ' <<<"$title" | sed 's/^ //; s/ $//')
	[ -z "$title_given" ] || [ -n "$title" ] || wrong 'the title is empty'
	[ -n "$title" ] || title="Incident of $(at "$from" '+%F %H:%M') UTC"
}

moment() { [ -n "$1" ] && date -d "$1" +%s%3N 2>/dev/null; }
at() { date -u -d "@$(($1 / 1000)).$(printf %03d $(($1 % 1000)))" "$2"; } # ms format

hole() { holes+=("$*"); }

settle_stack() {
	local monitoring port
	# shellcheck source=scripts/stack.d/paths.sh
	. "$repo/scripts/stack.d/paths.sh"
	if [ -n "${LINKSHRINK_INSTALLED:-}" ]; then
		# shellcheck source=scripts/stack.d/installed.sh
		. "$repo/scripts/stack.d/installed.sh"
	fi
	settle_paths
	command -v jq >/dev/null || fail 'jq is missing; type: make deps'
	# Of what is installed monitoring runs by itself.
	[ -n "${LINKSHRINK_INSTALLED:-}" ] || is_running || fail "no stack runs in $var"
	monitoring=$(noted monitoring)
	[ -n "$monitoring" ] || fail "this stack runs without monitoring, so nobody watched"
	port=${monitoring##*:}
	prometheus=$monitoring/prometheus
	alertmanager=http://127.0.0.1:$((port + 1))/alertmanager
	inbox_webhook=http://127.0.0.1:$((port + 5))/discord
}

# ---- Prometheus

get() { curl -sf --noproxy '*' -m 30 "$@"; }
seconds_of() { printf '%s.%03d' $(($1 / 1000)) $(($1 % 1000)); }
ask_at() { get -G "$prometheus/api/v1/query" --data-urlencode "query=$1" -d "time=$(seconds_of "$2")"; }

record_prometheus() {
	: >"$work/seconds" && : >"$work/configured"
	get -o /dev/null "$prometheus/-/ready" || { hole "Prometheus does not answer at $prometheus"; return 0; }
	record_alerts || hole 'Prometheus does not tell of alerts'
	record_rows || hole 'Prometheus does not tell of requests'
	record_settings || hole 'Prometheus does not tell of its settings'
}

record_alerts() {
	local window=$(((to - from) / 1000 + 1))
	ask_at "ALERTS{alertname!=\"Watchdog\"}[${window}s]" "$to" >"$work/alerts" || return 1
	jq -r --argjson from "$from" --argjson to "$to" -f "$here/alerts.jq" "$work/alerts" >>"$work/events"
}

# The grid stands just behind the scrapes, so that a row is what happened between two of them.
record_rows() {
	local scraped start count
	scraped=$(ask_at 'up{job="linkshrink"}[1m]' "$to" | jq -r '.data.result[0].values[-1][0] // empty') || return 1
	start=$(awk -v from="$from" -v scraped="${scraped:-0}" -v step="$record_step" 'BEGIN {
		offset = scraped * 1000 + 100; size = step * 1000
		offset -= int(offset / size) * size; rest = from - int(from / size) * size
		printf "%.0f", from - rest + offset - (offset > rest ? size : 0) }')
	count=$(((to - start) / (record_step * 1000)))
	{
		ask_range 'sum by (handler) (last_over_time(http_requests_total{job="linkshrink",handler=~"redirect|shorten",code!~"5..|429"}[6s]))' &&
			ask_range 'sum by (handler) (last_over_time(http_requests_total{job="linkshrink",handler=~"redirect|shorten",code=~"5.."}[6s]))' &&
			ask_range 'sum(last_over_time(linkshrink_replica_lookups_total{job="linkshrink",lookup="stale"}[6s]))' &&
			ask_range 'max by (probe) (last_over_time(probe_success{job="probe"}[6s]))'
	} >"$work/counters" || return 1
	jq -n -r --argjson start "$start" --argjson count "$count" --argjson step "$record_step" \
		-f "$here/rows.jq" "$work/counters" >"$work/rows" || return 1
	grep -v '^hole' "$work/rows" >"$work/seconds" || true
	report_gaps
}

ask_range() {
	get -G "$prometheus/api/v1/query_range" --data-urlencode "query=$1" -d "start=$(seconds_of "$start")" \
		-d "end=$(seconds_of $((start + count * record_step * 1000)))" -d "step=$record_step"
}

report_gaps() {
	local first last
	while read -r first last; do
		hole "Prometheus knows nothing of requests from $(at "${first}000" +%T) to $(at "${last}000" +%T) UTC"
	done < <(awk -v step="$record_step" '
		$1 == "hole" { if (!first) first = $2; last = $2 + step; next }
		first { print first, last; first = 0 }
		END { if (first) print first, last }' "$work/rows")
}

record_settings() {
	get "$prometheus/api/v1/status/config" | jq -r .data.yaml >"$work/config" || return 1
	get "$prometheus/api/v1/rules?type=alert" >"$work/rules" || return 1
	{
		sed -nE '/^[a-z]/h; G; s/^  (scrape_interval|scrape_timeout|evaluation_interval): (.*)\nglobal:$/setting \1 \2/p' "$work/config"
		cut -f 3 "$work/events" | sort -u | jq -R -n -r --slurpfile rules "$work/rules" '[inputs] as $seen
			| $rules[0].data.groups[] | .interval as $interval | .rules[] | select(.name as $name | $seen | index($name))
			| "setting \(.name) evaluated every \($interval) s, for \(.duration) s" +
				(if .keepFiringFor > 0 then ", keep_firing_for \(.keepFiringFor) s" else "" end)' | sort -u
		sed -nE "s/^    node: /node /p" "$work/config" | head -n 1
		ask_at linkshrink_build_info "$to" | jq -r '.data.result[0].metric.version // empty | "version \(.)"'
		ask_at 'slo:error_budget:ratio{slo=~"(redirect|shorten)-availability"}' "$to" |
			jq -r '.data.result[] | "budget \(.metric.slo) \(.value[1])"'
	} >"$work/configured"
}

# ---- Alertmanager and its receiver

record_silences() {
	get -m 5 "$alertmanager/api/v2/silences" >"$work/silences" || { hole "Alertmanager does not answer at $alertmanager"; return 0; }
	jq -r --argjson from "$from" --argjson to "$to" '
		def ms: (.[0:19] + "Z" | fromdateiso8601) * 1000;
		.[] | select((.startsAt | ms) <= $to and (.endsAt | ms) >= $from)
		| [([(.startsAt | ms), $from] | max | tostring), "note", "silence",
			"no messages of " + (.matchers | map(.name + (if .isEqual == false then "!" else "" end) + (if .isRegex then "=~" else "=" end) + .value)
				| join(", ")) + " from \(.startsAt[0:19])Z to \(.endsAt[0:19])Z", "Alertmanager, silence \(.id)"]
		| map(gsub("[\\t\\r\\n]+"; " ")) | join("\t")' "$work/silences" >>"$work/events"
}

record_messages() {
	local file=$var/inbox/messages.jsonl config=$configured/alertmanager.yml
	messages=yes
	[ -r "$config" ] || { hole "$config cannot be read, so nobody knows where messages went"; return 0; }
	# The URL of a channel is a secret: it is compared, never shown. What is installed has no inbox.
	if [ -n "${LINKSHRINK_INSTALLED:-}" ] || ! grep -qF "webhook_url: '$inbox_webhook'" "$config"; then
		messages=no
		return 0
	fi
	if [ ! -r "$var/inbox" ] || { [ -e "$file" ] && [ ! -r "$file" ]; }; then
		hole "$file cannot be read"
		return 0
	fi
	files_since "$file" | with_files jq -R -n -r --argjson from "$from" --argjson to "$to" -f "$here/messages.jq" >>"$work/events" ||
		hole "$file makes no sense"
}

# ---- Logs

# A log and what it was renamed to, the oldest first, as far as they were written to since then.
files_since() { # file
	local name
	for name in "$1" "$1".*; do
		[ ! -f "$name" ] || [ "$(date -r "$name" +%s)" -lt $((from / 1000)) ] || printf '%s\n' "$name"
	done | sort -r -V
}

with_files() { # command…: gets what stands in the files that are named on standard input
	local names
	mapfile -t names
	if [ "${#names[@]}" -eq 0 ]; then "$@" </dev/null; else zcat -f -- "${names[@]}" | "$@"; fi
}

record_stack_log() {
	[ -r "$logs/stack.log" ] || { hole "$logs/stack.log cannot be read (a stack in the foreground writes none)"; return 0; }
	local time text name
	files_since "$logs/stack.log" | with_files awk -v first="$(at "$from" +%FT%TZ)" -v last="$(at "$to" +%FT%TZ)" \
		'$1 ~ /^20[0-9][0-9]-[0-9-]*T[0-9:]*Z$/ && $1 >= first && $1 <= last' >"$work/stack"
	while read -r time text; do
		name=stack
		case $text in *' (pid '*) name=${text%% (pid *}; text="pid ${text#* (pid }" ;; esac
		printf '%s\tprocess\t%s\t%s\tlog/stack.log\n' "$(moment "$time")" "${name//$'\t'/ }" "$(tr '\t' ' ' <<<"${text/)/}")"
	done <"$work/stack" >>"$work/events"
}

# What systemd says of our units, but for the one that has its turn each minute.
record_journal() {
	local unit units=()
	for unit in web database backup backup-rehearsal 'monitor@*'; do units+=(-u "linkshrink-$unit.service"); done
	journalctl -q --no-pager -o json -t systemd "${units[@]}" --since "@$((from / 1000))" --until "@$((to / 1000))" >"$work/journal" ||
		{ hole 'the journal of systemd cannot be read'; return 0; }
	jq -r -f "$here/journal.jq" "$work/journal" >>"$work/events" || hole 'the journal of systemd makes no sense'
}

record_program_log() {
	local file=${LINKSHRINK_LOG-$logs/linkshrink.log}
	[ -r "$file" ] || { hole "the programs' log cannot be read: ${file:-LINKSHRINK_LOG is empty}"; return 0; }
	files_since "$file" | with_files grep -hE '"level": ?"(error|warning)"' >"$work/complaints" || true
	jq -R -n -r --argjson from "$from" --argjson to "$to" -f "$here/log.jq" "$work/complaints" >>"$work/events"
}

# ---- The journal

end_record() {
	local text
	for text in "${holes[@]}"; do echo "incident-report: $text" >&2; done
	[ "${#holes[@]}" -eq 0 ] || [ "$partial" = yes ] ||
		fail 'no journal, because it would have holes; --partial makes it all the same'
	mkdir -p "$journal"
	LC_ALL=C sort -s -n -k 1,1 "$work/events" |
		awk -F '\t' -v from="$from" -v to="$to" 'length($1) == 13 && $1 + 0 >= from + 0 && $1 + 0 <= to + 0' >"$journal/events"
	cp "$work/seconds" "$journal/seconds"
	write_facts >"$journal/facts"
	echo "$journal"
}

slug() { tr -cs 'A-Za-z0-9\n' - <<<"${1,,}" | cut -c 1-40 | sed 's/^-*//; s/-*$//'; }

write_facts() {
	local name text
	name=incident
	case $title in 'Incident of '*) ;; *) name=$(slug "$title") ;; esac
	cat <<-FACTS
		journal 1
		id $(at "$from" +%Y%m%dT%H%M%SZ)-${name:-incident}
		kind incident
		title $title
		began $from
		ended $to
		step $record_step
		machine $(machine)
	FACTS
	[ "$messages" = yes ] || echo 'messages no'
	cat "$work/configured"
	echo "note a row of seconds is $record_step s, as Prometheus asks that often; the probe's own requests are among them, and alone where nobody else came or the counters could not be asked"
	for text in "${holes[@]}"; do echo "note not reached: $text"; done
}

machine() {
	local model memory
	model=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)
	memory=$(awk '$1 == "MemTotal:" { printf "%.0f", $2 / 1048576 }' /proc/meminfo)
	echo "$(nproc) cores of ${model:-$(uname -m)}, Linux $(uname -r), $memory GiB"
}
