# What follows from a journal that is sound: figures(), then
#
#   origin, origin_words     ms that times are counted from, and what that is: the fault, or its first sign
#   undone                   ms of the undo, 0 if there is none
#   step, span_r, span_c     seconds of a row; redirects and creates offered
#   failed_r, failed_c, failed, offered
#   first_bad, last_bad      rows, 0 if nothing failed; bad_rows of them, longest_run in a row
#   outage_r, outage_c       minutes of full outage equivalent: the sum of the shares that failed
#   recovery                 one of: unknown, none (nothing failed since), open, done
#   recovered                ms of the first second after the last bad one, where done
#   clean                    seconds without an error after that, or after the origin if nothing failed
#   alert[1…alerts]          names, those that must be told first, then as they appeared
#   alert_pending, _firing, _ended, _told, _over[name]   ms of the first one, 0 if there is none
#   alert_by[name]           page or ticket; alert_messages[name] is how many
#   silent                   ms at which the dead man's switch fell silent, 0 if it did not
#   detected, detected_by    ms and name of the alert that told people; detected_how: page, ticket,
#                            silence, or firing where the journal knows no messages

function figures() {
	step = fact_of("step") + 0
	add_rows()
	find_origin()
	find_recovery()
	follow_alerts()
	find_detection()
}

function bad(i) { return row_rb[i] + row_cb[i] }
function good(i) { return row_rg[i] + row_cg[i] }
function row_ms(i) { return row_second[i] * 1000 }

# When something in a row can have happened first: not before the fault that the row contains.
function row_since(i,   ms) {
	ms = row_ms(i)
	return ms < origin && ms + step * 1000 > origin ? origin : ms
}

function first_event(kind,   i) { # its ms, or 0
	for (i = 1; i <= events; i++) if (event_kind[i] == kind) return event_ms[i]
	return 0
}

# ---- Requests

function add_rows(   i, run) {
	span_r = span_c = failed_r = failed_c = outage_r = outage_c = first_bad = last_bad = bad_rows = longest_run = 0
	for (i = 1; i <= rows; i++) {
		span_r += row_rg[i] + row_rb[i]
		span_c += row_cg[i] + row_cb[i]
		failed_r += row_rb[i]
		failed_c += row_cb[i]
		if (row_rb[i]) outage_r += row_rb[i] / (row_rg[i] + row_rb[i]) * step / 60
		if (row_cb[i]) outage_c += row_cb[i] / (row_cg[i] + row_cb[i]) * step / 60
		if (!bad(i)) { run = 0; continue }
		if (!first_bad) first_bad = i
		if (run && row_second[i] != row_second[i - 1] + step) run = 0
		last_bad = i
		bad_rows++
		if (++run > longest_run) longest_run = run
	}
	failed = failed_r + failed_c
	offered = span_r + span_c
}

# Of rows that began before that moment: as near as rows can say.
function failed_before(ms,   i, sum) {
	for (i = 1; i <= rows && row_ms(i) < ms; i++) sum += bad(i)
	return sum + 0
}

function find_recovery(   i, from) {
	recovery = !rows ? "unknown" : !last_bad || row_ms(last_bad) + step * 1000 <= origin ? "none" : "open"
	from = recovery == "none" ? origin : row_ms(last_bad ? last_bad : 1)
	for (i = 1; i <= rows; i++) if (row_ms(i) >= from && !bad(i) && good(i)) clean += step
	clean += 0
	if (recovery != "open" || clean < 30) return
	recovery = "done"
	recovered = row_ms(last_bad) + step * 1000
}

# ---- Since when

function find_origin() {
	origin = first_event("inject")
	origin_words = "the fault"
	undone = first_event("undo")
	if (!origin) find_first_sign()
}

# Of a real incident nobody knows when it began; what is known is its first sign.
function find_first_sign(   i) {
	origin_words = "the first sign"
	for (i = 1; i <= events && !origin; i++)
		if (event_kind[i] ~ /^(pending|firing|page|ticket)$/ && event_name[i] != "Watchdog") origin = event_ms[i]
	if (first_bad && (!origin || row_ms(first_bad) < origin)) origin = row_ms(first_bad)
	if (!origin) {
		origin = fact_of("began") + 0
		origin_words = "the beginning of the journal"
	}
}

# ---- Alerts

function add_alert(name) {
	if (name in alert_known || name == "Watchdog" || name == "Silence") return
	alert_known[name] = 1
	alert[++alerts] = name
}

function follow_alerts(   i) {
	for (i = 1; i <= musts; i++) add_alert(must[i])
	for (i = 1; i <= events; i++) {
		if (event_kind[i] == "silence" && !silent && event_ms[i] >= origin) silent = event_ms[i]
		if (event_kind[i] ~ /^(pending|firing|ended|page|ticket|over)$/ && event_name[i] != "Watchdog")
			follow(event_name[i], event_kind[i], event_ms[i])
	}
}

function follow(name, kind, ms) {
	add_alert(name)
	if (kind == "pending" && !alert_pending[name]) alert_pending[name] = ms
	if (kind == "firing" && !alert_firing[name]) alert_firing[name] = ms
	if (kind == "ended") alert_ended[name] = ms
	if (kind == "over" && alert_messages[name] && !alert_over[name]) alert_over[name] = ms
	if (kind != "page" && kind != "ticket") return
	alert_messages[name]++
	if (alert_told[name] || ms < origin) return
	alert_told[name] = ms
	alert_by[name] = kind
}

function is_must(name) { return name in must_within }
function is_expected(name) { return is_must(name) || (name in may) }
function was_heard(name) { return alert_firing[name] || alert_messages[name] }

# When people heard of an alert that must be told; the dead man's switch is told by its silence.
function heard(name) { return name == "Silence" ? silent + 0 : alert_told[name] + 0 }

function messages_known() { return fact_of("messages") != "no" }

function find_detection(   i) {
	if (musts) {
		for (i = 1; i <= musts; i++) note_detection(must[i], heard(must[i]), must[i] == "Silence" ? "silence" : alert_by[must[i]])
		return
	}
	if (is_gameday()) return
	for (i = 1; i <= alerts; i++)
		if (messages_known()) note_detection(alert[i], alert_told[alert[i]], alert_by[alert[i]])
		else note_detection(alert[i], alert_firing[alert[i]], "firing")
}

function note_detection(name, ms, how) {
	if (!ms || (detected && detected <= ms)) return
	detected = ms
	detected_by = name
	detected_how = how
}
