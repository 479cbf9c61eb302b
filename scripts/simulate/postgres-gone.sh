#!/bin/bash
# PostgreSQL dies and nobody starts it again: everything is refused.
# shellcheck source=scripts/simulate.d/lib.sh
. "$(dirname "$0")/../simulate.d/lib.sh"

what 'PostgreSQL is killed, and nobody starts it again'
because 'The postmaster died while its supervisor hung'
must ShortenDown 2 'the try of the probe'
must DatabaseDown 17 'as long as any answer counts'
may TargetDown ReplicaStale ClickBacklog

inject() {
	journal_continue "$(supervisor)"
	kill -STOP "$(supervisor)"
	strike "SIGKILL to the postmaster, pid $(noted postgresql); its supervisor, pid $(supervisor), is stopped"
	kill -KILL "$(noted postgresql)"
}

simulate "$@"
