# text - cells as the API takes them.
#
# text_trim(text)    without space around it; what databases write for nothing is ""
# text_line(text)    in one line: no control characters, no marks that turn the direction of reading
# text_cut(text, n)  its first n bytes at most, whole characters of UTF-8
# text_code(text)    the short code of a short URL, or of what stands for it
# text_mend(code)    a code that is legal here and always the same for the same one; text_reserved[word]
#                    are those that are taken by the site, in lower case
# text_flag(text)    "true", "false", or "" if it is neither

function text_trim(text) {
	sub(/^[ \t\r\n]+/, "", text)
	sub(/[ \t\r\n]+$/, "", text)
	return text == "NULL" || text == "\\N" ? "" : text
}

function text_line(text) {
	gsub(/[\001-\037\177]+/, " ", text)
	gsub(/\342\200[\252-\256]/, "", text)
	gsub(/\342\201[\246-\251]/, "", text)
	gsub(/  +/, " ", text)
	return text_trim(text)
}

function text_cut(text, most) {
	if (length(text) <= most)
		return text
	while (most > 0 && substr(text, most + 1, 1) ~ /[\200-\277]/)
		most--
	return text_trim(substr(text, 1, most))
}

function text_code(text) {
	if (!sub(/^[A-Za-z]+:\/\/[^\/]*/, "", text))
		sub(/^[^\/]*\.[^\/]*\//, "", text) # the host, where nobody wrote https:// before it
	sub(/^\/+/, "", text)
	sub(/\/+$/, "", text)
	return text
}

function text_mend(code) {
	gsub(/[^0-9A-Za-z_-]/, "-", code)
	code = substr(code, 1, 64)
	if (code ~ /^[0-9]+$/ || tolower(code) in text_reserved)
		code = substr(code, 1, 63) "_"
	while (length(code) < 3)
		code = code "_"
	return code
}

function text_flag(text) {
	text = tolower(text)
	if (text ~ /^(true|t|yes|y|on|1)$/)
		return "true"
	return text ~ /^(false|f|no|n|off|0)$/ ? "false" : ""
}
