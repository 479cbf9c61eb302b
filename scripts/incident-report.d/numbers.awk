# Prints the figures of a game day, "name value…" a line, for tables. Wants text, journal, figures.
#
#   must TEXT          what has to be told, and within how many seconds
#   told TEXT          after how many it was
#   alert NAME S       likewise, each that people heard of; "-" is one that had to come and did not
#   page S             until the first page
#   recovered S        until users were well again; 0 if they never were not
#   failed TEXT        requests, and of how many
#   expected N, heard N    alerts that people heard of, and how many of those must or may come
#   lost N             links, and clicks that are missing or were counted twice

function seconds_since(ms) { return sprintf("%.1f", (ms - origin) / 1000) }

function list(text, more) { return text (text ? ", " : "") more }

function number_alerts(   i, name, ms, must_text, told_text) {
	for (i = 1; i <= musts; i++) {
		name = must[i]
		ms = heard(name)
		must_text = list(must_text, name " " must_within[name])
		told_text = list(told_text, ms ? seconds_since(ms) : "never")
		print "alert", name, ms ? seconds_since(ms) : "-"
	}
	if (must_text) print "must", must_text
	if (told_text) print "told", told_text
}

function number_heard(   i, name, first, all, right) {
	for (i = 1; i <= alerts; i++) {
		name = alert[i]
		if (!alert_told[name]) continue
		all++
		if (is_expected(name)) right++
		if (!is_must(name)) print "alert", name, seconds_since(alert_told[name])
		if (alert_by[name] == "page" && (!first || alert_told[name] < first)) first = alert_told[name]
	}
	if (first) print "page", seconds_since(first)
	print "heard", all + 0
	print "expected", right + 0
}

END {
	if (!sound()) exit 2
	figures()
	number_alerts()
	number_heard()
	if (recovery == "done") print "recovered", seconds_since(recovered)
	else if (recovery == "none") print "recovered", 0
	print "failed", failed + 0, "of", offered + 0
	print "lost", fact["links_lost"] + fact["clicks_surplus"] + (fact["clicks_missing"] > fact["clicks_dropped"] ? fact["clicks_missing"] - fact["clicks_dropped"] : 0)
}
