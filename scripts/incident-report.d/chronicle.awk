# The table of what happened when, for report.awk: every event and what follows from `seconds`.

function write_timeline(   i) {
	heading("Timeline")
	say("| UTC | s since " origin_words " | what | evidence |")
	say("| --- | --- | --- | --- |")
	collect()
	for (i = 1; i <= entries; i++)
		say("| " time_of_day(entry_ms[i]) " | " moment(entry_ms[i]) " | " entry_what[i] " | " entry_proof[i] " |")
}

# Keeps the order of time; of two at once that which came first stays first.
function enter(ms, what, proof,   at) {
	for (at = ++entries; at > 1 && entry_ms[at - 1] > ms; at--) {
		entry_ms[at] = entry_ms[at - 1]
		entry_what[at] = entry_what[at - 1]
		entry_proof[at] = entry_proof[at - 1]
	}
	entry_ms[at] = ms
	entry_what[at] = what
	entry_proof[at] = proof
}

function collect(   i) {
	entries = 0
	enter(fact_of("began") + 0, "the journal begins", "`facts`")
	fold()
	for (i = 1; i <= events; i++) if (!folded[i]) enter(event_ms[i], happening(i) more(i), code(event_proof[i]))
	enter_seconds()
	enter(fact_of("ended") + 0, "the journal ends", "`facts`")
}

# ---- Long series: the first and the last, and how many between

# How many of a kind and name may stand in a row of the table; 0: all of them.
function bearable(kind) {
	if (kind == "beat") return 2
	if (kind == "process" || kind == "log" || kind == "note") return 4
	return kind == "pending" || kind == "firing" || kind == "ended" ? 6 : 0
}

# A series ends where the fault begins or ends, or the heartbeat does: what is between must not hide it.
function fold(   i, part, key, of, size, first, last) {
	for (i = 1; i <= events; i++) {
		if (event_kind[i] ~ /^(inject|undo|silence)$/) part++
		if (!bearable(event_kind[i])) continue
		key = part "\t" event_kind[i] "\t" event_name[i]
		of[i] = key
		size[key]++
		if (!(key in first)) first[key] = i
		last[key] = i
	}
	for (i in of) {
		key = of[i]
		if (size[key] <= bearable(event_kind[i]) || i == last[key]) continue
		if (i == first[key]) hidden[i] = size[key] - 2
		else folded[i] = 1
	}
}

function more(i) { return hidden[i] ? "; and " plural(hidden[i], "more", "more") " before the last of them, below" : "" }

# ---- In words

function named(i) { return event_name[i] == "-" || event_name[i] == "" ? "" : md(event_name[i]) }
function with_text(i) { return event_text[i] == "" ? "" : " (" md(event_text[i]) ")" }
function then_text(i) { return event_text[i] == "" ? "" : ": " md(event_text[i]) }

function happening(i,   kind, name) {
	kind = event_kind[i]
	name = named(i)
	if (kind == "inject") return "**the fault**" then_text(i)
	if (kind == "undo") return "**the fault is undone**" then_text(i)
	if (kind == "pending") return name " is pending" with_text(i)
	if (kind == "firing") return name " fires" with_text(i)
	if (kind == "ended") return name " is no longer active" with_text(i)
	if (kind == "page") return "**page** arrives" then_text(i)
	if (kind == "ticket") return "**ticket** arrives" then_text(i)
	if (kind == "over") return "**is over**, people read" then_text(i)
	if (kind == "beat") return "heartbeat"
	if (kind == "silence") return "**the dead man's switch falls silent**" then_text(i)
	if (kind == "action") return "first action of " name then_text(i)
	return (name == "" ? kind : name) then_text(i)
}

# ---- What `seconds` say

function enter_seconds() {
	if (!rows) return
	enter(most(row_ms(1), fact_of("began") + 0), "the first requests of the journal", "`seconds`")
	if (first_bad) enter(row_since(first_bad), "first bad " span_word() ": " failed_of(first_bad), "`seconds`")
	if (first_bad && last_bad != first_bad) enter(row_ms(last_bad), "last bad " span_word() ": " failed_of(last_bad), "`seconds`")
	if (recovery == "done") enter(recovered, "users are served again: " count(clean) " s without an error follow", "`seconds`")
}

function span_word() { return step == 1 ? "second" : step " seconds" }
function failed_of(i) { return count(bad(i)) " of " count(bad(i) + good(i)) " requests failed" }
