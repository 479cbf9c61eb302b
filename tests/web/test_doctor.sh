#!/bin/bash
# scripts/doctor: each fault that can be planted is named, with the right verdict; and where there is
# none it finds none.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/web/lib.sh
. tests/web/lib.sh

doctor=$PWD/scripts/doctor
trap end_all EXIT
holder='' mounted='' stopped=''
end_all() {
	[ -z "$stopped" ] || kill -CONT "$stopped" 2>/dev/null || true
	[ -z "$holder" ] || kill "$holder" 2>/dev/null || true
	[ -z "$mounted" ] || umount "$mounted" 2>/dev/null || true
	stack_down
}

# diagnosis STATUS LINE [variable=value…] [command…]: what it ends with, and a line it prints
diagnosis() {
	local want=$1 line=$2 status=0
	shift 2
	env "$@" "$doctor" >"$work/said" 2>&1 || status=$?
	if [ "$status" -ne "$want" ] || ! grep -q "^$line" "$work/said"; then
		echo "# status $status, wanted $want and '$line'"
		cat "$work/said"
		return 1
	fi
}
says() { grep -q "^$1" "$work/said" || { cat "$work/said"; return 1; }; }
silent() { ! grep -q "^$1" "$work/said" || { cat "$work/said"; return 1; }; }
exits() {
	local want=$1 got=0
	shift
	"$@" >"$work/said" 2>&1 || got=$?
	[ "$got" -eq "$want" ]
}
stub() { # NAME: a command of this name, from standard input, in front of the real one
	mkdir -p "$work/$1"
	cat >"$work/$1/$1"
	chmod 755 "$work/$1" "$work/$1/$1"
}
snapshot() { find "$LINKSHRINK_VAR" -printf '%p %m %u %g %s %T@\n' 2>/dev/null | sort; }
superuser() {
	if [ "$(id -u)" -eq 0 ]; then set -- setpriv --reuid=postgres --regid=postgres --init-groups -- psql "$@"; else set -- psql "$@"; fi
	(cd / && "$@" -X -q -A -t -v ON_ERROR_STOP=1 -h "$LINKSHRINK_VAR/run/pg" -U postgres -d linkshrink)
}
reload() { superuser -c 'SELECT pg_reload_conf()' >/dev/null; }

# ---- Before the first start

export LINKSHRINK_VAR=$work/var LINKSHRINK_PORT LINKSHRINK_OPS_PORT
LINKSHRINK_PORT=$(free_port)
LINKSHRINK_OPS_PORT=$(free_port)
check 'help' exits 0 "$doctor" --help
check 'what it does not know is refused' exits 2 "$doctor" --mend
check 'nothing is wrong before the first start' diagnosis 0 'ok    directories .* does not exist yet'
check 'and it counts what it found' says '[0-9]* ok, [0-9]* warnings, 0 failures'
check 'it made nothing' test ! -e "$LINKSHRINK_VAR"
check 'programs that are not built' diagnosis 1 'FAIL  programs .*redirect.*make build' LINKSHRINK_BIN=/nonexistent
mkdir "$work/closed"
chmod 555 "$work/closed"
[ "$(id -u)" -eq 0 ] || check 'a directory that cannot be made' diagnosis 1 'FAIL  directories .*not writable' LINKSHRINK_VAR="$work/closed/var"

stub dpkg-query <<'STUB'
#!/bin/sh
/usr/bin/dpkg-query "$@" | grep -v ' lighttpd$'
STUB
check 'a package that is missing' diagnosis 1 'FAIL  packages .*: lighttpd; type: make deps' PATH="$work/dpkg-query:$PATH"
stub date <<'STUB'
#!/bin/sh
[ "$*" != '-u +%Y' ] || exec echo 1999
exec /bin/date "$@"
STUB
check 'a clock of another century' diagnosis 1 'FAIL  clock .*1999' PATH="$work/date:$PATH"
stub timedatectl <<'STUB'
#!/bin/sh
echo no
STUB
check 'a clock that nothing synchronises' diagnosis 0 'warn  clock ' PATH="$work/timedatectl:$PATH"
check 'few open files' bash -c "ulimit -n 1024; [ \"\$('$doctor' | grep -c '^warn  kernel .*1024 open files')\" -eq 1 ]"

# ---- Ports

cat >"$work/holder.conf" <<HOLDER
server.document-root = "$work"
server.bind = "127.0.0.1"
server.port = $LINKSHRINK_PORT
HOLDER
/usr/sbin/lighttpd -D -f "$work/holder.conf" >/dev/null 2>&1 &
holder=$!
wait_until 5 listens "$LINKSHRINK_PORT"
check 'a port that is taken, and by whom' diagnosis 1 "FAIL  ports .*$LINKSHRINK_PORT is taken by lighttpd (pid $holder).*LINKSHRINK_PORT"
check 'the other port is free' says "ok    ports .*$LINKSHRINK_OPS_PORT is free"
kill "$holder"
wait "$holder" 2>/dev/null || true
holder=
[ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" -le 80 ] ||
	check 'a port that only root may have' diagnosis 1 'FAIL  ports .*LINKSHRINK_PORT is 80' LINKSHRINK_PORT=80
check 'a port that is none' diagnosis 1 'FAIL  settings .*LINKSHRINK_PORT' LINKSHRINK_PORT=80a
check 'one port for two listeners' diagnosis 1 'FAIL  settings .*must differ' LINKSHRINK_OPS_PORT="$LINKSHRINK_PORT"

# ---- Settings

limits='LINKSHRINK_RATE_CREATE=60 LINKSHRINK_RATE_API=600 LINKSHRINK_ANONYMOUS_CREATE=no LINKSHRINK_BASE_URL=https://s.example'
export DATABASE_INGEST_URL=postgresql://x@127.0.0.1:1/x # counts only beside DATABASE_URL
# verdict | words of the line | settings
while IFS='|' read -r status line settings; do
	# shellcheck disable=SC2086 # settings are words
	check "settings: $settings" diagnosis "$status" "$line" $settings
done <<ROWS
1|FAIL  settings .*LINKSHRINK_LOG_LEVEL.*loud|LINKSHRINK_LOG_LEVEL=loud
1|FAIL  settings .*LINKSHRINK_BASE_URL|LINKSHRINK_BASE_URL=ftp://x
1|FAIL  settings .*LINKSHRINK_STALL_MS|LINKSHRINK_STALL_MS=3000 LINKSHRINK_DATABASE_DEADLINE_MS=2000
1|FAIL  settings .*LINKSHRINK_DATABASE_URL|LINKSHRINK_DATABASE_URL=nonsense
1|FAIL  settings .*without limit.*LINKSHRINK_RATE_CREATE|LINKSHRINK_LISTEN=0.0.0.0
0|warn  settings .*LINKSHRINK_BASE_URL is http|LINKSHRINK_LISTEN=0.0.0.0 $limits LINKSHRINK_BASE_URL=http://s.example
0|warn  settings .*leads nobody here|LINKSHRINK_LISTEN=0.0.0.0 $limits LINKSHRINK_BASE_URL=https://localhost
0|warn  settings .*LINKSHRINK_RATE_API is 0|LINKSHRINK_LISTEN=0.0.0.0 $limits LINKSHRINK_RATE_API=0
0|warn  settings .*LINKSHRINK_RATE_AUTH_FAIL is 0|LINKSHRINK_LISTEN=0.0.0.0 $limits LINKSHRINK_RATE_AUTH_FAIL=0
0|warn  settings .*private network|LINKSHRINK_LISTEN=0.0.0.0 $limits LINKSHRINK_PRIVATE_TARGETS=yes
0|ok    settings .*nothing contradicts|LINKSHRINK_LISTEN=0.0.0.0 $limits
0|warn  settings .*short links begin with|LINKSHRINK_BASE_URL=http://127.0.0.1:1
0|warn  settings .*504|LINKSHRINK_STALL_MS=20000
0|warn  settings .*slow|LINKSHRINK_SLOW_MS=5000
0|warn  settings .*LINKSHRINK_LOG_LEVEL|LINKSHRINK_LOG_LEVEL=error
1|FAIL  settings .*LINKSHRINK_BLOCKLIST: .*can't read|LINKSHRINK_BLOCKLIST=/nonexistent/blocked
1|FAIL  settings .*LINKSHRINK_BLOCKLIST is .*begin it with /|LINKSHRINK_BLOCKLIST=README.md
0|ok    settings .*nothing contradicts|LINKSHRINK_BLOCKLIST=/etc/hosts
0|warn  logs .*LINKSHRINK_LOG is empty|LINKSHRINK_LOG=
1|FAIL  logs .*can't write|LINKSHRINK_LOG=/nonexistent/log
1|FAIL  listeners .*LINKSHRINK_OPS_LISTEN|LINKSHRINK_OPS_LISTEN=0.0.0.0
1|FAIL  listeners .*no interface|LINKSHRINK_LISTEN=192.0.2.77 $limits
1|FAIL  postgresql .*DATABASE_URL does not answer|DATABASE_URL=postgresql://x@127.0.0.1:1/x
1|FAIL  settings .*DATABASE_INGEST_URL is not set|DATABASE_URL=postgresql://x@127.0.0.1:1/x DATABASE_INGEST_URL=
1|FAIL  directories .*LINKSHRINK_SPOOL|LINKSHRINK_SPOOL=/proc/version
1|FAIL  directories .*LINKSHRINK_REPLICA|LINKSHRINK_REPLICA=/proc/version
0|warn  directories .*LINKSHRINK_SPOOL lies in .*memory|LINKSHRINK_SPOOL=/dev/shm/nothing
ROWS
check 'no password is shown' eval "! env DATABASE_URL=postgresql://x:hush-hush@127.0.0.1:1/x '$doctor' | grep -q hush-hush"

mkdir "$work/copy"
cp -r scripts db lighttpd lighttpd.conf cgi-bin common debian-packages "$work/copy"
echo 'server.no-such-thing = (' >>"$work/copy/lighttpd.conf"
check 'a broken lighttpd.conf' exits 1 "$work/copy/scripts/doctor"
check 'by its own word' says 'FAIL  lighttpd .*refuses lighttpd.conf'

# ---- Disks

mkdir "$work/small"
if [ "$(id -u)" -eq 0 ] && mount -t tmpfs -o size=8M,mode=1777 none "$work/small" 2>/dev/null; then
	mounted=$work/small
	check 'a disk that is full' diagnosis 1 'FAIL  disk .*MB free' LINKSHRINK_VAR="$work/small/var"
	check 'too little shared memory' diagnosis 1 'FAIL  memory .*16 are needed' LINKSHRINK_SEGMENT="$work/small/segment"
	mount -o remount,size=128M,nr_inodes=20 "$work/small"
	check 'a disk without inodes' diagnosis 1 'FAIL  disk .*inodes free' LINKSHRINK_VAR="$work/small/var"
	umount "$work/small"
	mounted=
fi
chmod 1777 "$work/small"
[ "$(stat -f -c %T "$work/small")" = tmpfs ] ||
	check 'counters on a disk' diagnosis 0 'warn  memory .*disk' LINKSHRINK_SEGMENT="$work/small/segment"
check 'counters that nobody can share' diagnosis 1 'FAIL  memory .*LINKSHRINK_SEGMENT' LINKSHRINK_SEGMENT=/nonexistent/segment

# ---- Beside a running stack

# A program that is stopped below stays so, however long the doctor takes.
export LINKSHRINK_STALL_MS=60000
stack_start
check 'nothing is wrong with a stack that runs' diagnosis 0 'ok    ready '
for line in postgresql role durability connections schema processes; do check "$line is well" says "ok    $line "; done
check 'no failure' says '[0-9]* ok, [0-9]* warnings, 0 failures'
check 'it takes the settings of the stack that runs' diagnosis 0 'ok    ready ' -u LINKSHRINK_PORT -u LINKSHRINK_OPS_PORT
if [ "$(id -u)" -eq 0 ] && setpriv --reuid=nobody --regid=nogroup --clear-groups test -x "$doctor" -a -x "$LINKSHRINK_BIN/redirect"; then
	check 'somebody else is told to be its owner' exits 1 setpriv --reuid=nobody --regid=nogroup --clear-groups "$doctor"
	check 'by name' says 'FAIL  directories .*belongs to root'
	mkdir "$work/nobody"
	chown nobody "$work/nobody"
	check 'a person who is not root' exits 0 setpriv --reuid=nobody --regid=nogroup --clear-groups \
		env LINKSHRINK_VAR="$work/nobody/var" LINKSHRINK_PORT="$(free_port)" LINKSHRINK_OPS_PORT="$(free_port)" "$doctor"
fi

# ---- PostgreSQL

# statements to plant the fault | those to mend it | line
while IFS='|' read -r fault mend line; do
	superuser -c "$fault" >/dev/null
	check "in PostgreSQL: $fault" diagnosis 1 "$line"
	superuser -c "$mend" >/dev/null
done <<'ROWS'
ALTER ROLE linkshrink_web CREATEDB|ALTER ROLE linkshrink_web NOCREATEDB|FAIL  role .*NOCREATEDB
REVOKE SELECT ON links FROM linkshrink_web|GRANT SELECT ON links TO linkshrink_web|FAIL  role .*lacks rights
REVOKE INSERT ON clicks FROM linkshrink_ingest|GRANT INSERT ON clicks TO linkshrink_ingest|FAIL  role .*may not count clicks
REVOKE INSERT ON click_days FROM linkshrink_ingest|GRANT INSERT ON click_days TO linkshrink_ingest|FAIL  role .*may not count clicks
REVOKE EXECUTE ON FUNCTION clicks_index_partition FROM linkshrink_ingest|GRANT EXECUTE ON FUNCTION clicks_index_partition TO linkshrink_ingest|FAIL  role .*may not count clicks
GRANT DELETE ON links TO linkshrink_web|REVOKE DELETE ON links FROM linkshrink_web|FAIL  role .*may delete
ALTER ROLE linkshrink_web SET synchronous_commit = off|ALTER ROLE linkshrink_web RESET synchronous_commit|FAIL  durability .*synchronous_commit
ROWS
superuser -c 'ALTER SYSTEM SET fsync = off'
reload
off() { [ "$(sql 'SHOW fsync')" = "$1" ]; }
wait_until 5 off off
check 'writes that are not durable' diagnosis 1 'FAIL  durability .*fsync'
superuser -c 'ALTER SYSTEM RESET fsync'
reload
cp -r db/migrations "$work/migrations"
next=$(find db/migrations -name '[0-9]*.sql' | wc -l)
echo 'SELECT 1;' >"$work/migrations/$(printf '%04d' $((next + 1)))_planted.sql"
check 'a schema that is behind' diagnosis 1 'FAIL  schema .*not applied yet: .*planted' MIGRATIONS="$work/migrations"
rm "$work/migrations"/*_planted.sql
echo '-- changed' >>"$work/migrations/0001_links.sql"
check 'a migration that was changed' diagnosis 1 'FAIL  schema .*changed.*0001_links' MIGRATIONS="$work/migrations"

stopped=$(noted postgresql)
kill -STOP "$stopped"
check 'a PostgreSQL that hangs' diagnosis 1 'FAIL  postgresql .*does not answer'
kill -CONT "$stopped"
stopped=

# ---- Processes

stopped=$(stack_programs shorten | head -n 1)
kill -STOP "$stopped"
check 'a program that is stopped' diagnosis 1 'FAIL  processes .*shorten 1 of 2'
kill -CONT "$stopped" 2>/dev/null || true # where the doctor took its time another one is in its place
stopped=
kill -9 "$(stack_programs metrics | head -n 1)"
wait_until 10 running metrics 2
check 'a program that died is remembered' wait_until 10 diagnosis 0 'warn  processes .*died'

# ---- Rights, and what is left

scripts/stack down >/dev/null
check 'nothing is wrong with a stack that is down' diagnosis 0 'ok    stack '
snapshot >"$work/before"
check 'all it did was to look' eval "'$doctor' >/dev/null && snapshot | diff '$work/before' -"
mkdir "$work/temporary"
check 'nothing of it is left' eval 'TMPDIR=$work/temporary "$doctor" >/dev/null && rmdir "$work/temporary"'
chmod 500 "$LINKSHRINK_VAR/log"
check 'a directory that is closed' diagnosis 1 "FAIL  directories .*/log:.*chmod 755"
chmod 755 "$LINKSHRINK_VAR/log" "$LINKSHRINK_VAR/pg"
check 'a cluster that is open' diagnosis 1 'FAIL  directories .*/pg has mode 755.*chmod 700'
chmod 700 "$LINKSHRINK_VAR/pg"
if [ "$(id -u)" -eq 0 ]; then
	chown root "$LINKSHRINK_VAR/log/linkshrink.log"
	check 'a log that is not the programs'"'" diagnosis 1 'FAIL  logs .*linkshrink.log is not writable for www-data'
	chown www-data "$LINKSHRINK_VAR/log/linkshrink.log"
fi
touch -d '+1 hour' "$LINKSHRINK_VAR/log/stack.log"
check 'a clock that was set back' diagnosis 1 'FAIL  clock .*in the future'
touch "$LINKSHRINK_VAR/log/stack.log"
(exec -a "$LINKSHRINK_VAR/app/bin/redirect" sleep 60) &
holder=$!
left() { diagnosis 0 "warn  stack .*$holder"; }
check 'what a dead stack left' wait_until 5 left
kill "$holder"
wait "$holder" 2>/dev/null || true
holder=

superuser_file=$LINKSHRINK_VAR/pg/postgresql.auto.conf
stack_start
superuser -c 'ALTER SYSTEM SET max_connections = 30'
check 'the fault is planted' grep -q max_connections "$superuser_file"
stack_restart
check 'too few connections' diagnosis 1 'FAIL  connections .*raise max_connections'
kill -9 "$(cat "$LINKSHRINK_VAR/run/lock")"
gone() { diagnosis 0 'ok    stack '; }
check 'after a crash it says what to do' wait_until 10 gone

# ---- What others put in its way

# A process with the name of a setting that the shell would calculate, noted as our lighttpd.
strange=$work/strange
mkdir -p "$strange/run"
env "LINKSHRINK_A[\$(touch $work/evil)0]=1" flock "$strange/run/lock" sleep 60 &
holder=$!
held() { ! flock -n "$strange/run/lock" true; }
wait_until 10 held
printf 'lighttpd %s\n' "$holder" >"$strange/run/state"
LINKSHRINK_VAR=$strange "$doctor" >/dev/null 2>&1 || true
check 'no name of another process is evaluated' test ! -e "$work/evil"
pkill -P "$holder" || true
wait "$holder" 2>/dev/null || true
holder=

stub psql <<STUB
#!/bin/sh
echo 'linkshrink_web UID[\$(touch\${IFS}$work/evil)0] on on on 97 1 f t f t 1700000000'
STUB
check 'an answer that is no number is a failure' diagnosis 1 'FAIL  postgresql .*no sense' \
	PATH="$work/psql:$PATH" DATABASE_URL=postgresql://linkshrink_web@127.0.0.1/linkshrink
check 'and is not evaluated' test ! -e "$work/evil"

finish
