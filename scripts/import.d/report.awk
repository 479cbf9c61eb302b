# report - what happened to rows that are not there as they were in the file, a line of CSV for each:
# file, row (from 1, without the first line), line of the file, name (code, username or link), target
# (URL, email or type of event), verdict (refused or changed) and why. IMPORT_FILE is the file,
# IMPORT_REPORT where it goes. With csv.awk.

function report(row, line, name, target, verdict, reason) {
	print report_cell(ENVIRON["IMPORT_FILE"]) "," row "," line "," report_cell(name) "," \
		report_cell(target) "," verdict "," report_cell(reason) >>ENVIRON["IMPORT_REPORT"]
}

# Spreadsheets would take some beginnings for a formula.
function report_cell(text) {
	return csv_quote((text ~ /^[=+@\t\r-]/ ? "'" : "") text)
}

# Reads the first line of rows that map.awk wrote: where name and target stand.
function report_head(    i) {
	for (i = 1; i <= csv_cells; i++)
		report_at[csv_cell[i]] = i
}
function report_name() {
	return csv_cell[report_at["short_code"] + report_at["username"] + report_at["url_id"]]
}
function report_target() {
	return csv_cell[report_at["original_url"] + report_at["email"] + report_at["event_type"]]
}
