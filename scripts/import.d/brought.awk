# brought - leaves out the rows whose user or link these files did not bring here: what they say is a
# number of there, and somebody else may have it here.
#
# awk -f csv.awk -f report.awk -f brought.awk part=users USERS part=urls URLS part=links EXPORT part=rows ROWS >REST
# USERS, URLS and ROWS as map.awk writes them, EXPORT as GET /urls/export does, once URLS are stored;
# each of the first three may be missing. Those left out are reported; how many, on standard error.

FNR == 1 {
	csv_begin()
	headed = 0
}
!csv_feed($0) { next }
!headed {
	headed = 1
	split("", report_at)
	report_head()
	about_links = "url_id" in report_at
	if (part == "rows")
		print csv_record(1)
	next
}
part == "users" { user[cell("id")] = 1 }
part == "urls" { wanted[cell("short_code")] = cell("id") }
part == "links" { take_link(cell("short_code"), cell("id")) }
part == "rows" { take_row(objection()) }
END { print left + 0 >"/dev/stderr" }

function cell(name) {
	return name in report_at ? csv_cell[report_at[name]] : ""
}

# The export writes a ' before what a spreadsheet would take for a formula. A link that was here before
# has its own number, whatever the file says.
function take_link(code, id) {
	if (substr(code, 1, 1) == "'")
		code = substr(code, 2)
	if (code in wanted && wanted[code] == id)
		link[id] = 1
}

function objection() {
	if (cell("user_id") != "" && !(cell("user_id") in user))
		return "user " cell("user_id") " is none of these files"
	if (about_links && !(cell("url_id") in link))
		return "link " cell("url_id") " of these files is not here under that id"
	return ""
}

function take_row(why) {
	if (why == "") {
		print csv_record(1)
		return
	}
	left++
	report(csv_cell[1], csv_cell[2], report_name(), report_target(), "refused", why)
}
