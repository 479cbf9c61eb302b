#!/bin/bash
# A version replaces another on a machine under load, and the one before comes back: by hand, and by itself
# where the new one does not serve. Nobody may notice, and the books must agree. Needs root.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/web/lib.sh
. tests/web/lib.sh
# shellcheck source=tests/install/container.sh
. tests/install/container.sh
# shellcheck source=tests/install/load.sh
. tests/install/load.sh

# ---- Versions

base=$(dpkg-deb -f "$package" Version)
version() { echo "${base%.*}.$((${base##*.} + $1))"; } # of the same length, see derive
newer=$(version 1) failing=$(version 2) refusing=$(version 3) late=$(version 4) other=$(version 5) tried=$(version 6)
packages=$work/packages
mkdir "$packages"

# From sources: another version with other metrics, so of another shared segment, whose statements need a
# schema that the machine does not have yet.
newer_package() {
	local tree=$work/tree schema
	mkdir "$tree"
	tar -c --exclude=./.git --exclude=./build --exclude=./var --exclude=./tests/browser/node_modules . | tar -x -C "$tree"
	schema=$(find db/migrations -name '[0-9]*.sql' | wc -l)
	sed -i "s/^VERSION .*/VERSION := $newer/" "$tree/Makefile"
	sed -i "s/DB_SCHEMA_VERSION = $schema /DB_SCHEMA_VERSION = $((schema + 1)) /" "$tree/common/db/db.h"
	sed -i 's/^COUNTER(links_created/COUNTER(harmless, "linkshrink_harmless_total", none, none, COUNT, "Nothing.")\n&/' "$tree/common/base/metrics.def"
	echo 'CREATE TABLE harmless (n integer);' >"$tree/db/migrations/$(printf %04d $((schema + 1)))_harmless.sql"
	sed "1,/^ --/!d; s/^linkshrink (.*)/linkshrink ($newer)/" debian/changelog >"$tree/debian/changelog"
	MAKEFLAGS=-j$(nproc) "$tree/scripts/deb" >/dev/null && cp "$tree"/build/deb/linkshrink_*.deb "$packages/$newer.deb"
}

# derive VERSION command…: a package like the newer one, with a change, which the command makes in a directory
derive() {
	local version=$1 tree=$work/$1
	shift
	dpkg-deb -R "$packages/$newer.deb" "$tree" || return 1
	sed -i "s/^Version: .*/Version: $version/" "$tree/DEBIAN/control"
	LC_ALL=C sed -i "s/${newer//./\\.}/$version/g" "$tree"/usr/lib/linkshrink/bin/*
	"$@" "$tree"
	dpkg-deb --root-owner-group -b "$tree" "$packages/$version.deb" >/dev/null
}
with_a_bad_migration() {
	local migrations=$1/usr/lib/linkshrink/db/migrations
	echo 'CREATE TABLE half (n integer); SELECT 1 / 0;' >"$migrations/$(printf %04d $(($(find "$migrations" -name '*.sql' | wc -l) + 1)))_bad.sql"
}
# A program that says its version, and to whatever else it is asked what those cases of sh say.
with_a_program() { # program version cases directory
	printf '#!/bin/sh\ncase $1 in --version) echo %s ;; %s esac\n' "$2" "$3" >"$4/usr/lib/linkshrink/bin/$1"
}
ending='--*) ;; *) exit 1 ;;' # it accepts all aside, and serves nobody
declining='--check-start) echo it refuses; exit 1 ;;'
with_another_configuration() {
	local file
	for file in etc/linkshrink/lighttpd.conf usr/share/linkshrink/etc/linkshrink/lighttpd.conf; do
		echo '# another one' >>"$1/$file"
	done
}
check 'a newer version is built' newer_package
check 'one whose migration fails' derive "$failing" with_a_bad_migration
check 'one that does not start' derive "$refusing" with_a_program system "$refusing" "$ending"
check 'one of which a part does not start' derive "$late" with_a_program metrics "$late" "$ending"
check 'one of which a part refuses to start' derive "$tried" with_a_program redirect "$tried" "$declining"
check 'one with another lighttpd.conf' derive "$other" with_another_configuration
[ "$failures" -eq 0 ] || finish

# ---- The machine

boot --bind-ro="$packages:/mnt/packages" --bind-ro="$LINKSHRINK_TESTS/torture:/mnt/torture" --bind="$work/results:/mnt/results"
check 'the package installs' inside dpkg --install /mnt/linkshrink.deb
check 'there is a database' make_database
# Settings of this machine, which have to outlive all that follows.
inside sh -c 'printf "%s\n" LINKSHRINK_ANONYMOUS_CREATE=yes LINKSHRINK_RATE_CREATE=0 >>/etc/linkshrink/linkshrink.env'
check 'it starts' inside systemctl enable --now linkshrink.target
check 'and is ready' wait_until 60 answers 9080/ready 200

upgrade() { inside linkshrink upgrade "$@" >"$work/said" 2>&1 || { tail -n 30 "$work/said"; return 1; }; }
says() { grep -qF -e "$1" "$work/said" || { tail -n 30 "$work/said"; return 1; }; }
refuses() { # words argument…
	local words=$1
	shift
	! upgrade "$@" >/dev/null || { echo 'it did not refuse'; return 1; }
	says "$words"
}
installed() { inside dpkg-query -W -f "\${db:Status-Status} \${Version}" linkshrink; }
main_process() { inside systemctl show -p MainPID --value linkshrink-web.service; }
programs() { inside pgrep -P "$(main_process)" | paste -sd ' ' -; }
# What each process itself says, from the file that it runs, which may have no name any more.
# shellcheck disable=SC2016 # for the shell inside
versions() {
	inside sh -c 'for process in $(pgrep -P "$1"); do "/proc/$process/exe" --version; done | sort | uniq -c' sh "$(main_process)" |
		sed 's/^ *//'
}
runs() { # version
	same "$(installed)" "installed $1" && same "$(versions)" "$processes $1" && answers 9080/ready 200
}
processes=$(programs | wc -w)
sql() { inside linkshrink psql -q -A -t -c "$1"; }

unnoticed() { # NAME command…: while people make and follow links; none of them may notice
	check "$1" under_load "$@"
	check "$1: no request failed" unfailed "$1"
	echo "# $(score "$1")"
}

# ---- It looks first

check 'it says what it would do' upgrade --check "/mnt/packages/$newer.deb"
check 'with the migrations' says _harmless
check 'the processes' says "$processes processes are replaced, one at a time"
check 'and that there is no backup yet' says 'one is made first'
inside systemctl mask --quiet linkshrink-backup.timer
check 'where another node makes them' upgrade --check "/mnt/packages/$newer.deb"
check 'it would make none' says 'left to another node'
inside systemctl unmask --quiet linkshrink-backup.timer
check 'that of another lighttpd.conf would start lighttpd again' upgrade --check "/mnt/packages/$other.deb"
check 'and it says so' says 'lighttpd is started again'
check 'what is no package is refused' refuses 'is no package' /etc/hostname
check 'there is no way back yet' refuses 'no version before is kept' --back
check 'nothing was changed' runs "$base"
inside systemctl stop "$postgresql"
wait_until 15 answers 9080/ready 503
check 'a machine that is not ready is refused' refuses 'not ready now' "/mnt/packages/$newer.deb"
inside systemctl start "$postgresql"
check 'PostgreSQL is back' wait_until 30 answers 9080/ready 200
mkdir -p "$work/half/DEBIAN"
printf 'Package: half\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@example.com>\nDescription: half\n' >"$work/half/DEBIAN/control"
dpkg-deb -b "$work/half" "$packages/half.deb" >/dev/null
inside dpkg --unpack /mnt/packages/half.deb >/dev/null
check 'so is one whose dpkg has something to finish' refuses 'something to finish' "/mnt/packages/$newer.deb"
inside dpkg --purge half >/dev/null 2>&1

# ---- There and back

web=$(main_process)
unnoticed upgrade upgrade "/mnt/packages/$newer.deb"
echo "# $(tail -n 1 "$work/said")"
check 'every process is of the new version' runs "$newer"
check 'the schema is newer' sql 'SELECT FROM harmless'
has_its_metrics() { inside curl -s http://127.0.0.1:9080/metrics | grep "^linkshrink_harmless_total 0$"; }
check 'the metrics are its own' has_its_metrics
check 'lighttpd is the same' same "$(main_process)" "$web"
check 'a backup was made before' inside linkshrink backup --list
unnoticed back upgrade --back
echo "# $(tail -n 1 "$work/said")"
check 'every process is of the version before' runs "$base"
check 'which is all of the way back' refuses 'is what was before' --back

# kill -9 when it says something; what it had started may go on. Fails where it did not get that far.
killed_at() { # words
	local run
	: >"$work/results/said"
	inside sh -c "exec linkshrink upgrade /mnt/packages/$newer.deb >/mnt/results/said 2>&1" &
	run=$!
	until grep -qF -e "$1" "$work/results/said"; do
		kill -0 "$run" 2>/dev/null || { cat "$work/results/said"; return 1; }
		sleep 0.02
	done
	inside pkill -KILL -f scripts/upgrade
	wait "$run" || true
}
killed_and_again() {
	local words
	for words in 'is kept as' installing 'system: pid' 'redirect: pid'; do
		wait_until 60 killed_at "$words" || return 1
		answers 8080/health 200 || return 1
	done
	wait_until 60 upgrade "/mnt/packages/$newer.deb"
}
unnoticed killed killed_and_again
check 'and run again, every process is of the new version' runs "$newer"
check 'the settings of this machine are what they were' inside grep -q '^LINKSHRINK_ANONYMOUS_CREATE=yes' /etc/linkshrink/linkshrink.env
check 'and for dpkg edited, not brought' test "$(inside dpkg-query -W -f "\${Conffiles}\n" linkshrink | awk '/linkshrink.env/ { print $2 }')" \
	!= "$(inside md5sum /etc/linkshrink/linkshrink.env | cut -d ' ' -f 1)"

# ---- What does not work

before=$(programs)
unnoticed failing-migration refuses 'installed is as it was' "/mnt/packages/$failing.deb"
check 'nothing was changed' runs "$newer"
check 'no process was replaced' same "$(programs)" "$before"
unnoticed refused-aside refuses 'redirect does not start' "/mnt/packages/$tried.deb"
check 'it says what the program said' says 'it refuses'
check 'nothing was changed by that either' runs "$newer"
check 'and still no process was replaced' same "$(programs)" "$before"
unnoticed does-not-start refuses "$newer runs again" "/mnt/packages/$refusing.deb"
check 'the version before runs again' runs "$newer"
unnoticed in-part refuses "$newer runs again" "/mnt/packages/$late.deb"
check 'the version before runs again, too' runs "$newer"

# ---- Another lighttpd

web=$(main_process)
unnoticed restart upgrade "/mnt/packages/$other.deb"
echo "# $(tail -n 1 "$work/said")"
check 'every process is of that version' runs "$other"
check 'lighttpd is another one' test "$(main_process)" != "$web"
check 'no process watches by older scripts' wait_until 30 is active \
	linkshrink-monitor@{prometheus,alertmanager,node-exporter,postgres-exporter,blackbox-exporter}.service

# ---- The books

check 'the audit finds every click' wait_until 30 inside linkshrink audit
cat "$work"/results/*/links | cut -d ' ' -f 2,3 >"$work/acknowledged"
cat "$work"/results/*/clicks >"$work/clicks"
sql "COPY (
	SELECT code, target, coalesce(c.n, 0), coalesce(r.n, 0) FROM links
	LEFT JOIN (SELECT link, sum(n) AS n FROM click_hours GROUP BY link) c ON c.link = links.id
	LEFT JOIN (SELECT link, count(*) AS n FROM clicks GROUP BY link) r ON r.link = links.id
	WHERE owner IS NULL
) TO STDOUT" >"$work/stored"
awk -f tests/torture/books.awk -v differences="$work/differences" file=acknowledged "$work/acknowledged" \
	file=clicks "$work/clicks" file=stored "$work/stored" >"$work/sums"
sum() { awk -v name="$1" '$1 == name { print $2 }' "$work/sums"; }
echo "# $(sum links) links, $(sum acknowledged) clicks answered, $(sum counted) counted"
check 'links were made' test "$(sum links)" -gt 100
check 'and followed' test "$(sum acknowledged)" -gt "$(sum links)"
check 'every link is there' same "$(sum lost) $(sum retargeted)" '0 0'
check 'every click is counted once' same "$(sum missing) $(sum surplus) $(sum rows)" '0 0 0'

inside dpkg --force-confold --install /mnt/linkshrink.deb >/dev/null 2>&1
check 'who came here by other means is not taken back' refuses 'may not fit the schema' --back
finish
