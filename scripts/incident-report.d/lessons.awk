# What follows from what was measured, for report.awk. Nothing else is said: where the journal does
# not speak of a thing, it is not assessed.

function write_cause() {
	heading("Root cause and trigger")
	item("Root cause: " sentence(known("cause")))
	item("Trigger: " sentence(known("trigger")))
}

function write_lessons() {
	section("What went well")
	went_well()
	close_section("Nothing that this journal measures.")
	section("Where we got lucky")
	got_lucky()
	close_section(assessed_luck ? "Not assessed, but for margins: none was under 10 % of its bound." : "Not assessed.")
	section("What went wrong")
	went_wrong()
	close_section("Nothing that this journal measures.")
}

function section(title) { heading(title); listed = 0 }
function close_section(otherwise) { if (!listed) item(otherwise) }

# ---- Well

function went_well() {
	well_told()
	well_kept()
	if (recovery == "done" && fact_of("hands") == "no") item("It recovered by itself: users were served again after " after(recovered) ".")
	if (rows && !failed) item("No user request failed.")
	if (is_gameday() && !has_unexpected()) item("No alert fired that was not expected.")
}

function well_told(   i, name, bound_ms) {
	for (i = 1; i <= musts; i++) {
		name = must[i]
		bound_ms = must_within[name] * 1000
		if (!in_time(heard(name), must_within[name])) continue
		item((name == "Silence" ? "The dead man's switch fell silent" : md(name) " reached people") " after " after(heard(name)) \
			", " seconds(bound_ms - heard(name) + origin) " before its bound.")
	}
	if (detected && detected_how != "firing" && failed) well_early()
	if (detected && is_faster()) item("The settings of the system before took " before_words() ": " \
		decimal(fact_of("before") - (detected - origin) / 1000, 1) " s longer.")
}

function well_early() {
	if (failed_before(detected) == 0) item("People were told before any user request failed.")
	else if (failed_before(detected) < failed)
		item("People were told before the " count(failed_before(detected) + 1) ordinal(failed_before(detected) + 1) " of " count(failed) " failed requests.")
}

function is_faster() { return fact_of("before") + 0 > 0 && fact_of("before") + 0 > (detected - origin) / 1000 }

function ordinal(n) {
	if (n % 100 >= 11 && n % 100 <= 13) return "th"
	return n % 10 == 1 ? "st" : n % 10 == 2 ? "nd" : n % 10 == 3 ? "rd" : "th"
}

function well_kept() {
	if (fact_of("links_acknowledged") + 0 > 0 && is_zero("links_lost"))
		item("None of " plural(fact_of("links_acknowledged"), "acknowledged link", "acknowledged links") " was lost.")
	if (fact_of("clicks_acknowledged") + 0 > 0 && is_zero("clicks_missing") && is_zero("clicks_surplus"))
		item("None of " plural(fact_of("clicks_acknowledged"), "acknowledged click", "acknowledged clicks") " is missing, and none was counted twice.")
}

function is_zero(name) { return has_fact(name) && fact_of(name) + 0 == 0 }

function has_unexpected(   i) {
	for (i = 1; i <= alerts; i++) if (!is_expected(alert[i]) && was_heard(alert[i])) return 1
	return 0
}

# ---- Lucky: it was met, and only just

function is_close(figure, limit) { return limit > 0 && figure <= limit && limit - figure < limit / 10 }

function got_lucky(   i, name, took) {
	for (i = 1; i <= musts; i++) {
		name = must[i]
		if (!heard(name)) continue
		assessed_luck = 1
		took = (heard(name) - origin) / 1000
		if (is_close(took, must_within[name]))
			item(md(name) " was told " decimal(must_within[name] - took, 1) " s before its bound of " must_within[name] " s: under 10 % were left.")
	}
	if (!is_gameday() || !rows || fact_of("allowed") == "all") return
	assessed_luck = 1
	if (is_close(failed, fact_of("allowed") + 0) && failed) item(count(failed) " requests failed where " count(fact_of("allowed")) " may: under 10 % were left.")
}

# ---- Wrong

function went_wrong(   i) {
	for (i = 1; i <= verdicts; i++) if (!verdict_ok[i]) item(md(capital(verdict_says[i])) ".")
	if (detected && failed && row_ms(last_bad) + step * 1000 <= detected) item("All " count(failed) " failed requests came before anybody was told.")
	if (!is_gameday()) incident_wrong()
}

function incident_wrong() {
	if (failed) item(plural(failed, "user request", "user requests") " failed.")
	if (failed && !detected && messages_known()) item("Nobody was told.")
	if (recovery == "open") item("Users were not served again for 30 s without an error within the journal.")
}

function capital(text) { return toupper(substr(text, 1, 1)) substr(text, 2) }

# ---- Actions

function write_actions(   i) {
	section("Actions")
	for (i = 1; i <= verdicts; i++) if (!verdict_ok[i]) item(md(verdict_action[i]))
	if (is_gameday()) { close_section(gaps ? "None: everything assessed is within its bounds." : "None: everything within its bounds."); return }
	if (failed && !detected && messages_known()) item("Find out why nobody was told.")
	if (recovery == "open") item("Find out what still failed at the end of the journal.")
	close_section("Not assessed: an incident has no bounds to be judged by.")
}

# ---- Settings, notes, definitions

function write_settings(   i) {
	section("Settings")
	for (i = 1; i <= settings; i++) item(code(setting[i]))
	close_section("Not assessed.")
	if (!notes) return
	section("Notes")
	for (i = 1; i <= notes; i++) item(md(note[i]))
}

function write_definitions() {
	section("How it was measured")
	item("Generated by `scripts/incident-report` from the journal (`facts`, `events`, `seconds`) and from nothing else. What that does not say is \"not assessed\".")
	item("Time to detect: from " origin_words " to the first message at the receiver" (is_gameday() ? " of an alert that had to be told" : "") ".")
	item("Time to recover: from " origin_words " to the first second after the last bad one, if at least 30 s without an error follow.")
	if (!first_event("inject")) item("When it really began is not assessed: times count from " origin_words ", so both are at least this long.")
	item("A request counts in the " span_word() " in which it was due. It is bad if users did not get what they should: 5xx, no answer in time, no connection, another target.")
	item("Minutes of full outage equivalent: the sum over all seconds of the share that failed / 60. The budget of 30 days is 43,200 min × (1 − objective).")
}
