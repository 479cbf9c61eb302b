# csv - reads and writes RFC 4180: quoted cells with commas, quotes and line ends, CRLF or LF, a BOM.
#
# csv_begin()       before each file
# csv_feed(line)    takes a line without its LF; true when it completes a record, which is then in
#                     csv_cell[1…csv_cells]  its cells as they were meant
#                     csv_line               the line where it begins, from 1
#                     csv_fault              what is wrong with its quotes, or ""
#                   csv_lost: a quote was never closed, and all that follows means nothing
# csv_end()         what is wrong with the end of the file, or ""
# csv_quote(text)   a cell as it is written; csv_record(n): the record again, from its cell n on
#
# A quote within a cell that does not begin with one is taken as it stands: nobody can mean anything
# else by it. Blank lines are no records. Strings are bytes: run it with LC_ALL=C.

function csv_begin() {
	csv_lines = csv_open = csv_lost = 0
	csv_bytes_max = 1048576 # of a cell: more is a quote that somebody forgot to close
}

function csv_feed(line) {
	if (++csv_lines == 1 && substr(line, 1, 3) == "\357\273\277")
		line = substr(line, 4)
	if (!csv_open) {
		if (line == "" || line == "\r")
			return 0
		csv_line = csv_lines
		csv_cells = 0
		csv_fault = ""
		if (!index(line, "\"")) {
			sub(/\r$/, "", line)
			csv_cells = split(line, csv_cell, ",")
			return 1
		}
	}
	return csv_scan(line)
}

# The rest of a line: from the beginning of a cell, or from within a quoted one that is open.
function csv_scan(rest,    at) {
	for (;;) {
		if (!csv_open && substr(rest, 1, 1) == "\"") {
			csv_open = 1
			csv_part = ""
			rest = substr(rest, 2)
		}
		if (csv_open) {
			at = csv_closing(rest)
			if (!at)
				return csv_too_long()
			rest = substr(rest, at + 1)
		} else {
			at = index(rest ",", ",")
			csv_part = substr(rest, 1, at - 1)
			rest = substr(rest, at)
			if (rest == "")
				sub(/\r$/, "", csv_part)
		}
		csv_cell[++csv_cells] = csv_part
		if (rest == "" || rest == "\r")
			return 1
		if (substr(rest, 1, 1) != ",") {
			csv_fault = "there is text behind a closing quote"
			return 1
		}
		rest = substr(rest, 2)
	}
}

# Adds to the open cell what belongs to it. Where its closing quote is, or 0: it goes on in the next line.
function csv_closing(rest,    at, end) {
	while ((at = index(substr(rest, end + 1), "\""))) {
		csv_part = csv_part substr(rest, end + 1, at - 1)
		end += at
		if (substr(rest, end + 1, 1) != "\"") {
			csv_open = 0
			return end
		}
		csv_part = csv_part "\""
		end++
	}
	csv_part = csv_part substr(rest, end + 1) "\n"
	return 0
}

function csv_too_long() {
	if (length(csv_part) <= csv_bytes_max)
		return 0
	csv_open = 0
	csv_lost = 1
	csv_fault = "its quote is not closed"
	return 1
}

function csv_end() {
	return csv_open || csv_lost ? "the quote of the record in line " csv_line " is not closed" : ""
}

function csv_quote(text) {
	if (text !~ /[",\r\n]/)
		return text
	gsub(/"/, "\"\"", text)
	return "\"" text "\""
}

# The record again, from a cell on.
function csv_record(from,    i, text) {
	text = csv_quote(csv_cell[from])
	for (i = from + 1; i <= csv_cells; i++)
		text = text "," csv_quote(csv_cell[i])
	return text
}
