# What sources said, what of it is known, and what is to be said of it above. Part of frame.awk.

# ---- What came in

from == "facts" { take_fact(); next }
from == "metrics" && !/^#/ { take_sample() }

function take_fact(    i) {
	for (i = 1; i <= NF; i++) $i = clean($i)
	if ($1 == "expected") expect($2, $3)
	else if ($1 == "source") { state[$2] = $3; at[$2] = began + $4 }
	else if ($1 == "away") away = $2
	else if ($1 == "bad") state[$2] = "answers nonsense"
	else if ($1 == "ready") verdict = $2
	else if ($1 == "check") { check[$2] = $3; expect("check", $2) }
	else if ($1 == "value") take_value($2, $3, $4, $5)
	else if ($1 == "group") take_group()
	else if ($1 == "alert") take_alert()
	else if ($1 == "told") { if (told[$2] < $3) told[$2] = $3 }
	else if ($1 == "mark") mark[$2] = $3
	else if ($1 == "deadman") deadman = $2
	else if ($1 == "beat") beat = $2
}

function expect(kind, name) {
	if ((kind, name) in expected) return
	expected[kind, name] = 1
	names[kind, ++count[kind]] = name
}

function take_value(what, key, text, job) {
	if (what == "up" || what == "asked") {
		key = job (key == job ? "" : " " key)
		expect("target", key)
	} else if (what == "objective") {
		expect("slo", key)
	} else if (what == "probe") {
		expect("probe", key)
	}
	value[what, key] = number(text)
}

function take_group() {
	group[++groups] = $2
	group_interval[groups] = $3
	group_evaluated[groups] = $4
	group_failed[groups] = $5
}

# Pages before tickets, what fires before what is pending: sorted by insertion.
function take_alert(    i, place) {
	if ($4 == "Watchdog") { watchdog = $2; watchdog_identity = $6; return }
	place = ($2 == "firing" ? 0 : 4) + ($3 == "critical" ? 0 : $3 == "warning" ? 1 : 2)
	for (i = ++alerts; i > 1 && alert_place[i - 1] > place; i--) move_alert(i - 1, i)
	alert_place[i] = place
	alert[i, "state"] = $2; alert[i, "severity"] = $3; alert[i, "name"] = $4; alert[i, "since"] = $5
	alert[i, "identity"] = $6; alert[i, "labels"] = $7; alert[i, "summary"] = $8
}

function move_alert(from_place, to,    field, fields, n) {
	n = split("state severity name since identity labels summary", fields, " ")
	for (field = 1; field <= n; field++) alert[to, fields[field]] = alert[from_place, fields[field]]
	alert_place[to] = alert_place[from_place]
}

function take_sample(    name) {
	name = $0
	if (!sub(/ [^ ]+$/, "", name)) return
	page[clean(name)] = number(substr($0, length(name) + 2))
	if (name ~ /^linkshrink_(clicks_dropped_total|db_connections|db_circuit_open)[{]/) page_names[++samples] = clean(name)
}

# ---- What is known

function good(source) {
	return state[source] == "ok"
}

# A page that does not come from the memory that all programs share says nothing of them.
function sample(name) {
	if (!good("metrics") || !(name in page)) return ""
	if (page["linkshrink_segment_healthy"] != 1 && name != "linkshrink_segment_healthy") return ""
	return page[name]
}

function of_program(name, program) {
	return sample(name "{program=\"" program "\"}")
}

function asked(what, key) {
	return good("values") && (what, key) in value ? value[what, key] : ""
}

function since(source, t) {
	return t == "" ? "" : at[source] - t
}

# All samples of a name together, or "" if one is no number or there is none. Other labels: a part
# of the series' name that has to be in it.
function sum_of(name, part,    i, n, sum) {
	for (i = 1; i <= samples; i++) {
		if (index(page_names[i], name "{") != 1 || (part != "" && !index(page_names[i], part))) continue
		if (sample(page_names[i]) == "") return ""
		sum += sample(page_names[i])
		n++
	}
	return n ? sum : ""
}

# ---- What is to be said of it above: each reason once

function reason(kind, text) {
	if ((kind, text) in said) return
	said[kind, text] = 1
	reasons[kind, ++total[kind]] = text
}

# When a source is away, that was said already, and not all that it would have said.
function unknown(source, text) {
	if (good(source)) reason("unknown", source == "values" && not_looked != "" ? "Prometheus " not_looked : text)
}

# Which sources are away, one reason for all that are so in the same way.
function judge_sources(    list, n, i, j, fault, who_all) {
	n = split("metrics ready values rules alerts status inbox", list, " ")
	for (i = 1; i <= n; i++) if (!(list[i] in state)) state[list[i]] = "nothing was heard"
	for (i = 1; i <= n; i++) {
		fault = state[list[i]]
		if (fault == "ok" || fault in said) continue
		said[fault] = 1
		who_all = ""
		for (j = i; j <= n; j++) {
			if (state[list[j]] == fault && !index(who_all, title[list[j]])) who_all = who_all (who_all == "" ? "" : ", ") title[list[j]]
		}
		reason("unknown", fault == "not asked" && away != "" ? away : who_all ": " fault)
	}
}

function lacks_because(source, what, why) {
	unknown(source, why)
	if (!(pieces && piece_text[pieces] == what " UNKNOWN")) piece(what " UNKNOWN", "unknown")
}

function lacks(source, what) {
	lacks_because(source, what, what)
}

# Whether Prometheus's answer is of now, else it counts as none; and why it may lack figures.
function judge_values(    t) {
	if (!good("values")) return
	t = asked("now", "")
	if (t == "" || t - now > fresh || now - t > fresh)
		state["values"] = "its answer is not of now"
	t = asked("asked", "linkshrink")
	if (asked("up", "linkshrink") == "")
		not_looked = t == "" ? "has not looked at linkshrink" : "has not looked at linkshrink for " duration(floor(now - t))
}
