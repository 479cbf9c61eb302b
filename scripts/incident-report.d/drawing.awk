# What a picture is drawn with: its style, its scales, and shapes. Everything is in one file without
# scripts, fonts or addresses. Light and dark by the reader's preference; where it is shown small, as
# on a phone, .wide goes, .small comes, and letters grow.

BEGIN {
	width = 960
	left = 70
	right = 930
}

function px(x,   text) { # with one digit, and none where it is 0
	text = sprintf("%.1f", x)
	sub(/\.0$/, "", text)
	return text == "-0" ? "0" : text
}

function place(ms) { return left + (ms - from) / (until - from) * (right - left) }
function within_time(ms) { return least(most(ms, from), until) }

# ---- Style

function write_style() {
	print "<style>"
	print "text{font-family:system-ui,-apple-system,\"Segoe UI\",Roboto,\"Noto Sans\",\"DejaVu Sans\",sans-serif;font-size:13px;fill:#1b2430}"
	print ".title{font-size:20px;font-weight:700}.name{font-weight:600;font-size:14px}.value{font-size:21px;font-weight:700}.word{font-size:17px;font-weight:700}"
	print ".small{display:none}.end{text-anchor:end}.mid{text-anchor:middle}.letter{font-size:12px;font-weight:700;text-anchor:middle}"
	print ".halo{paint-order:stroke;stroke-width:6px;stroke-linejoin:round}.thin{fill:none;stroke-width:1}.firm{fill:none;stroke-width:1.6}"
	colours("#ffffff #d5dce4 #1b2430 #566272 #e3e8ee #f3f6f9 #d9e9f6 #2f74ab #c9401a #7b3fa3 #e3c40d #c2191f #b36b00 #167a46 #5a3ec8 #687586")
	print "@media (prefers-color-scheme:dark){"
	colours("#0e151e #2c3847 #e9eef4 #9eabba #222d3a #17212c #1a344b #74b9ee #ff7b4f #cf9df0 #ecd94a #f2585d #ff9f40 #4fd48c #a795ff #93a1b2")
	print "}"
	print "@media (max-width:600px){.wide{display:none}.small{display:inline}text,.name{font-size:21px}.title{font-size:28px}" \
		".value{font-size:27px}.word{font-size:22px}.letter{font-size:13px}.scale{font-size:18px}}"
	print "</style>"
}

# Of the paper, its edge, ink, pale ink, grid, tiles; requests, their line, failed redirects and
# creates; fault, page, ticket, over, silence, and what nobody was told of.
function colours(list,   c) {
	split(list, c, " ")
	print ".paper{fill:" c[1] ";stroke:" c[2] "}text{fill:" c[3] "}.halo{stroke:" c[1] "}.pale{fill:" c[4] "}.grid{stroke:" c[5] \
		"}.tile{fill:" c[6] "}.axis{stroke:" c[4] "}.bracket{stroke:" c[3] "}"
	print ".requests{fill:" c[7] "}.offered{stroke:" c[8] "}.redirects{fill:" c[9] "}.creates{fill:" c[10] "}.stripe{stroke:" c[1] "}"
	print ".fault{fill:" c[11] "}.fault-edge{stroke:" c[11] "}.page{fill:" c[12] "}.ticket{fill:" c[13] "}.over{fill:" c[14] "}.silence{fill:" c[15] \
		"}.quiet{fill:" c[16] "}"
	print ".page-edge{stroke:" c[12] "}.ticket-edge{stroke:" c[13] "}.quiet-edge{stroke:" c[16] "}.mark{stroke:" c[1] ";stroke-width:1.5}.letter{fill:" \
		c[1] "}.tick{stroke:" c[1] "}.bad{fill:" c[12] "}.good{fill:" c[14] "}"
}

function write_patterns(   name, i) {
	print "<defs>"
	stripes("stripes", "creates", "stripe", 45)
	split("page ticket quiet", name, " ")
	for (i = 1; i <= 3; i++) {
		print "<pattern id=\"pending-" name[i] "\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">"
		print "<path class=\"" name[i] "-edge\" stroke-width=\"2.4\" d=\"M1 0V6\"/></pattern>"
	}
	print "</defs>"
}

function stripes(id, ground, line, turn) {
	print "<pattern id=\"" id "\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(" turn ")\">"
	print "<rect class=\"" ground "\" width=\"5\" height=\"5\"/><path class=\"" line "\" stroke-width=\"1.5\" d=\"M1 0V5\"/></pattern>"
}

# ---- Shapes

function rect(class, x, y, w, h, more_of_it) {
	print "<rect class=\"" class "\" x=\"" px(x) "\" y=\"" px(y) "\" width=\"" px(most(w, 0)) "\" height=\"" px(h) "\"" \
		(more_of_it ? " " more_of_it : "") "/>"
}

function line(class, x1, y1, x2, y2, more_of_it) {
	print "<path class=\"" class "\" d=\"M" px(x1) " " px(y1) "L" px(x2) " " px(y2) "\"" (more_of_it ? " " more_of_it : "") "/>"
}

function words(class, x, y, text) { # text is XML already
	print "<text" (class ? " class=\"" class "\"" : "") " x=\"" px(x) "\" y=\"" px(y) "\">" text "</text>"
}

function span(class, text, gap) {
	return "<tspan class=\"" class "\"" (gap ? " dx=\"" gap "\"" : "") ">" text "</tspan>"
}

# A message: a pin whose point stands at its time, with a letter or a tick in its head. The head may
# stand aside, where another one is.
function pin(class, letter, x, head, y) {
	print "<path class=\"" class " mark\" d=\"M" px(head - 8.5) " " px(y) "H" px(head + 8.5) "V" px(y + 13) "L" px(x) " " px(y + 21) "L" \
		px(head - 8.5) " " px(y + 13) "Z\"/>"
	if (letter != "over") words("letter", head, y + 11.5, letter)
	else print "<path class=\"firm tick\" style=\"stroke-width:2.2\" d=\"M" px(head - 4.5) " " px(y + 7) "l3.2 3.2l6 -6.4\"/>"
}

# ---- Scales

# The least number with a good half that is not below x.
function round_up(x,   unit, good_one, i) {
	if (x <= 0) return 1
	for (unit = 1; unit * 10 < x; unit *= 10) continue
	for (; unit >= x; unit /= 10) continue
	split("1.2 1.6 2 2.4 3 4 5 6 8 10", good_one, " ")
	for (i = 1; good_one[i] * unit < x; i++) continue
	return good_one[i] * unit
}

# Seconds between the labels of the axis: at most eight of them.
function tick_seconds(   i, n, step_of) {
	n = split("1 2 5 10 20 30 60 120 300 600 1200 1800 3600 7200 14400", step_of, " ")
	for (i = 1; i < n; i++) if ((until - from) / 1000 / step_of[i] <= 8) break
	return step_of[i]
}
