# A machine of its own for a test: systemd boots this Debian in a container, without a network, whose writes
# are gone at the end. Sourced after tests/web/lib.sh; needs root. Then:
#
#   package                    that of LINKSHRINK_TEST_PACKAGE, or the one that was built, made if there is none
#                              or something that it is made of is newer
#   boot [OPTION…]             boots it, with the package as /mnt/linkshrink.deb and options of
#                              systemd-nspawn; says "skipped" and ends where that is not possible
#   inside command…            runs something there
#   make_database              PostgreSQL there, as docs/deploy.md says
#   is STATE UNIT…             whether systemd says so of all of them, and what it says if not
#   answers PORT/PATH STATUS   what is answered there
# shellcheck shell=bash disable=SC2154 # variables of tests/web/lib.sh

container='' leader=''
clean_container() {
	[ -z "$container" ] || { kill -TERM "$container" 2>/dev/null || true; wait "$container" 2>/dev/null || true; }
	# systemd-nspawn leaves its groups of processes; one that is in use stays.
	find /sys/fs/cgroup/{systemd,unified}/{payload,supervisor} -depth -type d -exec rmdir {} + 2>/dev/null || true
	rm -rf "$work"
}
trap clean_container EXIT

skip() { echo "# skipped: $*"; ok 'a container is not possible here'; finish; }
[ "$(id -u)" -eq 0 ] || skip 'not root'
command -v systemd-nspawn >/dev/null || skip 'systemd-container is not installed'

find_package() { find "$PWD/build/deb" -maxdepth 1 -name 'linkshrink_*.deb' 2>/dev/null || true; }
# Of no package are these: what was built, and tests.
is_stale() { # package
	[ -z "$1" ] || [ -n "$(find . \( -path ./.git -o -path ./build -o -path ./var -o -path ./tests \) -prune -o \
		-type f -newer "$1" -print -quit)" ]
}
package=${LINKSHRINK_TEST_PACKAGE:-$(find_package)}
if [ -z "${LINKSHRINK_TEST_PACKAGE:-}" ] && is_stale "$package"; then
	make --no-print-directory deb >/dev/null
	package=$(find_package)
fi

inside() { nsenter --target "$leader" --all -- /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
booted() {
	leader=$(pgrep -P "$container" -x systemd) && inside systemctl is-active --quiet basic.target 2>/dev/null
}

# This machine as it is, or the one of LINKSHRINK_TEST_MACHINE (tests/install/bare); below a memory file
# system that takes all writes. The mounts end with the process.
boot() {
	mkdir "$work/memory" "$work/machine"
	SYSTEMD_LOG_LEVEL=warning unshare --mount --propagation private bash -euc '
		mount -t tmpfs none "$1/memory"
		mkdir "$1/memory/upper" "$1/memory/work"
		mount -t overlay -o "lowerdir=$2,upperdir=$1/memory/upper,workdir=$1/memory/work" none "$1/machine"
		directory=$1
		shift 2
		exec systemd-nspawn --quiet --register=no --keep-unit --private-network --directory="$directory/machine" \
			"$@" --boot systemd.unit=basic.target' \
		bash "$work" "${LINKSHRINK_TEST_MACHINE:-/}" --bind-ro="$package:/mnt/linkshrink.deb" "$@" >"$work/console" 2>&1 </dev/null &
	container=$!
	wait_until 60 booted || { sed 's/^/# /' "$work/console" | tail -n 20; skip 'systemd does not boot in it'; }
	# That of the cluster that Debian made, whatever its version.
	postgresql_etc=$(inside sh -c "echo /etc/postgresql/*/main")
	postgresql=postgresql@$(basename "${postgresql_etc%/main}")-main.service
	ok 'systemd boots'
}

is() { # state unit…
	local wanted=$1 unit
	shift
	for unit in "$@"; do
		[ "$(inside systemctl is-active "$unit")" = "$wanted" ] || { inside systemctl status --no-pager -n 20 "$unit"; return 1; }
	done
}

as_postgres() { inside runuser -u postgres -- "$@"; }
make_database() {
	inside systemctl start "$postgresql"
	as_postgres createdb linkshrink
	as_postgres psql -q -X -d linkshrink -f /usr/lib/linkshrink/db/roles.sql
	# shellcheck disable=SC2016 # for the shell inside
	inside sh -c 'cd "$1" && cat - pg_hba.conf >pg_hba.new && cat pg_hba.new >pg_hba.conf' sh "$postgresql_etc" <<'END'
local linkshrink linkshrink_owner,linkshrink_web,linkshrink_ingest,linkshrink_monitor peer map=linkshrink
END
	inside tee -a "$postgresql_etc/pg_ident.conf" >/dev/null <<'END'
linkshrink root               linkshrink_owner
linkshrink linkshrink         linkshrink_web
linkshrink linkshrink         linkshrink_ingest
linkshrink linkshrink-monitor linkshrink_monitor
linkshrink linkshrink-backup  linkshrink_owner
END
	inside systemctl reload "$postgresql"
}

answers() { [ "$(inside curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$1")" = "$2" ]; }
