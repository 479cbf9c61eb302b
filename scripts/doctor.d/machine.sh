# What the doctor asks of the machine: packages, clock, kernel, directories, disks, shared memory.
# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared with the other files

check_packages() {
	local said
	if said=$("$repo/scripts/deps" --check run 2>&1); then
		ok packages "everything that running needs is installed"
	else
		bad packages "not installed: $(sed -n 's/^Missing: //p' <<<"$said"); type: make deps"
	fi
}

check_programs_built() {
	local program missing='' old=''
	for program in $(list_programs); do
		if [ ! -x "$bin/$program" ]; then
			missing+=" $program"
		elif is_running && ! cmp -s "$bin/$program" "$app/bin/$program"; then
			old+=" $program"
		fi
	done
	if [ -n "$missing" ]; then
		bad programs "not in $bin:$missing; type: make build"
	elif [ -n "$old" ]; then
		warn programs "another build runs than the one in $bin:$old; scripts/stack restart puts the new one in place"
	else
		ok programs "built"
	fi
}

# ---- Clock

check_clock() {
	local year synchronised
	year=$(date -u +%Y)
	if [ "$year" -lt 2025 ] || [ "$year" -gt 2100 ]; then
		bad clock "it says $year; set it (timedatectl set-ntp true, or date --set)"
		return
	fi
	synchronised=$(timeout 1 timedatectl show -p NTPSynchronized --value 2>/dev/null)
	case $synchronised in
	yes) ok clock "synchronised" ;;
	no) warn clock "not synchronised: validity of links and logs drift; type: timedatectl set-ntp true" ;;
	*) ok clock "plausible; this machine does not say whether it is synchronised" ;;
	esac
}

# A clock that was set back makes what is new look old.
check_clock_of_files() {
	local now newest
	[ -d "$logs" ] || return 0
	now=$(date +%s)
	newest=$(find "$logs" "$run" -maxdepth 1 -type f -printf '%T@\n' 2>/dev/null | cut -d . -f 1 | sort -n | tail -n 1)
	[ "${newest:-0}" -le $((now + 5)) ] ||
		bad clock "a file in $var was written $((newest - now)) s in the future: the clock was set back; set it right"
}

# ---- Kernel

most_files() { ulimit -Hn; }

check_kernel() {
	local files backlog
	files=$(most_files)
	if [ "$files" != unlimited ] && [ "$files" -lt 16384 ]; then
		warn kernel "only $files open files allowed, lighttpd wants 16384; raise it (ulimit -Hn, LimitNOFILE)"
	else
		ok kernel "open files: $files"
	fi
	backlog=$(cat /proc/sys/net/core/somaxconn 2>/dev/null)
	if [ "${backlog:-4096}" -lt 4096 ]; then
		warn kernel "net.core.somaxconn is $backlog: connections are refused in a burst; type: sysctl -w net.core.somaxconn=4096"
	else
		ok kernel "queue of connections: ${backlog:-unknown}"
	fi
}

# ---- Directories

existing() { # path: itself, or the nearest directory above that exists
	local path=$1
	while [ ! -e "$path" ]; do path=$(dirname "$path"); done
	printf '%s\n' "$path"
}

may() { as "$1" test "-$2" "$3"; } # user, letter of test, path

foreign=no # the data belongs to somebody else: little can be known about it

check_directories() {
	local parent owner
	if [ ! -e "$var" ]; then
		parent=$(existing "$var")
		if [ -w "$parent" ]; then
			ok directories "$var does not exist yet; scripts/stack up makes it"
		else
			bad directories "$(id -un) can't make $var: $parent is not writable; choose LINKSHRINK_VAR or change the rights"
		fi
		return
	fi
	owner=$(stat -c %U "$var")
	if [ "$(id -u)" -ne 0 ] && [ "$owner" != "$(id -un)" ]; then
		foreign=yes
		bad directories "$var belongs to $owner; run this as $owner or root"
		return
	fi
	check_rights && ok directories "$var is as it should be${note:+ ($note)}"
}

check_rights() {
	local path well=0
	for path in "$run" "$logs"; do
		[ ! -e "$path" ] || { [ -d "$path" ] && may "$web_user" x "$path" && [ -w "$path" ]; } ||
			{ bad directories "$path: $web_user must get into it and $(id -un) must write to it; type: chmod 755 $path"; well=1; }
	done
	for path in "$plain/web" "$shared"; do
		[ ! -e "$path" ] || may "$web_user" w "$path" ||
			{ bad directories "$path is not writable for $web_user; type: chown $web_user $path"; well=1; }
	done
	for path in linkshrink.log lighttpd.log programs.log; do
		[ ! -e "$logs/$path" ] || may "$web_user" w "$logs/$path" ||
			{ bad logs "$logs/$path is not writable for $web_user; type: chown $web_user:$web_group $logs/$path"; well=1; }
	done
	check_cluster_rights || well=1
	return "$well"
}

check_cluster_rights() {
	local owner mode
	[ -e "$cluster" ] || return 0
	owner=$(stat -c %U "$cluster") mode=$(stat -c %a "$cluster")
	if [ "$owner" != "$database_user" ]; then
		bad directories "$cluster belongs to $owner, PostgreSQL runs as $database_user; type: chown -R $database_user $cluster"
	elif [ "$mode" != 700 ] && [ "$mode" != 750 ]; then
		bad directories "$cluster has mode $mode, PostgreSQL refuses that; type: chmod 700 $cluster"
	else
		return 0
	fi
	return 1
}

# ---- Disks

check_disks() {
	local path seen='' device
	for path in "$var" "$cluster" "$logs" "${LINKSHRINK_LOG:-$logs}" "$LINKSHRINK_SPOOL" "$LINKSHRINK_REPLICA"; do
		path=$(existing "$path")
		device=$(stat -c %d "$path")
		case " $seen " in *" $device "*) continue ;; esac
		seen+=" $device"
		check_disk "$path"
	done
}

check_disk() { # path
	local free files
	free=$(df -P -B 1M "$1" 2>/dev/null | awk 'NR == 2 { print $4 }')
	# Some file systems have no fixed number of files and say 0 of 0.
	files=$(df -P -i "$1" 2>/dev/null | awk 'NR == 2 && $2 + 0 > 0 { print $4 }')
	if [ "${free:-0}" -lt 64 ]; then
		bad disk "$free MB free for $1: PostgreSQL stops and log lines are lost; delete or move something"
	elif [ "${files:-100000}" -lt 100 ]; then
		bad disk "$files inodes free for $1: no file can be made; delete many small files"
	elif [ "$free" -lt 1024 ] || [ "${files:-100000}" -lt 10000 ]; then
		warn disk "$free MB and ${files:-any number of} inodes free for $1: soon full"
	else
		ok disk "$free MB free for $1"
	fi
}

# Where links and clicks outlive PostgreSQL: on a disk, and theirs who write there.
check_storage() {
	local name path well=yes
	for name in LINKSHRINK_SPOOL LINKSHRINK_REPLICA; do
		path=${!name}
		if [ -e "$path" ] && ! { [ -d "$path" ] && may "$web_user" w "$path"; }; then
			bad directories "$name: $web_user can't make files in $path; type: chown $web_user $path"
			well=no
		elif [ "$(stat -f -c %T "$(existing "$path")")" = tmpfs ]; then
			warn directories "$name lies in $path, which is memory: a restart of the machine loses it; choose a disk"
			well=no
		fi
	done
	[ "$well" = no ] || ok directories "links and clicks outlive a restart"
}

check_shared_memory() {
	local place free
	place=$(dirname "$LINKSHRINK_SEGMENT")
	if [ "$place" != "$shared" ] && ! may "$web_user" w "$place"; then
		bad memory "LINKSHRINK_SEGMENT: $web_user can't make a file in $place, so each program counts for itself; correct it"
		return
	fi
	place=$(existing "$place")
	free=$(df -P -B 1M "$place" 2>/dev/null | awk 'NR == 2 { print $4 }')
	if [ ! -d /dev/shm ] || ! may "$web_user" w /dev/shm; then
		warn memory "/dev/shm is missing or not writable for $web_user; counters go to $place; mount a tmpfs there"
	elif [ "$(stat -f -c %T "$place")" != tmpfs ]; then
		warn memory "LINKSHRINK_SEGMENT lies in $place, which is a disk: each counter costs a write; use /dev/shm"
	elif [ "${free:-0}" -lt 16 ]; then
		bad memory "$free MB free in $place, 16 are needed: programs would die; delete from it or mount it larger"
	else
		ok memory "$free MB free in $place"
	fi
}
