#!/bin/bash
# The load of tortures and game days is open: what is due is asked whatever became of what came before,
# and each second has a score of its own. So lighttpd is frozen, and exactly that has to be seen.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/web/lib.sh
. tests/web/lib.sh

rate=100 patience=1 creates=20 # requests a second, seconds, percent
declare -A loads=() ended_with=()
frozen=

begin_load() { # name port clients
	mkdir "$work/$1"
	"$LINKSHRINK_TESTS/torture/load" run "$2" "$3" "$rate" 7 "$work/$1" $((patience * 1000)) "$creates" &
	loads[$1]=$!
}

# All of them are told before the first is waited for.
end_loads() {
	local name
	kill -TERM "${loads[@]}"
	for name in "${!loads[@]}"; do
		if wait "${loads[$name]}"; then ended_with[$name]=0; else ended_with[$name]=$?; fi
	done
	loads=()
}

thaw() { [ -z "$frozen" ] || kill -CONT "$frozen" || true; }

clean_up() {
	thaw
	[ "${#loads[@]}" -eq 0 ] || kill "${loads[@]}" 2>/dev/null || true
	stack_down
}

# ---- What the rows say

# rows NAME FROM UNTIL: those of seconds that begin at FROM or later and end by UNTIL
rows() { awk -v from="$2" -v until="$3" '$1 >= from && $1 + 1 <= until' "$work/$1/seconds"; }

# each NAME FROM UNTIL LEAST CONDITION: there are that many, and it is true of all of them
each() {
	rows "$1" "$2" "$3" | awk -v least="$4" -v rate="$rate" -v creates="$creates" \
		"{ n++ } !($5) { print; wrong = 1 } END { if (n < least) print n + 0, \"rows\"; exit wrong || n < least }"
}

ever=99999999999
good='$3 + $5 == 0'
bad='$2 + $4 == 0'
full='$2 + $3 + $4 + $5 == rate'
mixed='$4 + $5 == rate * creates / 100'

has_rows() { [ "$(rows "$1" "$2" "$ever" | wc -l)" -ge "$3" ]; } # name from count
has_bad_rows() { [ "$(awk "$bad" "$work/$1/seconds" | wc -l)" -ge "$2" ]; }
first_row() { head -n 1 "$work/$1/seconds" | cut -d ' ' -f 1; }
without_holes() { # name end
	awk -v end="$2" 'NR > 1 && $1 != last + 1 { print; wrong = 1 } { last = $1 } END { if (last + 1 != end) print "ends with", last; exit wrong || last + 1 != end }' \
		"$work/$1/seconds"
}

summary() { awk -v name="$2" '$1 == name { print $2 }' "$work/$1/summary"; }
agrees() { # name: each request of the summary is in the rows once
	same "$(awk '/^(get|head|create|stranger)_/ { n += $2 } $1 ~ /^(maker_follows|seconds_)/ { n -= $2 } END { print n }' \
		"$work/$1/summary")" "$(awk '{ n += $2 + $3 + $4 + $5 } END { print n }' "$work/$1/seconds")"
}
unanswered() { awk '/_unknown / { n += $2 } END { print n }' "$work/$1/summary"; }
bad_requests() { awk '{ n += $3 + $5 } END { print n }' "$work/$1/seconds"; }
processor_seconds() { ps -o cputimes= -p "${loads[$1]}"; }

# ---- When what happens. In mid-second, so that no whole second is near to it.

is_mid_second() { local tenth=${EPOCHREALTIME/[.,]/}; tenth=${tenth:10:1}; [ "$tenth" -ge 3 ] && [ "$tenth" -le 6 ]; }
mid_second() { wait_until 5 is_mid_second; }

stack_up
trap clean_up EXIT
nobody=$(free_port)

mid_second
began=$EPOCHSECONDS
begin_load many "$LINKSHRINK_PORT" 256
begin_load few "$LINKSHRINK_PORT" 2
begin_load refused "$nobody" 2
check 'seconds are written while it goes on' wait_until 20 has_rows many 0 4
check 'the first is the next whole one' same "$(first_row many)" $((began + 1))

mid_second
frozen=$(noted lighttpd)
kill -STOP "$frozen"
froze=$EPOCHSECONDS
check 'lighttpd is frozen: seconds are bad as a whole' wait_until 20 has_bad_rows many 3
mid_second
thawed=$EPOCHSECONDS
thaw
frozen=
check 'and written as before when it goes on' wait_until 20 has_rows many $((thawed + 1)) 3

mid_second
spent=$(processor_seconds few) spent_refused=$(processor_seconds refused)
ended=$EPOCHSECONDS
end_loads

for name in many few; do
	check "$name clients: all is good until then" each "$name" 0 "$froze" 3 "$good"
	check "$name clients: all that was due in between is bad" each "$name" $((froze + 1)) $((thawed - patience)) 3 "$bad"
	check "$name clients: all is good after" each "$name" $((thawed + 1)) "$ever" 3 "$good"
	check "$name clients: as much was due in each second" each "$name" 0 "$ever" 10 "$full"
	check "$name clients: so many creates as was said, once there are links" each "$name" $((began + 2)) "$ever" 9 "$mixed"
done
for name in many few refused; do
	check "$name: the load ends in order" same "${ended_with[$name]}" 0
	check "$name: each second has its row, up to the end" without_holes "$name" "$ended"
	check "$name: the summary knows of the same requests" agrees "$name"
done
check 'many clients leave nobody waiting' same "$(summary many get_not_served)" 0
# But for one that is answered in the moment when its time is up.
check 'nor does anybody wait for longer than he has patience' test "$(unanswered many)" -ge $(($(bad_requests many) - rate / 10))
check 'few do while they are held up' test "$(summary few get_not_served)" -gt "$rate"
check 'and do not spin' test "$spent" -le 2
check 'where nobody listens all is bad, and as much is due' each refused 0 "$ever" 10 "\$5 == rate"
check 'nothing was sent' same "$(summary refused create_not_sent)" \
	$(((ended - began - 1) * rate + $(summary refused seconds_unwritten)))
check 'and nobody spins' test "$spent_refused" -le 2
finish
