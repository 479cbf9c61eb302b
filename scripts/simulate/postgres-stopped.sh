#!/bin/bash
# All of PostgreSQL hangs: the worst way for it to be away, since nothing refuses.
# shellcheck source=scripts/simulate.d/lib.sh
. "$(dirname "$0")/../simulate.d/lib.sh"

what 'All of PostgreSQL hangs'
because 'No process of PostgreSQL made progress, as with a disk that hangs'
must ShortenDown 2 'the try of the probe'
must DatabaseDown 17 'as long as any answer counts'
may TargetDown ReplicaStale ClickBacklog

inject() { stop_postgres 'and all its sessions'; }

simulate "$@"
