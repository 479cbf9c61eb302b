#!/bin/bash
# Somebody's transaction holds the table of links and does not end.
# shellcheck source=scripts/simulate.d/lib.sh
. "$(dirname "$0")/../simulate.d/lib.sh"

what 'Somebody locks the table of links and does not let go'
because 'A transaction that locked the table and stayed open'
must ShortenDown 2 'the try of the probe'
may DatabaseDown ReplicaStale PostgresLongTransaction

is_locked() { [ "$(sql "SELECT count(*) FROM pg_locks WHERE granted AND mode = 'AccessExclusiveLock' AND relation = 'links'::regclass")" = 1 ]; }

# Open and idle, as one that somebody forgot: it ends with its client.
lock() {
	{
		echo 'BEGIN; LOCK TABLE links IN ACCESS EXCLUSIVE MODE;'
		exec sleep 86400
	} | PGAPPNAME=somebody psql -X -q "$(cat "$run/owner.url")"
}

inject() {
	strike 'BEGIN; LOCK TABLE links IN ACCESS EXCLUSIVE MODE'
	helper lock
	wait_until 10 is_locked || fail 'the lock is not granted'
}

simulate "$@"
