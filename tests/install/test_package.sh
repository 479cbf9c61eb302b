#!/bin/bash
# The Debian package: what Debian's own judges say of it, and how its programs were made.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/web/lib.sh
. tests/web/lib.sh
trap 'rm -rf "$work"' EXIT

package=
made() {
	make --no-print-directory deb || return 1
	package=$(find build/deb -name 'linkshrink_*.deb')
	[ -n "$package" ]
}
if ! made >"$work/deb.log" 2>&1; then
	not_ok 'the package is made'
	sed 's/^/    /' "$work/deb.log"
	finish
fi
ok 'the package is made'

# As root it asks for a leave that nobody needs here.
judged() {
	lintian --allow-root --fail-on error --display-info "$package" >"$work/lintian" 2>&1 ||
		{ grep '^E' "$work/lintian" || cat "$work/lintian"; return 1; }
}
check 'lintian finds no error' judged
sed 's/^/# /' "$work/lintian"

dpkg -x "$package" "$work/root"
dpkg -e "$package" "$work/control"
check 'every file in /etc is a conffile' diff \
	<(cd "$work/root" && find etc -type f -printf '/%p\n' | sort) <(grep -v '^remove' "$work/control/conffiles" | sort)
check 'who installs it first gets the users' grep -q 'systemd-sysusers.*linkshrink.conf' "$work/control/postinst"
check 'and the directory of the segment' grep -q 'systemd-tmpfiles.*linkshrink.conf' "$work/control/postinst"
starts_nothing() { ! grep -nE 'deb-systemd-invoke.*(start|restart)' "$work/control/postinst"; }
check 'and nothing is started' starts_nothing
check 'the settings are for root and its group' same "$(stat -c %a "$work/root/etc/linkshrink/linkshrink.env")" 640
check 'the directory of secrets can not be listed' same "$(stat -c %a "$work/root/etc/linkshrink/secrets")" 711
owners() { dpkg -c "$package" | awk '$2 != "root/root" { print; bad = 1 } END { exit bad }'; }
check 'all belongs to root' owners
check 'the units are where Debian looks' test -e "$work/root/lib/systemd/system/linkshrink-web.service"

# Debian's crt1.o is not made for control flow protection, so no program may claim to be, and
# hardening-check goes by the claim. Whether our own code is made for it shows in its functions.
guarded() { [ "$(objdump -d "$1" | grep -c endbr64)" -ge 50 ]; } # without the flag there are three
for program in "$work"/root/usr/lib/linkshrink/bin/*; do
	check "${program##*/} is hardened" hardening-check --nocfprotection "$program"
	[ "$(uname -m)" != x86_64 ] || check 'and guards where calls may lead' guarded "$program"
done
finish
