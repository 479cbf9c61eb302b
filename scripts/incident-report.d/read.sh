# How the programs of awk are given a journal. Sourced by scripts/incident-report and judge, after
# they set $here, the directory of this file, and defined fail().
# shellcheck shell=bash disable=SC2154

# What no picture and no terminal may get: control characters but tabs, and what is not UTF-8.
clean_text() { # file
	tr -d '\000-\010\013-\037\177' <"$1" | { iconv -c -f UTF-8 -t UTF-8 || true; }
}

# Runs programs of awk, in this order, over a journal.
over_journal() { # journal program…
	local journal=$1 part programs=()
	shift
	for part in facts events seconds; do
		[ -r "$journal/$part" ] || fail "$journal is no journal: $part is missing"
	done
	for part in text journal figures verdict "$@"; do programs+=(-f "$here/$part.awk"); done
	LC_ALL=C awk "${programs[@]}" file=facts <(clean_text "$journal/facts") \
		file=events <(clean_text "$journal/events") file=seconds <(clean_text "$journal/seconds")
}
