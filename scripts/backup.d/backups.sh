# What a backup is, where backups lie and what is told of them. Sourced by scripts/backup, restore,
# backup-rehearsal and doctor, after they set $repo, defined fail() and sourced paths.sh.
# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared with those that source it

# A backup is a directory with the name of its moment (UTC). It appears whole or not at all:
#   dump        the database, as pg_dump's custom format has it
#   tables      each table at the same moment: name, rows, a sum over all of them
#   about       when, by which versions, how many links
#   SHA256SUMS  of these three
# What begins with a dot beside them is being made or removed.

settle_backups() {
	settle_paths
	backups=$(realpath -m "${LINKSHRINK_BACKUP:-$var/backup}")
	figures=${LINKSHRINK_FIGURES:-$var/figures}
}

settle_connection() {
	# shellcheck source=scripts/stack.d/settings.sh
	. "$repo/scripts/stack.d/settings.sh"
	take_secret DATABASE_OWNER_URL
	connection=${DATABASE_OWNER_URL:-}
	[ -z "$connection" ] || export DATABASE_OWNER_URL # what is called from here needs it, too
	[ -n "$connection" ] || connection=$("$repo/scripts/stack" owner-url 2>/dev/null) ||
		fail 'no database: start the stack (scripts/stack up) or set DATABASE_OWNER_URL'
	# shellcheck source=db/hide-password.sh
	. "$repo/db/hide-password.sh"
	hide_password
	# Longer than that only a server takes that hangs.
	export PGCONNECT_TIMEOUT=${PGCONNECT_TIMEOUT:-10}
}

list_backups() { # names, the oldest first
	[ -d "$backups" ] || return 0
	find "$backups" -mindepth 1 -maxdepth 1 -type d -name '[0-9]*T[0-9]*Z' -printf '%f\n' 2>/dev/null | sort
}

is_backup() { list_backups | grep -xF -e "$1" >/dev/null; } # name: no path, whatever it holds

newest_backup() { list_backups | tail -n 1; }

about() { # backup word: a number, or nothing
	sed -n "s/^$2 \([0-9][0-9]*\)$/\1/p" "$backups/$1/about" 2>/dev/null | head -n 1 || true
}

# Says what is wrong with a backup; changes nothing. What follows trusts what it has seen.
verify_backup() { # backup
	local file word
	for file in about dump tables SHA256SUMS; do
		[ -f "$backups/$1/$file" ] || { echo "$file is missing"; return 1; }
	done
	[ "$(sed 's/^[0-9a-f]\{64\}  //' "$backups/$1/SHA256SUMS" | sort | paste -sd ' ' -)" = 'about dump tables' ] ||
		{ echo 'SHA256SUMS is damaged'; return 1; }
	(cd "$backups/$1" && sha256sum --quiet --strict -c SHA256SUMS 2>&1) || return 1
	for word in format time postgresql schema links tables; do
		[ -n "$(about "$1" "$word")" ] || { echo "about has no $word"; return 1; }
	done
	[ "$(about "$1" format)" = 1 ] || { echo 'it was made by a newer Link-Shrink'; return 1; }
	[ "$(about "$1" tables)" = "$(grep -c . "$backups/$1/tables")" ] || { echo 'tables is not whole'; return 1; }
	{ pg_restore --list "$backups/$1/dump" >/dev/null; } 2>&1 || return 1
}

# Of a dump only what has the major version of the server, or an older one, can be loaded; and only
# what knows no newer schema than ours.
is_too_new() { # backup server_version_num: says why
	local ours
	ours=$(find "$repo/db/migrations" -name '[0-9]*.sql' -printf '%f\n' | sort | tail -n 1)
	ours=$((10#${ours%%_*}))
	if [ $(($(about "$1" postgresql) / 10000)) -gt $(($2 / 10000)) ]; then
		echo "it was made of PostgreSQL $(($(about "$1" postgresql) / 10000)), and here is $(($2 / 10000))"
	elif [ "$(about "$1" schema)" -gt "$ours" ]; then
		echo "its schema is at version $(about "$1" schema), and this Link-Shrink knows $ours"
	else
		return 1
	fi
}

# SQL that prints what the file tables holds. Sums do not depend on the order of rows, nor text on
# the settings of the session. Partitions are tables, too.
tables_sql() {
	cat <<'SQL'
SET LOCAL search_path = pg_catalog;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL extra_float_digits = 1;
SET LOCAL bytea_output = 'hex';
SELECT format('SELECT %L, count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM public.%I AS t',
		relname, relname)
	FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
	ORDER BY relname COLLATE "C"
\gexec
SQL
}

# ---- Commands that take long.

# As a process group of its own, so that it can be ended: bash hears a signal while it waits for a job,
# and not while it waits for a command.
group=
run_group() { # command…
	local status=0
	set -m
	"$@" </dev/null &
	group=$!
	set +m
	wait "$group" || status=$?
	group=
	return "$status"
}

end_group() {
	[ -z "$group" ] || { kill -TERM -- "-$group" && wait "$group"; } 2>/dev/null || true
	group=
}

take_backup_lock() { # file read-or-write
	[ -d "$backups" ] || (umask 077 && mkdir -p "$backups") || fail "can't make $backups"
	# One whose files are another's could not remove the oldest.
	[ "$(stat -c %u "$backups")" = "$(id -u)" ] || [ "$2" = read ] ||
		fail "$backups belongs to $(stat -c %U "$backups"), and only that user may add to it (systemctl start linkshrink-backup)"
	exec {backup_lock}>>"$backups/$1" || fail "can't write to $backups"
	# Only root can be another one than the owner, who has to open it as well.
	[ "$(id -u)" -ne 0 ] || chown -h --reference="$backups" "$backups/$1"
	flock -n "$backup_lock"
}

# ---- What is told to those who watch.

write_figures() { # file name value…
	local file=$1 name text=''
	shift
	while [ $# -gt 0 ]; do
		name=linkshrink_backup_$1
		text+="# HELP $name $(sed -n "s/^$name //p" "$repo/scripts/backup.d/figures")"$'\n'
		text+="# TYPE $name gauge"$'\n'"$name $2"$'\n'
		shift 2
	done
	{
		{ [ -d "$figures" ] || mkdir -m 755 "$figures"; } && printf %s "$text" >"$figures/.$file" && chmod 644 "$figures/.$file" &&
			mv -f "$figures/.$file" "$figures/$file.prom"
	} 2>/dev/null || echo "${0##*/}: can't write to $figures, so nobody who watches hears of this" >&2
}

read_figure() { # file name: 0 where there is none
	local value
	value=$(sed -n "s/^linkshrink_backup_$2 \([0-9][0-9]*\)$/\1/p" "$figures/$1.prom" 2>/dev/null) || true
	echo "${value:-0}"
}
