#!/bin/bash
# Somebody else takes every connection that PostgreSQL has left.
# shellcheck source=scripts/simulate.d/lib.sh
. "$(dirname "$0")/../simulate.d/lib.sh"

what 'Somebody takes all connections of PostgreSQL that are left'
because 'A client that opened connections and kept them'
may_fail 0
must DatabaseConnectionsExhausted 0 'they are counted at each scrape'

# Of others' sessions the owner sees the database, and not that they are clients'.
left() {
	sql "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
		- count(*) FROM pg_stat_activity WHERE datname IS NOT NULL"
}

# Each looks once a second whether its client is alive: no session stays when that is killed.
take() { # how many
	export PGAPPNAME=somebody PGOPTIONS='-c client_connection_check_interval=1s'
	exec pgbench --no-vacuum --client="$1" --transactions=1 --file="$simulations/.statement" "$(cat "$run/owner.url")"
}

# What is refused is tried again: a program may have had one open for a moment when they were counted.
keep_taking() {
	while :; do
		(take 1) || true
		sleep 1
	done
}

taken() { # how many, at least
	[ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'somebody'")" -ge "$1" ]
}

inject() {
	local free number
	free=$(left)
	[ "$free" -gt 2 ] || fail "only $free connections are left; this is no simulation any more"
	strike "$free connections to PostgreSQL, kept open"
	echo 'SELECT pg_sleep(86400);' >"$simulations/.statement"
	helper take $((free - 4))
	wait_until 20 taken $((free - 4)) || fail 'the connections are not opened'
	for ((number = 0; number < 8; number++)); do helper keep_taking; done
}

simulate "$@"
