#!/bin/bash
# The package on a machine: systemd boots this Debian in a container of its own, without a network, whose
# writes are gone at the end; docs/deploy.md is followed there. Needs root.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/web/lib.sh
. tests/web/lib.sh
# shellcheck source=tests/install/container.sh
. tests/install/container.sh

# shellcheck disable=SC2119 # no options here
boot

# ---- Installed, and the database made, as docs/deploy.md says

check 'the package installs' inside dpkg --install /mnt/linkshrink.deb
check 'and starts nothing' is inactive linkshrink.target linkshrink-web.service
check 'there are its accounts' inside id linkshrink linkshrink-monitor
check 'there is a database' make_database

# ---- Started

monitors=(linkshrink-monitor@{prometheus,alertmanager,node-exporter,postgres-exporter,blackbox-exporter}.service)
check 'the target is enabled and starts' inside systemctl enable --now linkshrink.target
check 'it is ready' wait_until 30 answers 9080/ready 200
check 'the schema was brought up' is active linkshrink-database.service
check 'and so is all that watches' wait_until 30 is active "${monitors[@]}" linkshrink-monitoring.timer
key=$(inside linkshrink admin-key) || true
shorten() {
	inside curl -s http://127.0.0.1:8080/shorten -H "Authorization: Bearer $key" \
		-H 'Content-Type: application/json' -d '{"url": "https://www.debian.org/doc/", "short_code": "docs"}' >"$work/body"
	[ "$(jq -r .short_code "$work/body")" = docs ] || { cat "$work/body"; return 1; }
}
check 'a link is made' shorten
check 'and followed' wait_until 5 answers 8080/docs 302
check 'its click is counted once' wait_until 10 inside linkshrink audit
healthy() {
	inside curl -s http://127.0.0.1:9080/prometheus/api/v1/targets >"$work/targets" &&
		jq -e '.data.activeTargets | length == 8 and all(.health == "up")' "$work/targets"
}
check 'every target is up' wait_until 60 healthy
asked() { # query: its values
	inside curl -s -G http://127.0.0.1:9080/prometheus/api/v1/query --data-urlencode "query=$1" |
		jq -r '[.data.result[].value[1]] | join(" ")'
}
gives() { same "$(asked "$1")" "$2"; }
check 'the probe follows a link and makes one' wait_until 20 gives probe_success '1 1'
# The container keeps its clock from everybody. That of Debian 13 calls pressure failed where a kernel does not
# know that of interrupts, and tells the rest (node_exporter 1.9.0, its issue 3259).
check 'node-exporter sees all that it should' gives 'count(node_scrape_collector_success{collector!~"timex|pressure"} == 0)' ''
check 'and what presses the machine' gives 'count({__name__=~"node_pressure_(cpu|io|memory)_waiting_seconds_total"})' 3

# ---- Backed up, and that tried

check 'a backup is made' inside systemctl start linkshrink-backup.service
told() { [[ $(asked linkshrink_backup_rehearsed_timestamp_seconds) =~ ^[1-9] ]]; }
tried() { wait_until 20 told || { inside journalctl -b --no-pager -n 20 -u linkshrink-backup-rehearsal; return 1; }; }
check 'and is tried at once, and whoever watches hears of it' tried
check 'the timer waits for the next' is active linkshrink-backup.timer
check 'where another node makes them' inside systemctl mask --now linkshrink-backup.timer
unwanted() { inside systemctl start linkshrink-monitoring.service && gives linkshrink_backup_wanted 0; }
check 'nobody is told of missing ones' wait_until 40 unwanted
check 'where it makes its own again' inside systemctl unmask linkshrink-backup.timer
check 'the timer starts' inside systemctl start linkshrink-backup.timer
wanted() { inside systemctl start linkshrink-monitoring.service && gives linkshrink_backup_wanted ''; }
check 'and somebody is told' wait_until 40 wanted

# ---- The probe's key and link are rows as any other

sql() { inside linkshrink psql -q -A -t -c "$1"; }
probe_key() { inside cat /var/lib/linkshrink-database/probe-key; }
old=$(probe_key)
fails() { ! gives probe_success '1 1' >"$work/said"; }
check 'its key is revoked' sql "UPDATE api_keys SET revoked_at = now() WHERE name = 'probe'"
check 'which it notices' wait_until 20 fails
refused() { inside systemctl start linkshrink-monitoring.service && inside journalctl -b --no-pager -u linkshrink-monitoring | grep -q 'systemctl restart linkshrink-database'; }
check 'and the journal says what to do' wait_until 10 refused
check 'that makes another' inside systemctl restart linkshrink-database.service
check 'with which it succeeds again' wait_until 30 gives probe_success '1 1'
check 'every link is deleted, its own, too' sql "UPDATE links SET state = 'deleted'"
check 'which it notices, too' wait_until 20 fails
check 'what watches looks each minute' inside systemctl start linkshrink-monitoring.service
check 'and it succeeds again, by another link' wait_until 30 gives probe_success '1 1'
# In the backup is the key before the last, and the links before they were deleted.
check 'all comes back' inside linkshrink restore --replace
check 'with its link' wait_until 10 answers 8080/docs 302
check 'the key of the probe is not in the backup, so it has another' test "$(probe_key)" != "$old"
check 'and goes on with that' wait_until 30 gives probe_success '1 1'

# ---- Shut in

main_process() { inside systemctl show -p MainPID --value linkshrink-web.service; }
shut_in() {
	local process
	for process in $(inside pgrep -u linkshrink,linkshrink-monitor); do
		[ "$(inside grep -cE '^(Seccomp:.2|NoNewPrivs:.1|CapBnd:.0*)$' "/proc/$process/status")" -eq 3 ] ||
			{ inside cat "/proc/$process/status"; return 1; }
	done
}
check 'no process has a capability or all calls' shut_in
may_not_write() { # path
	! inside nsenter --target "$(main_process)" --mount -- touch "$1/x" 2>"$work/said" && grep -q 'Read-only' "$work/said"
}
for directory in /usr/lib/linkshrink /etc/linkshrink /var/lib/postgresql /var/log /srv; do
	check "lighttpd's $directory is read-only" may_not_write "$directory"
done

# ---- What happens when

replaced() { local now; now=$(main_process); [ "$now" != 0 ] && [ "$now" != "$1" ] && answers 8080/docs 302; }
old=$(main_process)
inside kill -KILL "$old"
began=$EPOCHREALTIME
check 'lighttpd is back after a kill -9' wait_until 10 replaced "$old"
echo "# after $((${EPOCHREALTIME/./} / 1000 - ${began/./} / 1000)) ms"
old=$(main_process)
inside kill -STOP "$old"
check 'one that stays stopped is replaced' wait_until 30 replaced "$old"
check 'by its own programs' inside grep -q '"event":"parent_killed"' /var/log/linkshrink/linkshrink.log
check 'with one process of each background program' same "$(inside pgrep -u linkshrink -c -x 'ingest|replicate')" 2
inside systemctl stop "$postgresql"
check 'PostgreSQL away: links are followed' answers 8080/docs 302
check 'also after a restart' inside systemctl restart linkshrink-web.service
check 'from the copy' wait_until 10 answers 8080/docs 302
inside systemctl start "$postgresql"
check 'PostgreSQL back: all is well' wait_until 30 answers 9080/ready 200

# ---- What it says of itself

examined() { # status line: the doctor ends with one and says the other
	local status=0
	inside linkshrink doctor >"$work/examined" 2>&1 || status=$?
	if [ "$status" -ne "$1" ] || ! grep -q "^$2" "$work/examined"; then
		echo "# status $status, wanted $1 and '$2'"
		cat "$work/examined"
		return 1
	fi
}
check 'the doctor finds nothing wrong' wait_until 40 examined 0 'ok    monitoring .*runs'
for line in packages programs settings postgresql connections schema backup services processes ready; do
	check "$line is well" grep "^ok    $line " "$work/examined"
done
stopped=$EPOCHSECONDS
inside systemctl stop linkshrink-web.socket linkshrink-web.service
check 'what was stopped it names' examined 1 'FAIL  services .*linkshrink-web.service is inactive.*; type: systemctl start .*linkshrink-web'
inside systemctl start linkshrink.target
check 'and no more when it runs' wait_until 40 examined 0 'ok    services '
back=$EPOCHSECONDS
told_of() {
	inside linkshrink incident-report --record "@$stopped" "@$back" /tmp/incident --title 'lighttpd was stopped' &&
		inside linkshrink incident-report /tmp/incident
}
check 'what happened is told of' wait_until 30 told_of
check 'by the journal of systemd' inside grep -E 'linkshrink-web.*journal of systemd' /tmp/incident/report.md

# What messages of alerts have people type, but for what changes something.
first_actions() {
	inside curl -s http://127.0.0.1:9080/prometheus/api/v1/rules |
		jq -r '.data.groups[].rules[].annotations.first_action // empty | gsub("{{[^}]*operations }}"; "http://127.0.0.1:9080") | gsub("{{[^}]*mountpoint }}"; "/")' |
		grep -oE '`(linkshrink|systemctl status|journalctl|runuser|curl|grep|tail|df|du|ls) ?[^`]*`' | tr -d '`' |
		grep -v 'linkshrink test-alert' | sort -u
}
of_no_use() {
	local line said code
	[ "$(first_actions | wc -l)" -gt 15 ] || echo 'they say next to nothing'
	while IFS= read -r line; do
		code=0
		said=$(inside timeout 60 bash -c "cd / && $line" 2>&1 </dev/null) || code=$?
		if [ "$code" -gt 3 ] || grep -qE '^(bash|tail|grep|ls|df|du|linkshrink): |could not be found|No entries' <<<"$said" ||
			{ [ -z "$said" ] && [[ $line != grep* ]] && [[ $line != *'| grep'* ]]; }; then
			printf '%s: status %s, %s\n' "$line" "$code" "$(head -n 3 <<<"$said")"
		fi
	done < <(first_actions)
}
nothing 'what alerts have people look at is there' of_no_use

check 'it stops' inside systemctl stop linkshrink.target
check 'all of it' wait_until 20 is inactive linkshrink-web.service linkshrink-monitoring.timer "${monitors[@]}"
nobody_left() { ! inside pgrep -l -u linkshrink,linkshrink-monitor; }
check 'and nothing is left' nobody_left
no_complaint() {
	! inside journalctl -b --no-pager -o cat -t systemd -u 'linkshrink*' | grep -iE 'unknown|ignoring|status=2[0-9][0-9]/' &&
		! inside grep -rE 'pcre|denied|not permitted' /var/log/linkshrink
}
check 'neither systemd nor lighttpd had to complain' no_complaint
check 'the package goes' inside dpkg --remove linkshrink
check 'and leaves the settings' inside test -e /etc/linkshrink/linkshrink.env
finish
