# time - times as exports write them, and as the API takes them: RFC 3339.
#
# time_read(text)   2026-01-31, with T or a space 12:00, 12:00:00 or 12:00:00.123, then nothing, Z,
#                   UTC, +02, +0200 or +02:00; seconds or milliseconds since 1970. Without a zone
#                   it is UTC. "" if it is none of these.
# time_text(n)      the second n since 1970, n >= 0

function time_read(text,    day, clock) {
	if (text ~ /^[0-9]+$/ && (length(text) == 10 || length(text) == 13))
		return time_text(substr(text, 1, 10))
	if (text !~ /^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]/ || text ~ /^0000/)
		return ""
	day = substr(text, 1, 10)
	text = substr(text, 11)
	if (text == "")
		return day "T00:00:00Z"
	if (text !~ /^[Tt ][0-9][0-9]:[0-9][0-9]/)
		return ""
	clock = substr(text, 2, 5) ":00"
	text = substr(text, 7)
	if (match(text, /^:[0-9][0-9]/)) {
		clock = substr(clock, 1, 5) substr(text, 1, 3)
		text = substr(text, 4)
	}
	if (match(text, /^\.[0-9]+/)) {
		clock = clock substr(text, 1, RLENGTH < 7 ? RLENGTH : 7) # microseconds
		text = substr(text, RLENGTH + 1)
	}
	text = time_zone(text)
	return text == "" ? "" : day "T" clock text
}

function time_zone(text) {
	sub(/^ /, "", text)
	if (text == "" || text ~ /^([Zz]|UTC|GMT)$/)
		return "Z"
	if (text !~ /^[+-][0-9][0-9](:?[0-9][0-9])?$/)
		return ""
	sub(/:/, "", text)
	return substr(text, 1, 3) ":" (length(text) > 3 ? substr(text, 4) : "00")
}

function time_text(seconds,    days, rest, era, year, month) {
	days = int(seconds / 86400) + 719468 # since March 1, 0000
	rest = seconds % 86400
	era = int(days / 146097)
	days %= 146097
	year = int((days - int(days / 1460) + int(days / 36524) - int(days / 146096)) / 365)
	days -= 365 * year + int(year / 4) - int(year / 100)
	month = int((5 * days + 2) / 153) # 0 is March
	days -= int((153 * month + 2) / 5)
	return sprintf("%04d-%02d-%02dT%02d:%02d:%02dZ", year + era * 400 + (month > 9), month + (month > 9 ? -9 : 3),
		days + 1, int(rest / 3600), int(rest % 3600 / 60), rest % 60)
}
