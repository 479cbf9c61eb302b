#!/bin/bash
# What other shorteners export becomes rows of our own columns, byte for byte as recorded; CSV is read
# and written as RFC 4180 says, cut between records, and each refusal names the row of the file. And
# what demo data look like. No stack is needed.
set -eu
export LC_ALL=C.UTF-8

usage() {
	cat <<'USAGE'
usage: tests/lint/test_import.sh [--update]
  --update    write what comes of tests/lint/import/*.csv beside them, to be read before it is committed
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

recorded=tests/lint/import
parts=scripts/import.d
demo=scripts/demo-data.d
work=$(mktemp -d)
chmod 755 "$work" # or the users of a stack could not get in, which is another fault
trap 'rm -rf "$work"' EXIT
trap 'exit 143' TERM
csv_awk() { LC_ALL=C awk -f "$parts/csv.awk" "$@"; }

# ---- CSV

cat >"$work/shown.awk" <<'AWK'
BEGIN { csv_begin() }
csv_feed($0) {
	for (i = 1; i <= csv_cells; i++) {
		gsub(/\r/, "<CR>", csv_cell[i])
		gsub(/\n/, "<LF>", csv_cell[i])
		printf "[%s]", csv_cell[i]
	}
	printf "%s@%d ", csv_fault, csv_line
	if (csv_lost)
		exit
}
END { printf "%s", csv_end() }
AWK
read_as() { # bytes wanted
	same "$(printf '%b' "$1" | csv_awk -f "$work/shown.awk")" "$2"
}
check 'CSV: cells and records' read_as 'a,b\nc,d\n' '[a][b]@1 [c][d]@2 '
check 'CSV: CRLF, and no line end at the end' read_as 'a,b\r\nc,d' '[a][b]@1 [c][d]@2 '
check 'CSV: empty cells' read_as ',\n"",""\n,,x\n' '[][]@1 [][]@2 [][][x]@3 '
check 'CSV: a BOM is no part of the first name' read_as '\xef\xbb\xbfa,b\n' '[a][b]@1 '
check 'CSV: nor before a quote' read_as '\xef\xbb\xbf"a,b"\n' '[a,b]@1 '
check 'CSV: commas and quotes within quotes' read_as '"a,b","say ""x"""\n' '[a,b][say "x"]@1 '
check 'CSV: nothing but quotes' read_as '"""","""""",""\n' '["][""][]@1 '
check 'CSV: line ends within quotes, as they are' read_as '"a\nb","c\r\nd"\r\n' '[a<LF>b][c<CR><LF>d]@1 '
check 'CSV: blank lines within quotes' read_as '"a\n\n\nb",c\nd,e\n' '[a<LF><LF><LF>b][c]@1 [d][e]@5 '
check 'CSV: blank lines are no records' read_as 'a\n\n\r\nb\n' '[a]@1 [b]@4 '
check 'CSV: a quote within a plain cell is meant' read_as '5" disk,b"\n' '[5" disk][b"]@1 '
check 'CSV: spaces belong to cells' read_as ' a , "b"\n' '[ a ][ "b"]@1 '
check 'CSV: what follows a closing quote is a fault of that row' read_as '"a"b,c\nd,e\n' \
	'[a]there is text behind a closing quote@1 [d][e]@2 '
check 'CSV: an open quote is a fault of the file' read_as 'a\n"b\nc,d\n' '[a]@1 the quote of the record in line 2 is not closed'
check 'CSV: a carriage return within a line stays' read_as 'a\rb,c\n' '[a<CR>b][c]@1 '
endless() { # a MiB after an open quote
	{ printf 'a\n"'; yes 'line after line' | head -c 1200000; printf '\nb\n'; } | csv_awk -f "$work/shown.awk" | grep -o 'the quote of .*'
}
check 'CSV: and is given up after a MiB' same "$(endless)" 'the quote of the record in line 2 is not closed'

cat >"$work/random.awk" <<'AWK'
BEGIN {
	random_begin(seed)
	count = split("a|,|\"|\n|\r\n|\"\"| |\303\244|x,y|'|=|\t|;", part, "|")
	for (row = 1; row <= 2000; row++) {
		line = ""
		for (i = 1; i <= 4; i++) {
			cell = ""
			for (k = random_below(6); k > 0; k--)
				cell = cell part[1 + random_below(count)]
			print cell >plain
			print "---" >plain
			line = line (i > 1 ? "," : "") csv_quote(cell)
		}
		print line
	}
}
AWK
cat >"$work/plain.awk" <<'AWK'
BEGIN { csv_begin() }
csv_feed($0) {
	for (i = 1; i <= csv_cells; i++)
		print csv_cell[i] "\n---"
	if (csv_cells != 4)
		print "not four"
}
AWK
round_trip() {
	csv_awk -v seed="$1" -v plain="$work/plain" -f "$demo/random.awk" -f "$work/random.awk" >"$work/random.csv"
	csv_awk -f "$work/plain.awk" "$work/random.csv" | cmp - "$work/plain"
}
check 'CSV: 8,000 odd cells come back as they were written' round_trip 1
check 'CSV: and others' round_trip 2

# ---- Times and codes

cat >"$work/call.awk" <<'AWK'
BEGIN {
	text_reserved["api"] = 1
	if (what == "time")
		print time_read(ENVIRON["TEXT"])
	if (what == "seconds")
		print time_text(ENVIRON["TEXT"])
	if (what == "code")
		print text_code(ENVIRON["TEXT"])
	if (what == "mend")
		print text_mend(ENVIRON["TEXT"])
	if (what == "line")
		print text_line(ENVIRON["TEXT"])
}
AWK
becomes() { # what text wanted
	same "$(TEXT=$2 LC_ALL=C awk -v what="$1" -f "$parts/time.awk" -f "$parts/text.awk" -f "$work/call.awk")" "$3"
}
while IFS='|' read -r what text wanted; do
	check "$what: $text" becomes "$what" "$text" "$wanted"
done <<'ROWS'
time|2026-01-31T12:00:00Z|2026-01-31T12:00:00Z
time|2026-01-31 12:00:00|2026-01-31T12:00:00Z
time|2026-01-31 12:00|2026-01-31T12:00:00Z
time|2026-01-31|2026-01-31T00:00:00Z
time|2026-01-31 12:00:00.123456789+00|2026-01-31T12:00:00.123456+00:00
time|2020-10-26T17:20:40+0200|2020-10-26T17:20:40+02:00
time|2020-10-26T17:20:40.5-03:30|2020-10-26T17:20:40.5-03:30
time|2020-10-26 17:20:40 UTC|2020-10-26T17:20:40Z
time|1603732840|2020-10-26T17:20:40Z
time|1603732840999|2020-10-26T17:20:40Z
time|0000-00-00 00:00:00|
time|Oct 26, 2020|
time|26/10/2020|
time|2026-01-31T12:00:00Zz|
time|2026-01-31T12:00:00+2|
time|16037328401|
seconds|0|1970-01-01T00:00:00Z
seconds|951782400|2000-02-29T00:00:00Z
seconds|1709251199|2024-02-29T23:59:59Z
seconds|4102444799|2099-12-31T23:59:59Z
code|https://bit.ly/3xYz|3xYz
code|go.example.org/Sale/|Sale
code|/keyword/|keyword
code|keyword|keyword
code|https://s.example.org/a/b|a/b
code|https://bit.ly/|
mend|a|a__
mend|7|7__
mend|1234|1234_
mend|API|API_
mend|docs/api|docs-api
mend|fine-_1|fine-_1
ROWS
check 'line: controls and turned directions go' becomes line $'a\r\n\tb \e[1m \xe2\x80\xaec\xe2\x81\xa9d ' 'a b [1m cd'
long=$(printf 'x%.0s' $(seq 70))
check 'mend: a code that is too long' becomes mend "$long" "${long:0:64}"

# ---- Recorded exports

map() { # format file [reserved words [dates]]: $work/rows, report and facts
	rm -f "$work/report" "$work/facts"
	IMPORT_FORMAT=$1 IMPORT_FILE=${2##*/} IMPORT_REPORT=$work/report IMPORT_FACTS=$work/facts IMPORT_DATES=${4:-yes} \
		IMPORT_RESERVED=${3:-} csv_awk -f "$parts/time.awk" -f "$parts/text.awk" -f "$parts/report.awk" \
		-f "$parts/map.awk" "$parts/formats" - <"$2" >"$work/rows"
	touch "$work/report"
}
whole() {
	cat "$work/rows"
	echo "--- report"
	cat "$work/report"
	echo "--- facts"
	cat "$work/facts"
}
as_recorded() { # name
	[ "$update" = no ] || whole >"$recorded/$1.rows"
	diff "$recorded/$1.rows" <(whole)
}
for pair in bitly:bitly yourls:yourls yourls:yourls-plugin kutt:kutt shlink:shlink shlink:shlink-older \
	predecessor:users predecessor:urls predecessor:events; do
	name=${pair#*:}
	check "$name.csv is an export of ${pair%:*}" map "${pair%:*}" "$recorded/$name.csv"
	check "$name.csv becomes the rows that were recorded" as_recorded "$name"
done

first_cells() { csv_awk -f "$parts/first.awk" -v most="$1" "$work/rows" | tail -n 1; }
map yourls "$recorded/yourls.csv" 'api shorten'
check 'a code that is none here is mended if that is wished' same "$(first_cells 2)" '  https://example.com/seven,7__,,2019-01-02T03:04:05Z'
check 'and so is one of digits' same "$(first_cells 3)" '  https://example.com/digits,1234_,Only digits,'
check 'and one of our own words' same "$(first_cells 4)" '  https://example.com/api,api_,Reserved here,2019-01-02T03:04:05Z'
check 'and each is reported' same "$(cut -d , -f 2,4,6 "$work/report" | tr '\n' ' ')" '2,7__,changed 3,1234_,changed 4,api_,changed '
map kutt "$recorded/kutt.csv" '' no
check 'without dates there are none, but for the end of a link' same "$(head -n 1 "$work/rows")" \
	'row,line,original_url,short_code,title,is_active,valid_until'

# ---- What is refused as a whole

import() { # status words arguments…: nothing may be asked of any stack
	local want=$1 words=$2 got=0
	shift 2
	LINKSHRINK_VAR=$work/none scripts/import "$@" >"$work/said" 2>&1 || got=$?
	if [ "$got" -ne "$want" ] || ! grep -qF -e "$words" "$work/said"; then
		echo "# status $got, wanted $want and '$words'"
		cat "$work/said"
		return 1
	fi
}
printf 'a,b\n1,2\n' >"$work/other.csv"
printf 'keyword;url\nx;https://example.com/\n' >"$work/semicolons.csv"
printf 'keyword,url\n"x,https://example.com/\n' >"$work/open.csv"
printf 'keyword,url\nx\xe4,https://example.com/\n' >"$work/latin.csv"
printf 'k\0e\0y\0' >"$work/wide.csv"
: >"$work/empty.csv"
check 'help' import 0 'usage: scripts/import FORMAT' --help
check 'no format' import 2 'which format?'
check 'a format that is not known, with those that are' import 2 'there are: bitly yourls kutt shlink predecessor' goo.gl x.csv
check 'no file' import 2 'which file?' bitly
check 'an option that is not known' import 2 '--force' bitly x.csv --force
check 'an option without its value' import 2 '--user: a value is missing' bitly x.csv --user
check 'a file that is not there' import 2 'cannot be read' bitly "$work/nothing.csv"
check 'an owner for what has owners' import 2 '--user' predecessor "$recorded/urls.csv" --user ada
check 'a file of another format: what it has' import 2 'its first line has: a, b' yourls "$work/other.csv" --dry-run
check 'and what it lacks' import 2 'it lacks: url or target, keyword or source' yourls "$work/other.csv" --dry-run
check 'each kind of the predecessor' import 2 'for events it lacks: id, url id, event type, timestamp' predecessor "$work/other.csv" --dry-run
check 'other separators are seen' import 2 'its first line has: keyword;url' yourls "$work/semicolons.csv" --dry-run
check 'an open quote, with its line' import 2 'the quote of the record in line 2 is not closed' yourls "$work/open.csv" --dry-run
check 'an empty file' import 2 'it is empty' yourls "$work/empty.csv" --dry-run
check 'what is not UTF-8' import 2 'no text in UTF-8' yourls "$work/latin.csv" --dry-run
check 'UTF-16' import 2 'no text in UTF-8' yourls "$work/wide.csv" --dry-run
check 'a dry run shows where columns come from' import 0 'short_code     from Custom Link, else Link' bitly "$recorded/bitly.csv" --dry-run
check 'and what is not taken' import 0 'not taken:     ip, Clicks' yourls "$recorded/yourls.csv" --dry-run
check 'and rows as they would be sent' import 0 '  https://example.com/launch,LaunchCase,Both are ours' bitly "$recorded/bitly.csv" --dry-run
check 'and what would be refused' import 0 'it has no short code' bitly "$recorded/bitly.csv" --dry-run
check 'and makes no report' test ! -e import-report.csv
check 'without a stack there is nobody to import for' import 1 'no stack runs' bitly "$recorded/bitly.csv"

# ---- Pieces

csv_awk -v plain=/dev/null -v seed=3 -f "$demo/random.awk" -f "$work/random.awk" |
	csv_awk -f <(echo 'BEGIN { csv_begin(); print "row,line,one,two,three,four" } csv_feed($0) { print ++n "," csv_line "," csv_record(1) }') >"$work/many"
rm -rf "$work/cut"
mkdir "$work/cut"
csv_awk -v most_bytes=1500 -v most_rows=70 -v out="$work/cut" -f "$parts/pieces.awk" "$work/many" >"$work/cut.list"
body_of() { for file in "$work"/cut/*."$1"; do csv_awk -f <(echo 'BEGIN { csv_begin() } csv_feed($0) && records++ { print csv_record(from) }') -v from="$2" "$file"; done; }
check 'pieces: there are many' test "$(wc -l <"$work/cut.list")" -gt 20
check 'pieces: none is larger than was said' same "$(find "$work/cut" -name '*.csv' -size +1500c)" ''
check 'pieces: nor has more rows' same "$(awk '$2 > 70' "$work/cut.list")" ''
check 'pieces: all rows are in them' same "$(awk '{ n += $2 } END { print n }' "$work/cut.list")" 2000
check 'pieces: as they were and in order' same "$(body_of csv 1 | sha256sum)" "$(csv_awk -f <(echo 'BEGIN { csv_begin() } csv_feed($0) && n++ { print csv_record(3) }') "$work/many" | sha256sum)"
check 'pieces: with the numbers of their rows beside them' same "$(body_of rows 1 | sha256sum)" "$(tail -n +2 "$work/many" | sha256sum)"
check 'pieces: each has a first line' same "$(for file in "$work"/cut/*.csv; do head -n 1 "$file"; done | sort -u)" 'one,two,three,four'
csv_awk -v most_bytes=1500 -v most_rows=70 -v out="$work/cut" -v owner=7 -f "$parts/pieces.awk" "$work/many" >/dev/null
check 'pieces: an owner is in each row' same "$(body_of csv 5 | sort -u)" 7

# ---- What the API refuses

printf 'row,line,original_url,short_code,title\n3,9,https://a.example/,aaa,"two\nlines"\n4,11,https://b.example/,bbb,\n8,20,https://c.example/,=cc,t\n' >"$work/piece"
refuse() { # lines of errors
	rm -f "$work/report"
	printf '%b' "$1" >"$work/errors"
	IMPORT_FILE=in.csv IMPORT_REPORT=$work/report csv_awk -f "$parts/report.awk" -f "$parts/refused.awk" \
		part=errors "$work/errors" part=rows "$work/piece" >"$work/rest"
}
refuse '1\tnot a URL\n3\tshort_code is taken, "=cc"\n'
check 'refused: the row and line are those of the file' same "$(cat "$work/report")" \
	"$(printf 'in.csv,3,9,aaa,https://a.example/,refused,not a URL\nin.csv,8,20,'"'"'=cc,https://c.example/,refused,"short_code is taken, ""=cc"""')"
check 'refused: the rest is left' same "$(cat "$work/rest")" "$(printf 'row,line,original_url,short_code,title\n4,11,https://b.example/,bbb,')"
refuse ''
check 'refused: nothing' same "$(cat "$work/rest")" "$(cat "$work/piece")"

# ---- What is there already

printf 'row,line,original_url,short_code\n' >"$work/rows"
printf 'id,short_code,short_url,original_url,title\n' >"$work/export"
row=0
while read -r _ target stored; do
	row=$((row + 1))
	echo "$row,$row,$target,c$row" >>"$work/rows"
	[ "$stored" = - ] || echo "$row,c$row,http://x/c$row,$stored,t" >>"$work/export"
done <<'ROWS'
new https://example.com/ -
there https://example.com/ https://example.com/
there https://example.com https://example.com/
there HTTPS://Example.COM:443?x=1 https://example.com/?x=1
there https://example.com/ä?ö https://example.com/%C3%A4?%C3%B6
there https://bücher.example/a https://xn--bcher-kva.example/a
there http:////example.com/a|b http://example.com/a|b
other https://example.com/a https://example.com/A
other https://example.com/?a https://example.com/?b
other https://example.com:8443/ https://example.com/
other http://example.com/ https://example.com/
ROWS
echo "99,'-minus,http://x/-minus,https://example.com/,t" >>"$work/export"
echo "12,12,https://example.com,-minus" >>"$work/rows"
rm -f "$work/report"
IMPORT_FILE=in.csv IMPORT_REPORT=$work/report csv_awk -f "$parts/report.awk" -f "$parts/there.awk" \
	pass=1 "$work/rows" pass=2 "$work/export" pass=3 "$work/rows" >"$work/pending" 2>"$work/count"
check 'there: what is new is still to be sent' same "$(tail -n +2 "$work/pending")" '1,1,https://example.com/,c1'
check 'there: what leads where it should is left out, however it is written' same "$(cat "$work/count")" "7 4"
check 'there: a code that leads elsewhere is reported' same "$(cut -d , -f 2 "$work/report" | paste -sd ' ')" '8 9 10 11'

# ---- Whose number it is

brought() { # files and parts…
	rm -f "$work/report"
	touch "$work/report"
	IMPORT_FILE=in.csv IMPORT_REPORT=$work/report csv_awk -f "$parts/report.awk" -f "$parts/brought.awk" "$@" \
		>"$work/rest" 2>"$work/count"
}
left() { cut -d , -f 2,7 "$work/report" | paste -sd ';'; }
printf 'row,line,id,username,email\n1,2,7,ada,a@x.org\n2,3,,bob,b@x.org\n' >"$work/users"
printf 'row,line,id,user_id,short_code,original_url\n1,2,11,7,aaa,http://a/\n2,3,12,8,bbb,http://b/\n3,4,13,,-cc,http://c/\n' >"$work/urls"
printf "id,short_code,original_url\n11,aaa,http://a/\n99,bbb,http://b/\n13,'-cc,http://c/\n12,zzz,http://z/\n" >"$work/links"
printf 'row,line,id,url_id,user_id,event_type\n1,2,1,11,,x\n2,3,2,12,,x\n3,4,3,13,8,x\n4,5,4,13,7,x\n5,6,5,14,,x\n' >"$work/events"
brought part=users "$work/users" part=rows "$work/urls"
check 'brought: links of other users are left out' same "$(cut -d , -f 1 "$work/rest" | paste -sd ' ')" 'row 1 3'
check 'brought: and reported' same "$(left) $(cat "$work/count")" '2,user 8 is none of these files 1'
brought part=rows "$work/urls"
check 'brought: without users only links of nobody are taken' same "$(cut -d , -f 1 "$work/rest" | paste -sd ' ')" 'row 3'
brought part=users "$work/users" part=urls "$work/urls" part=links "$work/links" part=rows "$work/events"
check 'brought: events of other links, or users, are left out' same "$(cut -d , -f 1 "$work/rest" | paste -sd ' ')" 'row 1 4'
check 'brought: each with its reason' same "$(left)" \
	'2,link 12 of these files is not here under that id;3,user 8 is none of these files;5,link 14 of these files is not here under that id'

# ---- Documents

documented() { # each name of a column there stands in docs/import.md
	local name
	awk '/^[a-z]/ { print $5 }' "$parts/formats" | tr ',_' '\n ' | sort -u | while read -r name; do
		grep -qiF -e "$name" -e "${name// /_}" docs/import.md || { echo "docs/import.md lacks $name"; return 1; }
	done
}
check 'docs: every column that is read' documented

# ---- Demo data

people() { LC_ALL=C awk -v seed="$1" -v count="$2" -f "$demo/random.awk" -f "$demo/users.awk" "$demo/people"; }
now=1795878000
links() { # seed luck count taken
	printf '%s\n' 11 12 13 14 >"$work/owners"
	LC_ALL=C awk -v seed="$1" -v luck="$2" -v count="$3" -v taken="${4:-}" -v now=$now -v plan="$work/plan" -f "$demo/random.awk" \
		-f "$parts/csv.awk" -f "$parts/time.awk" -f "$demo/links.awk" part=owners "$work/owners" part=pages "$demo/pages" >"$work/links"
	nl -w 1 -s ' ' "$work/plan" >"$work/numbered"
}
clicks() { # seed count
	LC_ALL=C awk -v seed="$1" -v count="$2" -v now=$now -f "$demo/random.awk" -f "$parts/csv.awk" -f "$parts/time.awk" \
		-f "$demo/clicks.awk" part=visitors "$demo/visitors" part=links "$work/numbered" >"$work/clicks"
}
hours() { cut -d , -f 5 "$work/clicks" | grep -c "T\($1\):"; }

check 'demo: the same seed, the same people' same "$(people 1 500)" "$(people 1 500)"
check 'demo: another seed, others' test "$(people 1 50)" != "$(people 2 50)"
check 'demo: more people begin with the same' same "$(people 1 500 | head -n 51)" "$(people 1 50)"
check 'demo: no name twice' same "$(people 1 5000 | cut -d , -f 1 | sort | uniq -d)" ''
check 'demo: no address twice' same "$(people 1 5000 | cut -d , -f 2 | sort | uniq -d)" ''
check 'demo: addresses are plain' same "$(people 1 5000 | tail -n +2 | cut -d , -f 2 | grep -vE '^[a-z]+\.[a-z]+[0-9]*@example\.org$')" ''
links 1 5 200
cp "$work/links" "$work/before"
check 'demo: 200 links' same "$(wc -l <"$work/plan")" 200
check 'demo: no code twice' same "$(cut -d ' ' -f 1 "$work/plan" | sort | uniq -d)" ''
check 'demo: codes are legal' same "$(cut -d ' ' -f 1 "$work/plan" | grep -vE '^[0-9A-Za-z_-]{3,64}$')" ''
check 'demo: some links have a code of their own' test "$(cut -d ' ' -f 1 "$work/plan" | grep -cE '^[a-z-]{3,}$')" -ge 3
check 'demo: some have an end' test "$(cut -d , -f 11- "$work/links" | grep -c 'Z,.*demo')" -ge 3
check 'demo: some a limit' test "$(awk '$4 > 0' "$work/plan" | wc -l)" -ge 3
check 'demo: some lead nowhere' test "$(awk '$3 == 0' "$work/plan" | wc -l)" -ge 3
check 'demo: most belong to somebody' test "$(tail -n +2 "$work/links" | cut -d , -f 3 | grep -c .)" -ge 150
check 'demo: all were made in the last 75 days' same "$(awk -v now=$now '$2 > now || $2 < now - 75 * 86400' "$work/plan")" ''
own=$(cut -d ' ' -f 1 "$work/plan" | grep -E '^[a-z-]{3,}$' | head -n 1)
links 1 6 200 "$own"
check 'demo: another time codes differ' same "$(cut -d , -f 4 "$work/links" "$work/before" | sort | uniq -d | grep -vE '^[a-z-]{3,}$|short_code')" ''
check 'demo: and a code that is taken gets an end' grep -qE "^$own-...\$" <(cut -d ' ' -f 1 "$work/plan")
check 'demo: but all else is the same' same "$(cut -d , -f 5- "$work/links")" "$(cut -d , -f 5- "$work/before")"
clicks 1 5000
cp "$work/clicks" "$work/before"
clicks 1 5000
check 'demo: the same seed, the same clicks' cmp "$work/clicks" "$work/before"
check 'demo: as many as were wished' same "$(tail -n +2 "$work/clicks" | wc -l)" 5000
check 'demo: by day more than by night' test "$(hours '09\|10\|11')" -gt $((4 * $(hours '01\|02\|03')))
top=$(cut -d , -f 3 "$work/clicks" | sort | uniq -c | sort -k 1nr | awk 'NR <= 20 { n += $1 } END { print n }')
check 'demo: a tenth of the links has more than half of the clicks' test "$top" -gt 2500
check 'demo: but not all' test "$(cut -d , -f 3 "$work/clicks" | sort -u | wc -l)" -gt 120
check 'demo: details are JSON' same "$(csv_awk -f <(echo 'BEGIN { csv_begin() } csv_feed($0) && n++ { print csv_cell[6] }') "$work/clicks" | jq -r 'keys | join(" ")' | sort -u)" 'ip_address referrer user_agent'
check 'demo: addresses are nobody'"'"'s' same "$(grep -vE '""ip_address"":""(192\.0\.2|198\.51\.100|203\.0\.113)\.|2001:db8:' "$work/clicks" | tail -n +2)" ''
in_order() { # no click on what leads nowhere, none before its link was made, none in the future, none over the limit
	awk -F '[ ,]' -v now="$(date -u -d @"$now" +%FT%TZ)" -v old="$(date -u -d @$((now - 30 * 86400)) +%FT%TZ)" '
		FILENAME ~ /numbered$/ { cmd = "date -u -d @" $3 " +%FT%TZ"; cmd | getline born[$1]; close(cmd); active[$1] = $4; most[$1] = $5; next }
		FNR == 1 { next }
		!active[$3] || $5 < born[$3] || $5 < old || $5 >= now || (most[$3] && ++n[$3] > most[$3]) { print; bad = 1 }
		END { exit bad }' "$work/numbered" "$work/clicks"
}
check 'demo: clicks are where and when there can be some' in_order
printf '%s 1 %s\n' "11 limited $((now - 9999999))" "5 1" "12 free $((now - 9999999))" "0 3" >"$work/numbered"
clicks 1 500
check 'demo: a link has no more clicks than it may have' same "$(cut -d , -f 3 "$work/clicks" | sort | uniq -c | xargs)" '5 11 495 12 1 url_id'
check 'demo: help' scripts/demo-data --help
refuses() { local got=0; scripts/demo-data "$@" 2>/dev/null || got=$?; [ "$got" -eq 2 ]; }
check 'demo: what it does not know is refused' refuses --clicks 5
check 'demo: what is no number is refused' refuses --links many
check 'demo: too much is refused' refuses --events 99999999

[ "$update" = no ] || git status --short "$recorded"
finish
