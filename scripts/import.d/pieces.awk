# pieces - cuts rows into files that the API takes, each with its own first line, between two records.
#
# awk -v most_bytes=N -v most_rows=N -v out=DIRECTORY [-v owner=ID] -f csv.awk -f pieces.awk ROWS
# ROWS as map.awk writes them. out/000001.csv is what is sent, out/000001.rows the same as in ROWS.
# Prints "000001 rows" for each. owner is written as user_id into every row.

BEGIN { csv_begin() }
csv_feed($0) {
	if (head == "") {
		head = csv_record(3) (owner ? ",user_id" : "")
		rows_head = csv_record(1)
	} else {
		add(csv_record(3) (owner ? "," owner : ""))
	}
}
END { finish() }

function add(record) {
	if (!piece || rows >= most_rows || bytes + length(record) + 1 > most_bytes)
		begin()
	rows++
	bytes += length(record) + 1
	print record >(file ".csv")
	print csv_record(1) >(file ".rows")
}

function begin() {
	finish()
	name = sprintf("%06d", ++piece)
	file = out "/" name
	rows = 0
	bytes = length(head) + 1
	print head >(file ".csv")
	print rows_head >(file ".rows")
}

function finish() {
	if (!piece)
		return
	close(file ".csv")
	close(file ".rows")
	print name, rows
}
