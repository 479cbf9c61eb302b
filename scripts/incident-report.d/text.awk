# Numbers, times and text for people. Text is bytes here, whatever awk it is: callers set LC_ALL=C.

function floor(x,   whole) {
	whole = int(x)
	return whole > x ? whole - 1 : whole
}

function least(a, b) { return a < b ? a : b }
function most(a, b) { return a > b ? a : b }

# ---- Numbers

# 1234567 -> 1,234,567
function count(n,   digits, rest) {
	digits = sprintf("%.0f", n < 0 ? -n : n + 0) # no -0
	while (length(digits) > 3) {
		rest = "," substr(digits, length(digits) - 2) rest
		digits = substr(digits, 1, length(digits) - 3)
	}
	return (n < 0 ? "-" : "") digits rest
}

function seconds(ms) { return decimal(ms / 1000, 1) " s" }
function exactly(ms) { return decimal(ms / 1000, 3) " s" }

# With so many digits after the point, and a comma for each thousand before it.
function decimal(x, digits,   text, point) {
	text = sprintf("%." digits "f", x < 0 ? -x : x)
	point = index(text, ".")
	return (x < 0 && text + 0 > 0 ? "-" : "") count(substr(text, 1, point ? point - 1 : length(text)) + 0) \
		(point ? substr(text, point) : "")
}

# A share for people: never "0 %" of what did happen, never "100 %" of what did not happen always.
function percent(part, whole,   share, digits) {
	if (whole == 0 || part == 0) return "0 %"
	if (part == whole) return "100 %"
	share = 100 * part / whole
	if (share < 0.001) return "under 0.001 %"
	if (share > 99.99 && share < 100) return "over 99.99 %"
	digits = share < 0.1 ? 3 : share < 1 ? 2 : share > 99.9 && share < 100 ? 2 : 1
	return decimal(share, digits) " %"
}

function plural(n, one, many) { return count(n) " " (n == 1 ? one : many) }

# ---- Times

# "2026-11-28 15:12:03.123" in UTC; days to dates as in the proleptic Gregorian calendar, from March.
function utc(ms,   days, rest, era, day_of_era, year_of_era, day_of_year, month) {
	days = floor(ms / 86400000)
	rest = ms - days * 86400000
	days += 719468
	era = floor(days / 146097)
	day_of_era = days - era * 146097
	year_of_era = int((day_of_era - int(day_of_era / 1460) + int(day_of_era / 36524) - int(day_of_era / 146096)) / 365)
	day_of_year = day_of_era - (365 * year_of_era + int(year_of_era / 4) - int(year_of_era / 100))
	month = int((5 * day_of_year + 2) / 153)
	return sprintf("%04d-%02d-%02d %s", year_of_era + era * 400 + (month >= 10), \
		month < 10 ? month + 3 : month - 9, day_of_year - int((153 * month + 2) / 5) + 1, clock(rest))
}

function clock(ms,   s) { # of milliseconds since midnight
	s = int(ms / 1000)
	return sprintf("%02d:%02d:%02d.%03d", int(s / 3600), int(s / 60) % 60, s % 60, ms - s * 1000)
}

function date(ms) { return substr(utc(ms), 1, 10) }
function time_of_day(ms) { return substr(utc(ms), 12) }

# ---- Text that may be anything

# How many characters: bytes but for those that continue one.
function characters(text) {
	gsub(/[\200-\277]/, "", text)
	return length(text)
}

# Without what is not seen or changes the direction of what is, at most so many characters.
function plain(text, limit,   at, seen) {
	gsub(/\342\200[\213-\217\250-\256]|\342\201[\240-\257]|\357\273\277|\357\277[\276\277]|\302[\200-\237\255]/, "", text)
	gsub(/[\001-\040\177]+/, " ", text)
	if (characters(text) <= limit) return text
	for (at = 1; seen < limit && at <= length(text); at++)
		if (substr(text, at + 1, 1) !~ /[\200-\277]/) seen++
	return substr(text, 1, at - 1) "…"
}

function xml(text, limit) {
	text = plain(text, limit)
	gsub(/&/, "\\&amp;", text)
	gsub(/</, "\\&lt;", text)
	gsub(/>/, "\\&gt;", text)
	gsub(/"/, "\\&quot;", text)
	gsub(/'/, "\\&#39;", text)
	return text
}

# As it stands, in Markdown: nothing of it is a mark, a tag or the end of a cell.
function md(text,   limit, out, at, letter) {
	text = plain(text, 400)
	for (at = 1; at <= length(text); at++) {
		letter = substr(text, at, 1)
		if (letter == "&") letter = "&amp;"
		else if (letter == "<") letter = "&lt;"
		else if (letter == ">") letter = "&gt;"
		else if (letter == "_" && substr(text, at - 1, 1) ~ /[A-Za-z0-9]/ && substr(text, at + 1, 1) ~ /[A-Za-z0-9]/) letter = "_"
		else if (letter ~ /[\\`*_~|$]/ || letter == "[" || letter == "]") letter = "\\" letter
		else if (at == 1 && letter ~ /[-+#=]/) letter = "\\" letter
		out = out letter
	}
	return out
}

# In the letters of a machine, where that needs no escapes.
function code(text) {
	text = plain(text, 400)
	return text == "" || text == "-" || text ~ /[`<>&|]/ ? md(text) : "`" text "`"
}

# Ends with a full stop, as the free sentences of a journal may or may not.
function sentence(text) { return text ~ /[.!?…]$/ ? text : text "." }
