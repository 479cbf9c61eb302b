#!/bin/bash
# The web server dies and nobody starts it again.
# shellcheck source=scripts/simulate.d/lib.sh
. "$(dirname "$0")/../simulate.d/lib.sh"

what 'lighttpd is killed, and nobody starts it again'
because 'lighttpd died while its supervisor hung'
must RedirectsDown 2 'the try of the probe'
may TargetDown SeriesMissing # no page of metrics without a web server

inject() {
	journal_continue "$(supervisor)"
	kill -STOP "$(supervisor)"
	strike "SIGKILL to lighttpd, pid $(noted lighttpd); its supervisor, pid $(supervisor), is stopped"
	kill -KILL "$(noted lighttpd)"
}

simulate "$@"
