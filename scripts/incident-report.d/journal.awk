# Reads a journal, version 1: awk … file=facts PATH file=events PATH file=seconds PATH
#
#   fact_of(name)                                   the last value of what stands once
#   must[1…musts], must_within[name]             alerts that have to be told, and within how many seconds
#   may[name], bound[name], budget[slo]          what the facts of these names say
#   setting[1…settings], note[1…notes]           the same, in their order
#   event_ms, _kind, _name, _text, _proof[1…events]
#   row_second, _rg, _rb, _cg, _cb[1…rows]       redirects good and bad, creates good and bad
#   faults                                       what is wrong with it; the end of a program asks sound()

BEGIN {
	split("inject undo pending firing ended page ticket over beat silence process log action note", kinds, " ")
	for (i in kinds) is_kind[kinds[i]] = 1
	musts = settings = notes = slos = events = rows = faults = 0
}

function complain(text) {
	if (++faults <= 10) print "incident-report: " file ", line " FNR ": " text | "cat 1>&2"
}

function is_count(text) { return text ~ /^[0-9]+$/ }
function is_number(text) { return text ~ /^[0-9]+(\.[0-9]+)?$/ }
function is_ms(text) { return length(text) == 13 && is_count(text) }

# ---- Facts

file == "facts" && NF > 0 { take_fact($1, value()); next }
file == "facts" { next }

function value(   text) { # the rest of the line
	text = $0
	sub(/^[ \t]*[^ \t]+[ \t]*/, "", text)
	sub(/[ \t]+$/, "", text)
	return text
}

function take_fact(name, text) {
	if (name == "must") take_must($2, $3)
	else if (name == "may") may[$2] = 1
	else if (name == "bound") bound[$2] = rest_after(text)
	else if (name == "budget") take_budget($2, $3)
	else if (name == "setting") setting[++settings] = text
	else if (name == "note") note[++notes] = text
	else fact[name] = text
}

function rest_after(text) {
	sub(/^[^ \t]+[ \t]*/, "", text)
	return text
}

function take_must(name, within) {
	if (name == "" || !is_number(within)) { complain("must NAME SECONDS"); return }
	must[++musts] = name
	must_within[name] = within + 0
}

function take_budget(slo, ratio) {
	if (!is_number(ratio) || ratio + 0 <= 0 || ratio + 0 > 1) { complain("budget SLO RATIO"); return }
	slos++
	budget_slo[slos] = slo
	budget[slo] = ratio + 0
}

# ---- Events

file == "events" && $0 != "" { take_event(); next }
file == "events" { next }

function take_event(   part) {
	if (split($0, part, "\t") != 5) { complain("not five fields"); return }
	if (!is_ms(part[1])) { complain("'" part[1] "' are no milliseconds since 1970"); return }
	if (!(part[2] in is_kind)) { complain("'" part[2] "' is no kind of event"); return }
	if (events > 0 && part[1] + 0 < event_ms[events]) complain("earlier than the line before")
	events++
	event_ms[events] = part[1] + 0
	event_kind[events] = part[2]
	event_name[events] = part[3]
	event_text[events] = part[4] == "-" ? "" : part[4]
	event_proof[events] = part[5]
}

# ---- Seconds

file == "seconds" && NF > 0 { take_row(); next }

function take_row(   i) {
	if (NF != 5) { complain("not five numbers"); return }
	for (i = 1; i <= 5; i++) if (!is_count($i)) { complain("'" $i "' is no count"); return }
	if (rows > 0 && $1 + 0 <= row_second[rows]) { complain("not later than the line before"); return }
	rows++
	row_second[rows] = $1 + 0
	row_rg[rows] = $2 + 0
	row_rb[rows] = $3 + 0
	row_cg[rows] = $4 + 0
	row_cb[rows] = $5 + 0
}

# ---- The whole

function needs(name, good) { if (!good) complain("'" name "' is missing or makes no sense") }

# Whether it can be judged and told of. A journal with holes must not look whole.
function sound() {
	file = "facts"
	FNR = "-"
	needs("journal 1", fact_of("journal") == "1")
	needs("id", fact_of("id") != "")
	needs("title", fact_of("title") != "")
	needs("kind", fact_of("kind") == "gameday" || fact_of("kind") == "incident")
	needs("began", is_ms(fact_of("began")))
	needs("ended", is_ms(fact_of("ended")) && fact_of("ended") + 0 > fact_of("began") + 0)
	if (!("step" in fact)) fact["step"] = 1
	needs("step", is_count(fact_of("step")) && fact_of("step") + 0 > 0)
	needs_counts("links_acknowledged links_lost clicks_acknowledged clicks_missing clicks_surplus clicks_dropped")
	if (fact_of("kind") == "gameday") {
		needs("allowed", fact_of("allowed") == "all" || is_count(fact_of("allowed")))
		needs("inject in events", has_kind("inject"))
	}
	return faults == 0
}

function needs_counts(names,   name, i) {
	split(names, name, " ")
	for (i in name) if (name[i] in fact) needs(name[i], is_count(fact_of(name[i])))
}

function has_kind(kind,   i) {
	for (i = 1; i <= events; i++) if (event_kind[i] == kind) return 1
	return 0
}

# Asking an array for what it does not have would put it there.
function has_fact(name) { return name in fact }
function fact_of(name) { return name in fact ? fact[name] : "" }

function is_gameday() { return fact_of("kind") == "gameday" }
