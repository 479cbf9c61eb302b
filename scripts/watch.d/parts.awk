# How a frame is put together: numbers in words, cells, rows. Bytes, as awk is not told of UTF-8; what
# comes from outside is plain ASCII by then. A text that is "" is not known.

# ---- Numbers and words

function clean(text) {
	gsub(/[^ -~]/, "?", text)
	return text
}

# What some awks take for numbers, such as NaN, is none here.
function number(text) {
	return text ~ /^[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)?$/ ? text + 0 : ""
}

function floor(x) {
	return x >= int(x) ? int(x) : int(x) - 1
}

function plural(n, word) {
	return sprintf("%.0f %s%s", n, word, n == 1 ? "" : "s")
}

function short_age(s) {
	if (s < 0) s = 0
	if (s < 9.95 && s != int(s)) return sprintf("%.1fs", s)
	if (s < 100) return sprintf("%.0fs", floor(s))
	if (s < 6000) return sprintf("%.0fm", floor(s / 60))
	if (s < 360000) return sprintf("%.0fh", floor(s / 3600))
	return sprintf("%.0fd", floor(s / 86400))
}

function duration(s) {
	if (s < 0) s = 0
	if (s < 9.95 && s != int(s)) return sprintf("%.1f s", s)
	if (s < 120) return sprintf("%.0f s", floor(s))
	if (s < 7200) return sprintf("%.0f min", floor(s / 60))
	if (s < 172800) return sprintf("%.0f h", floor(s / 3600))
	return sprintf("%.0f days", floor(s / 86400))
}

function clock(t) {
	t = floor(t) % 86400
	return sprintf("%02d:%02d:%02d", floor(t / 3600), floor(t / 60) % 60, t % 60)
}

function bytes(n,    unit) {
	for (unit = 1; n >= 999.5 && unit < 5; unit++) n /= 1000
	return sprintf(unit == 1 || n >= 10 ? "%.0f %s" : "%.1f %s", n, unit_name[unit])
}

function milliseconds(s) {
	return sprintf(s < 0.01 ? "%.1f ms" : "%.0f ms", s * 1000)
}

function rate(n) {
	if (n > 0 && n < 0.05) return "<0.1/s"
	return sprintf(n > 0 && n < 10 ? "%.1f/s" : "%.0f/s", n)
}

function target_percent(ratio,    text) {
	text = sprintf("%.3f", ratio * 100)
	sub(/[.]?0+$/, "", text)
	return (text == "1" ? "100" : text) "%"
}

# Never less than it is, so that nothing that went wrong looks like nothing.
function error_percent(ratio,    hundredths) {
	hundredths = int(ratio * 10000 + 0.999999)
	return sprintf("%.2f%%", hundredths / 100)
}

# Never more than it is, so that nothing that is spent looks like all.
function left_percent(ratio) {
	return ratio < -9.99 ? "<-999%" : sprintf(ratio <= -1 ? "%.0f%%" : "%.1f%%", floor(ratio * 1000 + 0.000001) / 10)
}

# ---- Signs and colours

function settle_looks(    style) {
	split("B kB MB GB TB", unit_name, " ")
	sign["ok"] = signs == "yes" ? "●" : "*"
	sign["note"] = signs == "yes" ? "▲" : "^"
	sign["wrong"] = signs == "yes" ? "✖" : "x"
	sign["unknown"] = "?"
	sign["none"] = " "
	full = signs == "yes" ? "█" : "#"
	empty = signs == "yes" ? "░" : "-"
	split("▏ ▎ ▍ ▌ ▋ ▊ ▉", part, " ")
	part[0] = empty
	if (signs != "yes") for (style in part) part[style] = empty
	dot = signs == "yes" ? " · " : ", "
	more = signs == "yes" ? "…" : "..."
	rank["none"] = 0; rank["ok"] = 1; rank["note"] = 2; rank["unknown"] = 3; rank["wrong"] = 4
	if (colours != "yes") return
	code["ok"] = "32"; code["note"] = "33"; code["wrong"] = "1;31"; code["unknown"] = "1;35"
	code["dim"] = "2"; code["bold"] = "1"
	for (style in code) code["head " style] = code[style] ";7"
}

function paint(text, style) {
	return style in code && text != "" ? "\033[" code[style] "m" text "\033[0m" : text
}

function chars(text) {
	gsub(/[\200-\277]/, "", text)
	return length(text)
}

function cut(text, width,    i, n) {
	if (chars(text) <= width) return text
	for (i = 1; i <= length(text); i++) {
		if (substr(text, i, 1) !~ /[\200-\277]/ && ++n > width) break
	}
	return substr(text, 1, i - 1)
}

function repeat(text, n,    all) {
	while (n-- > 0) all = all text
	return all
}

# ---- A row: pieces of text from left to right, as far as there is room

function begin(width) {
	line = ""
	room = width
}

function put(text, style) {
	text = cut(text, room)
	room -= chars(text)
	line = line paint(text, style)
}

function put_left(text, width, style) {
	text = cut(text, width)
	put(text, style)
	put(repeat(" ", width - chars(text)))
}

function put_right(text, width, style) {
	text = cut(text, width)
	put(repeat(" ", width - chars(text)))
	put(text, style)
}

function put_sign(style) {
	put(sign[style] " ", style)
}

# ---- A row of things about one subject; its sign is that of the worst of them

function piece(text, style) {
	piece_text[++pieces] = text
	piece_style[pieces] = style
	if (style in rank && rank[style] > rank[worst]) worst = style
}

function forget_pieces() {
	pieces = 0
	worst = "ok"
}

# Nobody has to read six times that nothing is known.
function all_unknown(    i) {
	for (i = 1; i <= pieces; i++) if (piece_style[i] != "unknown") return 0
	return 1
}

function put_pieces(    i) {
	if (all_unknown()) { forget_pieces(); piece("UNKNOWN", "unknown") }
	for (i = 1; i <= pieces; i++) {
		if (i > 1) put(dot, "dim")
		put(piece_text[i], piece_style[i] == "ok" ? "none" : piece_style[i])
	}
	forget_pieces()
}

function row(label) {
	begin(columns)
	put_sign(worst)
	put_left(label, 10, "bold")
	put_pieces()
	return line
}
