#!/bin/bash
# Half of the links need PostgreSQL, and that hangs: a share of the redirects fails, the probe's does not.
# shellcheck source=scripts/simulate.d/lib.sh
. "$(dirname "$0")/../simulate.d/lib.sh"

what 'PostgreSQL hangs while half of the links need it for each visit'
because 'Links with a limit of visits, which are counted in PostgreSQL, and a PostgreSQL that hangs'
must ErrorBudgetFlash 12 '2 min × 5 % / 50 %'
must ShortenDown 2 'the try of the probe'
must DatabaseDown 17 'as long as any answer counts'
may TargetDown ReplicaStale ClickBacklog HighErrorRate

readonly limit=1000000007 # found again in what the local copy has

limited() { sql "SELECT count(*) FROM links WHERE max_visits = $limit"; }
applied() { # how many
	[ "$(as "$web_user" env LINKSHRINK_REPLICA="${LINKSHRINK_REPLICA:-$var/replica}" "$app/bin/replicate" --dump |
		grep -cw "$limit")" -ge "$1" ]
}

inject() {
	journal_sql "UPDATE links SET max_visits = NULL, version = version + 1, updated_at = now() WHERE max_visits = $limit"
	sql "UPDATE links SET max_visits = $limit, version = version + 1, updated_at = now()
		WHERE id % 2 = 0 AND max_visits IS NULL AND code <> '$(cat "$var/probe/code")'"
	wait_until 10 applied "$(limited)" || fail 'the local copy does not follow'
	stop_postgres 'when half of the links had a limit of visits'
}

simulate "$@"
