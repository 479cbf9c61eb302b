#!/bin/bash
# What systemd says of the units: that they make sense, and how much they leave exposed.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/web/lib.sh
. tests/web/lib.sh
trap 'rm -rf "$work"' EXIT

readonly most=30 # tenths of systemd-analyze's exposure, of 100: "OK" ends at 50
services=(linkshrink-{web,database,monitoring}.service
	linkshrink-monitor@{prometheus,alertmanager,node-exporter,postgres-exporter,blackbox-exporter}.service)
timers=(linkshrink-monitoring.timer linkshrink-backup.timer)
by_timer=(linkshrink-backup.service linkshrink-backup-rehearsal.service)

# Where they are installed there is what they start, and the rest of the system is this one.
make --no-print-directory install PREFIX="$work/usr" SYSCONFDIR="$work/etc" >/dev/null
units=$work/usr/lib/systemd/system
export SYSTEMD_UNIT_PATH=$units:

verified() { # unit: no complaint of ours; the system's own units are not our affair
	local said
	said=$(systemd-analyze verify --man=no "$units/$1" 2>&1 | grep -F linkshrink || true)
	[ -z "$said" ] || { printf '%s\n' "$said"; return 1; }
}
exposed() { # unit
	systemd-analyze security --no-pager --offline=yes --threshold="$most" "$units/$1" >"$work/said" 2>&1 || {
		sort -t '.' -k 2 "$work/said" | tail -n 20
		return 1
	}
}

for unit in linkshrink.target linkshrink-web.socket "${timers[@]}" "${services[@]}" "${by_timer[@]}"; do
	check "$unit makes sense" verified "$unit"
done
for unit in "${services[@]}" "${by_timer[@]}"; do
	check "$unit is exposed to less than 3.0" exposed "$unit"
	echo "# $(grep -o 'Overall exposure.*' "$work/said" || true)"
done
planted() {
	sed 's/^PrivateTmp=/PrivateTemp=/' -i "$units/linkshrink-.service.d/10-sandbox.conf"
	! verified linkshrink-web.service >/dev/null
}
check 'a misspelt line would be noticed' planted

wanted=$(sed -n 's/^Wants=//p' "$units/linkshrink.target" | tr ' ' '\n' | sort)
check 'the target wants all of them' same "$wanted" \
	"$(printf '%s\n' "${timers[@]}" "${services[@]}" linkshrink-web.socket | sort)"

# A misspelt line is only a warning to systemd, and a misspelt file none at all.
drop_ins() {
	local directory
	for directory in "$units"/*.d; do
		case ${directory##*/} in
		linkshrink-.service.d) ;;
		*) printf '%s\n' "${services[@]/%/.d}" "${by_timer[@]/%/.d}" | grep -qxF -e "${directory##*/}" || { echo "$directory"; return 1; } ;;
		esac
	done
}
check 'every drop-in belongs to one of them' drop_ins
finish
