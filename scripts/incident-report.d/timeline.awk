# Draws timeline.svg. Wants text, journal, figures, verdict, words, drawing and lanes.

BEGIN {
	widest = 1200    # steps of a line; more are averaged
}

END {
	if (!sound()) exit 1
	figures()
	if (is_gameday()) judge()
	from = fact_of("began") + 0
	until = fact_of("ended") + 0
	settle_heights()
	find_legend()
	height = lanes_top + lanes_height() + 20 + second_axis() + legend_height()
	write_begin()
	write_top()
	write_tiles()
	write_ground()
	write_requests()
	write_edges()
	tick_labels(chart_bottom + 24)
	write_brackets()
	write_lanes(lanes_top)
	if (second_axis()) tick_labels(lanes_top + lanes_height() + 14)
	write_legend(lanes_top + lanes_height() + 12 + second_axis())
	print "</svg>"
}

function brackets() { return (detected > 0) + (recovery == "done" || recovery == "open") }

function settle_heights() {
	chart_top = 166 + 24 * brackets()
	chart_bottom = chart_top + 140
	lanes_top = chart_bottom + 36
}

# Where the axis is far away from the last lane there is another one.
function second_axis() { return lane_count() > 6 ? 22 : 0 }

# ---- Around it

function write_begin() {
	print "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " width " " height "\" width=\"" width "\" height=\"" height \
		"\" role=\"img\" aria-labelledby=\"title desc\">"
	print "<title id=\"title\">" xml(fact_of("title"), 200) "</title>"
	print "<desc id=\"desc\">" xml(picture_words(), 600) "</desc>"
	write_style()
	write_patterns()
	rect("paper", 0.5, 0.5, width - 1, height - 1, "rx=\"10\"")
}

function write_top(   kind) {
	kind = is_gameday() ? "game day" : "incident"
	words("title wide", 24, 40, xml(fact_of("title"), 74))
	words("title small", 24, 40, xml(fact_of("title"), 50))
	words("pale wide", 24, 62, xml(kind " · " date(origin) " · 0 s is " time_of_day(origin) " UTC, " origin_words " · " fact_of("id"), 95))
	words("pale small", 24, 66, kind " · " substr(utc(origin), 1, 19) " UTC")
	if (!is_gameday()) return
	if (unmet) words("name end bad", 936, 62, "✗ not passed")
	else words("name end good", 936, 62, "✓ passed")
}

function write_tiles() {
	tile(0, "time to detect", short_of(detection_figure()), detected_how == "firing" ? "until it fired" : \
		musts && detected ? "bound " must_within[detected_by] " s" : "")
	tile(1, "time to recover", short_of(recovery_figure()), "")
	tile(2, "failed requests", rows ? count(failed) : "not assessed", rows ? "of " count(offered) : "")
	tile(3, "links lost", has_fact("links_lost") ? count(fact_of("links_lost")) : "not assessed", \
		has_fact("links_lost") && has_fact("links_acknowledged") ? "of " count(fact_of("links_acknowledged")) : "")
}

function short_of(figure) { return figure ~ /^nothing/ ? "none needed" : figure }

# Words are longer than numbers, and not as large.
function tile(number, name, figure, rest,   x) {
	x = 24 + number * 231
	rect("tile", x, 78, 219, 66, "rx=\"8\"")
	words("pale", x + 14, 101, name)
	words("", x + 14, 131, span(figure ~ /^[0-9]/ ? "value" : "word", xml(figure, 30)) (rest ? span("pale wide", rest, 6) : ""))
}

# ---- The ground: the fault and the axes

function write_ground(   s, gap) {
	gap = tick_seconds()
	for (s = first_tick(gap); origin + s * 1000 <= until; s += gap)
		line("thin grid", place(origin + s * 1000), chart_top, place(origin + s * 1000), chart_bottom)
}

# Over what is drawn, under what is written.
function write_edges(   end) {
	end = lanes_top + lanes_height() - 6
	if (!first_event("inject")) return
	line("thin fault-edge", place(origin), chart_top, place(origin), end)
	if (undone && undone <= until) line("thin fault-edge", place(undone), chart_top, place(undone), end, "stroke-dasharray=\"3 3\"")
}

function first_tick(gap) { return -floor((origin - from) / 1000 / gap) * gap }

function tick_labels(y,   s, gap) {
	gap = tick_seconds()
	for (s = first_tick(gap); origin + s * 1000 <= until; s += gap)
		if (place(origin + s * 1000) < width - 40) words("pale mid halo", place(origin + s * 1000), y, count(s) " s")
}

# ---- Requests a second

function write_requests(   top, i) {
	if (!rows) { fault_ground(chart_top, chart_bottom); words("pale mid halo", (left + right) / 2, (chart_top + chart_bottom) / 2, "requests: not assessed"); return }
	for (i = 1; i <= rows; i++) top = most(top, (good(i) + bad(i)) / step)
	ceiling = round_up(top)
	for (i = 0; i <= 2; i++) {
		line(i ? "thin grid" : "thin axis", left, level(ceiling * i / 2), right, level(ceiling * i / 2))
		words("pale end scale", left - 8, level(ceiling * i / 2) + 4, count_short(ceiling * i / 2) (i == 2 ? span("wide", "/s") : ""))
	}
	area("requests", "all")
	fault_ground(chart_top, chart_bottom)
	area("offered firm", "all")
	area("creates", "bad", "style=\"fill:url(#stripes)\"")
	area("redirects", "redirects")
	bad_strip()
	if (!failed) words("pale mid", (left + right) / 2, (chart_top + chart_bottom) / 2 + 4, "no user request failed")
}

function level(figure) { return chart_bottom - figure / ceiling * (chart_bottom - chart_top) }
function count_short(x) { return x >= 10000 ? decimal(x / 1000, 0) "k" : x == int(x) ? count(x) : decimal(x, 1) }

function height_of(i, what) {
	if (what == "redirects") return row_rb[i] / step
	return (what == "bad" ? bad(i) : good(i) + bad(i)) / step
}

# The mean of so many rows from one on.
function mean_of(i, many, what,   j, sum) {
	for (j = i; j < i + many; j++) sum += height_of(j, what)
	return sum / many
}

# Steps: what stays the same is one of them, and where rows are missing there is none. An area goes
# back to the ground, a line (firm) does not.
function area(class, what, more_of_it,   i, many, bin, x, y, end, before, path, ground) {
	ground = class ~ /firm/ ? "" : "V" px(level(0))
	bin = most(1, -floor(-rows / widest))
	for (i = 1; i <= rows; i += bin) {
		many = least(bin, rows - i + 1)
		x = place(within_time(row_ms(i)))
		y = px(level(mean_of(i, many, what)))
		if (path == "" || x - end > 0.5) path = path (path == "" ? "" : "H" px(end) ground) "M" px(x) " " (ground ? px(level(0)) "V" y : y)
		else if (y != before) path = path "H" px(x) "V" y
		before = y
		end = place(within_time(row_ms(i + many - 1) + step * 1000))
	}
	print "<path class=\"" class "\"" (more_of_it ? " " more_of_it : "") " d=\"" path "H" px(end) ground "\"/>"
}

# One failure of thousands would be no pixel high: below the axis each bad second is as high as any.
function bad_strip(   i, j, x) {
	for (i = 1; i <= rows; i = j + 1) {
		j = i
		if (!bad(i)) continue
		while (j < rows && bad(j + 1) && row_second[j + 1] - row_second[j] <= step) j++
		x = place(within_time(row_ms(i)))
		rect("redirects", x, chart_bottom + 2, most(place(within_time(row_ms(j) + step * 1000)) - x, 2), 5)
	}
}

# ---- How long it took

function write_brackets(   y) {
	y = 166
	if (detected) { bracket(detected, y, "time to detect", after(detected)); y += 24 }
	if (recovery == "done") bracket(recovered, y, "time to recover", after(recovered))
	else if (recovery == "open") words("bad", least(place(origin), 560), y + 5, "not recovered within the journal")
}

# The words stand behind it where there is room for large ones, else in it, else before it.
function bracket(ms, y, name, figure,   x, end, text) {
	x = place(origin)
	end = place(within_time(ms))
	text = span("pale", name) span("name", figure, 5)
	line("firm bracket", x, y, end, y)
	line("firm bracket", x, y - 6, x, y + 6)
	line("firm bracket", end, y - 6, end, y + 6)
	if (end + 300 < right) words("", end + 9, y + 5, text)
	else if (end - x > 320) words("mid halo", (x + end) / 2, y + 5, text)
	else words("end", x - 9, y + 5, text)
}

# ---- Legend: of what is in the picture

function find_legend() {
	legends = 0
	if (rows) legend_for("requests", "requests")
	if (failed_r) legend_for("redirects", "failed redirects")
	if (failed_c) legend_for("creates", "failed creates")
	if (failed) legend_for("strip", "bad " span_name())
	if (first_event("pending")) legend_for("pending", "pending")
	if (first_event("firing")) legend_for("firing", "firing")
	if (first_event("page")) legend_for("page", "page arrives")
	if (first_event("ticket")) legend_for("ticket", "ticket arrives")
	if (first_event("over")) legend_for("over", "\"is over\" arrives")
	if (musts) legend_for("bound", "bound")
	if (has_silence() && first_event("beat")) legend_for("beat", "heartbeat")
	if (silent) legend_for("silence", "silence is noticed")
}

function span_name() { return step == 1 ? "second" : step " s" }

function legend_for(what, text) {
	legend_what[++legends] = what
	legend_text[legends] = text
}

function legend_height() { return -floor(-legends / 4) * 28 + 16 }

function write_legend(y,   i, x) {
	line("thin grid", 24, y - 2, 936, y - 2)
	for (i = 1; i <= legends; i++) {
		x = 24 + (i - 1) % 4 * 231
		legend_shape(legend_what[i], x, y + 12 + int((i - 1) / 4) * 28)
		words("", x + 34, y + 25 + int((i - 1) / 4) * 28, xml(legend_text[i], 40))
	}
}

function legend_shape(what, x, y) {
	if (what == "requests") { rect("requests", x, y, 26, 16); line("firm offered", x, y, x + 26, y) }
	else if (what == "creates") rect("creates", x, y, 26, 16, "style=\"fill:url(#stripes)\"")
	else if (what == "redirects") rect("redirects", x, y, 26, 16)
	else if (what == "strip") { line("thin axis", x, y + 6, x + 26, y + 6); rect("redirects", x + 8, y + 8, 10, 5) }
	else if (what == "pending") rect("thin quiet-edge", x, y, 26, 16, "rx=\"2\" style=\"fill:url(#pending-quiet)\"")
	else if (what == "firing") rect("quiet", x, y, 26, 16, "rx=\"2\"")
	else if (what == "bound") line("firm bracket", x + 13, y - 3, x + 13, y + 19, "stroke-dasharray=\"4 2.5\"")
	else if (what == "beat") print "<circle class=\"over\" cx=\"" px(x + 13) "\" cy=\"" px(y + 8) "\" r=\"4\"/>"
	else pin(what, what == "page" ? "P" : what == "ticket" ? "T" : what == "silence" ? "S" : "over", x + 13, x + 13, y - 2)
}
