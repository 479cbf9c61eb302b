#!/bin/bash
# What "make install" brings, with which rights, and that a second time takes nothing away.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/web/lib.sh
. tests/web/lib.sh
trap 'rm -rf "$work"' EXIT

root=$work/root etc=$work/root/etc/linkshrink lib=$work/root/usr/lib/linkshrink
brought=$work/root/usr/share/linkshrink/etc/linkshrink

install_it() { make --no-print-directory install DESTDIR="$root" PREFIX=/usr >"$work/said" 2>&1; }

check 'it installs below DESTDIR' install_it
read -ra programs < <(sed -n 's/^PROGRAMS *:= *//p' Makefile)
have() { # directory name…
	local name
	for name in "${@:2}"; do [ -e "$1/$name" ] || { echo "$1/$name is missing"; return 1; }; done
}
check 'all programs' have "$lib/bin" "${programs[@]}"
check 'and not the inbox, which is for scripts/stack' test ! -e "$lib/bin/inbox"
check 'all migrations' diff <(cd db/migrations && ls) <(ls "$lib/db/migrations")
check 'all rules' diff <(cd prometheus/rules && ls) <(ls "$etc/prometheus/rules")
check 'all pages' diff <(cd www && ls) <(ls "$lib/www")
check 'the commands' have "$root/usr/sbin" linkshrink
read_by_scripts() {
	# shellcheck disable=SC2016 # as it stands there
	grep -rhoE '^[[:space:]]*\. "\$repo/[a-z./-]+"' "$lib/scripts" | sed 's|.*\$repo/||; s|"||' | sort -u
}
check 'and every file that they read' eval 'mapfile -t parts < <(read_by_scripts) && [ "${#parts[@]}" -gt 10 ] && have "$lib" "${parts[@]}"'
check 'units, users, the directory of the segment, rotation' have "$root/usr/lib" \
	systemd/system/linkshrink.target systemd/system/linkshrink-web.service sysusers.d/linkshrink.conf \
	tmpfiles.d/linkshrink.conf ../../etc/logrotate.d/linkshrink

# ---- Rights

none() { # find's conditions: there must be no such file
	local found
	found=$(find "$root" "$@")
	[ -z "$found" ] || { printf '%s\n' "$found"; return 1; }
}
check 'nobody but the owner may write' none ! -type l -perm /022
check 'nothing has more rights than who starts it' none -perm /7000
check 'programs and scripts can be started, nothing else' none -type f -perm /111 \
	! -path '*/bin/*' ! -path '*/scripts/*' ! -path '*/system-generators/*' ! -name migrate.sh
check 'the settings are for root and its group' same "$(stat -c %a "$etc/linkshrink.env")" 640
check 'the directory of secrets can be passed and not listed' same "$(stat -c %a "$etc/secrets")" 711
check 'no link leads out of the tree' none -type l -lname '/*'
check 'nor to nothing' none -xtype l

# ---- A second time

sums() { (cd "$root" && find . -type f -exec sha256sum {} + | sort -k 2); }
before=$(sums)
check 'it installs again' install_it
check 'and all is as it was' same "$(sums)" "$before"

echo '# ours' >>"$etc/lighttpd.conf"
echo LINKSHRINK_BASE_URL=https://ours.example >"$etc/linkshrink.env"
rm "$etc/prometheus/rules/abuse.yml"
# As an older version would have brought it.
echo 'groups: []' | tee "$brought/prometheus/rules/host.yml" >"$etc/prometheus/rules/host.yml"
rm "$lib/bin/redirect"
touch "$etc/secrets/ours"
check 'it installs over what was changed' install_it
check 'what an operator edited stays' same "$(tail -n 1 "$etc/lighttpd.conf")" '# ours'
check 'so do settings' same "$(cat "$etc/linkshrink.env")" LINKSHRINK_BASE_URL=https://ours.example
check 'with their rights' same "$(stat -c %a "$etc/linkshrink.env")" 640
check 'and it says so' grep -q '^/etc/linkshrink/lighttpd.conf was changed here' "$work/said"
check 'with what is new beside' cmp lighttpd.conf "$brought/lighttpd.conf"
check 'what an operator removed stays away' test ! -e "$etc/prometheus/rules/abuse.yml"
check 'what nobody edited is the new one' cmp prometheus/rules/host.yml "$etc/prometheus/rules/host.yml"
check 'programs come back' have "$lib/bin" redirect
check 'secrets are nobody'\''s affair' test -e "$etc/secrets/ours"
check 'nothing half-written is left' none -name '*.new'

# ---- Elsewhere

elsewhere() {
	make --no-print-directory install DESTDIR="$work/other" PREFIX=/opt/ls SYSCONFDIR=/opt/ls/etc >/dev/null
	local left
	left=$(grep -rl -e /usr/lib/linkshrink -e '[ =]/etc/linkshrink' "$work/other/opt/ls/lib/systemd" || true)
	[ -z "$left" ] || { echo "still of /usr or /etc: $left"; return 1; }
}
check 'PREFIX and SYSCONFDIR are what the units say' elsewhere
refuses() { ! make --no-print-directory install DESTDIR="$work/third" PREFIX="$1" >/dev/null 2>&1 && [ ! -e "$work/third" ]; }
check 'a path that units could not name is refused' refuses '/opt/with space'
check 'a relative one, too' refuses opt/ls
finish
