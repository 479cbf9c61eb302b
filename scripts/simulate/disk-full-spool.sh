#!/bin/bash
# The disk of the spool has no byte left: redirects go on, their clicks cannot be kept.
# shellcheck source=scripts/simulate.d/lib.sh
. "$(dirname "$0")/../simulate.d/lib.sh"
# shellcheck source=scripts/simulate.d/disk.sh
. "$repo/scripts/simulate.d/disk.sh"

what 'The disk of the spool is full'
because 'A disk without room'
needs small-spool
may_fail 0
may_drop_clicks
must ClicksDropped 1 'until the first one'
must FilesystemFillingUp 0 'it is full at once'
may ErrorBudgetTicket # click-durability

inject() { fill_disk_of "${LINKSHRINK_SPOOL:-$var/spool}"; }

simulate "$@"
