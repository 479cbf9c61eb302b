# Where a stack keeps what, and as whom it runs. Sourced by scripts/stack and supervise, after they
# set $repo and defined fail().
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with those that source it

# The line by which the supervisor tells "up --detach" that all is well.
ready_mark=linkshrink-stack-is-ready

# Runs a command as a user; as root only, since nobody else can.
as() { # user command…
	local user=$1
	shift
	if [ "$(id -u)" -ne 0 ] || [ "$user" = root ]; then
		"$@"
	else
		setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups -- "$@"
	fi
}

# Under the account of the programs, which must not see who the owner of the database is.
as_programs() ( # command…
	unset DATABASE_OWNER_URL
	cd /
	as "${LINKSHRINK_WEB_USER:-linkshrink}" "$@"
)

# Whether systemd could start lighttpd (check), and that the programs (try), from there with the settings of
# this machine; says why not.
could_start() { # check|try directory [NAME=value…]: settings that are to be others
	as_programs env RUNTIME_DIRECTORY=/run/linkshrink STATE_DIRECTORY=/var/lib/linkshrink \
		LOGS_DIRECTORY=/var/log/linkshrink "${@:3}" "$2/scripts/service" "$1" 2>&1
}

# Whether the unprivileged users get to a path, or to where it would be made.
is_reachable() {
	local path=$1
	while [ ! -e "$path" ]; do path=$(dirname "$path"); done
	as "$web_user" test -x "$path" && as "$database_user" test -x "$path" &&
		as "$monitoring_user" test -x "$path"
}

settle_users() {
	if [ "$(id -u)" -eq 0 ]; then
		web_user=${LINKSHRINK_WEB_USER:-www-data} database_user=${LINKSHRINK_DATABASE_USER:-postgres}
		id "$web_user" "$database_user" >/dev/null 2>&1 ||
			fail "the users $web_user and $database_user are missing; type: make deps"
	else
		web_user=$(id -un) database_user=$web_user
	fi
	web_group=$(id -gn "$web_user")
	# Who answers the internet need not know where messages go, and who watches needs no link or
	# click: Debian's packages bring a user for it.
	monitoring_user=$web_user
	if [ "$(id -u)" -eq 0 ] && id prometheus >/dev/null 2>&1; then monitoring_user=prometheus; fi
	monitoring_group=$(id -gn "$monitoring_user")
}

settle_var() {
	var=$(realpath -m "${LINKSHRINK_VAR:-$repo/var}")
	! is_reachable "$var" || return 0
	[ -z "${LINKSHRINK_VAR:-}" ] ||
		fail "$web_user or $database_user can't get to $var; choose another LINKSHRINK_VAR"
	var=/var/lib/linkshrink
	note="$web_user can't get to $repo, so everything is kept in $var (LINKSHRINK_VAR)."
}

# Paths of sockets have 107 bytes at most, and some readers of them split at spaces: where $var is
# long or unusual, what needs a plain path goes through a directory in the temporary one.
settle_plain() {
	local temporary=${TMPDIR:-/tmp}
	plain=$run
	app=$var/app
	is_plain "$var/run/pg/.s.PGSQL.5432" && return
	is_plain "$temporary/linkshrink-4294967295-$hash/pg/.s.PGSQL.5432" || temporary=/tmp
	plain=$temporary/linkshrink-$(id -u)-$hash
	app=$plain/files
}

is_plain() {
	[ "${#1}" -le 107 ] || return 1
	case $1 in *[!A-Za-z0-9/._-]*) return 1 ;; esac
}

settle_paths() {
	note=
	settle_users
	settle_var
	hash=$(printf %s "$var" | sha256sum | cut -c 1-12)
	run=$var/run
	logs=$var/log
	configured=$run/monitoring
	metrics=$var/prometheus
	bin=${LINKSHRINK_BIN:-$repo/build/bin}
	settle_plain
	cluster=$var/pg
	cluster_name=linkshrink-$hash
	shared=/dev/shm/linkshrink-$(id -u "$web_user")-$hash
	[ -w /dev/shm ] || shared=$var/shared
}

# The programs are those that lighttpd.conf starts.
list_programs() { sed -n 's/.*bin + "\([a-z]*\)".*/\1/p' "$repo/lighttpd.conf"; }

# How many processes of a program lighttpd keeps: what its own line says, or else the setting.
processes_of() { # program
	local own
	own=$(sed -n "s/.*\"max-procs\" => \([0-9]*\), \"bin-path\" => bin + \"$1\".*/\1/p" "$repo/lighttpd.conf")
	echo "${own:-$LINKSHRINK_PROCESSES}"
}

# ---- What a running stack has noted about itself.

log_of() { echo "$logs/$1.log"; } # what watches: where one reads what it says

# The lock is the truth; the note only says what to expect.
is_running() { [ -e "$run/lock" ] && ! flock -n "$run/lock" true 2>/dev/null; }

noted() { sed -n "s/^$1 //p" "$run/state" 2>/dev/null || true; }
