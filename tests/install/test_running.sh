#!/bin/bash
# The unpacked package runs: started by what its units say, with their environment, as accounts of their
# own and without a capability, beside a PostgreSQL of this test.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ -z "${LINKSHRINK_TEST_ADMIN_URL:-}" ]; then exec tests/domain/with-cluster.sh "$0"; fi
# shellcheck source=tests/web/lib.sh
. tests/web/lib.sh

declare -A main=() # pid by unit
segment=/dev/shm/linkshrink-test-$$
end() { # unit
	kill -TERM "${main[$1]}" 2>/dev/null || true
	wait "${main[$1]}" 2>/dev/null || true
	unset "main[$1]"
}
clean() {
	local unit
	for unit in "${!main[@]}"; do end "$unit"; done
	rm -rf "$work" "$segment"
}
trap clean EXIT

find_package() { find build/deb -maxdepth 1 -name 'linkshrink_*.deb' 2>/dev/null; }
[ -n "$(find_package)" ] || make --no-print-directory deb >/dev/null
root=$work/root units=$work/root/lib/systemd/system
dpkg -x "$(find_package)" "$root"
chmod 755 "$root"
# In a package links to /etc are absolute; here that is another place.
find "$root" -type l -lname '/*' -printf '%p %l\n' | while read -r link to; do ln -sfnr "$root$to" "$link"; done

# ---- What systemd does: directories, environment, accounts

# Numbers that no account of this machine has; who is not root has only his own.
declare -A account=([linkshrink]=58801 [linkshrink-monitor]=58802 [root]=0)
[ "$(id -u)" -eq 0 ] || account=([linkshrink]=$(id -u) [linkshrink-monitor]=$(id -u) [root]=$(id -u))

directive() { # unit name: its value, empty if there is none
	sed -n "s/^$2=//p" "$units/${1/@*./@.}"
}

# The directory of a kind, made as the unit says, as "VARIABLE=path".
directory() { # unit kind user group
	local name
	name=$(directive "$1" "${2}Directory")
	[ -n "$name" ] || return 0
	install -d -m "$(directive "$1" "${2}DirectoryMode")" -o "$3" -g "$4" "$work/$2/$name"
	echo "${2^^}_DIRECTORY=$work/$2/$name"
}

# Becomes a command of a unit.
become() { # unit directive [NAME=value…]
	local unit=$1 command user group kind environment identity=()
	user=${account[$(directive "$unit" User)]}
	group=$(directive "$unit" Group)
	group=${account[${group:-$(directive "$unit" User)}]}
	mapfile -t environment < <(grep -v '^#' "$root$(directive "$unit" EnvironmentFile)" | grep .
		for kind in State Runtime Logs; do directory "$unit" "$kind" "$user" "$group"; done)
	command=$(directive "$unit" "$2")
	unit=${unit#*@}
	command=${command//%i/"${unit%.service}"}
	shift 2
	[ "$(id -u)" -ne 0 ] ||
		identity=(--reuid="$user" --regid="$group" --clear-groups --bounding-set=-all --inh-caps=-all)
	cd /
	# shellcheck disable=SC2086 # a command and its words
	exec env -i PATH=/usr/bin:/bin "${environment[@]}" "$@" \
		setpriv "${identity[@]}" --no-new-privs -- "$root"$command
}

start() { # unit: and remember it
	(become "$1" ExecStart) >>"$work/$1.log" 2>&1 &
	main[$1]=$!
}

# ---- Settings, as an operator would write them

chmod 711 "$(dirname "$LINKSHRINK_TEST_PGDATA")" # the accounts get to the socket
public=$(free_port) operations=$(free_block 8)
install -d -m 700 -o "${account[linkshrink]}" "$segment"
secret() { # name account text
	printf '%s\n' "$3" | install -m 640 -g "$2" /dev/stdin "$root/etc/linkshrink/secrets/$1"
}
secret database-url "${account[linkshrink]}" "$LINKSHRINK_DATABASE_URL"
secret ingest-url "${account[linkshrink]}" "$LINKSHRINK_TEST_INGEST_URL"
secret owner-url "${account[root]}" "$LINKSHRINK_TEST_OWNER_URL"
secret discord-url "${account[linkshrink-monitor]}" http://127.0.0.1:9/discord
cat >>"$root/etc/linkshrink/linkshrink.env" <<END
LINKSHRINK_BASE_URL=http://127.0.0.1:$public
LINKSHRINK_PORT=$public
LINKSHRINK_OPS_PORT=$operations
DATABASE_URL=
DATABASE_URL_FILE=$root/etc/linkshrink/secrets/database-url
DATABASE_INGEST_URL=
DATABASE_INGEST_URL_FILE=$root/etc/linkshrink/secrets/ingest-url
DATABASE_OWNER_URL=
DATABASE_OWNER_URL_FILE=$root/etc/linkshrink/secrets/owner-url
DATABASE_MONITOR_URL=${LINKSHRINK_TEST_OWNER_URL/linkshrink_owner/linkshrink_monitor} sslmode=disable
LINKSHRINK_DISCORD_URL_FILE=$root/etc/linkshrink/secrets/discord-url
LINKSHRINK_SEGMENT=$segment/segment
LINKSHRINK_PROBE_KEY=$work/State/linkshrink-database/probe-key
END
# For the commands, which find the rest in the settings.
export LINKSHRINK_VAR=$work/State/linkshrink LINKSHRINK_WEB_USER=nobody
unset LINKSHRINK_DATABASE_URL LINKSHRINK_BIN LINKSHRINK_MONITORING

ready() { [ "$(status "http://127.0.0.1:$operations/ready")" = 200 ]; }
once() { (become "$1" "${2:-ExecStart}" "${@:3}"); }
ask() { psql -X -q -A -t -c "$1" "$LINKSHRINK_TEST_OWNER_URL"; }

# ---- The product

check 'the schema is brought up' once linkshrink-database.service
check 'the probe has a key, which only those who watch may read' same 640 \
	"$(stat -c %a "$work/State/linkshrink-database/probe-key")"
start linkshrink-web.service
check 'lighttpd and the programs start' wait_until 20 ready || true
[ "$failures" -eq 0 ] || { tail -n 20 "$work/linkshrink-web.service.log" "$work"/Logs/*/*.log | sed 's/^/    /'; finish; }
web=${main[linkshrink-web.service]}

programs() { ps --ppid "$web" -o comm= -o uid= | awk '{ print $1, $2 }' | sort -u; }
check 'all of them, under their account' same "$(programs)" \
	"$(sed -n 's/^PROGRAMS *:= *//p' Makefile | tr ' ' '\n' | sed "s/$/ ${account[linkshrink]}/" | sort)"
shorten() { # [curl options…]: status
	status -X POST "http://127.0.0.1:$public/shorten" -H 'Content-Type: application/json' \
		-d '{"url": "https://www.debian.org/doc/"}' "$@"
}
check 'nobody makes a link without a key' same "$(shorten)" 401
key=$("$root/usr/sbin/linkshrink" admin-key --name test 2>"$work/said") || sed 's/^/    /' "$work/said"
check 'the commands make a key' grep -qE '^ls_[0-9]+_[0-9a-f]{64}$' <<<"$key"
check 'with a key a link is made' same "$(shorten -H "Authorization: Bearer $key")" 201
code=$(jq -r .short_code "$work/body")
follow() {
	[ "$(status "http://127.0.0.1:$public/$code")" = 302 ] &&
		grep -qi '^location: https://www.debian.org/doc/' "$work/head"
}
check 'it is followed' wait_until 5 follow
counted() { [ "$(ask 'SELECT count(*) FROM clicks')" -ge 1 ]; }
check 'the click is counted' wait_until 10 counted

safe() {
	local process
	for process in $web $(ps --ppid "$web" -o pid=); do
		[ "$(grep -cE '^(NoNewPrivs:.1|CapBnd:.0*)$' "/proc/$process/status")" -eq 2 ] ||
			{ grep -E '^(Name|NoNew|Cap)' "/proc/$process/status"; return 1; }
	done
}
[ "$(id -u)" -ne 0 ] || check 'none of them has or gets a capability' safe
unseen() {
	local process
	for process in $web $(ps --ppid "$web" -o pid=); do
		! tr '\0' '\n' <"/proc/$process/environ" | grep -E 'user=linkshrink_|DISCORD' || return 1
	done
}
check 'no environment has a secret' unseen
open_to_others() { find "$work/State" "$work/Logs" "$work/Runtime" -mindepth 2 -perm /007 ! -type s ! -type l; }
check 'what they write is nobody else'\''s' same "$(open_to_others)" ''

check 'the commands audit the clicks' wait_until 10 "$root/usr/sbin/linkshrink" audit
check 'and open a session' same "$("$root/usr/sbin/linkshrink" psql -A -t -c 'SELECT current_user')" linkshrink_owner

# ---- What watches it

check 'the monitoring is configured' once linkshrink-monitoring.service
configured=$work/Runtime/linkshrink-monitor
check 'Prometheus accepts it' promtool check config "$configured/prometheus.yml"
check 'Alertmanager accepts it, without a dead man'\''s switch' amtool check-config "$configured/alertmanager.yml"
check 'the webhook is for those who watch alone' same "$(stat -c %a "$configured/alertmanager.yml")" 640
probe_code=$(cat "$work/State/linkshrink-monitor/code")
check 'the probe has a link' test -n "$probe_code"
for name in prometheus alertmanager node-exporter postgres-exporter blackbox-exporter; do
	start "linkshrink-monitor@$name.service"
done
healthy() {
	curl -s "http://127.0.0.1:$operations/prometheus/api/v1/targets" >"$work/targets" &&
		jq -e '.data.activeTargets | length == 8 and all(.health == "up")' "$work/targets"
}
if wait_until 40 healthy >"$work/said" 2>&1; then
	ok 'every target is up'
else
	not_ok 'every target is up'
	jq -r '.data.activeTargets[]? | "    \(.labels.job) \(.health) \(.lastError)"' "$work/targets"
	tail -n 5 "$work"/linkshrink-monitor@*.log | sed 's/^/    /'
fi
probed() {
	curl -s -G "http://127.0.0.1:$operations/prometheus/api/v1/query" --data-urlencode query=probe_success |
		jq -e '.data.result | length == 2 and all(.value[1] == "1")'
}
check 'the probe follows a link and makes one' wait_until 20 probed

# What people are told to type is there.
told() { curl -s "http://127.0.0.1:$operations/prometheus/api/v1/rules" | jq -r '.data.groups[].rules[].annotations // {} | .[]'; }
check 'Prometheus has texts of alerts' eval '[ "$(told | grep -c "\`linkshrink ")" -gt 10 ]'
of_a_checkout() { told | grep -E 'scripts/|(^|[` ])(log|pg|replica|spool|var)/|(^|[` ])pg |linkshrink/(stack|postgresql|prometheus|alertmanager)[.]log'; }
nothing 'which send nobody to what only a checkout has' of_a_checkout
unknown_commands() {
	told | grep -oE '`linkshrink [a-z-]+' | sort -u | while read -r _ name; do
		"$root/usr/sbin/linkshrink" help | grep -q "^$name " || echo "linkshrink does not know $name"
	done
}
nothing 'but to commands that linkshrink has' unknown_commands
check 'the rules that the operator edits stay as they are' diff prometheus/rules "$root/etc/linkshrink/prometheus/rules"

printf 'groups:\n- {name: ours, rules: [{record: ours, expr: vector(1)}]}\n' >"$root/etc/linkshrink/prometheus/rules/ours.yml"
check 'a rule of the operator is found' once linkshrink-monitoring.service
ours() { curl -s "http://127.0.0.1:$operations/prometheus/api/v1/rules" | grep -q '"name":"ours"'; }
check 'and Prometheus goes by it' wait_until 20 ours
unchanged() {
	local before
	before=$(stat -c %z "$configured/prometheus.yml")
	(become linkshrink-monitoring.service ExecStart) && same "$(stat -c %z "$configured/prometheus.yml")" "$before"
}
check 'where nothing changed nothing is written' unchanged

# The probe's key and its link are rows as any other, which somebody may revoke, delete or replace.
probe_key=$work/State/linkshrink-database/probe-key
kept_key() {
	local before
	before=$(cat "$probe_key")
	once linkshrink-database.service && same "$(cat "$probe_key")" "$before"
}
check 'a key of the probe that is good stays' kept_key
ask "UPDATE api_keys SET revoked_at = now() WHERE name = 'probe'" >"$work/said"
refused() { once linkshrink-monitoring.service | grep -q 'systemctl restart linkshrink-database'; }
check 'where it was revoked the journal says what to do' wait_until 10 refused
another_key() { ! kept_key >"$work/said"; }
check 'which makes another' another_key
check 'and the probe succeeds again' wait_until 30 probed
for state in disabled deleted; do
	ask "UPDATE links SET state = '$state' WHERE code = '$(cat "$work/State/linkshrink-monitor/code")'" >"$work/said"
	lost() { ! probed >"$work/said"; }
	check "its link is $state" wait_until 20 lost
	check 'what watches looks again' once linkshrink-monitoring.service
	check 'and the probe succeeds again, by another link' wait_until 30 probed
done
for name in prometheus alertmanager node-exporter postgres-exporter blackbox-exporter; do
	end "linkshrink-monitor@$name.service"
done

# ---- The end

mapfile -t all < <(ps --ppid "$web" -o pid=)
check 'it stops in order' once linkshrink-web.service ExecStop MAINPID="$web"
wait "$web" 2>/dev/null || true
unset 'main[linkshrink-web.service]'
nothing_left() { ! ps -o stat= -o pid= -o comm= -p "$(IFS=, && echo "${all[*]// /}")" | grep '^[^Z]'; }
check 'and nothing is left' nothing_left
check 'every program ended in order' same "$(grep -c '"event":"stopped"' "$work/Logs/linkshrink/linkshrink.log")" "${#all[@]}"
rm -rf "$work/Runtime/linkshrink" # as systemd does
start linkshrink-web.service
check 'it starts again' wait_until 20 ready
check 'and knows its links' wait_until 5 follow
once linkshrink-web.service ExecStop MAINPID="${main[linkshrink-web.service]}" >/dev/null 2>&1 || true

nothing_set() { ! (become linkshrink-web.service ExecStart DATABASE_URL_FILE= ) >"$work/said" 2>&1 && grep -q 'DATABASE_URL is not set' "$work/said"; }
check 'without a database it says what is missing' nothing_set
broken() { ! (become linkshrink-web.service ExecStart LINKSHRINK_NODE=0) >"$work/said" 2>&1 && grep -q 'LINKSHRINK_NODE' "$work/said"; }
check 'so with a setting that is wrong' broken
finish
