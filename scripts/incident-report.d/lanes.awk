# One lane for the fault, each alert, and the dead man's switch where it is spoken of: a name, what
# became of it in words, bars and pins.

BEGIN {
	lane_height = 45
	most_lanes = 20
}

function has_silence() { return silent || is_must("Silence") }
function lanes_shown() { return least(alerts, most_lanes) }
function lane_count() { return (first_event("inject") > 0) + lanes_shown() + (has_silence() ? 1 : 0) }
function lanes_height() { return lane_count() * lane_height + (alerts > most_lanes ? 24 : 0) }

function write_lanes(y,   i) {
	if (first_event("inject")) { fault_lane(y); y += lane_height }
	for (i = 1; i <= lanes_shown(); i++) { alert_lane(alert[i], y); y += lane_height }
	if (has_silence()) { silence_lane(y); y += lane_height }
	if (alerts > most_lanes) words("pale", left, y + 14, "and " plural(alerts - most_lanes, "alert", "alerts") " more: see report.md")
}

# Words that are bad news stand first.
function lane_name(y, name, bad_words, fine_words) {
	track(y)
	words("halo", left, y + 15, span("name", xml(name, 40)) (bad_words ? span("bad name wide", bad_words, 10) : "") \
		(fine_words ? span("pale wide", fine_words, 10) : "") (bad_words ? span("bad small", "!", 8) : ""))
}

# The ground of a lane, with what stands behind all of them.
function track(y,   s, gap) {
	rect("tile", left, y + 21, right - left, 18, "rx=\"3\"")
	fault_ground(y + 21, y + 39)
	gap = tick_seconds()
	for (s = first_tick(gap); origin + s * 1000 <= until; s += gap) line("thin grid", place(origin + s * 1000), y + 21, place(origin + s * 1000), y + 39)
}

function bar(class, since_ms, to_ms, y, more_of_it,   x) {
	if (to_ms < from || since_ms > until) return
	x = place(within_time(since_ms))
	rect(class, x, y + 22, most(place(within_time(to_ms)) - x, 2), 16, "rx=\"2\"" (more_of_it ? " " more_of_it : ""))
}

# ---- The fault

# What nobody has to undo is a moment, not a time.
function is_moment() { return !undone && fact_of("hands") == "no" }
function fault_end() { return undone ? undone : until }

function fault_ground(top, bottom) {
	if (!first_event("inject")) return
	if (!is_moment()) rect("fault", place(origin), top, place(within_time(fault_end())) - place(origin), bottom - top, "opacity=\"0.16\"")
}

function fault_lane(y,   x) {
	lane_name(y, "fault: " (has_fact("fault") ? fact_of("fault") : "it"), "", \
		undone ? "undone after " after(undone) : is_moment() ? "nothing had to be undone" : "not undone")
	x = place(origin)
	if (is_moment()) print "<path class=\"fault mark\" d=\"M" px(x) " " px(y + 20) "l9 10l-9 10l-9 -10Z\"/>"
	else rect("fault", x, y + 25, place(within_time(fault_end())) - x, 10, "rx=\"2\"")
}

# ---- An alert

function tone(name) { return alert_messages[name] ? first_kind(name) : "quiet" }
function first_kind(name,   i) {
	for (i = 1; i <= events; i++)
		if (event_name[i] == name && (event_kind[i] == "page" || event_kind[i] == "ticket")) return event_kind[i]
	return "quiet"
}

function alert_lane(name, y) {
	lane_name(y, name, bad_news(name), fine_news(name))
	bars(name, "pending", y)
	bars(name, "firing", y)
	if (is_must(name)) bound_mark(must_within[name], y)
	pins(name, y)
}

function bad_news(name) {
	if (!is_gameday()) return ""
	if (!is_expected(name)) return was_heard(name) ? "not expected" : ""
	if (!is_must(name)) return ""
	if (!heard(name)) return "no message"
	return in_time(heard(name), must_within[name]) ? "" : "too late"
}

function fine_news(name,   text) {
	if (alert_told[name]) text = alert_by[name] " after " after(alert_told[name])
	else if (alert_firing[name]) text = "fired after " after(alert_firing[name])
	else if (alert_pending[name]) text = "pending after " after(alert_pending[name])
	else text = "never pending"
	if (is_must(name)) text = text ", bound " decimal(must_within[name], must_within[name] % 1 ? 1 : 0) " s"
	if (alert_messages[name] > 1) text = text ", " alert_messages[name] " messages"
	if (alert_over[name]) text = text ", is over after " after(alert_over[name])
	return xml(text, 90)
}

# From each event of that state to the next one of another, of the same labels.
function bars(name, state, y,   i, class) {
	class = tone(name)
	for (i = 1; i <= events; i++) {
		if (event_name[i] != name || event_kind[i] != state) continue
		if (state == "firing") bar(class, event_ms[i], state_end(i), y)
		else bar("thin " class "-edge", event_ms[i], state_end(i), y, "style=\"fill:url(#pending-" class ")\"")
	}
}

function state_end(i,   j) {
	for (j = i + 1; j <= events; j++)
		if (event_name[j] == event_name[i] && event_text[j] == event_text[i] && event_kind[j] ~ /^(pending|firing|ended)$/) return event_ms[j]
	return until
}

function bound_mark(within, y,   x) {
	if (origin + within * 1000 > until) return
	x = place(origin + within * 1000)
	line("firm bracket", x, y + 18, x, y + 42, "stroke-dasharray=\"4 2.5\"")
}

# Heads stand side by side; where there is no room left a stroke must do.
function pins(name, y,   i, x, head, letter) {
	head = -100
	for (i = 1; i <= events; i++) {
		if (event_name[i] != name || event_kind[i] !~ /^(page|ticket|over)$/) continue
		if (event_ms[i] < from || event_ms[i] > until) continue
		x = place(event_ms[i])
		letter = event_kind[i] == "page" ? "P" : event_kind[i] == "ticket" ? "T" : "over"
		if (most(x, head + 19) - x > 40 || most(x, head + 19) > width - 12) { line("firm " event_kind[i] "-edge", x, y + 20, x, y + 40); continue }
		head = most(x, head + 19)
		pin(event_kind[i], letter, x, head, y + 19)
	}
}

# ---- The dead man's switch

function silence_lane(y,   i, within, bad_words) {
	within = is_must("Silence") ? must_within["Silence"] : 0
	if (within) bad_words = !silent ? "not silent" : in_time(silent, within) ? "" : "too late"
	lane_name(y, "dead man's switch", bad_words, (silent ? "silent after " after(silent) : "") \
		(within ? (silent ? ", " : "") "bound " within " s" : ""))
	for (i = 1; i <= events; i++)
		if (event_kind[i] == "beat" && event_ms[i] >= from && event_ms[i] <= until)
			print "<circle class=\"over\" cx=\"" px(place(event_ms[i])) "\" cy=\"" px(y + 30) "\" r=\"4\"/>"
	if (within) bound_mark(within, y)
	if (silent) pin("silence", "S", place(silent), place(silent), y + 19)
}
