# there - leaves out the links that are there already and lead where they should.
#
# awk -f csv.awk -f report.awk -f there.awk pass=1 ROWS pass=2 EXPORT pass=3 ROWS >PENDING
# ROWS as map.awk writes them, EXPORT as GET /urls/export does; only codes of ROWS are kept in memory.
# A code that leads elsewhere is reported. On standard error: how many are there, how many elsewhere.

FNR == 1 {
	csv_begin()
	headed = 0
}
!csv_feed($0) { next }
!headed {
	headed = 1
	report_head()
	if (pass == 3)
		print
	next
}
pass == 1 { wanted[report_name()] = 1 }
pass == 2 { take_link(report_name(), report_target()) }
pass == 3 { take_row(report_name(), report_target()) }
END { print there + 0, elsewhere + 0 >"/dev/stderr" }

# The export writes a ' before what a spreadsheet would take for a formula.
function take_link(code, target) {
	if (substr(code, 1, 1) == "'")
		code = substr(code, 2)
	if (code in wanted)
		leads[code] = target
}

function take_row(code, target) {
	if (!(code in leads)) {
		print csv_record(1)
	} else if (same_url(target, leads[code])) {
		there++
	} else {
		elsewhere++
		report(csv_cell[1], csv_cell[2], code, target, "refused", "short_code is taken, by a link to " leads[code])
	}
}

# A link is stored in a canonical form. Both are written alike here: what is written in another way
# must not look like another target. Names of hosts with other letters are taken for the same.
function same_url(one, other) {
	return one == other || url_alike(one) == url_alike(other)
}

function url_alike(url,    scheme, host, at) {
	at = index(url, ":")
	scheme = tolower(substr(url, 1, at - 1))
	url = substr(url, at + 1)
	sub(/^\/+/, "", url)
	at = match(url, /[\/?#]/)
	host = tolower(at ? substr(url, 1, at - 1) : url)
	url = at ? substr(url, at) : "/"
	if (substr(url, 1, 1) != "/")
		url = "/" url
	sub(scheme == "https" ? ":443$" : ":80$", "", host)
	if (host ~ /[\200-\377]/ || host ~ /xn--/)
		host = "xn--"
	return scheme "://" host escaped(url)
}

function escaped(text,    i, byte, result) {
	if (text !~ /[^!#-&(-;=?-\]_a-z|~]/)
		return text
	if (!("!" in code_of))
		for (i = 1; i < 256; i++)
			code_of[sprintf("%c", i)] = i
	for (i = 1; i <= length(text); i++) {
		byte = substr(text, i, 1)
		result = result (byte ~ /[!#-&(-;=?-\]_a-z|~]/ ? byte : sprintf("%%%02X", code_of[byte]))
	}
	return result
}
