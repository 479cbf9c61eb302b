# An upgrade from one installed package to another. Sourced by scripts/upgrade.
# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared with scripts/upgrade and its other files

cache=/var/cache/linkshrink
work=$cache/work
changing=no kept=

web_pid() { systemctl show -p MainPID --value linkshrink-web.service 2>/dev/null || true; }

field() { dpkg-deb -f "$1" "$2"; } # package name

# What dpkg knows, "installed 0.1.0"; another word before the version where it was stopped halfway.
state() { dpkg-query -W -f "\${db:Status-Status} \${Version}" linkshrink 2>/dev/null || true; }

# There is one at most: that of the last version that another one replaced.
kept_package() { find "$cache" -maxdepth 1 -name 'linkshrink_*.deb' | tail -n 1; }
replaced_by() { sed -n 's/.*_before_\([^_]*\)_[^_]*\.deb$/\1/p' <<<"$1"; } # package

settle_package() {
	[ "$(id -u)" -eq 0 ] || fail 'only root may install'
	app=$repo logs=/var/log/linkshrink
	operations=http://$(reachable_address "$(in_brackets "${LINKSHRINK_OPS_LISTEN:-127.0.0.1}")"):${LINKSHRINK_OPS_PORT:-9080}
	public=http://$(reachable_address "$(in_brackets "${LINKSHRINK_LISTEN:-127.0.0.1}")"):${LINKSHRINK_PORT:-8080}
	mkdir -p "$cache"
	# Whoever is started here has it as well: an installation that outlives this script ends first.
	exec {lock}>"$cache/lock"
	flock -n "$lock" || fail 'another upgrade is at work'
	rm -rf "$work"
	mkdir "$work"
	read -r status before <<<"$(state)"
	case $status in
	installed | unpacked | half-installed | half-configured | triggers-*) ;;
	*) fail 'Link-Shrink is not installed as a package here' ;;
	esac
	trap finish EXIT
	trap '' HUP
	trap : PIPE # whom it would end, and nobody whom it starts
	trap 'exit 130' INT
	trap 'exit 143' TERM
}

# However it ends: either the new version runs, or the one before.
finish() {
	local code=$?
	trap - EXIT
	trap '' INT TERM
	rm -rf "$work"
	if [ "$changing" = yes ]; then
		code=1
		[ -n "$kept" ] || { say "no version before is kept in $cache: some processes may be of it still"; exit 1; }
		say "going back to $(field "$kept" Version)"
		install_version "$kept"
		say "$(field "$kept" Version) runs again, every process; the schema stays as it is now"
	fi
	exit "$code"
}

# ---- Before anything changes

check_file() {
	local given=$file
	file=$(realpath -e -- "$file" 2>/dev/null) || fail "$given is missing"
	[ "$(field "$file" Package 2>/dev/null)" = linkshrink ] || fail "$given is no package of Link-Shrink"
	new=$(field "$file" Version)
	[ "$(field "$file" Architecture)" = "$(dpkg --print-architecture)" ] || fail "$given is for another kind of machine"
	! dpkg --compare-versions "$new" lt "$before" ||
		fail "$before is installed, and $given is $new; back to the version before: linkshrink upgrade --back"
	[ "$status $before" != "installed $new" ] || is_this_build ||
		fail "$new is installed, and $given is another build of it; give it another version"
}

is_this_build() { cmp -s <(dpkg-deb -I "$file" md5sums) <(dpkg-query --control-show linkshrink md5sums); }

# One that was killed halfway is only to be brought to its end.
is_begun() { [ "$status" != installed ] || [ "$before" = "$new" ]; }

check_dpkg() {
	local said
	if [ "$status" != installed ]; then
		[ -n "$(kept_package)" ] || fail "dpkg has linkshrink as $status, and no version is kept in $cache; see: dpkg --audit"
		return 0
	fi
	said=$(dpkg --audit) || true
	[ -z "$said" ] || fail "dpkg has something to finish first:"$'\n'"$said"
	# An installation that lacks something would stop halfway.
	said=$(LC_ALL=C apt-get --simulate --no-install-recommends install "$file" 2>&1) ||
		fail "it lacks something here: $(tail -n 3 <<<"$said")"
	said=$(awk '$1 == "Inst" && $2 != "linkshrink" || $1 == "Remv" { print $1, $2 }' <<<"$said" | paste -sd , -)
	[ -z "$said" ] || fail "other packages come first ($said): apt-get install them, and try again"
}

check_room() {
	local directory free need
	need=$(field "$file" Installed-Size) # KiB
	need=$((3 * need + 65536))
	for directory in "$cache" "$repo"; do
		free=$(df -k --output=avail "$directory" | tail -n 1)
		[ "$free" -ge "$need" ] || fail "$((free / 1024)) MB are free for $directory, and $((need / 1024)) MB are needed"
	done
}

check_version() { # directory
	local said
	said=$(could_start check "$1") || fail "that version does not start with these settings: $said"
}

check_programs_run() {
	local program said
	for program in "$tree"/bin/*; do
		said=$(as_programs "$program" --version 2>&1) || true
		[ "$said" = "$new" ] || fail "${program##*/} of $new does not run here: $said"
	done
}

check_running() {
	local name
	is_begun && return
	is_ready || fail "not ready now: $ready_answer"
	for name in $(list_programs); do
		wait_until "$roll_patience" are_all_there "$name" || fail "not all processes of $name serve; see $logs"
	done
}

# Minutes since the newest; nothing if there is none.
backup_age() { "$repo/scripts/backup" --list 2>/dev/null | tail -n 1 | awk '{ print $2 }' || true; }

# Another node makes them, the doctor knows it the same way. One here would grow old, and be told of.
leaves_backups() { [ "$(systemctl show -p LoadState --value linkshrink-backup.timer 2>/dev/null)" = masked ]; }

needs_backup() {
	local age
	[ "$backup" = yes ] && [ -n "${DATABASE_OWNER_URL:-}" ] && ! is_begun && ! leaves_backups || return 1
	# Until it is done no table can be altered.
	[ "$(systemctl is-active linkshrink-backup.service)" != activating ] || return 0
	age=$(backup_age)
	[ -z "$age" ] || [ "$age" -gt 1440 ]
}

# ---- The way back

# Nothing where the one that is kept is the one that is to come, or was kept for another one.
kept_before() {
	local package
	package=$(kept_package)
	[ "$(replaced_by "$package")" != "$new" ] || echo "$package"
}

keep_way_back() {
	local package old
	package=$cache/linkshrink_${before}_before_${new}_$(dpkg --print-architecture).deb
	mkdir -m 700 "$work/old"
	(cd "$work/old" && dpkg-repack --generate linkshrink) >"$work/said" 2>&1 || fail "$before is not kept: $(tail -n 1 "$work/said")"
	old=$(find "$work/old" -mindepth 1 -maxdepth 1 -type d)
	bring_conffiles "$old"
	dpkg-deb --root-owner-group -Zgzip --build "$old" "$work/kept.deb" >"$work/said" 2>&1 ||
		fail "$before is not kept: $(tail -n 1 "$work/said")"
	sync "$work/kept.deb"
	mv -f "$work/kept.deb" "$package"
	find "$cache" -maxdepth 1 -name 'linkshrink_*.deb' ! -path "$package" -delete
	kept=$package
	say "$before is kept as $package"
}

# What the package brought, not what became of it here. Else dpkg would one day take the settings of this
# machine for files that nobody edited, and replace them.
bring_conffiles() { # directory
	local path sum word
	dpkg-query -W -f "\${Conffiles}\n" linkshrink | while read -r path sum word; do
		# Empty lines, and what an older version brought.
		if [ -z "$path" ] || [ -n "$word" ] || is_sum "$1$path" "$sum"; then continue; fi
		install -D -m "$(stat -c %a "$1$path" 2>/dev/null || echo 640)" "/usr/share/linkshrink$path" "$1$path"
		is_sum "$1$path" "$sum" || fail "$before is not kept: /usr/share/linkshrink$path is not what it brought"
	done
}

is_sum() { [ "$(md5sum <"$1" 2>/dev/null | cut -d ' ' -f 1)" = "$2" ]; } 2>/dev/null # file sum

# ---- What changes

migrate() { # option…
	PGCONNECT_TIMEOUT=5 bash "$tree/db/migrate.sh" "$@" 2>&1
}

apply_migrations() {
	local said
	[ -n "${DATABASE_OWNER_URL:-}" ] || { say 'no DATABASE_OWNER_URL: another node sees to the schema'; return 0; }
	said=$(migrate) || { say "$said"; fail 'what runs and what is installed is as it was'; }
	say "$said"
}

# To replace a process by one that ends at once costs whoever asks it meanwhile. After the migrations,
# without which they would not start.
try_programs() {
	local said
	said=$(could_start try "$tree") || fail "not installed: $new does not start here: $said"
}

put_package() { # package
	say "installing $(field "$1" Version)"
	# Apart from this terminal and its Ctrl-C.
	setsid --wait env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
		dpkg --force-confdef --force-confold --install "$1" </dev/null >"$cache/dpkg.log" 2>&1 ||
		fail "dpkg: $(tail -n 3 "$cache/dpkg.log")"
}

# What runs was started from.
made_from() { cat /run/linkshrink/made-of 2>/dev/null || true; }

listeners() { systemctl show -p Listen --value linkshrink-web.socket 2>/dev/null || true; }

replace_running() {
	local listened units=(linkshrink-web.service)
	listened=$(listeners)
	systemctl daemon-reload
	# Others than systemd holds: these cannot be had without a gap.
	[ "$listened" = "$(listeners)" ] || ! systemctl --quiet is-active linkshrink-web.socket || units+=(linkshrink-web.socket)
	if [ "$(made_of / web)" = "$(made_from)" ]; then
		roll_all
	else
		check_version "$repo"
		say 'lighttpd, its configuration or its unit is another one: it is started again, with all programs'
		systemctl restart "${units[@]}" || fail 'linkshrink-web does not start; see its journal'
	fi
	replace_monitors
	# What is new in it is started, and what watches is told of new rules.
	! systemctl --quiet is-active linkshrink.target || systemctl start --no-block linkshrink.target
}

# Users do not notice, so a failure is no reason to go back.
replace_monitors() {
	local unit name
	for unit in $(systemctl list-units --plain --no-legend --state=active 'linkshrink-monitor@*' | awk '{ print $1 }'); do
		name=${unit#*@}
		[ "$(made_of / monitor)" != "$(cat "/run/linkshrink-monitor/${name%.service}.made-of" 2>/dev/null)" ] || continue
		systemctl restart "$unit" || say "$unit does not start; see its journal"
	done
}

# ---- After it

all_processes() { for name in $(list_programs); do processes "$name"; done | sort; }

all_in_memory() { # every process has its place in the segment of this version
	curl -s --noproxy '*' -m 5 "$operations/metrics" | awk '
		/^linkshrink_workers_expected/ { expected[substr($1, index($1, "{"))] = $2; n++ }
		/^linkshrink_workers_alive/ { alive[substr($1, index($1, "{"))] = $2 }
		END { for (program in expected) if (alive[program] < expected[program]) exit 1; exit (n == 0) }'
}

# By HEAD, which is no click.
follows_probe() {
	local code
	code=$(cat /var/lib/linkshrink-monitor/code 2>/dev/null) || return 0
	case $(curl -sI --noproxy '*' -m 5 -o /dev/null -w '%{http_code}' "$public/$code") in 30[1278]) ;; *) return 1 ;; esac
}

verify() { # version
	local said pids
	wait_until 30 is_ready || fail "not ready: $ready_answer"
	wait_until "$roll_patience" all_current || fail "not every process is of $1; see $logs"
	wait_until 15 all_in_memory || fail "not every process has joined the others; see $logs"
	said=$(curl -s --noproxy '*' -m 5 "$operations/version" | jq -r .version) || true
	[ "$said" = "$1" ] || fail "/version says '$said'"
	follows_probe || fail "the link of the probe is not followed at $public"
	# To start is one thing.
	pids=$(all_processes)
	sleep 3
	[ "$(all_processes)" = "$pids" ] || fail "processes of $1 do not stay; see $logs"
	is_ready || fail "not ready any more: $ready_answer"
}

install_version() { # package
	[ "$(state)" = "installed $(field "$1" Version)" ] || put_package "$1"
	replace_running
	verify "$(field "$1" Version)"
}

# ---- The two ways

tell_plan() {
	local pending='' ours=etc/linkshrink/lighttpd.conf age
	age=$(backup_age)
	[ -z "${DATABASE_OWNER_URL:-}" ] || pending=$({ migrate --status || true; } | awk '$2 == "pending" { print $1 } $2 == "CHANGED"' | paste -sd , -)
	# dpkg leaves what was edited here.
	cmp -s "/$ours" "/usr/share/linkshrink/$ours" || cp "/$ours" "$work/new/$ours"
	say "installed: $before ($status); $file: $new"
	if leaves_backups; then
		say 'backup: left to another node, linkshrink-backup.timer is masked'
	elif needs_backup; then
		say 'backup: one is made first'
	else
		say "backup: ${age:-no} minutes old"
	fi
	say "migrations: ${pending:-none}"
	if [ "$(made_of "$work/new" web)" = "$(made_from)" ]; then
		say "lighttpd goes on; $(all_processes | grep -c .) processes are replaced, one at a time"
	else
		say 'lighttpd is started again, with all programs; connections wait meanwhile'
	fi
}

upgrade_package() {
	settle_package
	check_file
	check_dpkg
	check_room
	dpkg-deb -x "$file" "$work/new"
	tree=$work/new/usr/lib/linkshrink
	check_programs_run
	check_version "$tree"
	check_running
	[ "$check" = no ] || { tell_plan; exit 0; }
	say "$before is installed, $new is to be"
	if needs_backup; then
		say 'a backup is made first'
		systemctl start linkshrink-backup.service || fail 'there is no backup: journalctl -u linkshrink-backup'
	fi
	if is_begun; then kept=$(kept_before); else keep_way_back; fi
	apply_migrations
	try_programs
	changing=yes
	install_version "$file"
	changing=no
	say "$new runs after $SECONDS s: $(all_processes | grep -c .) processes, none of $before; back: linkshrink upgrade --back"
}

# Versions in between may have taken away from the schema what an older one needs.
check_way_back() {
	local after
	after=$(replaced_by "$kept")
	case $before in "$after" | "$(field "$kept" Version)") return 0 ;; esac
	fail "$before is installed, and $kept was replaced by $after: it may not fit the schema any more. If you know better: apt install $kept"
}

is_back() { # and nothing is left to do of it
	[ "$(state)" = "installed $(field "$kept" Version)" ] && [ "$(made_of / web)" = "$(made_from)" ] && all_current
}

back_package() {
	settle_package
	kept=$(kept_package)
	[ -n "$kept" ] || fail "no version before is kept in $cache"
	check_way_back
	! is_back || fail "$before is what was before, and it runs"
	[ "$check" = no ] || { say "installed: $before ($status); back would come $(field "$kept" Version), $kept"; exit 0; }
	say "$before is installed, $(field "$kept" Version) comes back"
	install_version "$kept"
	say "$(field "$kept" Version) runs after $SECONDS s: $(all_processes | grep -c .) processes, none of $before; the schema stays as it is now"
}
