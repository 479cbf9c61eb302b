# Judges a game day by figures(): judge() fills
#
#   verdict_ok[1…verdicts], verdict_says, verdict_action   statements; what to do about those not ok
#   gap[1…gaps]                                            what the journal does not say
#
# and returns whether all is well.

function judge() {
	judge_told()
	judge_unexpected()
	judge_failed()
	judge_books()
	judge_over()
	judge_recovery()
	judge_actions()
	return !unmet
}

function verdict(is_met, says, action) {
	verdicts++
	verdict_ok[verdicts] = is_met
	verdict_says[verdicts] = says
	verdict_action[verdicts] = action
	if (!is_met) unmet++
}

function since(ms) { return exactly(ms - origin) }

# ---- What people had to hear, and what not

function judge_told(   i) {
	for (i = 1; i <= musts; i++)
		if (must[i] == "Silence") judge_silence(must_within["Silence"])
		else judge_message(must[i], must_within[must[i]])
	if (!musts) judge_quiet()
}

function in_time(ms, within) { return ms && ms - origin <= within * 1000 }

function judge_message(name, within,   ms) {
	ms = heard(name)
	if (ms) verdict(in_time(ms, within), name ": its message arrived after " since(ms) ", bound " within " s",
		name ": make its message come within " within " s (it took " since(ms) "), or compute its bound anew.")
	else verdict(0, name ": no message arrived, bound " within " s",
		name ": find out why no message arrived; it " (alert_firing[name] ? "fired." : "did not even fire."))
}

function judge_silence(within) {
	if (silent) verdict(in_time(silent, within), "the dead man's switch fell silent after " since(silent) ", bound " within " s",
		"Dead man's switch: make it fall silent within " within " s (it took " since(silent) "), or compute its bound anew.")
	else verdict(0, "the dead man's switch did not fall silent, bound " within " s",
		"Dead man's switch: find out why the heartbeat went on.")
}

function judge_quiet(   i, said) {
	for (i = 1; i <= alerts; i++)
		if (alert_messages[alert[i]] && !(alert[i] in may)) said = said (said ? ", " : "") alert[i]
	verdict(said == "", said == "" ? "no page and no ticket" : "people were told, though nothing had to be: " said,
		"Find out why people were told of " said ", which this fault must not cause.")
}

function judge_unexpected(   i, found) {
	for (i = 1; i <= alerts; i++) {
		if (is_expected(alert[i]) || !was_heard(alert[i])) continue
		found = 1
		verdict(0, alert[i] " was not expected: " history(alert[i]),
			alert[i] ": find out why it fires here; mend its rule, or expect it.")
	}
	if (silent && !is_must("Silence")) {
		found = 1
		verdict(0, "the dead man's switch fell silent after " since(silent) ", which was not expected",
			"Dead man's switch: find out why the heartbeat stopped.")
	}
	if (!found) verdict(1, "no alert fired that was not expected")
}

function history(name,   text) {
	if (alert_firing[name]) text = "it fired after " since(alert_firing[name])
	if (alert_told[name]) text = text (text ? ", " : "") alert_by[name] " after " since(alert_told[name])
	return text ? text : "a message came before the fault"
}

# ---- What it cost

function judge_failed(   says) {
	says = plural(failed, "user request", "user requests") " of " count(offered) " failed"
	if (!rows) verdict(0, "how many user requests failed is not known: there was no load", "Users: repeat it under load.")
	else if (fact_of("allowed") == "all") verdict(1, says ", and it may cost any number")
	else verdict(failed <= fact_of("allowed") + 0, says ", at most " count(fact_of("allowed")) " may",
		"Users: " count(failed) " requests failed where " count(fact_of("allowed")) " may; find out which, and why.")
}

function judge_books() {
	judge_book("links_lost", fact_of("links_lost") + 0 == 0, out_of("links_lost", "links") " lost",
		"Links: find out how acknowledged ones were lost, and put them back (scripts/reconcile).")
	judge_book("clicks_missing", fact_of("clicks_missing") + 0 == 0 || is_excused(),
		out_of("clicks_missing", "clicks") " missing" (is_excused() ? ", " count(fact_of("clicks_dropped")) " reported as dropped" : ""),
		"Clicks: find out how acknowledged ones went missing.")
	judge_book("clicks_surplus", fact_of("clicks_surplus") + 0 == 0,
		plural(fact_of("clicks_surplus"), "click", "clicks") " counted more than once", "Clicks: find out how some were counted twice.")
}

function judge_book(name, is_met, says, action) {
	if (has_fact(name)) verdict(is_met, says, action)
	else gap[++gaps] = name ": the journal has no such book"
}

function out_of(name, things) {
	return count(fact_of(name)) (has_fact(things "_acknowledged") ? " of " count(fact_of(things "_acknowledged")) : "") \
		" acknowledged " things
}

# The fault may cost clicks, if each that is missing was reported.
function is_excused() {
	return fact_of("drops") == "yes" && fact_of("clicks_dropped") + 0 > 0 && fact_of("clicks_missing") + 0 <= fact_of("clicks_dropped") + 0
}

# ---- How it ended

# What a title says of the alert: without its mark, how many there are, and that it is over.
function subject(title) {
	sub(/^[^ -~]+ +/, "", title)
	sub(/^[0-9]+ [^ -~]+ /, "", title)
	sub(/ is over$/, "", title)
	sub(/; over: [0-9]+$/, "", title)
	return title
}

# A page has its own "is over". Of tickets all of one name come in one message.
function is_said_to_be_over(i,   j) {
	for (j = i + 1; j <= events; j++)
		if (event_kind[j] == "over" && event_name[j] == event_name[i] && (event_kind[i] == "ticket" ||
			event_text[j] == "" || subject(event_text[j]) == subject(event_text[i]))) return 1
	return 0
}

function judge_over(   i, told, open, key) {
	for (i = 1; i <= events; i++) {
		if (event_kind[i] != "page" && event_kind[i] != "ticket") continue
		told++
		key = event_text[i] == "" ? event_name[i] : subject(event_text[i])
		if (!is_said_to_be_over(i) && index(", " open ", ", ", " key ", ") == 0) open = open (open ? ", " : "") key
	}
	if (told) verdict(open == "", open == "" ? "of each alert people were told that it is over" \
		: "people were not told that it is over: " open, "Find out why nobody was told that it is over: " open ".")
}

function judge_recovery() {
	if (recovery == "unknown") verdict(0, "whether users are served again is not known: there was no load", "Users: repeat it under load.")
	else if (clean < 30) verdict(0, "users were not served for 30 s without an error before the journal ended",
		"Users: find out what still failed, or watch for longer.")
	else if (recovery == "none") verdict(1, "users were served for " count(clean) " s after the fault without an error")
	else verdict(1, "users were served again after " exactly(recovered - origin) ", then " count(clean) " s without an error")
}

# "exit 0 after 0.4 s: scripts/doctor". 1 is what a tool says that found something.
function judge_actions(   i, text, status, took) {
	for (i = 1; i <= events; i++) {
		if (event_kind[i] != "action") continue
		text = event_text[i]
		status = text ~ /^exit [0-9]+ after [0-9.]+ s/ ? substr(text, 6) + 0 : -1
		took = substr(text, index(text, " after ") + 7) + 0
		sub(/:.*/, "", text)
		verdict((status == 0 || status == 1) && took <= 60, "first action of " event_name[i] ": " text,
			event_name[i] ": mend the first action of the runbook (" text ").")
	}
}
