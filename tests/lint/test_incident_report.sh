#!/bin/bash
# A report is a function of its journal: recorded journals give these very bytes, whoever asks and
# wherever. The judge notices what is wrong, nothing written in a journal gets out of its place, and
# what the stack says becomes the right lines of a journal. No stack is needed.
set -eu
export LC_ALL=C.UTF-8

usage() {
	cat <<'USAGE'
usage: tests/lint/test_incident_report.sh [--update]
  --update    write what comes of tests/lint/incident/*/{facts,events,seconds} beside them, to be
              read and looked at before it is committed
USAGE
}

update=no
case ${1:-} in
--help | -h) usage; exit 0 ;;
--update) update=yes ;;
'') ;;
*) usage >&2; exit 2 ;;
esac
cd "$(dirname "$0")/../.."
# shellcheck source=tests/report.sh
. tests/report.sh

recorded=tests/lint/incident
parts=scripts/incident-report.d
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 143' TERM
# ---- Recorded journals

render() { # journal out [environment…]
	local journal=$1 out=$2
	shift 2
	env "$@" scripts/incident-report "$journal" "$out"
}

verdict() { # journal: what the judge says, and its exit code
	local status=0
	"$parts/judge" "$1" || status=$?
	echo "exit code $status"
}

expected() { # name: renders it, and compares
	render "$recorded/$1" "$work/$1" || return 1
	verdict "$recorded/$1" >"$work/$1/verdict"
	[ "$update" = no ] || cp "$work/$1"/{report.md,timeline.svg,verdict} "$recorded/$1/"
	for file in report.md timeline.svg verdict; do diff "$recorded/$1/$file" "$work/$1/$file" || return 1; done
}

unchanged() { # name environment…: the same bytes
	local name=$1
	shift
	render "$recorded/$name" "$work/again" "$@" || return 1
	cmp "$work/$name/report.md" "$work/again/report.md" && cmp "$work/$name/timeline.svg" "$work/again/timeline.svg"
}

# From elsewhere, with a relative path, beside the journal itself.
beside_itself() { # name
	cp -r "$recorded/$1" "$work/moved"
	rm -f "$work/moved"/{report.md,timeline.svg}
	(root=$PWD && cd "$work" && "$root/scripts/incident-report" moved) || return 1
	cmp "$work/$1/report.md" "$work/moved/report.md" && cmp "$work/$1/timeline.svg" "$work/moved/timeline.svg" || return 1
	rm -rf "$work/moved"
}

# ---- Pictures

# A small parser: tags that pair up, attributes in quotes, no stray & or <.
well_formed() { # file
	awk 'BEGIN { RS = "<" }
		function wrong(what) { print "after tag " NR - 1 ": " what ": " substr($0, 1, 80); bad = 1; exit 1 }
		NR == 1 { if ($0 != "") wrong("text before the first tag"); next }
		{
			if (!(end = index($0, ">"))) wrong("a tag that does not end")
			tag = substr($0, 1, end - 1)
			text = substr($0, end + 1)
			all = tag " " text
			gsub(/&(amp|lt|gt|quot|#39);/, "", all)
			if (all ~ /&/) wrong("a stray &")
			empty = sub(/\/$/, "", tag)
			name = tag
			sub(/[ \n].*/, "", name)
			if (name ~ /^\//) { if (depth == 0 || open[depth--] != substr(name, 2)) wrong("closes what is not open"); next }
			if (depth == 0 && seen++) wrong("a second root")
			gsub(/[ \n]+[a-zA-Z][a-zA-Z:-]*="[^"]*"/, "", tag)
			if (tag != name || name !~ /^[a-zA-Z]+$/) wrong("odd attributes")
			if (!empty) open[++depth] = name
		}
		END { if (!bad && (depth || !seen)) { print "not closed: " open[depth]; exit 1 } exit bad }' "$1" || return 1
	! command -v xmllint >/dev/null || xmllint --noout "$1"
}

stands_alone() { # file: no script, no address but the name of the format, nothing loaded
	! sed 's|http://www.w3.org/2000/svg||' "$1" | grep -niE '<script|<image|<foreignObject|href|https?:|@import|@font-face|url\([^#]| on[a-z]+='
}

readable() { # file: no letter smaller than 12
	same "$(grep -oE 'font-size:[0-9.]+' "$1" | awk -F : '$2 < 12')" ''
}

for name in page-in-time quiet-fault missed-alert; do
	check "$name: the report, the picture and the verdict are as recorded" expected "$name"
	check "$name: the same bytes again" unchanged "$name" A=b
	check "$name: and in another time zone and language" unchanged "$name" TZ=Asia/Kathmandu LC_ALL=C LANG=de_DE.UTF-8
	check "$name: its picture is XML" well_formed "$work/$name/timeline.svg"
	check "$name: and needs nothing else" stands_alone "$work/$name/timeline.svg"
	check "$name: and can be read" readable "$work/$name/timeline.svg"
done
check 'without OUT they stand beside the journal' beside_itself page-in-time

# ---- Journals altered: what the judge must notice

copy() { # name: a fresh copy in $work/altered
	rm -rf "$work/altered"
	mkdir "$work/altered"
	cp "$recorded/$1"/{facts,events,seconds} "$work/altered/"
}

alter() { # file sed expression
	sed -i -E "$2" "$work/altered/$1"
}

judged() { # "ok" or "not ok", part of the statement
	"$parts/judge" "$work/altered" >"$work/judged" || true
	grep -F -e "$2" "$work/judged" | grep -q "^$1 - " || { cat "$work/judged"; return 1; }
}

# statement | "ok" or "not ok" | words of the judge | file | sed expression; from page-in-time
while IFS='|' read -r statement good words file expression; do
	copy page-in-time
	alter "$file" "$expression"
	check "judge: $statement" judged "$good" "$words"
done <<'CASES'
a message at its bound is in time|ok|RedirectsDown: its message arrived after 14.213 s, bound 14.213 s|facts|s/^must RedirectsDown 22/must RedirectsDown 14.213/
a millisecond later it is not|not ok|RedirectsDown: its message arrived after 14.213 s, bound 14.212 s|facts|s/^must RedirectsDown 22/must RedirectsDown 14.212/
a message from before the fault does not count|not ok|no message arrived, bound 22 s|events|s/^[0-9]+(	page)/1795878723124\1/;1h;1!H;$!d;x;s/^(.*)\n([^\n]*	page[^\n]*)/\2\n\1/
a message that is missing|not ok|RedirectsDown: no message arrived|events|/	page	/d
an alert that fired and was not expected|not ok|HighErrorRate was not expected: it fired after 18.871 s|events|s/pending	ErrorBudgetFlash/firing	HighErrorRate/
one that was pending only is fine|ok|no alert fired that was not expected|facts|/^may/d
the Watchdog always fires|ok|no alert fired that was not expected|events|s/beat(	Watchdog)/firing\1/
more failed requests than allowed|not ok|2,112 user requests of 12,500 failed, at most 2,111 may|facts|s/^allowed all/allowed 2111/
as many as allowed|ok|at most 2,112 may|facts|s/^allowed all/allowed 2112/
a lost link|not ok|1 of 312 acknowledged links lost|facts|s/^links_lost 0/links_lost 1/
missing clicks|not ok|3 of 7,216 acknowledged clicks missing|facts|s/^clicks_missing 0/clicks_missing 3/
missing clicks that were dropped, where it may not cost any|not ok|3 of 7,216|facts|s/^clicks_missing 0/clicks_missing 3/;s/^clicks_dropped 0/clicks_dropped 3/
missing clicks that were dropped, where it may|ok|3 of 7,216 acknowledged clicks missing, 3 reported as dropped|facts|s/^clicks_missing 0/clicks_missing 3/;s/^clicks_dropped 0/clicks_dropped 3\ndrops yes/
more missing than dropped|not ok|4 of 7,216|facts|s/^clicks_missing 0/clicks_missing 4/;s/^clicks_dropped 0/clicks_dropped 3\ndrops yes/
clicks counted twice|not ok|2 clicks counted more than once|facts|s/^clicks_surplus 0/clicks_surplus 2/
nobody is told that it is over|not ok|people were not told that it is over: RedirectsDown|events|/	over	/d
"is over" of another alert|not ok|people were not told that it is over: RedirectsDown|events|s/over	RedirectsDown	🟢 RedirectsDown/over	ShortenDown	🟢 ShortenDown/
"is over" of the same alert, another objective|not ok|not told that it is over: RedirectsDown · a|events|s/🔴 RedirectsDown/🔴 RedirectsDown · a/;s/🟢 RedirectsDown/🟢 RedirectsDown · b/
tickets of one name end in one message|ok|of each alert people were told|events|s/page(	RedirectsDown	)🔴 RedirectsDown/ticket\1🟠 RedirectsDown · a/;s/🟢/🟢 2 ×/
users are not served for 30 s in the end|not ok|users were not served for 30 s|seconds|$s/.*/1795878847 96 1 3 0/
29 s are too short|not ok|users were not served for 30 s|seconds|83,$d
30 s are enough|ok|users were served again after 21.787 s, then 30 s without an error|seconds|84,$d
a second without requests proves nothing|not ok|users were not served for 30 s|seconds|84,$d;83s/ .*/ 0 0 0 0/
no load|not ok|there was no load|seconds|d
a first action that fails|not ok|first action of RedirectsDown: exit 2|events|s/exit 1 after/exit 2 after/
a first action that takes too long|not ok|exit 1 after 60.1 s|events|s/exit 1 after 1.2 s/exit 1 after 60.1 s/
a page where nothing had to be told|not ok|people were told, though nothing had to be: RedirectsDown|facts|/^must/d
CASES

with_silence() { # "ok" or "not ok", seconds
	copy page-in-time
	alter facts "s/^must RedirectsDown 22/must Silence $2/"
	alter events 's/page(	)RedirectsDown	[^	]*/silence\1-	no heartbeat for 90 s/'
	judged "$1" "the dead man's switch fell silent after 14.213 s, bound $2 s"
}
check 'judge: a dead man'"'"'s switch that falls silent' with_silence ok 20
check 'judge: and one that does so too late' with_silence 'not ok' 10
copy page-in-time
alter facts 's/^must RedirectsDown 22/must Silence 22/'
check 'judge: and one that never does' judged 'not ok' "the dead man's switch did not fall silent"

missing_books() {
	copy page-in-time
	alter facts '/^(links|clicks)_/d'
	same "$("$parts/judge" "$work/altered" | grep -E '^#|links|clicks' | cut -d : -f 1-2 | tr '\n' ' ')" \
		'# not assessed: links_lost # not assessed: clicks_missing # not assessed: clicks_surplus ' || return 1
	render "$work/altered" "$work/out" && grep -q '^| acknowledged links lost | not assessed |$' "$work/out/report.md" &&
		! grep -q 'was lost' "$work/out/report.md"
}
check 'books that the journal does not have are not assessed, and nobody praises them' missing_books

# ---- Broken journals

refused() { # part of the reason, file sed expression: no report, no verdict
	copy page-in-time
	[ "$#" -lt 3 ] || alter "$2" "$3"
	rm -rf "$work/out"
	if render "$work/altered" "$work/out" 2>"$work/said"; then echo 'not refused'; return 1; fi
	grep -qF "$1" "$work/said" || { cat "$work/said"; return 1; }
	[ -z "$(ls -A "$work/out")" ] && [ "$(verdict "$work/altered" 2>&1 | tail -n 1)" = 'exit code 2' ]
}
check 'refused: another version' refused journal facts 's/^journal 1/journal 2/'
check 'refused: no id' refused "'id'" facts '/^id /d'
check 'refused: a bound that is no number' refused 'must NAME SECONDS' facts 's/^must .*/must RedirectsDown soon/'
check 'refused: a lost link that is no number' refused links_lost facts 's/^links_lost 0/links_lost none/'
check 'refused: an event of unknown kind' refused "'paged' is no kind of event" events 's/	page	/	paged	/'
check 'refused: seconds instead of milliseconds' refused 'are no milliseconds' events '2s/^([0-9]{10})[0-9]{3}/\1/'
check 'refused: events in disorder' refused 'earlier than the line before' events '1h;1d;$G'
check 'refused: a game day in which nothing was done' refused 'inject in events' events '/	inject	/d'
check 'refused: seconds in disorder' refused 'not later than the line before' seconds '7s/^[0-9]*/1795878000/'
check 'refused: half a second' refused 'not five numbers' seconds '$s/ [0-9]*$//'
check 'refused: half a request' refused 'is no count' seconds '$s/ [0-9]*$/ 0.5/'
lacking() {
	copy page-in-time
	rm "$work/altered/$1"
	! render "$work/altered" "$work/out" 2>"$work/said" && grep -q "$1 is missing" "$work/said"
}
for name in facts events seconds; do check "refused: no $name" lacking "$name"; done

# ---- Hostile journals

long=$(printf 'very long %.0s' {1..500})
hostile="<script>alert(1)</script>|\`rm -rf\`|[x](javascript:y)|\"'>&amp;]]>--> \$\\x\$ **b** ${long}"

make_hostile() {
	copy missed-alert
	awk -v text="${hostile//\\/\\\\}" '
		$1 == "title" || $1 == "trigger" || $1 == "cause" || $1 == "fault" || $1 == "node" || $1 == "setting" ||
		$1 == "note" || $1 == "before" { print $1, text; next }
		$1 == "id" { print $1, text; next }
		$1 == "bound" { print $1, $2, text; next }
		{ print }' "$recorded/missed-alert/facts" |
		sed 's/^must DatabaseDown/must <script>"\&|`x`/; s/^may.*/may <b>/' >"$work/altered/facts"
	awk -F '\t' -v OFS='\t' -v text="${hostile//\\/\\\\}" '{ $3 = $3 "<i>|`"; $4 = text; $5 = text; print }' \
		"$recorded/missed-alert/events" >"$work/altered/events"
	printf '%s\tnote\t%s\n' "$(tail -n 1 "$work/altered/events" | cut -f 1)" \
		$'bell\a esc\e[31m\tbroken \xff\xc3 half \xf0\x9f direction \xe2\x80\xae feff \xef\xbb\xbf\tnul?' >>"$work/altered/events"
	render "$work/altered" "$work/out"
}

no_tags() { ! grep -nE '<(script|i|b)>' "$work/out/report.md" "$work/out/timeline.svg"; }
only_text() { # valid UTF-8 without control characters and turned directions
	local file
	for file in "$work/out/report.md" "$work/out/timeline.svg"; do
		iconv -f UTF-8 -t UTF-8 "$file" >/dev/null || return 1
		! tr -d '\n' <"$file" | LC_ALL=C grep -qE $'[\x01-\x1f\x7f]|\xe2\x80\xae|\xef\xbb\xbf' || { echo "$file"; return 1; }
	done
}
cells_stay() { # each row of a table has as many cells as its head
	sed 's/\\\\//g; s/\\|//g' "$work/out/report.md" | awk -F '|' '
		!/^\|/ { n = 0; next }
		!n { n = NF }
		NF != n { print NF " instead of " n ": " $0; bad = 1 }
		END { exit bad }'
}
no_marks() { # neither code nor links nor formulas of others
	! grep -nE '(^|[^\\])(`rm|\[x\]\(|\$)' "$work/out/report.md"
}
not_endless() { same "$(awk 'length($0) > 3000 { print FILENAME, FNR, length($0) }' "$work/out/report.md" "$work/out/timeline.svg" | grep -v ' d="' || true)" ''; }

check 'hostile: it is rendered' make_hostile
check 'hostile: no tag gets through' no_tags
check 'hostile: the picture is XML' well_formed "$work/out/timeline.svg"
check 'hostile: and needs nothing else' stands_alone "$work/out/timeline.svg"
check 'hostile: what is no text is gone' only_text
check 'hostile: cells stay cells' cells_stay
check 'hostile: no marks of Markdown get through' no_marks
check 'hostile: what is very long is cut' not_endless

# ---- Recording: what the stack says, and the lines that become of it

from=1795878000000
to=1795878100000

recorded_alerts() {
	jq -r --argjson from "$from" --argjson to "$to" -f "$parts/alerts.jq" <<'ANSWER' | sed 's/ALERTS.*alertstate=//; s/"//g; s/}$//' | tr '\t\n' ' ;'
{"data":{"result":[
{"metric":{"__name__":"ALERTS","alertname":"A","alertstate":"pending","severity":"critical","slo":"x"},"values":[[1795878010.25,"1"],[1795878015.25,"1"],[1795878060.25,"1"]]},
{"metric":{"__name__":"ALERTS","alertname":"A","alertstate":"firing","severity":"critical","slo":"x"},"values":[[1795878020.25,"1"],[1795878025.25,"1"]]},
{"metric":{"__name__":"ALERTS","alertname":"B","alertstate":"firing"},"values":[[1795878001,"1"],[1795878016,"1"],[1795878031,"1"],[1795878046,"1"],[1795878061,"1"],[1795878076,"1"],[1795878091,"1"]]}]}}
ANSWER
}
check 'record: alerts are pending, fire and end' same "$(recorded_alerts)" \
	'1795878001000 firing B already so when the journal begins firing;1795878010250 pending A slo=x pending;1795878020250 firing A slo=x firing;1795878030250 ended A slo=x firing;1795878060250 pending A slo=x pending;1795878065250 ended A slo=x pending;'

counters() { # name…: values at 0, 5, 10 … s; "-" is none
	local name value at points
	echo '{"data":{"result":['
	for name; do
		at=1795878000 points=
		for value in ${name#*=}; do
			[ "$value" = - ] || points+="${points:+,}[$at.1,\"$value\"]"
			at=$((at + 5))
		done
		echo "{\"metric\":{\"handler\":\"${name%%=*}\"},\"values\":[$points]}"
		[ "$name" = "${!#}" ] || echo ,
	done
	echo ']}}'
}
recorded_rows() {
	{
		counters 'redirect=100 150 - - 170 20 20 -' 'shorten=10 11 - - 11 12 12 -'
		counters 'redirect=0 9 - - 9 9 9 -' 'shorten=0 2 - - 2 2 2 -'
		counters 'all=0 4 - - 4 4 4 -'
		counters 'redirect=1 1 0 0 1 1 1 -' 'shorten=1 1 0 0 0 1 1 -'
	} | jq -n -r --argjson start 1795878000100 --argjson count 7 --argjson step 5 -f "$parts/rows.jq" | sed 's/17958780//' | tr '\n' ';'
}
check 'record: requests are counted between two scrapes, by the probe where nobody came, over a new beginning, and holes are named' \
	same "$(recorded_rows)" '00 50 5 1 2;05 0 1 0 1;10 0 1 0 1;15 20 0 0 1;20 20 0 1 0;25 1 0 1 0;hole 30;'

recorded_messages() {
	local at='"received":"2026-11-28T15:00:10.5' rest='"path":"/discord","status"'
	cat >"$work/messages" <<-INBOX
		{$at 00Z","path":"/heartbeat","status":204,"payload":{}}
		{${at}01Z",$rest:204,"payload":{"embeds":[{"title":"🔴 RedirectsDown"}]}}
		{${at}02Z",$rest:429,"payload":{"embeds":[{"title":"🔴 RedirectsDown"}]}}
		{${at}03Z",$rest:204,"payload":{"embeds":[{"title":"🟠 2 × TargetDown; over: 1"}]}}
		{${at}04Z",$rest:204,"payload":{"embeds":[{"title":"🟢 ErrorBudgetFlash · redirect-availability is over"}]}}
		{${at}05Z",$rest:204,"payload":"half a
	INBOX
	jq -R -n -r --argjson from "$from" --argjson to "$to" -f "$parts/messages.jq" "$work/messages" | cut -f 1-4 | tr '\t\n' ' ;'
}
check 'record: messages are told apart by their marks, and what was refused did not arrive' same "$(recorded_messages)" \
	'1795878010501 page RedirectsDown 🔴 RedirectsDown;1795878010502 note inbox a message was refused with 429: 🔴 RedirectsDown;1795878010503 ticket TargetDown 🟠 2 × TargetDown; over: 1;1795878010504 over ErrorBudgetFlash 🟢 ErrorBudgetFlash · redirect-availability is over;'

recorded_log() {
	cat >"$work/log" <<-'LOG'
		{"ts":"2026-11-28T15:00:20.500Z","level":"error","component":"shorten","event":"database_down","pid":7,"sqlstate":"57P01","client":"192.0.2.0"}
		{"ts":"2026-11-28T15:00:19.500Z","level":"error","component":"shorten","event":"database_down","pid":8,"sqlstate":"08006","request_id":"0123"}
		{"ts":"2026-11-28T15:00:21.500Z","level":"info","component":"shorten","event":"request"}
		{"ts":"2026-11-28T15:00:22.500Z","level":"warning","component":"redirect","event":"request","code":"secret","duration_us":300000}
		{"ts":"2026-11-28T14:00:22.500Z","level":"warning","component":"redirect","event":"request"}
	LOG
	jq -R -n -r --argjson from "$from" --argjson to "$to" -f "$parts/log.jq" "$work/log" | tr '\t\n' ' ;'
}
check 'record: of a log the first of each kind and how many more, without links and clients' same "$(recorded_log)" \
	'1795878022500 log redirect warning request: duration_us 300000 log/linkshrink.log;1795878019500 log shorten error database_down: sqlstate 08006; and 1 more log/linkshrink.log, request 0123;'

recorded_journal() {
	cat >"$work/journal" <<-'JOURNAL'
		{"__REALTIME_TIMESTAMP":"1795878020500123","UNIT":"linkshrink-web.service","MESSAGE":"linkshrink-web.service: Main process exited, code=killed, status=9/KILL"}
		{"__REALTIME_TIMESTAMP":"1795878020750123","UNIT":"linkshrink-web.service","MESSAGE":"Started Link-Shrink: lighttpd and the programs that it starts."}
		{"__REALTIME_TIMESTAMP":"1795878020760123","UNIT":"linkshrink-web.service","MESSAGE":"linkshrink-web.service: Consumed 2.1s CPU time."}
		{"__REALTIME_TIMESTAMP":"1795878020770123","UNIT":"linkshrink-web.service","MESSAGE":[255,10]}
		{"__REALTIME_TIMESTAMP":"1795878020780123","MESSAGE":"Reached target Basic System."}
	JOURNAL
	jq -r -f "$parts/journal.jq" "$work/journal" | tr '\t\n' ' ;'
}
check 'record: of the journal what systemd says of our units' same "$(recorded_journal)" \
	'1795878020500 process linkshrink-web Main process exited, code=killed, status=9/KILL journal of systemd;1795878020750 process linkshrink-web Started Link-Shrink: lighttpd and the programs that it starts. journal of systemd;'

ends_with() { # code argument…
	local wanted=$1 status=0
	shift
	LINKSHRINK_VAR=$work/var scripts/incident-report "$@" >"$work/said" 2>&1 || status=$?
	if [ "$status" -ne "$wanted" ] || [ -e "$work/new" ]; then
		echo "exit code $status"
		cat "$work/said"
		return 1
	fi
}
check 'record: wants two times' ends_with 2 --record yesterday "$work/new"
check 'record: that are times' ends_with 2 --record yesterday whenever "$work/new"
check 'record: one after the other' ends_with 2 --record '5 minutes ago' '6 minutes ago' "$work/new"
check 'record: both over' ends_with 2 --record '5 minutes ago' '5 minutes' "$work/new"
check 'record: not a day' ends_with 2 --record '1 day ago' '1 minute ago' "$work/new"
check 'record: without a stack there is nothing to record' ends_with 1 --record '5 minutes ago' '1 minute ago' "$work/new"

# ---- Incidents that were told of

is_fresh() { # directory
	render "$1" "$work/told" && diff "$1/report.md" "$work/told/report.md" && cmp "$1/timeline.svg" "$work/told/timeline.svg"
}
for journal in docs/incidents/*/; do
	check "${journal%/} is what its journal says" is_fresh "$journal"
done

[ "$update" = no ] || git status --short "$recorded"
finish
