# From what lighttpd, or what watches, was started, as one sum. Where it is another one by now, new
# programs alone are not enough. Sourced by scripts/service, which notes it at each start, and by
# scripts/upgrade. For what a package installed.
# shellcheck shell=bash

made_of() { # root web-or-monitor
	local lib=usr/lib/linkshrink units=lib/systemd/system
	local parts=("$lib/scripts/service" "$lib/scripts/stack.d" "$units/linkshrink-.service.d")
	[ "$2" != web ] || parts+=(etc/linkshrink/lighttpd.conf "$lib/lighttpd" lib/systemd/system-generators/linkshrink)
	(cd "$1" && { find "${parts[@]}" "$units/linkshrink-$2"[.@]* -type f -exec sha256sum {} + 2>/dev/null || true; } |
		sort | sha256sum)
}
