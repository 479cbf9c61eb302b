# Sentences that both the report and the picture say.

function after(ms) { return seconds(ms - origin) }

function how_detected() {
	if (detected_how == "silence") return "the dead man's switch fell silent"
	if (detected_how == "firing") return detected_by " fired"
	return "the " detected_how " " detected_by " arrived"
}

function detection_figure() {
	if (detected) return after(detected)
	if (is_gameday() && !musts) return "nothing had to be told"
	return is_gameday() || messages_known() ? "nobody was told" : "not assessed"
}

function recovery_figure() {
	if (recovery == "unknown") return "not assessed"
	if (recovery == "none") return "nothing failed"
	if (recovery == "open") return "not recovered"
	return after(recovered)
}

function recovery_words() {
	if (recovery == "unknown") return "not assessed: the journal has no requests"
	if (recovery == "none") return "nothing to recover from"
	if (recovery == "open") return "not recovered within the journal"
	return after(recovered)
}

# For who cannot see the picture.
function picture_words(   text) {
	text = "Failed requests a second and the alerts around " origin_words " at " date(origin) " " time_of_day(origin) " UTC. "
	text = text (rows ? plural(failed, "user request", "user requests") " of " count(offered) " failed. " : "Requests are not assessed. ")
	if (detected) text = text "After " after(detected) " " how_detected() ". "
	else text = text "Time to detect: " detection_figure() ". "
	return text "Time to recover: " recovery_words() "."
}
