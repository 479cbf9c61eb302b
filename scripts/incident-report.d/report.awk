# Writes report.md. Wants text, journal, figures, verdict, words and chronicle.

END {
	if (!sound()) exit 1
	figures()
	if (is_gameday()) judge()
	write_head()
	write_summary()
	if (is_gameday()) write_verdict()
	write_impact()
	write_detection()
	write_timeline()
	write_cause()
	write_lessons()
	write_actions()
	write_settings()
	write_definitions()
}

function say(text) { print text }
function heading(text) { print "\n## " text "\n" }
function item(text) { print "- " text; listed++ }
function row(a, b) { print "| " a " | " b " |" }
function or_unknown(text) { return text == "" ? "not assessed" : text }
function known(name) { return or_unknown(md(fact_of(name))) }
function moment(ms) { return ms ? decimal((ms - origin) / 1000, 3) : "" }

# ---- What, when, where

function write_head() {
	say("# " md(fact_of("title")))
	say("\n" code(fact_of("id")) " · " (is_gameday() ? "game day" : "incident") " · " date(fact_of("began")) " " \
		time_of_day(fact_of("began")) " to " (date(fact_of("ended")) == date(fact_of("began")) ? "" : date(fact_of("ended")) " ") \
		time_of_day(fact_of("ended")) " UTC (" seconds(fact_of("ended") - fact_of("began")) ")  ")
	say("node " known("node") " · version " known("version") " · commit " known("commit") " · " or_unknown(md(fact_of("machine"))))
	say("\n![" sentence(md(plain(fact_of("title"), 120))) " " md(picture_words()) "](timeline.svg)")
}

# ---- Summary

function write_summary() {
	heading("Summary")
	say(happened() " " noticed() " " ended_how())
}

function happened(   text) {
	text = sentence(md(fact_of("title")))
	if (has_fact("trigger")) text = text " The trigger: " sentence(md(fact_of("trigger")))
	return text " " cost()
}

function cost(   text) {
	if (!rows) return "What it cost users is not assessed: the journal has no requests."
	if (!failed) return "Of " count(offered) " user requests none failed."
	text = count(failed) " of " count(offered) " user requests failed (" percent(failed, offered) ")"
	return text (failed == 1 ? "." : ", in " plural(bad_rows * step, "bad second", "bad seconds") (step == 1 ? "" : " (a row is " step " s)") ".")
}

function noticed() {
	if (!detected) return unnoticed()
	if (detected_how == "firing") return "An alert fired after " after(detected) " (" md(detected_by) "), when " \
		plural(failed_before(detected), "request", "requests") " had failed; whether people were told is not assessed."
	if (!failed) return "Monitoring told of it after " after(detected) ": " md(how_detected()) "; no user noticed anything."
	if (row_since(first_bad) >= detected)
		return "Monitoring noticed first: " md(how_detected()) " after " after(detected) ", before any user request failed."
	return "Users noticed first: what failed " users_since() "; monitoring told of it after " after(detected) " (" md(how_detected()) ") when " \
		plural(failed_before(detected), "request", "requests") " had failed." earlier()
}

function users_since() {
	if (row_since(first_bad) > origin) return "began after " after(row_since(first_bad))
	return first_event("inject") ? "began at once" : "is the first sign"
}

# What had to be told was not the first that was told.
function earlier(   i, name, first) {
	for (i = 1; i <= alerts; i++) {
		name = alert[i]
		if (alert_told[name] && alert_told[name] < detected && (!first || alert_told[name] < alert_told[first])) first = name
	}
	return first ? " Earlier, after " after(alert_told[first]) ", came " md(first) ", which " (first in may ? "did not have to." : "was not expected.") : ""
}

function unnoticed() {
	if (is_gameday() && !musts) return "Nobody had to be told" (told_any() ? "; people were, see Detection." : ", and nobody was.")
	if (messages_known()) return "Nobody was told of it" (failed ? ": only users noticed." : ".")
	return "Whether anybody was told is not assessed."
}

function told_any(   i) {
	for (i = 1; i <= alerts; i++) if (alert_messages[alert[i]]) return 1
	return 0
}

function ended_how() {
	if (recovery == "unknown") return "Recovery is not assessed."
	if (recovery == "none") return "There was nothing to recover from."
	if (recovery == "open") return "Users were not served again for 30 s without an error before the journal ends: not recovered within the journal."
	return "Users were served again after " after(recovered) (undone && fact_of("hands") == "yes" && recovered > undone ? \
		", " seconds(recovered - undone) " after the fault was undone" : fact_of("hands") == "no" ? ", without anybody's hands" : "") "."
}

function write_verdict(   i) {
	heading("Verdict")
	say(unmet ? "**Not passed**: " unmet " of " verdicts " statements " (unmet == 1 ? "is" : "are") " not met.\n" : \
		"**Passed**: all " verdicts " statements are met.\n")
	for (i = 1; i <= verdicts; i++) item((verdict_ok[i] ? "ok – " : "**not ok** – ") md(verdict_says[i]))
	for (i = 1; i <= gaps; i++) item("not assessed – " md(gap[i]))
}

# ---- Impact

function write_impact() {
	heading("Impact")
	row("what", "figure")
	row("---", "---")
	write_requests()
	write_books()
	write_budgets()
}

function write_requests() {
	if (!rows) { row("user requests", "not assessed"); return }
	row("requests offered", count(offered) " (redirects " count(span_r) ", creates " count(span_c) ")" \
		(is_number(fact_of("rate")) ? ", " md(fact_of("rate")) " a second" : ""))
	row("failed redirects", part_of(failed_r, span_r))
	row("failed creates", part_of(failed_c, span_c))
	row("failed in all", part_of(failed, offered))
	row("bad seconds", count(bad_rows * step) " of " count(rows * step))
	row("longest run of bad seconds", count(longest_run * step) " s")
	if (failed_before(origin - step * 1000 + 1)) row("failed before " origin_words, count(failed_before(origin - step * 1000 + 1)))
}

function part_of(part, whole) { return whole ? count(part) " of " count(whole) " (" percent(part, whole) ")" : "none offered" }

function book(name, all) {
	if (!has_fact(name)) return "not assessed"
	return count(fact_of(name)) (has_fact(all) ? " of " count(fact_of(all)) : "")
}

function write_books() {
	row("acknowledged links lost", book("links_lost", "links_acknowledged"))
	row("acknowledged clicks missing", book("clicks_missing", "clicks_acknowledged"))
	row("clicks counted more than once", book("clicks_surplus"))
	row("clicks reported as dropped", book("clicks_dropped"))
}

# Of all objectives those of availability are made of what a journal counts.
function write_budgets(   i, slo) {
	for (i = 1; i <= slos; i++) {
		slo = budget_slo[i]
		row("budget spent: " md(slo), slo == "redirect-availability" ? spent(outage_r, span_r, budget[slo]) : \
			slo == "shorten-availability" ? spent(outage_c, span_c, budget[slo]) : "not assessed")
	}
	if (!slos) row("budget spent", "not assessed")
}

function spent(minutes, requests, ratio,   whole) {
	if (!requests) return "not assessed"
	whole = 43200 * ratio
	return decimal(minutes, minutes == 0 ? 0 : minutes < 0.1 ? 4 : 2) " min of full outage equivalent, " percent_over(minutes, whole) " of the " decimal(whole, 1) " min of 30 days"
}

# More than all of it can be spent.
function percent_over(part, whole) { return part < whole ? percent(part, whole) : decimal(100 * part / whole, 0) " %" }

# ---- Detection

function write_detection(   i) {
	heading("Detection")
	say("Time to detect: **" detection_figure() "**" (detected ? " (" md(how_detected()) ")" : "") ".")
	if (!messages_known()) say("\nTime of the message: not assessed, because messages went to Discord. The alert's firing is used instead.")
	if (alerts || is_must("Silence")) write_alerts()
	else say("\nNo alert was pending, and none fired.\n")
	for (i = 1; i <= musts; i++) item(md(must[i]) ", " must_within[must[i]] " s: " or_unknown(md(bound[must[i]])))
	if (has_fact("before")) item("The settings of the system before, on the same fault: " before_words() ".")
	if (is_gameday()) write_unexpected()
}

function write_alerts(   i) {
	say("\nSeconds since " origin_words ":\n")
	say("| alert | expected | pending | firing | message | over | bound | margin |")
	say("| --- | --- | --- | --- | --- | --- | --- | --- |")
	for (i = 1; i <= alerts; i++) write_alert(alert[i])
	if (is_must("Silence")) say("| dead man's switch | must fall silent | | " moment(silent) " | | | " limits("Silence") " |")
	if (is_gameday()) say("")
}

function write_alert(name) {
	say("| " md(name) " | " expectation(name) " | " moment(alert_pending[name]) " | " moment(alert_firing[name]) " | " \
		(alert_told[name] ? alert_by[name] " " moment(alert_told[name]) : messages_known() ? "" : "not assessed") " | " \
		moment(alert_over[name]) " | " limits(name) " |")
}

function expectation(name) {
	if (!is_gameday()) return ""
	return is_must(name) ? "must" : name in may ? "may" : was_heard(name) ? "**no**" : "no, and was only pending"
}

function limits(name,   left) {
	if (!is_must(name)) return " | "
	if (!heard(name)) return must_within[name] " | **none**"
	left = must_within[name] * 1000 - (heard(name) - origin)
	return must_within[name] " | " (left < 0 ? "**" decimal(left / 1000, 3) "**" : decimal(left / 1000, 3))
}

function before_words(   part) {
	split(fact_of("before"), part, " ")
	return is_number(part[1]) ? part[1] " s (" or_unknown(md(part[2])) ")" : md(fact_of("before"))
}

function write_unexpected(   i, said) {
	for (i = 1; i <= alerts; i++)
		if (!is_expected(alert[i]) && was_heard(alert[i])) said = said (said ? "; " : "") md(alert[i]) ": " history(alert[i])
	item("Fired without being expected: " (said ? "**" said "**" : "none") ".")
	item("Alerts that must not fire: all others than those of the table that must or may" (said ? "." : ". None did."))
}
