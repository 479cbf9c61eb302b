# What is seen while a fault lasts: alerts, messages, what the supervisor did. Sourced by play, as bash:
#
#   watch_begin            from here on
#   look                   once: adds what is new to $journal/events, and how things are to …/now
#   note_event KIND NAME TEXT [EVIDENCE] [MS]
#   active                 alerts that are pending or firing, one a line; nothing_fires
#   has_arrived ALERT      whether the message of an alert, or the silence, was seen
#   all_over               whether each message has its "is over"
#   no_action_runs         whether no first action of the runbook is under way
#   note_before            what the predecessor's monitoring needed
#
# $clean is the number of seconds until now without a failed request. Several of these run side by side
# and share the machine with what they watch: a look hardly ever starts a process, bash reads what there is.
# shellcheck shell=bash disable=SC2034,SC2154 # journal and the helpers are those of play

declare -A alert_states=() open_messages=() arrived=() acted=()
actions=()
readonly silence_after=90 # seconds
clean=0 row='0 0 0 0 0'

note_event() {
	local text=${3//[$'\t\n']/ }
	printf '%s\t%s\t%s\t%s\t%s\n' "${5:-$(milliseconds)}" "$1" "$2" "${text:--}" "${4:--}" >>"$journal/events"
}

watch_begin() {
	messages_seen=0 silent=no inbox='' part='' looks=0 frame=''
	exec {told}< <(tell_alerts)
	pids+=("$!")
	wait_until 20 test -e "$journal/load/seconds"
	exec {stack_log}<"$LINKSHRINK_VAR/log/stack.log" {scored}<"$journal/load/seconds"
	while read -r -u "$stack_log" _; do :; done
}

# ---- Alerts, by Prometheus

ask_all() { curl -s -m 2 -G "$(prometheus_url)/api/v1/query" --data-urlencode "query=$1"; }

# Once a second all alerts, a line each, "state <tab> since <tab> name <tab> labels", then a line ".";
# nothing while Prometheus does not answer. One jq reads all the answers: it is slow to start.
tell_alerts() {
	local url
	url=$(prometheus_url)/api/v1/alerts
	while kill -0 "$$" 2>/dev/null; do # nobody else would end it
		curl -sf -m 2 "$url" || true
		echo
		sleep 1
	done | jq --unbuffered -rR 'fromjson? | select(.status == "success") | ([.data.alerts[] | select(.labels.alertname != "Watchdog")
		| [.state, .activeAt, .labels.alertname, ([.labels | to_entries[]
			| select(.key | IN("alertname", "severity", "instance", "node") | not) | "\(.key)=\(.value)"] | join(" "))]
		| @tsv] + ["."]) | join("\n")'
}

note_alert() { # state since name labels
	local key="$3 $4" at='' query="ALERTS{alertname=\"$3\",alertstate=\"$1\"}"
	[ "${alert_states[$key]:-}" != "$1" ] || return 0
	if [ -z "${alert_states[$key]:-}" ] && [ "$1" = pending ]; then at=$(date -d "$2" +%s%3N); fi
	alert_states[$key]=$1
	note_event "$1" "$3" "${4:--}" "$query" "$at"
}

# What was told until now; where nothing was, what was known stays.
look_at_alerts() {
	local line
	# Asked first: a "read" that times out may crash when a trap comes.
	while read -r -t 0 -u "$told" && IFS= read -r -u "$told" line; do
		frame+=$line$'\n'
		[ "$line" != . ] || { note_alerts; frame=''; }
	done
}

note_alerts() {
	local state since name labels key
	local -A seen=()
	while IFS=$'\t' read -r state since name labels; do
		[ -n "$name" ] || continue
		seen["$name $labels"]=yes
		note_alert "$state" "$since" "$name" "$labels"
	done <<<"$frame"
	for key in "${!alert_states[@]}"; do
		[ -n "${seen[$key]:-}" ] && continue
		unset "alert_states[$key]"
		note_event ended "${key%% *}" "${key#* }" "ALERTS{alertname=\"${key%% *}\"}"
	done
}

active() { for key in "${!alert_states[@]}"; do echo "$key (${alert_states[$key]})"; done; }
nothing_fires() { [[ ! " ${alert_states[*]} " == *" firing "* ]]; }

# ---- Messages, by the inbox

# "milliseconds <tab> status <tab> title" of a line of the inbox.
message_of() {
	jq -r 'select(.path == "/discord") | [(.received | sub("\\.(?<ms>[0-9]+)Z$"; "Z") | fromdateiso8601 * 1000)
		+ (.received | capture("\\.(?<ms>[0-9]+)Z$").ms | tonumber), .status, .payload.embeds[0].title] | @tsv' <<<"$1"
}

note_message() { # milliseconds status title number
	local name kind=ticket
	case $3 in 'before '*) return 0 ;; esac # the predecessor's, see tests/alerts/before.sh
	name=$(sed 's/^[^A-Za-z]*//; s/[^A-Za-z].*//' <<<"$3")
	case $2 in
	20*) ;;
	*) note_event note "$name" "refused with $2: $3" "inbox message $4" "$1"; return 0 ;;
	esac
	case $3 in
	'🟢'*) kind=over; unset "open_messages[$name]" ;;
	'🔴'*) kind=page; open_messages[$name]=$3 ;;
	*) open_messages[$name]=$3 ;;
	esac
	note_event "$kind" "$name" "$3" "inbox message $4" "$1"
	[ "$kind" = over ] || [ -n "${arrived[$name]:-}" ] || { arrived[$name]=$1; act "$name"; }
}

# There is no file before the first one.
look_at_messages() {
	local file=$LINKSHRINK_VAR/inbox/messages.jsonl line at code title
	[ -n "$inbox" ] || [ ! -e "$file" ] || exec {inbox}<"$file"
	[ -n "$inbox" ] || return 0
	# The end of a line may be still to come.
	while IFS= read -r -u "$inbox" line || { part+=$line; false; }; do
		line=$part$line part=''
		messages_seen=$((messages_seen + 1))
		IFS=$'\t' read -r at code title < <(message_of "$line") || continue
		note_message "$at" "$code" "$title" "$messages_seen"
	done
}

has_arrived() { [ -n "${arrived[$1]:-}" ]; }
all_over() { [ "${#open_messages[@]}" -eq 0 ]; }

# ---- The dead man's switch

look_at_heartbeat() {
	local last age
	[ $((looks % 4)) -eq 0 ] || return 0
	last=$(stat -c %Y "$LINKSHRINK_VAR/inbox/heartbeat" 2>/dev/null) || return 0
	age=$(($(milliseconds) / 1000 - last))
	if [ "$silent" = no ] && [ "$age" -ge "$silence_after" ]; then
		silent=yes
		arrived[Silence]=$(milliseconds)
		note_event silence - "no heartbeat for $age s" 'inbox/heartbeat'
		act Silence
	elif [ "$silent" = yes ] && [ "$age" -lt "$silence_after" ]; then
		silent=no
		note_event beat - 'the heartbeat is back' 'inbox/heartbeat'
	fi
}

# ---- The supervisor's log

look_at_processes() {
	local at rest
	while read -r -u "$stack_log" at rest; do
		case $at in
		20??-*T*Z) note_event process "${rest%% *}" "${rest#* }" log/stack.log "$(date -d "$at" +%s%3N)" ;;
		esac
	done
}

# ---- What the runbook says to do first

# shellcheck disable=SC2030 # for the action alone
act() { # alert
	local section=$1
	[ "$section" != Silence ] || section=Watchdog
	[ -z "${acted[$1]:-}" ] && said must | grep -q "^$1 " || return 0
	acted[$1]=yes
	tests/gameday/first-action "$section" "$journal/actions/$1" || { note_event action "$1" 'exit 127 after 0 s: the runbook has none'; return 0; }
	(
		trap - EXIT
		local began code=0
		began=$(milliseconds)
		export OPS=http://127.0.0.1:$LINKSHRINK_OPS_PORT VAR=$LINKSHRINK_VAR LOG=$LINKSHRINK_VAR/log PGCONNECT_TIMEOUT=3
		timeout 60 bash "$journal/actions/$1" >"$journal/actions/$1.said" 2>&1 </dev/null || code=$?
		note_event action "$1" "exit $code after $(awk -v ms=$(($(milliseconds) - began)) 'BEGIN { printf "%.1f", ms / 1000 }') s: $(
			tr '\n' ';' <"$journal/actions/$1" | sed 's/;$//')" "docs/runbook.md#$(tr '[:upper:]' '[:lower:]' <<<"$section")"
	) &
	actions+=("$!")
}
no_action_runs() {
	local pid
	for pid in "${actions[@]}"; do ! kill -0 "$pid" 2>/dev/null || return 1; done
}

# ---- Users, by the load

look_at_seconds() {
	local line good bad created failed
	while IFS= read -r -u "$scored" line; do
		row=$line
		read -r _ good bad created failed <<<"$line"
		if [ $((bad + failed)) -eq 0 ] && [ $((good + created)) -gt 0 ]; then clean=$((clean + 1)); else clean=0; fi
	done
}

# ---- All of it

look() {
	looks=$((looks + 1))
	look_at_alerts
	look_at_messages
	look_at_heartbeat
	look_at_processes
	look_at_seconds
	{ echo "$row"; active; } >"$journal/now"
}

note_before() {
	if told_before "$injected"; then
		echo "before $(awk -v ms=$(($(cut -d ' ' -f 1 "$work/before.page") - injected)) 'BEGIN { printf "%.1f", ms / 1000 }') measured" >>"$journal/facts"
	else
		note_event note - 'the predecessor told nobody within 200 s'
	fi
}

settle_events() { sort -n -k 1,1 -o "$journal/events" "$journal/events"; }
