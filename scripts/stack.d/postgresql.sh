# The private PostgreSQL of a stack, and the schema in whichever is used. Sourced by supervise.
# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared with the other files

settle_pg_bin() {
	local version
	version=$(as "$database_user" cat "$cluster/PG_VERSION" 2>/dev/null ||
		find /usr/lib/postgresql -mindepth 1 -maxdepth 1 -printf '%f\n' 2>/dev/null | sort -n | tail -n 1)
	pg_bin=/usr/lib/postgresql/$version/bin
	[ "$own_cluster" = no ] || [ -x "$pg_bin/postgres" ] ||
		fail "PostgreSQL ${version:+$version }is not installed; type: make deps"
}

# Made beside and renamed, so that half a cluster never counts as one.
make_cluster() {
	as "$database_user" test ! -e "$cluster/PG_VERSION" || return 0
	say "Making a PostgreSQL cluster in $cluster"
	rm -rf "$cluster.new"
	private_directory "$cluster.new" "$database_user" 700
	(cd / && as "$database_user" "$pg_bin/initdb" -D "$cluster.new" -U postgres --encoding=UTF8 \
		--locale=C.UTF-8 --data-checksums --auth=peer --no-instructions) >>"$logs/postgresql.log" 2>&1 ||
		{ show_log "$logs/postgresql.log"; fail "initdb failed"; }
	echo "include 'linkshrink.conf'" | write_cluster_file "$cluster.new/postgresql.conf" --append
	touch "$run/first"
	# Counters of a stack whose directory somebody removed: against new books they would be a drift.
	[ -n "$(find "$LINKSHRINK_SPOOL" -type f -print -quit)" ] || rm -f "${shared:?}"/segment.*
	mv -T "$cluster.new" "$cluster"
}

write_cluster_file() { # file [--append], as its owner: root follows no links of others
	# shellcheck disable=SC2016 # for the inner shell
	as "$database_user" sh -c 'if [ "$2" ]; then cat >>"$1"; else cat >"$1"; fi' sh "$1" "${2:-}"
}

# Who is who by the kernel's word: no password exists, and nothing listens on the network.
configure_cluster() {
	write_cluster_file "$cluster/pg_hba.conf" <<'END'
local all        postgres         peer map=linkshrink
local linkshrink linkshrink_owner peer map=linkshrink
local linkshrink linkshrink_web    peer map=linkshrink
local linkshrink linkshrink_ingest peer map=linkshrink
local linkshrink linkshrink_monitor peer map=linkshrink
END
	write_cluster_file "$cluster/pg_ident.conf" <<END
linkshrink "$database_user" postgres
linkshrink "$database_user" linkshrink_owner
linkshrink "$web_user" linkshrink_web
linkshrink "$web_user" linkshrink_ingest
linkshrink "$monitoring_user" linkshrink_monitor
linkshrink "$(id -un)" linkshrink_owner
END
	write_cluster_file "$cluster/linkshrink.conf" <<'END'
# Written by scripts/stack at each start; ALTER SYSTEM overrules it.
listen_addresses = ''
max_connections = 100
# What was acknowledged survives a power cut.
fsync = on
synchronous_commit = on
full_page_writes = on
# The log names the process; it never shows a value.
log_line_prefix = '%m [%p] '
log_timezone = 'UTC'
log_statement = 'none'
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
END
}

start_postgresql() {
	launch postgresql "$database_user" INT "$logs/postgresql.log" "$pg_bin/postgres" -D "$cluster" \
		-c cluster_name="$cluster_name" -c unix_socket_directories="$plain/pg"
}

superuser() { (cd / && as "$database_user" psql -X -q -A -t -v ON_ERROR_STOP=1 -h "$plain/pg" -U postgres "$@"); }

wait_for_postgresql() {
	until superuser -d postgres -c '' 2>/dev/null; do
		if [ "$SECONDS" -ge "$start_seconds" ] || ! is_alive postgresql; then
			show_log "$logs/postgresql.log"
			fail "PostgreSQL did not start"
		fi
		pause_for 0.05
	done
}

bring_up_database() {
	if [ "$own_cluster" = yes ]; then
		make_cluster
		configure_cluster
		start_postgresql
		wait_for_postgresql
		[ -n "$(superuser -d postgres -c "SELECT 1 FROM pg_database WHERE datname = 'linkshrink'")" ] ||
			superuser -d postgres -c 'CREATE DATABASE linkshrink' || fail "can't make the database"
		superuser -d linkshrink -f - <"$repo/db/roles.sql" || fail "can't make the roles"
	fi
	(umask 077 && printf '%s\n' "$owner_url" >"$run/owner.url")
	# By the environment: arguments are there for everyone to see.
	(cd / && DATABASE_OWNER_URL=$owner_url "$repo/db/migrate.sh") || fail "the migrations failed"
}
