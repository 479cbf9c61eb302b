# Loads a backup into a database in one transaction and compares it before that counts. Sourced by
# scripts/restore and backup-rehearsal, after backups.sh.
# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared with those that source it

# All that is ours in the database goes, in the transaction in which the backup comes: whatever ends
# it, the database is as before. Who uses the tables waits, or gets his 503; who redirects does not.
clear_sql() {
	cat <<'SQL'
SET client_min_messages = warning;
SET statement_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
BEGIN;
SET LOCAL search_path = pg_catalog;
SET LOCAL lock_timeout = '10s';
SELECT format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE',
		string_agg(format('public.%I', relname), ', ' ORDER BY relname))
	FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
		AND NOT relispartition HAVING count(*) > 0
\gexec
\! touch "$LOAD_WORK/locked"
SELECT coalesce(max(last_value), 0) AS last_link FROM pg_sequences
	WHERE schemaname = 'public' AND sequencename = 'links_id_seq' \gset
SELECT format('DROP TABLE public.%I CASCADE', relname)
	FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
\gexec
SELECT format('DROP SEQUENCE public.%I CASCADE', relname)
	FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'S'
\gexec
SELECT format('DROP ROUTINE %s CASCADE', oid::regprocedure)
	FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND pg_has_role(proowner, 'USAGE')
\gexec
SELECT format('DROP SCHEMA %I CASCADE', nspname)
	FROM pg_namespace WHERE nspname <> 'public' AND nspname !~ '^pg_' AND nspowner = current_user::regrole
\gexec
SQL
}

# The schema public belongs to the database, not to us.
dump_sql() { # backup
	pg_restore --list "$backups/$1/dump" | grep -vE ' (SCHEMA - public|- SCHEMA public) ' >"$LOAD_WORK/list"
	pg_restore --no-owner --use-list="$LOAD_WORK/list" --file=- "$backups/$1/dump"
}

compare_sql() { # [SQL that belongs into the same transaction]
	cat <<'SQL'
\o :work/tables
SQL
	tables_sql
	cat <<SQL
\o
\set same \`cmp -s "\$LOAD_WORK/tables" "\$LOAD_FROM/tables" && echo yes || echo no\`
\if :same
$1
COMMIT;
\! touch "\$LOAD_WORK/loaded"
ANALYZE;
\else
ROLLBACK;
\endif
SQL
}

# dd has words for who looks on.
passing() { if [ -t 2 ]; then dd bs=64K iflag=fullblock status=progress; else cat; fi; }

# What is missing at the end is an error by itself: without its COMMIT nothing has happened.
load_session() { # backup connection [more SQL]
	{
		clear_sql
		dump_sql "$1" 2>"$LOAD_WORK/unread" || echo 'SELECT pg_catalog.error_the_dump_cannot_be_read();'
		compare_sql "${3:-}"
	} | passing | psql -X -q -A -t -F ' ' -w -v ON_ERROR_STOP=1 -v work="$LOAD_WORK" -f - "$2" \
		>/dev/null 2>"$LOAD_WORK/said"
}

# Others may hold a table, and two that wait for each other are parted by PostgreSQL: what has not
# begun is tried again. When it fails $fault says why.
load_backup() { # backup connection work-directory [more SQL]
	local try
	export LOAD_WORK=$3 LOAD_FROM=$backups/$1 PGAPPNAME=linkshrink-restore
	for try in 1 2 3 4 5; do
		rm -f "$LOAD_WORK"/*
		if run_group load_session "$1" "$2" "${4:-}" || [ -e "$LOAD_WORK/loaded" ]; then break; fi
		if [ -e "$LOAD_WORK/locked" ] || ! grep -qE 'deadlock|lock timeout' "$LOAD_WORK/said"; then break; fi
		echo "${0##*/}: the tables are in use (try $try of 5)" >&2
	done
	[ ! -e "$LOAD_WORK/loaded" ] || return 0
	fault=$(why_not_loaded "$1")
	return 1
}

# What pg_restore could not write, psql had no use for any more: its own error comes first.
why_not_loaded() { # backup
	if grep -q error_the_dump_cannot_be_read "$LOAD_WORK/said"; then
		head -n 3 "$LOAD_WORK/unread"
	elif grep -qE 'ERROR|FATAL|error:' "$LOAD_WORK/said"; then
		grep -m 3 -E 'ERROR|FATAL|error:' "$LOAD_WORK/said"
	else
		join -a 1 -a 2 -e none -o 0,1.2,2.2,1.3,2.3 <(sort "$backups/$1/tables") <(sort "$LOAD_WORK/tables") |
			awk '$2 != $3 { print $1 ": " $2 " rows in the backup, " $3 " restored"; next }
				$4 != $5 { print $1 ": " $2 " rows, but other ones than in the backup" }' | head -n 10
	fi
}
