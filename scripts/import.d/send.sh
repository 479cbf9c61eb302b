# Rows into pieces, pieces to the API, what it refuses into the report. Sourced by import, after api.sh.
#
#   send_rows KIND ROWS   all rows that map.awk wrote, $total of them; adds to $refused and to $present,
#                         those that were there before. Fails where it cannot go on.
# shellcheck shell=bash disable=SC2154,SC2034 # variables of import

# Below the API's 8 MiB, and so few that a piece is a matter of seconds.
readonly piece_bytes=$((7 * 1024 * 1024)) piece_rows=10000
readonly named_rows=100 # the API names so many refused rows of a piece
readonly away='not stored: the database is away'

milliseconds() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

# On a terminal one line that changes, else one a piece.
progress() {
	local spent rate=- end='\n'
	spent=$(($(milliseconds) - began))
	[ "$spent" -eq 0 ] || rate=$((sent * 1000 / spent))
	[ ! -t 2 ] || end='\r'
	printf '%s: %d of %d rows, %s rows/s, %d refused   %b' "$name" "$sent" "$total" "$rate" "$refused" "$end" >&2
}

# Links that are there already need not be sent again, and must not look like a fault.
drop_present() { # rows pending: $there is how many were there
	ask GET /urls/export
	expect 200 'what links are there already is not known'
	csv_awk -f "$here/report.awk" -f "$here/there.awk" \
		pass=1 "$1" pass=2 "$work/answer" pass=3 "$1" >"$2" 2>"$work/found"
	read -r there elsewhere <"$work/found"
	refused=$((refused + elsewhere))
}

cut_pieces() { # rows most-rows: prints "piece rows"
	rm -rf "$work/pieces"
	mkdir "$work/pieces"
	csv_awk -v most_bytes="$piece_bytes" -v most_rows="$2" -v out="$work/pieces" \
		-v owner="$user_id" -f "$here/pieces.awk" "$1"
}

# $unnamed: how many of the piece were refused without a name. $work/rest: the piece without the named.
send_piece() { # kind piece
	local skipped named
	post_rows "$1" "$2.csv"
	expect 201 "stopped in $name after $sent rows; run it again, and what is there is left out"
	jq -r '.errors[] | [.row, .error] | @tsv' "$work/answer" >"$work/errors"
	! grep -qF "$away" "$work/errors" || fail "stopped in $name: the database is away; run it again, and what is there is left out"
	named=$(wc -l <"$work/errors")
	skipped=$(jq ".skipped // 0" "$work/answer")
	csv_awk -f "$here/report.awk" -f "$here/refused.awk" part=errors "$work/errors" part=rows "$2.rows" >"$work/rest"
	refused=$((refused + named))
	unnamed=$((skipped - named))
}

# $work/again has the rows of pieces in which not all that was refused was named.
send_named() { # kind rows most-rows
	local piece rows
	rm -f "$work/again"
	while read -r piece rows; do
		send_piece "$1" "$work/pieces/$piece"
		if [ "$unnamed" -gt 0 ]; then
			[ -e "$work/again" ] || head -n 1 "$work/rest" >"$work/again"
			tail -n +2 "$work/rest" >>"$work/again"
		fi
		[ "$3" -eq "$named_rows" ] || sent=$((sent + rows))
		progress
	done < <(cut_pieces "$2" "$3")
}

send_rows() { # kind rows
	local pending=$2
	began=$(milliseconds) sent=0
	if [ "$1" = urls ]; then
		pending=$work/pending
		drop_present "$2" "$pending"
		present=$there sent=$((there + elsewhere))
	fi
	send_named "$1" "$pending" "$piece_rows"
	send_again "$1"
	[ ! -t 2 ] || echo >&2
}

# What of such pieces is not there goes again, so few at a time that each reason is named. Users and
# events may go twice: the API knows them by what they are.
send_again() { # kind
	[ -e "$work/again" ] || return 0
	mv "$work/again" "$work/doubtful"
	if [ "$1" = urls ]; then
		drop_present "$work/doubtful" "$work/pending"
	else
		mv "$work/doubtful" "$work/pending"
	fi
	send_named "$1" "$work/pending" "$named_rows"
}
