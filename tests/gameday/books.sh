# The end of a fault: what users were told against what PostgreSQL has. Sourced by play, as bash.
# shellcheck shell=bash disable=SC2154 # journal and the helpers are those of play

close_load() {
	kill -TERM "$loading" 2>/dev/null || true
	wait "$loading" || give_up 1 "the load failed: $(tail -n 1 "$journal/load/log")"
	loading=''
	if [ "$fault" != traffic-spike ]; then
		cp "$journal/load/seconds" "$journal/seconds"
	else
		[ -s "$journal/spike/seconds" ] || give_up 1 'there was no spike'
		add_spike
	fi
}

# Its visitors are users, too.
add_spike() {
	awk 'FNR == NR { for (i = 2; i <= 5; i++) more[$1, i] = $i; next }
		{ for (i = 2; i <= 5; i++) $i += more[$1, i]; print }' "$journal/spike/seconds" "$journal/load/seconds" >"$journal/seconds"
}

is_drained() {
	[ "$(metric 'linkshrink_spool_bytes{part="pending"}')" = 0 ] &&
		metric linkshrink_clicks_committed_until_timestamp_seconds |
		awk -v since="$load_ended" '$1 > since { good = 1 } END { exit !good }'
}

# Of the links that the load made: those of the probe and of nobody are not in these books.
store() {
	sql "COPY (
		SELECT code, target, coalesce(c.n, 0), coalesce(r.n, 0) FROM links
		LEFT JOIN (SELECT link, sum(n) AS n FROM click_hours GROUP BY link) c ON c.link = links.id
		LEFT JOIN (SELECT link, count(*) AS n FROM clicks GROUP BY link) r ON r.link = links.id
	) TO STDOUT" | awk 'NR == FNR { made[$1] = 1; next } $1 in made' "$journal/load/acknowledged" - >"$journal/load/stored"
}

dropped() {
	curl -s -m 5 "http://127.0.0.1:$LINKSHRINK_OPS_PORT/metrics" |
		awk '/^linkshrink_clicks_dropped_total/ { n += $NF } END { print n + 0 }'
}

sum() { awk -v name="$1" '$1 == name { n = $2 } END { print n + 0 }' "$journal/load/sums"; }

close_books() {
	local file
	load_ended=$(date +%s.%N)
	wait_until 90 is_drained || note_event note - 'clicks wait in the spool 90 s after the end of the load'
	for file in "$journal"/load/links "$journal"/spike/links; do
		[ ! -e "$file" ] || cut -d ' ' -f 2,3 "$file"
	done >"$journal/load/acknowledged"
	cat "$journal"/load/clicks "$journal"/spike/clicks 2>/dev/null >"$journal/load/clicked" || true
	store
	awk -f tests/torture/books.awk -v differences="$journal/load/differences" \
		file=acknowledged "$journal/load/acknowledged" file=clicks "$journal/load/clicked" \
		file=stored "$journal/load/stored" >"$journal/load/sums"
	for file in links:links_acknowledged lost:links_lost acknowledged:clicks_acknowledged counted:clicks_counted \
		missing:clicks_missing surplus:clicks_surplus; do
		fact "${file#*:} $(sum "${file%:*}")"
	done
	fact "clicks_dropped $(dropped)"
	scripts/audit >"$journal/audit" 2>&1 || trouble "the spool agrees with PostgreSQL: $(tail -n 1 "$journal/audit")"
}
