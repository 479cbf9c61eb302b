# The end of a torture: what clients were told against what PostgreSQL has. Sourced by run, as bash;
# close_books judges, keep_evidence saves what explains a failure.
#
# Files in $results: stored ("code target counted rows" of every link in PostgreSQL, by tabs),
# differences (what is wrong with which code), sums ("name number" of all), beside those of load.
# shellcheck shell=bash disable=SC2154 # results and the helpers are those of run

# Everything is quiet when ingest has nothing left to do and its counts stand still.
is_drained() {
	local counted
	[ "$(metric 'linkshrink_spool_bytes{part="pending"}')" = 0 ] || return 1
	metric linkshrink_clicks_committed_until_timestamp_seconds |
		awk -v since="$load_ended" '$1 > since { good = 1 } END { exit !good }' || return 1
	counted=$(sql 'SELECT sum(n) FROM click_hours') || return 1
	[ "$counted" = "${counted_before:-}" ] || { counted_before=$counted; rest 500; return 1; }
}

store() {
	sql "COPY (
		SELECT code, target, coalesce(c.n, 0), coalesce(r.n, 0) FROM links
		LEFT JOIN (SELECT link, sum(n) AS n FROM click_hours GROUP BY link) c ON c.link = links.id
		LEFT JOIN (SELECT link, count(*) AS n FROM clicks GROUP BY link) r ON r.link = links.id
	) TO STDOUT" >"$results/stored"
}

dropped() {
	curl -s -m 5 "http://127.0.0.1:$LINKSHRINK_OPS_PORT/metrics" |
		awk '/^linkshrink_clicks_dropped_total/ { n += $NF } END { print n + 0 }'
}

sum() { awk -v name="$1" '$1 == name { n = $2 } END { print n + 0 }' "$results/sums"; }

no_events() { # kind…
	awk -v kinds=" $* " 'index(kinds, " " $2 " ")' "$results/events" >"$results/events.$1"
	none "$(wc -l <"$results/events.$1")" "events.$1"
}

# Transactions of ingest, by what became of them.
batches() { metric "linkshrink_click_batches_total{batch=\"$1\"}"; }

none() { # number file: nothing is wrong; else some lines that are
	[ "$1" -eq 0 ] && return
	echo "$1 of them; $results/$2 begins with:"
	head -n 5 "$results/$2"
	return 1
}

wrong() { grep -E "^($1) " "$results/differences" >"$results/differences.${1%%|*}" || true; }

# How often something was answered: "get_503_edge", or "get_503" by whomever.
answers() { awk -v name="$1" 'index($1 "_", name "_") == 1 { n += $2 } END { print n + 0 }' "$results/summary"; }

print_table() {
	local kind
	echo
	printf '%-9s %s\n' \
		links "$(sum links) acknowledged, $(sum lost) lost, $(sum retargeted) with another target," \
		'' "$(sum unasked) stored without an answer" \
		clicks "$(sum acknowledged) acknowledged, $(sum unknown) with unknown outcome, $(sum counted) counted," \
		'' "$(sum missing) missing ($(dropped) reported as dropped), $(sum surplus) too many" \
		batches "$(batches committed) committed, $(batches conflict) in conflict, $(batches failed) failed, $(batches unknown) with unknown outcome" \
		answers "$(answers get_302) redirects; 503: $(answers get_503_program) by programs, $(answers get_503_edge) by lighttpd;" \
		'' "$(answers get_unknown) none, $(answers get_not_sent) not connected" \
		creates "$(answers create_201) made; 503: $(answers create_503_program) by programs, $(answers create_503_edge) by lighttpd;" \
		'' "$(answers create_unknown) none, $(answers create_not_sent) not connected" \
		gap "$(awk '$1 ~ /^longest_gap/ { printf "%s ", $2 }' "$results/summary")(longest time in ms without a good redirect, and its end)"
	echo faults
	cut -d ' ' -f 2 "$results/journal" | grep -v undone | sort | uniq -c
	echo 'answers that were neither right nor the 503 of a program'
	cut -d ' ' -f 2,3,5 "$results/events" | sort | uniq -c
	echo
}

# Each program is bounded, whatever state the stack is in.
close_books() {
	load_ended=$(date +%s.%N) counted_before=
	check 'all clicks have been taken from the spool' wait_until 60 is_drained
	cut -d ' ' -f 2,3 "$results/links" >"$results/acknowledged"
	check 'each acknowledged link leads to its target now' timeout 60 \
		"$load" verify "$LINKSHRINK_PORT" "$CLIENTS" <"$results/acknowledged"
	store
	awk -f tests/torture/books.awk -v differences="$results/differences" \
		file=acknowledged "$results/acknowledged" file=clicks "$results/clicks" \
		file=stored "$results/stored" >"$results/sums"
	touch "$results/differences" "$results/backwards"
	local kind
	for kind in lost retargeted missing surplus rows; do wrong "$kind"; done
	print_table
	check 'links were made and followed' test "$(sum acknowledged)" -gt "$(sum links)"
	check 'no acknowledged link is lost' none "$(sum lost)" differences.lost
	check 'none has another target' none "$(sum retargeted)" differences.retargeted
	if grep -q ' disk-full but' "$results/journal"; then
		check 'no click is missing but those that were reported as dropped' \
			none $(($(sum missing) > $(dropped) ? $(sum missing) : 0)) differences.missing
	else
		check 'no click is missing' none "$(sum missing)" differences.missing
	fi
	check 'no click is counted more than once' none "$(sum surplus)" differences.surplus
	check 'each count is that of its rows' none "$(sum rows)" differences.rows
	check 'no count is of a link that does not exist' same 0 "$(sql 'SELECT count(*) FROM click_hours
		WHERE NOT EXISTS (SELECT FROM links WHERE id = click_hours.link)')"
	check 'no row comes from the same place of the spool as another' same 0 "$(sql 'SELECT count(*)
		FROM (SELECT FROM clicks GROUP BY segment, position HAVING count(*) > 1) twice')"
	check 'the spool agrees with PostgreSQL, to the click' scripts/audit
	check 'no link was denied once it was acknowledged' no_events lost-link
	check 'no link led astray' no_events wrong-location wrong-code
	check 'no program failed' no_events program-error odd-status
	check 'no counter went backwards' none "$(wc -l <"$results/backwards")" backwards
	check 'and they were looked at' test "$(wc -l <"$results/pages")" -gt 0
}

keep_evidence() {
	mkdir -p "$results/log" "$results/spool" "$results/tables"
	cp "$LINKSHRINK_VAR"/log/* "$results/log/" || true
	cp -r "${LINKSHRINK_SPOOL:-$LINKSHRINK_VAR/spool}"/. "$results/spool/" || true
	local table
	for table in click_hours clicks spool_offsets spool_runs links; do
		timeout 60 psql -X -q -c "COPY (SELECT * FROM $table) TO STDOUT (FORMAT csv, HEADER)" \
			"$(cat "$LINKSHRINK_VAR/run/owner.url")" >"$results/tables/$table.csv" 2>&1 || true
	done
	curl -s -m 5 "http://127.0.0.1:$LINKSHRINK_OPS_PORT/metrics" >"$results/metrics" || true
}
