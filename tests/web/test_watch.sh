#!/bin/bash
# scripts/watch: what is well, wrong and unknown is said as such, on a running stack whose parts are
# killed and stopped, and of answers that make no sense; a terminal is left as it was.
# shellcheck disable=SC2031 # lib.sh has subshells that set the same names
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/web/lib.sh
. tests/web/lib.sh
unset NO_COLOR LC_ALL LC_CTYPE COLUMNS
export LANG=C.UTF-8
escape=$'\033'

# ---- Helpers

# looks STATUS [options…]: one frame, in $work/frame, ends with that
looks() {
	local wanted=$1 code=0
	shift
	timeout 10 scripts/watch --once "$@" >"$work/frame" 2>&1 || code=$?
	[ "$code" -eq "$wanted" ] || { echo "# ended with $code, not $wanted"; cat "$work/frame"; return 1; }
}
line() { grep -qE -e "$1" "$work/frame" || { cat "$work/frame"; return 1; }; }
no_line() { ! line "$1" >/dev/null || { cat "$work/frame"; return 1; }; }
says() { # STATUS PATTERN [options…]
	local status=$1 pattern=$2
	shift 2
	looks "$status" "$@" && line "$pattern"
}
refused() { same "$(scripts/watch "$@" >"$work/frame" 2>&1 || echo $?)" 2 && line '^usage: '; }
milliseconds() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

# ---- Arguments, and nothing to look at

trap 'end_terminal; end_recorded; stack_down' EXIT
check 'it explains itself' eval 'scripts/watch --help | grep -q "Exit code of --once"'
check 'and refuses what it does not know' refused --twice
check 'no interval' refused --every
check 'one that is no number' refused --every 2s
check 'or too long' refused --every 3601
check 'an address that is none' refused --url ftp://127.0.0.1
check 'or has more in it' refused --url 'http://127.0.0.1/ -o /etc/passwd'

export LINKSHRINK_VAR=$work/var
check 'no stack: all is unknown' says 3 '^ [?] UNKNOWN '
check 'and why' line "no stack runs in $work/var"
check 'nothing looks well' no_line '●|works|%|/s|none firing'
check 'nobody listens: unknown, too' says 3 'metrics, /ready, Prometheus, .*: nobody listens' --url "http://127.0.0.1:$(free_port)"

export LINKSHRINK_MONITORING=yes
LINKSHRINK_MONITORING_PORT=$(free_block 7)
export LINKSHRINK_MONITORING_PORT
stack_up
# What else this machine does is no matter of this test.
rm "$LINKSHRINK_VAR/run/monitoring/rules/host.yml"
kill -HUP "$(noted prometheus)"
operations=http://127.0.0.1:$LINKSHRINK_OPS_PORT
check 'a new one is not well yet: what nobody looked at is unknown' says 3 '[?] UNKNOWN \([0-9]+\): '

# ---- Parts that are gone

# First: those who die below may be an alert soon, on a slow machine before the next look.
kill -STOP "$(noted alertmanager)"
check 'Alertmanager hangs: unknown' says 3 'Alertmanager: no answer within 2 s'
check 'there, and not elsewhere' line '^● CLICKS '
kill -CONT "$(noted alertmanager)"

redirect=$LINKSHRINK_VAR/app/bin/redirect
mv "$redirect" "$redirect.away"
# shellcheck disable=SC2046 # pids are words
kill -9 $(stack_programs redirect)
check 'processes of a program are missing: trouble' wait_until 5 says 1 '^ ✖ TROUBLE '
check 'said beside the program' line '✖ redirect +0/2'
check 'and above' line '✖ wrong .*redirect 0/2'
check 'with what /ready says' line '✖ READY +workers: no redirect process is alive'
check 'the others are as well as before' line '● shorten +2/2'
mv "$redirect.away" "$redirect"
check 'they are back' wait_until 5 eval 'looks 3 && line "● redirect +2/2"'

# ---- A terminal

typed=$work/typed shown=$work/shown terminal=''
mkfifo "$typed"
mkdir "$work/temporary"

# What is typed comes from fd 9; what is shown goes to $shown. Settings of the terminal before and
# after, and how it ended, are beside it.
begin_terminal() { # options…
	rm -f "$shown" "$work/ended"
	TMPDIR=$work/temporary script -qefc "stty rows 24 cols 80; stty -a >$work/before; scripts/watch $*; echo \$? >$work/ended; stty -a >$work/after" \
		"$shown" <"$typed" >/dev/null 2>&1 &
	terminal=$!
	exec 9>"$typed"
}
end_terminal() {
	[ -z "$terminal" ] || kill "$terminal" 2>/dev/null || true
	[ -z "$terminal" ] || wait "$terminal" || true
	terminal=
	exec 9>&-
}
watcher() { pgrep -f "^/bin/bash scripts/watch --every 60$" | head -n 1; }
# What came since the last time that the cursor went home.
last_frame() { tr '\n' '\001' <"$shown" | sed "s/.*$escape\[H//" | tr '\001' '\n' >"$work/frame"; }
shows() { [ -e "$shown" ] && last_frame && line "$1" >/dev/null; }
ended() { same "$(cat "$work/ended" 2>/dev/null)" "$1"; }
restored() {
	same "$(cat "$work/after")" "$(cat "$work/before")"
	# The last of each: the cursor is shown, the other screen is left.
	same "$(grep -aoE "$escape\[\?(25|1049)[hl]" "$shown" | tail -n 2 | tr -d "$escape\n")" '[?25h[?1049l'
}

begin_terminal --every 1
check 'on a terminal: a frame' wait_until 10 shows 'SOURCES'
check 'on a screen of its own' grep -qaF "${escape}[?1049h" "$shown"
check 'with colours' grep -qaF "${escape}[32m" "$shown"
kill -STOP "$(noted prometheus)"
check 'Prometheus hangs: the next frame says so within 5 s' wait_until 5 shows 'Prometheus: no answer within 2 s'
printf q >&9
check 'q ends it, also while it waits' wait_until 1 ended 0
check 'and leaves the terminal as it was' wait_until 2 restored
kill -CONT "$(noted prometheus)"
end_terminal

export NO_COLOR=1
begin_terminal --every 60
check 'without colours if so wished' wait_until 10 shows 'SOURCES'
check 'none at all' eval '! grep -qaE "$escape\[[0-9;]*m" "$shown"'
unset NO_COLOR
kill -TERM "$(watcher)"
check 'told to end it does so' wait_until 2 ended 143
check 'and leaves the terminal as well' wait_until 2 restored
end_terminal
check 'no process and no file of it stays' wait_until 3 eval \
	'[ -z "$(watcher)" ] && rmdir "$work/temporary"'

# ---- All is well

check 'a stack that is watched is well' wait_until 120 says 0 '^ ● OK '
for row in ALERTS CLICKS REPLICA DATABASE READY WATCHERS SOURCES; do check "so is $row" line "^[●▲] $row "; done
check 'all objectives have a budget' eval 'same "$(grep -cE "^[●▲] (redirect|shorten|click|link)-.* [0-9.]+%" "$work/frame")" 8'
check 'nothing is unknown' no_line UNKNOWN
check 'a frame has no more than 80 columns' eval '! grep -qE ".{81}" "$work/frame"'
check 'and no escape sequences in a file' no_line "$escape"
check 'seen from elsewhere it is the same' says 0 '^ ● OK .*Link-Shrink +http' --url "$operations/"
check 'where signs are not to be had, letters are' eval 'LC_ALL=C looks 0 && line "^ [*] OK " && ! grep -q "[^ -~]" "$work/frame"'

# ---- Answers: those of the stack, by a server of the test's own, and changed

mkdir "$work/path" "$work/recorded" "$work/site"
printf '#!/bin/bash\nprintf "%%s\\n" "$@" >>%q\nexec %q "$@"\n' "$work/asked" "$(command -v curl)" >"$work/path/curl"
chmod +x "$work/path/curl"
recorded_port=$(free_port)
recorded=http://127.0.0.1:$recorded_port
server=''

# It asks through a curl that notes what for; the same is asked again for each record.
learn_urls() {
	PATH=$work/path:$PATH looks 0 --url "$operations"
	grep "^$operations" "$work/asked" | sort -u >"$work/urls"
}
record() {
	local url path
	while read -r url; do
		path=${url#"$operations"/}
		mkdir -p "$work/recorded/$(dirname "${path%%\?*}")"
		curl -sg -o "$work/recorded/${path%%\?*}" "$url"
	done <"$work/urls"
}
serve_recorded() {
	printf 'server.document-root = "%s"\nserver.bind = "127.0.0.1"\nserver.port = %d\nserver.errorlog = "/dev/null"\nserver.stat-cache-engine = "disable"\n' \
		"$work/site" "$recorded_port" >"$work/site.conf"
	/usr/sbin/lighttpd -D -f "$work/site.conf" &
	server=$!
	wait_until 5 listens "$recorded_port"
}
end_recorded() { [ -z "${server:-}" ] || { kill "$server"; wait "$server" || true; server=''; }; }

also() { :; } # what else is changed
changed() { # STATUS PATTERN PATH command…: what it says if that answer went through the command
	local status=$1 pattern=$2 path=$3
	shift 3
	record
	rm -rf "$work/site"
	cp -R "$work/recorded" "$work/site"
	"$@" <"$work/recorded/$path" >"$work/site/$path"
	also
	says "$status" "$pattern" --url "$recorded"
}
values=prometheus/api/v1/query rules=prometheus/api/v1/rules alerts=alertmanager/api/v2/alerts
an_alert='{labels: {alertname: $name, severity: $severity, program: "redirect"}, annotations: {summary: "a test"},
	state: "firing", activeAt: "2026-01-02T03:04:05.6Z", value: "1"}'
with_alert() { jq --arg name "$1" --arg severity critical '.data.groups[0].rules[0].alerts += ['"$an_alert"']'; }
evaluated_in_vienna() { # the same moment, as a machine with that clock writes it
	jq '(.data.groups[].lastEvaluation) |= (sub("[.].*"; "Z") | fromdateiso8601 + 3600 | todateiso8601 | sub("Z"; ".5+01:00"))'
}

check 'it asks seven times' eval 'learn_urls && same "$(grep -c . "$work/urls")" 7'
serve_recorded
check 'recorded answers: well' changed 0 '^ ● OK ' metrics cat
check 'a figure is missing: unknown' changed 3 '^[?] REPLICA .*lag UNKNOWN' metrics sed '/^linkshrink_replica_lag_seconds /d'
check 'a figure that is no number' changed 3 'lag UNKNOWN' metrics sed 's/^\(linkshrink_replica_lag_seconds\) .*/\1 NaN/'
check 'a program that is missing' changed 3 '[?] ingest +UNKNOWN' metrics sed '/^linkshrink_workers_alive.*ingest/d'
check 'a page without the shared memory: trouble' changed 1 'shared memory is unusable' metrics sed 's/^linkshrink_segment_healthy 1/linkshrink_segment_healthy 0/'
check 'and its figures are nobody'\''s' line '[?] redirect +UNKNOWN'
check 'clicks that wait for long' changed 1 'clicks are [0-9]+ min late' metrics \
	sed "s/^\(linkshrink_clicks_committed_until_timestamp_seconds\) .*/\1 $((EPOCHSECONDS - 600))/"
check 'a request that hangs' changed 1 '✖ shorten +2/2 +1[0-9]m' metrics \
	sed "s/^\(linkshrink_worker_oldest_request_start_timestamp_seconds{program=\"shorten\"}\) .*/\1 $((EPOCHSECONDS - 900))/"
check 'an empty page' changed 3 '[?] CLICKS +UNKNOWN' metrics true
check 'half an answer of Prometheus' changed 3 'Prometheus: answers nonsense' $values head -c 900
check 'its objectives are unknown then' line '^[?] redirect-availability +[?] UNKNOWN UNKNOWN'
check 'an old answer' changed 3 'its answer is not of now' $values jq '(.data.result[] | select(.metric.what == "now") | .value[1]) |= (tonumber - 60 | tostring)'
check 'of which no value is left' no_line '[0-9]%|/s|works'
curl -sg "$(grep "$values" "$work/urls")&time=$((EPOCHSECONDS + 40))" |
	jq '(.data.result[] | select(.metric.what == "asked" or .metric.what == "now") | .value[1]) |= (tonumber - 40 | tostring)' >"$work/later"
check 'what Prometheus would say 40 s later, if it looked at nothing' changed 3 \
	'Prometheus has not looked at linkshrink for [34][0-9] s' $values cat "$work/later"
check 'of that only what is left is young enough' same "$(jq -r '[.data.result[].metric.what] | unique | join(" ")' "$work/later")" 'asked left now'
check 'so objectives are unknown' line '^[?] redirect-latency .* UNKNOWN +UNKNOWN'
check 'traffic' line '^[?] TRAFFIC +UNKNOWN'
check 'and alerts, whatever fires' line '^[?] ALERTS .*UNKNOWN'
check 'an objective without a budget' changed 3 '[?] click-freshness .*UNKNOWN' $values \
	jq 'del(.data.result[] | select(.metric.what == "left" and .metric.slo == "click-freshness"))'
check 'one that nobody calls upon is idle' changed 0 '● shorten-latency .* idle ' $values \
	jq 'del(.data.result[] | select(.metric.what == "error" and .metric.slo == "shorten-latency"))
		| (.data.result[] | select(.metric.what == "valid" and .metric.slo == "shorten-latency") | .value[1]) = "0"'
check 'a spent budget is worth a look' changed 0 '▲ click-freshness .* -12.5%' $values \
	jq '(.data.result[] | select(.metric.what == "left" and .metric.slo == "click-freshness") | .value[1]) = "-0.125"'
check 'a target that does not answer' changed 1 'target node does not answer' $values \
	jq '(.data.result[] | select(.metric.what == "up" and .metric.job == "node") | .value[1]) = "0"'
check 'a probe that fails' changed 1 '✖ probe shorten +FAILS' $values \
	jq '(.data.result[] | select(.metric.what == "probe" and .metric.probe == "shorten") | .value[1]) = "0"'
check 'a list of alerts without the Watchdog is none' changed 3 '^[?] ALERTS .*UNKNOWN' $rules \
	jq '(.data.groups[].rules[] | select(.name == "Watchdog") | .alerts) = []'
check 'and none is said to fire or not' no_line 'none firing'
check 'nor is one that is old' changed 3 '[?] UNKNOWN .*rules not evaluated: outages' $rules \
	jq '(.data.groups[] | select(.name == "outages") | .lastEvaluation) = "2026-01-01T00:00:00Z"'
check 'nor one of rules that fail' changed 3 '[?] UNKNOWN .*rules fail: RedirectsDown' $rules \
	jq '(.data.groups[].rules[] | select(.name == "RedirectsDown") | .health) = "err"'
check 'zones of time are understood' changed 0 '^[●▲] ALERTS' $rules evaluated_in_vienna
check 'an alert fires' eval 'COLUMNS=140 changed 1 "✖ page +Planted +for [0-9]+ days .*not at Alertmanager · program=redirect  a test" $rules with_alert Planted'
also() { with_mark "$work/site/$alerts"; }
with_mark() { # the same alert, as Alertmanager has it
	jq '. + [.[0] | .labels = {alertname: "Planted", severity: "critical", program: "redirect", node: "local"}
		| .status = {state: "suppressed", silencedBy: [], inhibitedBy: ["0123456789abcdef"]}]' <"$work/recorded/$alerts" >"$1"
}
check 'one that is inhibited is marked, and is trouble' changed 1 '✖ page +Planted +for [0-9]+ days · inhibited' $rules with_alert Planted
also() { :; }
check 'its name can not write to the terminal' changed 1 '✖ page +.\[31mred.bell' $rules with_alert $'\033[31mred\007bell'
check 'not even a bit' no_line "[$escape"$'\007]'
check 'Alertmanager that heard of nothing for long' changed 3 '[?] UNKNOWN .*Alertmanager heard of Prometheus [0-9]+ s ago' $alerts \
	jq '(.[].updatedAt) |= (sub("[.].*"; "Z") | fromdateiso8601 - 90 | todateiso8601)'
check 'or of nothing at all' changed 3 'Alertmanager has no Watchdog' $alerts jq '[]'
check 'no list' changed 3 'Alertmanager: answers nonsense' $alerts jq '{}'
check 'a heartbeat that is late' changed 1 'heartbeat LATE' inbox sed 's/\(datetime="\)[^"]*/\12026-01-01T00:00:00.000Z/'
check 'or of which nothing is known' changed 3 'heartbeat UNKNOWN' inbox sed '/last heartbeat/d'
check 'or that goes to somebody else' changed 0 'heartbeat goes elsewhere' alertmanager/api/v2/status \
	sed 's|http://127.0.0.1:[0-9]*/heartbeat|https://example.com/secret|'
check 'whose address is not shown' no_line 'secret'
end_recorded

# ---- A silence, and Prometheus that hangs

curl -sf -o /dev/null "$operations/alertmanager/api/v2/silences" -H 'Content-Type: application/json' -d '{
	"matchers": [{"name": "alertname", "value": "Watchdog", "isRegex": false, "isEqual": true}], "createdBy": "test", "comment": "test",
	"startsAt": "'"$(date -u +%FT%TZ)"'", "endsAt": "'"$(date -u -d '+1 hour' +%FT%TZ)"'"}'
check 'a silenced Watchdog is worth a look' wait_until 5 says 0 'Watchdog is silenced'

kill -STOP "$(noted prometheus)"
began=$(milliseconds)
check 'Prometheus stopped: unknown' says 3 '[?] UNKNOWN \([0-9]+\): Prometheus: no answer within 2 s'
check 'within 5 s' test $(($(milliseconds) - began)) -lt 5000
check 'and no old value is left' no_line '%|/s|works|none firing|targets [0-9]'
check 'what others say is there' line '^● REPLICA +following'
kill -CONT "$(noted prometheus)"

finish
