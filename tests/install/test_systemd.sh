#!/bin/bash
# The package on a machine: systemd boots this Debian in a container of its own, without a network, whose
# writes are gone at the end; docs/deploy.md is followed there. Needs root.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/web/lib.sh
. tests/web/lib.sh

container=
clean() {
	[ -z "$container" ] || { kill -TERM "$container" 2>/dev/null || true; wait "$container" 2>/dev/null || true; }
	# systemd-nspawn leaves its groups of processes; one that is in use stays.
	find /sys/fs/cgroup/{systemd,unified}/{payload,supervisor} -depth -type d -exec rmdir {} + 2>/dev/null || true
	rm -rf "$work"
}
trap clean EXIT

skip() { echo "# skipped: $*"; ok 'a container is not possible here'; finish; }
[ "$(id -u)" -eq 0 ] || skip 'not root'
command -v systemd-nspawn >/dev/null || skip 'systemd-container is not installed'

find_package() { find "$PWD/build/deb" -maxdepth 1 -name 'linkshrink_*.deb' 2>/dev/null; }
[ -n "$(find_package)" ] || make --no-print-directory deb >/dev/null
package=$(find_package)

# This machine as it is, below a memory file system that takes all writes. The mounts end with the process.
mkdir "$work/memory" "$work/machine"
SYSTEMD_LOG_LEVEL=warning unshare --mount --propagation private bash -euc '
	mount -t tmpfs none "$1/memory"
	mkdir "$1/memory/upper" "$1/memory/work"
	mount -t overlay -o "lowerdir=/,upperdir=$1/memory/upper,workdir=$1/memory/work" none "$1/machine"
	exec systemd-nspawn --quiet --register=no --keep-unit --private-network --directory="$1/machine" \
		--bind-ro="$2:/mnt/linkshrink.deb" --boot systemd.unit=basic.target' \
	bash "$work" "$package" >"$work/console" 2>&1 </dev/null &
container=$!
leader=
inside() { nsenter --target "$leader" --all -- /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
booted() {
	leader=$(pgrep -P "$container" -x systemd) && inside systemctl is-active --quiet basic.target 2>/dev/null
}
wait_until 60 booted || { sed 's/^/# /' "$work/console" | tail -n 20; skip 'systemd does not boot in it'; }
ok 'systemd boots'

# ---- Installed, and the database made, as docs/deploy.md says

is() { # state unit…
	local wanted=$1 unit
	shift
	for unit in "$@"; do
		[ "$(inside systemctl is-active "$unit")" = "$wanted" ] || { inside systemctl status --no-pager -n 20 "$unit"; return 1; }
	done
}
check 'the package installs' inside dpkg --install /mnt/linkshrink.deb
check 'and starts nothing' is inactive linkshrink.target linkshrink-web.service
check 'there are its accounts' inside id linkshrink linkshrink-monitor
as_postgres() { inside runuser -u postgres -- "$@"; }
database() {
	inside systemctl start postgresql@15-main.service
	as_postgres createdb linkshrink
	as_postgres psql -q -X -d linkshrink -f /usr/lib/linkshrink/db/roles.sql
	# shellcheck disable=SC2016 # for the shell inside
	inside sh -c 'cd /etc/postgresql/15/main && cat - pg_hba.conf >pg_hba.new && cat pg_hba.new >pg_hba.conf' <<'END'
local linkshrink linkshrink_owner,linkshrink_web,linkshrink_ingest,linkshrink_monitor peer map=linkshrink
END
	inside sh -c 'cat >>/etc/postgresql/15/main/pg_ident.conf' <<'END'
linkshrink root               linkshrink_owner
linkshrink linkshrink         linkshrink_web
linkshrink linkshrink         linkshrink_ingest
linkshrink linkshrink-monitor linkshrink_monitor
linkshrink linkshrink-backup  linkshrink_owner
END
	inside systemctl reload postgresql@15-main.service
}
check 'there is a database' database

# ---- Started

monitors=(linkshrink-monitor@{prometheus,alertmanager,node-exporter,postgres-exporter,blackbox-exporter}.service)
check 'the target is enabled and starts' inside systemctl enable --now linkshrink.target
answers() { [ "$(inside curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$1")" = "$2" ]; }
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
# The container itself keeps its clock from everybody.
check 'node-exporter sees all that it should' gives 'count(node_scrape_collector_success{collector!="timex"} == 0)' ''

# ---- Backed up, and that tried

check 'a backup is made' inside systemctl start linkshrink-backup.service
told() { [[ $(asked linkshrink_backup_rehearsed_timestamp_seconds) =~ ^[1-9] ]]; }
tried() { wait_until 20 told || { inside journalctl -b --no-pager -n 20 -u linkshrink-backup-rehearsal; return 1; }; }
check 'and is tried at once, and whoever watches hears of it' tried
check 'the timer waits for the next' is active linkshrink-backup.timer
inside linkshrink psql -q -c "UPDATE links SET state = 'deleted'" || true
check 'it comes back' inside linkshrink restore --replace
check 'with its link' wait_until 10 answers 8080/docs 302

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
check 'with one process of each background program' same "$(inside pgrep -u linkshrink -c -x 'ingest|replicate')" 2
inside systemctl stop postgresql@15-main.service
check 'PostgreSQL away: links are followed' answers 8080/docs 302
check 'also after a restart' inside systemctl restart linkshrink-web.service
check 'from the copy' wait_until 10 answers 8080/docs 302
inside systemctl start postgresql@15-main.service
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
inside systemctl stop linkshrink-web.service
check 'what was stopped it names' examined 1 'FAIL  services .*linkshrink-web.service is inactive; type: systemctl start linkshrink-web'
inside systemctl start linkshrink-web.service
check 'and no more when it runs' wait_until 40 examined 0 'ok    services '
back=$EPOCHSECONDS
told_of() {
	inside linkshrink incident-report --record "@$stopped" "@$back" /tmp/incident --title 'lighttpd was stopped' &&
		inside linkshrink incident-report /tmp/incident
}
check 'what happened is told of' wait_until 30 told_of
check 'by the journal of systemd' inside grep -E 'linkshrink-web.*journal of systemd' /tmp/incident/report.md

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
