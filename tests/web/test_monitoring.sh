#!/bin/bash
# The stack with its monitoring: who watches is there, sees all, comes back when killed, goes with
# the stack, and keeps secrets.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/web/lib.sh
. tests/web/lib.sh

monitors=(prometheus alertmanager node-exporter postgres-exporter blackbox-exporter inbox)
secret=https://127.0.0.1:9/api/webhooks/1/S3CRET-webhook
export LINKSHRINK_MONITORING=yes LINKSHRINK_DISCORD_URL=$secret

# ---- Helpers

# The value of the one series that an expression gives; nothing if there are none or more.
ask() {
	curl -s --get --data-urlencode "query=$1" \
		"http://127.0.0.1:$LINKSHRINK_MONITORING_PORT/prometheus/api/v1/query" |
		sed -n 's/.*"result":\[{"metric":{[^}]*},"value":\[[0-9.]*,"\([^"]*\)"\]}\].*/\1/p'
}
says() { same "$(ask "$1")" "$2"; }

answers() { # STATUS PATH on the operations listener
	same "$(status -L "http://127.0.0.1:$LINKSHRINK_OPS_PORT$2")" "$1"
}

back() { # NAME PID: another one runs
	local now
	now=$(noted "$1")
	[ -n "$now" ] && [ "$now" != "$2" ] && grep -qs '^State:.[^ZX]' "/proc/$now/status"
}

runs_as() { same "$(ps -o user= -p "$(noted "$1")")" "$2"; }

refused() { # WORDS command…: it fails and says the words, and no secret
	local words=$1 said
	shift
	if said=$("$@" 2>&1); then
		echo "it succeeded: $said"
		return 1
	fi
	if ! grep -qF -e "$words" <<<"$said" || grep -q S3CRET <<<"$said"; then
		echo "$said"
		return 1
	fi
}

denied() { ! "$@" 2>/dev/null; }

private() { # FILE: nobody else reads it
	same "$(stat -c %a "$1")" 640
}

# ---- It runs

trap stack_down EXIT
LINKSHRINK_MONITORING_PORT=$(free_block 7)
export LINKSHRINK_MONITORING_PORT
stack_up
check 'up says where monitoring is' grep -q "monitoring *http://127.0.0.1:$LINKSHRINK_OPS_PORT/prometheus/" "$work/up.log"
for name in "${monitors[@]}"; do
	check "status shows $name" grep -q "^$name  *pid" <(scripts/stack status)
done
check 'every target is asked and answers' wait_until 20 says 'count(up == 1) == count(up)' 8
for probe in redirect shorten; do
	check "the probe \"$probe\" succeeds" wait_until 15 says "probe_success{probe=\"$probe\"}" 1
done
check 'every series has the instance' wait_until 5 says 'count(up{instance="local"})' 8
check 'PostgreSQL is seen' wait_until 15 says pg_up 1
check 'by a role that sees no table of ours' sql 'SELECT 1 / (NOT EXISTS (SELECT FROM information_schema.role_table_grants WHERE grantee = '\''linkshrink_monitor'\''))::integer'
check 'of its settings only those that rules compare with' wait_until 5 says 'count({__name__=~"pg_settings_.*"})' 2
check 'the probe'\''s clicks count as those of a bot' wait_until 5 eval \
	'[ "$(sql "SELECT count(*) > 0 AND bool_and(bot) FROM clicks")" = t ]'

# ---- Where it can be reached

check 'Prometheus under the operations listener' answers 200 '/prometheus/graph?g0.expr=up'
check 'its API, too' answers 200 '/prometheus/api/v1/query?query=up'
check 'a wrong query is refused' answers 400 '/prometheus/api/v1/query?query=('
check 'in the words of Prometheus, not of lighttpd' grep -qF 'parse error' "$work/body"
check 'Alertmanager' answers 200 /alertmanager/
check 'and its API' answers 200 /alertmanager/api/v2/status
check 'what only begins like them is nobody' answers 404 /prometheusx
for path in prometheus/ alertmanager/api/v2/status grafana/ inbox; do
	check "not on the public listener: /$path" same "$(status "http://127.0.0.1:$LINKSHRINK_PORT/$path")" 404
done
check 'all of it listens on loopback alone' eval '! awk -v first="$LINKSHRINK_MONITORING_PORT" '\''
	$4 == "0A" && substr($2, 1, 8) != "0100007F" { split($2, at, ":"); n = strtonum("0x" at[2]) - first
		if (n >= 0 && n <= 6) { print; found = 1 } } END { exit !found }'\'' /proc/net/tcp /proc/net/tcp6'

# ---- Secrets

for file in prometheus.yml blackbox.yml alertmanager.yml; do
	check "$file is for those who watch" private "$LINKSHRINK_VAR/run/monitoring/$file"
done
check 'so is the key of the probe' private "$LINKSHRINK_VAR/probe/key"
check 'Alertmanager has the webhook' grep -qF "$secret" "$LINKSHRINK_VAR/run/monitoring/alertmanager.yml"
check 'and nobody else on the disk' same "$(grep -rlF S3CRET "$LINKSHRINK_VAR" | sort)" \
	"$LINKSHRINK_VAR/run/monitoring/alertmanager.yml"
check 'it is in no command' denied grep -lsF S3CRET /proc/[0-9]*/cmdline
check 'nor in the environment of those who serve' denied grep -lsF S3CRET "/proc/$(noted lighttpd)/environ" \
	"/proc/$(stack_programs redirect | head -n 1)/environ"
check 'nor shown by Alertmanager' denied grep -F S3CRET <(curl -s "http://127.0.0.1:$LINKSHRINK_OPS_PORT/alertmanager/api/v2/status")
if [ "$(id -u)" -eq 0 ]; then
	as_monitor() { setpriv --reuid=prometheus --regid=prometheus --init-groups -- "$@"; }
	as_web() { setpriv --reuid=www-data --regid=www-data --init-groups -- "$@"; }
	check 'who watches is not root' runs_as prometheus prometheus
	check 'nor who serves' runs_as lighttpd www-data
	check 'who watches can not read the cluster' denied as_monitor ls "$LINKSHRINK_VAR/pg"
	check 'nor links' denied as_monitor ls "$LINKSHRINK_VAR/replica"
	check 'nor clicks' denied as_monitor ls "$LINKSHRINK_VAR/spool"
	check 'nor be somebody else in PostgreSQL' denied as_monitor psql -X -c '' \
		"postgresql://linkshrink_web@/linkshrink?host=$LINKSHRINK_VAR/run/pg"
	check 'and who serves can not read the webhook' denied as_web cat "$LINKSHRINK_VAR/run/monitoring/alertmanager.yml"
fi

# ---- What all of it takes

memory() { # kilobytes of those that watch, what they share once
	local process sum=0
	for process in $(for name in "${monitors[@]}"; do noted "$name"; done) $(children "$(noted inbox)" | awk '{ print $1 }'); do
		sum=$((sum + $(awk '/^Pss:/ { print $2 }' "/proc/$process/smaps_rollup")))
	done
	echo "$sum"
}
megabytes=$(($(memory) / 1024))
echo "# monitoring takes $megabytes MiB"
check 'monitoring takes less than 300 MiB' test "$megabytes" -lt 300

# ---- What dies comes back, and PostgreSQL is not needed

for name in "${monitors[@]}"; do
	old=$(noted "$name")
	kill -9 "$old"
	check "$name killed: another one" wait_until 10 back "$name" "$old"
	check "$name: said in stack.log" grep -q "$name (pid $old) ended" "$LINKSHRINK_VAR/log/stack.log"
done
check 'all targets are up again' wait_until 30 says 'count(up == 1)' 8

mapfile -t processes < <(stack_postgres)
kill -STOP "${processes[@]}"
check 'PostgreSQL stopped: the probe sees that nobody can create' wait_until 20 says 'probe_success{probe="shorten"}' 0
check 'and that links are followed' says 'probe_success{probe="redirect"}' 1
check 'PostgreSQL does not answer' wait_until 20 says 'up{job="postgres"} * pg_up or up{job="postgres"}' 0
check 'the rest is watched as before' says 'count(up{job!="postgres"} == 1)' 7
scrape_often() { # more often than it has room for
	local askers=()
	while [ "${#askers[@]}" -lt 60 ]; do
		curl -s -m 1 -o /dev/null "http://127.0.0.1:$((LINKSHRINK_MONITORING_PORT + 3))/metrics" &
		askers+=($!)
	done
	wait "${askers[@]}" || true
	find "/proc/$(noted postgres-exporter)/fd" -type l | wc -l
}
check 'who asks it again and again piles nothing up' test "$(scrape_often)" -le 50
kill -CONT "${processes[@]}"
check 'continued: all is well again' wait_until 30 says 'min(probe_success) * min(up) * min(pg_up)' 1

# ---- The inbox

inbox=http://127.0.0.1:$((LINKSHRINK_MONITORING_PORT + 5))
post() { status "$inbox/discord" -H 'Content-Type: application/json' -d "$1"; }
behave() {
	if [ "$1" = well ]; then rm "$LINKSHRINK_VAR/inbox/behave"; else echo "$1" >"$LINKSHRINK_VAR/inbox/behave"; fi
	[ "$1" = well ] || chmod a+r "$LINKSHRINK_VAR/inbox/behave"
}
lines() { grep -cF "$1" "$LINKSHRINK_VAR/inbox/messages.jsonl"; }

check 'the inbox takes what Discord takes' same "$(post '{"embeds":[{"title":"<b>from the test","description":"**now**"}]}')" 204
check 'and refuses what Discord refuses' same "$(post "{\"content\":\"$(printf '%02001d' 1)\"}")" 400
behave 429
check 'told so it answers 429' same "$(post '{"content":"429"}')" 429
check 'with Retry-After' grep -qi '^retry-after: 1' "$work/head"
behave 500
check 'or 500' same "$(post '{"content":"500"}')" 500
behave hang
check 'or nothing' same "$(curl -s -o /dev/null -w '%{http_code}' -m 5 "$inbox/discord" -d '{"content":"hang"}')" 000
check 'for longer than the watch waits, without being replaced' denied grep -q 'worker_stalled' "$LINKSHRINK_VAR/log/inbox.log"
check 'and is there for others meanwhile' same "$(status "$inbox/messages")" 200
behave well
check 'each is kept as a line' same "$(for word in 'from the test' '"429"' '"500"' '"hang"'; do lines "$word"; done | tr -d '\n')" 1111
check 'for those who watch' private "$LINKSHRINK_VAR/inbox/messages.jsonl"
check 'and shown under the operations listener' answers 200 /inbox
check 'with nothing in it that a browser would run' grep -qF '&lt;b&gt;from the test' "$work/body"
check 'in its style' answers 200 /www/style.css
check 'Alertmanager says each half a minute that it lives' wait_until 40 test -e "$LINKSHRINK_VAR/inbox/heartbeat"
old=$(noted lighttpd)
kill -STOP "$old"
check 'it is there while the other lighttpd is not' same "$(status "$inbox/")" 200
kill -CONT "$old"
old=$(noted inbox)
child=$(children "$old" | awk '{ print $1 }')
kill -9 "$child"
check 'its program killed: back within 2 s' wait_until 2 eval '[ "$(status "$inbox/")" = 200 ]'

# ---- The doctor

diagnosis() { # STATUS LINE [variable=value…]: what it ends with, and a line it prints; never a secret
	local want=$1 line=$2 status=0
	shift 2
	env "$@" scripts/doctor >"$work/said" 2>&1 || status=$?
	if [ "$status" -ne "$want" ] || ! grep -q "^$line" "$work/said" || grep -q S3CRET "$work/said"; then
		cat "$work/said"
		return 1
	fi
}
check 'the doctor finds that all is watched' wait_until 30 diagnosis 0 'ok    monitoring   runs, and everything answers'
check 'and where messages go' diagnosis 0 'ok    alerts       go to a webhook'
check 'a rate that would stop the probe' diagnosis 0 'warn  settings     LINKSHRINK_RATE_REDIRECT is 12' LINKSHRINK_RATE_REDIRECT=12
old=$(noted node-exporter)
kill -STOP "$old"
check 'an exporter that hangs' wait_until 20 diagnosis 0 'warn  monitoring   does not answer Prometheus: node'
kill -CONT "$old"

# ---- A page to where nobody listens

curl -s "http://127.0.0.1:$LINKSHRINK_OPS_PORT/alertmanager/api/v2/alerts" -H 'Content-Type: application/json' \
	-d '[{"labels":{"alertname":"Test","severity":"critical"},"annotations":{"summary":"a test"}}]'
check 'a message that can not be delivered is in Alertmanager'\''s log' wait_until 30 grep -q 'discord.*connection refused' "$LINKSHRINK_VAR/log/alertmanager.log"
check 'without the webhook' same "$(grep -rlF S3CRET "$LINKSHRINK_VAR" | sort)" "$LINKSHRINK_VAR/run/monitoring/alertmanager.yml"

# ---- The probe's link

code=$(cat "$LINKSHRINK_VAR/probe/code")
stack_restart
check 'after a restart the probe has the same link' same "$(cat "$LINKSHRINK_VAR/probe/code")" "$code"
check 'and there is one of them' same "$(sql "SELECT count(*) FROM links WHERE target LIKE '%link-shrink-probe'")" 1
check 'and one key' same "$(sql "SELECT count(*) FROM api_keys WHERE name = 'probe'")" 1
sql "UPDATE links SET state = 'deleted', version = version + 1, updated_at = now() WHERE code = '$code'; UPDATE api_keys SET revoked_at = now() WHERE name = 'probe'"
check 'somebody deleted it: the probe fails' wait_until 20 says 'max(probe_success)' 0
old=$(noted blackbox-exporter)
check 'until the exporter is restarted' scripts/stack restart blackbox-exporter
check 'which asks for another link and key' wait_until 20 says 'min(probe_success)' 1

# ---- A PostgreSQL of somebody else's: here that of the first stack

second() { # variable=value… command…
	env LINKSHRINK_VAR="$work/second" LINKSHRINK_PORT="$second_port" LINKSHRINK_OPS_PORT=$((second_port + 1)) \
		LINKSHRINK_MONITORING_PORT=$((second_port + 2)) DATABASE_URL="${owner/linkshrink_owner/linkshrink_web}" \
		DATABASE_INGEST_URL="${owner/linkshrink_owner/linkshrink_ingest}" DATABASE_OWNER_URL="$owner" "$@"
}
end_second() {
	second scripts/stack down >/dev/null 2>&1 || true
	LINKSHRINK_VAR="$work/second" forget_stack
}
owner=$(cat "$LINKSHRINK_VAR/run/owner.url")
second_port=$(free_block 9)
trap 'end_second; stack_down' EXIT
check 'a stack on the PostgreSQL of another starts' second scripts/stack up --detach
check 'which it does not watch unless it is told how' eval '! second scripts/stack status | grep -q postgres-exporter'
check 'nor has its Prometheus somebody to ask' eval '! grep -q "job_name: postgres" "$work/second/run/monitoring/prometheus.yml"'
check 'the doctor says so' eval 'second scripts/doctor | grep -q "warn  monitoring   PostgreSQL itself is not watched"'
check 'it finds the probe'\''s user and link' same "$(cat "$work/second/probe/code")" "$(cat "$LINKSHRINK_VAR/probe/code")"
second scripts/stack down >/dev/null
check 'told how, it does' eval 'second DATABASE_MONITOR_URL="${owner/linkshrink_owner/linkshrink_monitor}&sslmode=disable" scripts/stack up --detach &&
	second scripts/stack status | grep -q "^postgres-exporter *pid"'
check 'and sees it' wait_until 20 eval 'curl -s "http://127.0.0.1:$((second_port + 5))/metrics" | grep -qx "pg_up 1"'
end_second
trap stack_down EXIT

# ---- Others

scripts/stack down >/dev/null
check 'after down nothing is left' nothing_runs_in "$work/var"

taken=$((LINKSHRINK_MONITORING_PORT + 3))
/usr/bin/prometheus-node-exporter --web.listen-address="127.0.0.1:$taken" >/dev/null 2>&1 &
holder=$!
wait_until 5 listens "$taken"
stack_start
check 'a port that is taken leaves monitoring out, not the product' grep -q "monitoring *none: port $taken is taken" "$work/up.log"
check 'nothing of it runs then' same "$(scripts/stack status | grep -cE 'prometheus|exporter|alertmanager')" 0
check 'and nobody is led to it' answers 404 /prometheus/
scripts/stack down >/dev/null
check 'the doctor says whose it is' diagnosis 1 "FAIL  ports .*: $taken by prometheus-node.* (pid $holder).*LINKSHRINK_MONITORING_PORT"
kill "$holder"
scripts/stack down >/dev/null
check 'ports that overlap with the stack'\''s own are refused' refused 'one of the seven' env \
	LINKSHRINK_MONITORING_PORT=$((LINKSHRINK_OPS_PORT - 2)) scripts/stack up --detach
check 'so is a webhook that is no URL, without being shown' refused 'LINKSHRINK_DISCORD_URL is no http' env \
	LINKSHRINK_DISCORD_URL="S3CRET'" scripts/stack up --detach
finish
