# What the doctor asks of PostgreSQL and the schema.
# shellcheck shell=bash disable=SC2154 # variables are shared with the other files

check_database() {
	[ "$own_cluster" = no ] || check_own_postgresql || return 0
	[ "$foreign" = no ] || return 0
	if ! command -v psql >/dev/null; then
		bad postgresql "psql is not installed, see packages"
	elif ask_database; then
		judge_database
		check_ingest_role
		check_schema
	fi
}

# Whether there is somebody to ask.
check_own_postgresql() {
	local said
	said=$(settle_pg_bin 2>&1) || { bad postgresql "$said"; return 1; }
	settle_pg_bin
	if [ "$(basename "$(dirname "$pg_bin")")" -lt 15 ]; then
		bad postgresql "version $(basename "$(dirname "$pg_bin")"); at least 15 is needed: type: make deps"
		return 1
	fi
	is_running && return 0
	if as "$database_user" test -e "$cluster/PG_VERSION"; then
		ok postgresql "version $(basename "$(dirname "$pg_bin")"); scripts/stack up starts it, then this asks it more"
	else
		ok postgresql "version $(basename "$(dirname "$pg_bin")"); scripts/stack up makes a cluster"
	fi
	return 1
}

question="SELECT current_user, current_setting('server_version_num'), current_setting('fsync'),
	current_setting('full_page_writes'), current_setting('synchronous_commit'),
	current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer,
	(SELECT count(*) FROM pg_stat_activity WHERE datname IS NOT NULL AND usename <> current_user),
	rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls,
	coalesce(has_table_privilege(to_regclass('public.links'), 'SELECT')
		AND has_any_column_privilege(to_regclass('public.links'), 'INSERT')
		AND has_table_privilege(to_regclass('public.click_counts'), 'SELECT'), false),
	coalesce(has_table_privilege(to_regclass('public.links'), 'DELETE, TRUNCATE')
		OR has_schema_privilege('public', 'CREATE'), false),
	to_regclass('public.links') IS NOT NULL,
	extract(epoch FROM clock_timestamp())::bigint
FROM pg_roles WHERE rolname = current_user"

ask_database() {
	local connection=$LINKSHRINK_DATABASE_URL said
	# shellcheck source=db/hide-password.sh
	. "$repo/db/hide-password.sh"
	if answer=$(
		hide_password
		cd / && PGCONNECT_TIMEOUT=2 as "$web_user" timeout 3 psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -c "$question" "$connection" 2>&1
	); then
		return 0
	fi
	said=${answer:-no answer within 3 s}
	if [ "$own_cluster" = yes ]; then
		bad postgresql "does not answer $web_user: $said; look at $logs/postgresql.log"
	else
		bad postgresql "DATABASE_URL does not answer: $said; start it, or correct DATABASE_URL"
	fi
	return 1
}

judge_database() {
	local role version fsync pages commit allowed others powerful able excessive made now
	read -r role version fsync pages commit allowed others powerful able excessive made now <<<"$answer"
	# Numbers are numbers before the shell calculates with them.
	case $version$allowed$others$now in
	'' | *[!0-9]*) bad postgresql "what it answers makes no sense; is DATABASE_URL a PostgreSQL?"; return ;;
	esac
	if [ "$version" -lt 150000 ]; then
		bad postgresql "version $((version / 10000)); at least 15 is needed"
	else
		ok postgresql "version $((version / 10000)), answers $role"
	fi
	if [ "$powerful" = t ]; then
		bad role "$role may do more than it needs; type: ALTER ROLE $role NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
	elif [ "$made" = t ] && [ "$able" = f ]; then
		bad role "$role lacks rights on the tables; run $migrate, which grants them"
	elif [ "$excessive" = t ]; then
		bad role "$role may delete links or make tables; run $roles and $migrate, and connect as linkshrink_web"
	else
		ok role "$role may do what it needs and no more"
	fi
	judge_durability "$fsync" "$pages" "$commit"
	judge_connections "$allowed" "$others"
	judge_clocks "$now"
}

# Who carries the clicks connects as somebody else.
check_ingest_role() {
	local connection=$LINKSHRINK_INGEST_URL said
	said=$(
		hide_password
		cd / && PGCONNECT_TIMEOUT=2 as "$web_user" timeout 3 psql -X -q -A -t -v ON_ERROR_STOP=1 -c "
			SELECT coalesce(has_table_privilege(to_regclass('public.clicks'), 'INSERT')
				AND has_table_privilege(to_regclass('public.click_days'), 'INSERT')
				AND has_function_privilege(to_regprocedure('public.clicks_index_partition(date)'), 'EXECUTE')
				AND has_table_privilege(to_regclass('public.spool_offsets'), 'INSERT, UPDATE'), false)" \
			"$connection" 2>&1
	) || said=${said:-no answer within 3 s}
	case $said in
	t) ok role "who counts clicks may do it" ;;
	f) bad role "the role of DATABASE_INGEST_URL may not count clicks; run $roles and $migrate, and connect as linkshrink_ingest" ;;
	*) bad role "who counts clicks can't connect: $said; run $roles, or correct DATABASE_INGEST_URL" ;;
	esac
}

judge_durability() { # fsync full_page_writes synchronous_commit
	local wrong=
	[ "$1" = on ] || wrong+=", fsync"
	[ "$2" = on ] || wrong+=", full_page_writes"
	[ "$3" != off ] || wrong+=", synchronous_commit"
	if [ -n "$wrong" ]; then
		bad durability "links that were acknowledged can be lost: ${wrong#, } off; as superuser, for each: ALTER SYSTEM SET … = on, then SELECT pg_reload_conf()"
	else
		ok durability "what is acknowledged is on disk"
	fi
}

# What the programs take at most; each knows it of itself.
connections_needed() {
	local program own sum=0
	for program in $(list_programs); do
		own=$("$bin/$program" --connections 2>/dev/null) || own=0 # a program that is missing was said already
		sum=$((sum + $(processes_of "$program") * ${own:-0}))
	done
	echo "$sum"
}

judge_connections() { # allowed, taken by others
	local needed
	needed=$(connections_needed)
	if [ "$needed" -gt "$1" ]; then
		bad connections "the programs take up to $needed, PostgreSQL gives $1; raise max_connections"
	elif [ "$needed" -gt $(($1 - $2)) ]; then
		warn connections "the programs take up to $needed, $2 of $1 are taken by others; raise max_connections"
	else
		ok connections "up to $needed of $1"
	fi
}

judge_clocks() { # seconds since 1970, as the database has them
	local apart=$(($1 - $(date +%s)))
	[ "${apart#-}" -le 3 ] ||
		warn clock "the database's clock is $apart s away from ours; synchronise both"
}

check_schema() {
	local said status=0 url
	url=$(cat "$run/owner.url" 2>/dev/null) || url=$owner_url
	[ "$own_cluster" = yes ] || url=$owner_url
	said=$(cd / && DATABASE_OWNER_URL=$url PGCONNECT_TIMEOUT=2 timeout 4 "$repo/db/migrate.sh" --status 2>&1) || status=$?
	if [ "$status" -eq 0 ]; then
		ok schema "at $(tail -n 1 <<<"$said" | cut -d ' ' -f 1)"
	elif grep -q ' CHANGED$' <<<"$said"; then
		bad schema "changed after they were applied: $(awk '$2 == "CHANGED" { print $1 }' <<<"$said"); put those files of db/migrations back"
	elif grep -q ' pending$' <<<"$said"; then
		bad schema "not applied yet: $(awk '$2 == "pending" { print $1 }' <<<"$said"); run $migrate, or restart the stack"
	else
		warn schema "can't be asked: $said; set DATABASE_OWNER_URL"
	fi
}
