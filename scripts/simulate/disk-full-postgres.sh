#!/bin/bash
# The disk under PostgreSQL has no byte left.
# shellcheck source=scripts/simulate.d/lib.sh
. "$(dirname "$0")/../simulate.d/lib.sh"
# shellcheck source=scripts/simulate.d/disk.sh
. "$repo/scripts/simulate.d/disk.sh"

what 'The disk of PostgreSQL is full'
because 'A disk without room'
needs small-pg
must DatabaseDiskFull 1 'until the next write'
must ErrorBudgetFlash 12 '2 min × 10 %'
must FilesystemFillingUp 0 'it is full at once'
may DatabaseDown ShortenDown TargetDown ReplicaStale ClickBacklog HighErrorRate WorkersMissing

inject() { fill_disk_of "$var/pg"; }

simulate "$@"
