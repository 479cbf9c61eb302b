# The rows of a frame: each says what is known of its subject, and judges it. Part of frame.awk.

# ---- Alerts

# Names of groups of rules that were not evaluated in time, and of rules that fail.
function judge_groups(    i, late, failed) {
	for (i = 1; i <= groups; i++) {
		if (number(group_interval[i]) == "" || now - group_evaluated[i] > group_interval[i] + fresh) late = late " " group[i]
		else if (group_failed[i] != "") failed = failed " " group_failed[i]
	}
	if (late != "") lacks_because("rules", "alerts", "rules not evaluated:" late)
	if (failed != "") lacks_because("rules", "alerts", "rules fail:" failed)
	if (groups == 0) lacks("rules", "alerts")
}

function judge_alerts() {
	if (!good("rules")) { lacks("rules", "alerts"); return }
	if (watchdog != "firing") lacks_because("rules", "alerts", "Watchdog does not fire")
	judge_groups()
	# What Prometheus does not look at fires no alert.
	if (asked("up", "linkshrink") == "" || asked("up", "probe redirect") == "") lacks_because("values", "alerts", "alerts judge by old figures")
}

function judge_alertmanager(    age) {
	if (!good("alerts")) { lacks("alerts", "Alertmanager"); return }
	if (!("Watchdog" in told)) { lacks_because("alerts", "Alertmanager", "Alertmanager has no Watchdog"); return }
	age = now - told["Watchdog"]
	if (age > fresh || age < -fresh) lacks_because("alerts", "Alertmanager", "Alertmanager heard of Prometheus " duration(age) " ago")
	judge_watchdog_mark()
}

# Silenced or inhibited it keeps nobody calm, nor awake.
function judge_watchdog_mark(    how) {
	if (!(watchdog_identity in mark) || mark[watchdog_identity] == "active") return
	how = "Watchdog is " mark[watchdog_identity]
	reason("note", how)
	piece(how, "note")
}

function count_alerts(    i, text, firing, pending) {
	for (i = 1; i <= alerts; i++) if (alert[i, "state"] == "firing") firing++; else pending++
	text = firing ? firing " firing" : "none firing"
	if (worst == "unknown" && firing + pending == 0) return # among those that are known
	piece(text dot (pending ? pending " pending" : "none pending"), firing ? "wrong" : pending ? "note" : "ok")
}

function judge_alert(i) {
	if (alert[i, "state"] == "pending") reason("note", alert[i, "name"] " is pending")
	else if (alert[i, "severity"] ~ /^(critical|warning)$/) reason("wrong", alert[i, "name"])
	else reason("note", alert[i, "name"])
}

function mark_of(i) {
	if (alert[i, "state"] != "firing" || !good("alerts")) return ""
	if (!(alert[i, "identity"] in mark)) return "not at Alertmanager"
	return mark[alert[i, "identity"]] == "active" ? "" : mark[alert[i, "identity"]]
}

function begun(t) {
	return now - t < 86400 ? "since " clock(t) ", " duration(now - t) : "for " duration(now - t)
}

function alert_row(i,    firing, kind) {
	firing = alert[i, "state"] == "firing"
	kind = alert[i, "severity"]
	kind = kind == "critical" ? "page" : kind == "warning" ? "ticket" : kind
	begin(columns)
	put_sign(firing && kind ~ /^(page|ticket)$/ ? "wrong" : "note")
	put_left(kind, 7, "bold")
	put_left(alert[i, "name"], length(alert[i, "name"]) < 25 ? 25 : length(alert[i, "name"]), firing ? "wrong" : "note")
	put(" " (firing ? "" : alert[i, "state"] " ") begun(alert[i, "since"]))
	if (mark_of(i) != "") put(dot mark_of(i), "note")
	if (alert[i, "labels"] != "") put(dot alert[i, "labels"])
	if (alert[i, "summary"] != "") put("  " alert[i, "summary"], "dim")
	return line
}

function make_alerts(    i) {
	judge_alerts()
	if (good("rules")) {
		count_alerts()
		for (i = 1; i <= alerts; i++) {
			judge_alert(i)
			alert_line[i] = alert_row(i)
		}
	} else {
		alerts = 0
	}
	judge_alertmanager()
	alert_summary = row("ALERTS")
}

# ---- Objectives, to the left

# Errors are reckoned from what Prometheus saw: when it sees nothing now, they are of the past.
function is_watched(slo) {
	return slo ~ /-reachability$/ ? asked("up", "probe redirect") == 1 : asked("up", "linkshrink") == 1
}

# In words; and in error_style how bad.
function error_of(slo,    error, budget, lost) {
	if (slo == "link-durability") {
		lost = sample("linkshrink_links_lost")
		error_style = lost == "" ? "unknown" : lost > 0 ? "wrong" : "ok"
		return lost == "" ? "UNKNOWN" : lost " lost"
	}
	error = asked("error", slo)
	budget = asked("budget", slo)
	error_style = "ok"
	if (is_watched(slo) && asked("valid", slo) == 0 && asked("valid", slo) != "") return "idle"
	if (!is_watched(slo) || error == "" || budget == "") { error_style = "unknown"; return "UNKNOWN" }
	if (error > budget) { error_style = "note"; reason("note", slo " burns its budget") }
	return error_percent(error)
}

function left_of(slo,    left) {
	left = is_watched(slo) ? asked("left", slo) : ""
	left_style = left == "" ? "unknown" : left > 0 ? "ok" : slo == "link-durability" ? "wrong" : "note"
	if (left_style == "note") reason("note", "budget of " slo " is spent")
	return left
}

# In eighths, where there are signs for them; never more than is left.
function bar(left, width,    eighths, n) {
	eighths = left >= 1 ? width * 8 : left <= 0 ? 0 : floor(left * width * 8)
	n = floor(eighths / 8)
	return repeat(full, n) (n < width ? part[eighths % 8] repeat(empty, width - n - 1) : "")
}

function worse(a, b) {
	return rank[a] >= rank[b] ? a : b
}

function put_objective(slo,    target, error, left, style) {
	target = asked("objective", slo)
	error = error_of(slo)
	left = left_of(slo)
	style = worse(error_style, worse(left_style, target == "" ? "unknown" : "ok"))
	if (style == "unknown") unknown(slo == "link-durability" && error == "UNKNOWN" ? "metrics" : "values", slo)
	if (error_style == "wrong" || left_style == "wrong") reason("wrong", "links are lost")
	put_sign(style)
	put_left(slo, 22)
	put_right(target == "" ? "?" : target_percent(target), 6, target == "" ? "unknown" : "")
	put_right(error, 8, error_style == "ok" ? "" : error_style)
	put(" ")
	if (left == "") put_left("UNKNOWN", bar_width + 7, "unknown")
	else { put(bar(left, bar_width), left_style); put_right(left_percent(left), 7, left_style == "ok" ? "" : left_style) }
}

function put_objectives_head() {
	put_left("  OBJECTIVES", 24, "bold")
	put_right("target", 6, "dim")
	put_right("err 5m", 8, "dim")
	put(" ")
	put_left(bar_width < 9 ? "30 days left" : "budget of 30 days left", bar_width + 7, "dim")
}

# ---- Programs and probes, to the right

function put_program(name,    expected_now, alive, start, hung, age, style) {
	expected_now = of_program("linkshrink_workers_expected", name)
	alive = of_program("linkshrink_workers_alive", name)
	start = of_program("linkshrink_worker_oldest_request_start_timestamp_seconds", name)
	hung = sample("linkshrink_worker_exits_total{program=\"" name "\",cause=\"stalled\"}")
	if (expected_now == "" || alive == "" || start == "" || hung == "") {
		unknown("metrics", "processes of " name)
		put_sign("unknown"); put_left(name, 10); put_left("UNKNOWN", 15, "unknown")
		return
	}
	age = start > 0 ? since("metrics", start) : 0
	style = alive < expected_now || age > stuck ? "wrong" : "ok"
	if (alive < expected_now) reason("wrong", name " " alive "/" expected_now)
	if (age > stuck) reason("wrong", name " makes no progress")
	put_sign(style)
	put_left(name, 10)
	put_right(alive "/" expected_now, 5, alive < expected_now ? "wrong" : "")
	put_right(start > 0 ? short_age(age) : "-", 5, age > stuck ? "wrong" : "")
	put_right(sprintf("%.0f", hung), 5, hung > 0 ? "note" : "")
}

function put_programs_head() {
	put_left("  WORKERS", 12, "bold")
	put_right("alive", 5, "dim")
	put_right("busy", 5, "dim")
	put_right("hung", 5, "dim")
}

function put_probe(name,    works) {
	works = asked("probe", name)
	if (works == "") unknown("values", "probe " name)
	if (works != "" && works != 1) reason("wrong", "probe " name " fails")
	put_sign(works == "" ? "unknown" : works == 1 ? "ok" : "wrong")
	put_left("probe " name, 16)
	if (works == "") put_right("UNKNOWN", 9, "unknown")
	else put_right(works == 1 ? "works" : "FAILS", 9, works == 1 ? "" : "wrong")
}

function put_right_block(i) {
	if (i == 0) put_programs_head()
	else if (i <= count["program"]) put_program(names["program", i])
	else if (i <= count["program"] + count["probe"]) put_probe(names["probe", i - count["program"]])
}

function put_left_block(i) {
	if (i == 0) put_objectives_head()
	else if (i <= count["slo"]) put_objective(names["slo", i])
	else put_left("", 45 + bar_width)
}

# Beside each other, where there is room; else one below the other.
function make_blocks(    i, left, right) {
	left = count["slo"]
	right = count["program"] + count["probe"]
	bar_width = columns < 80 ? 5 : columns > 105 ? 30 : columns - 75
	if (left == 0) { unknown("values", "objectives"); left = 1 }
	for (i = 0; i <= left || (columns >= 80 && i <= right); i++) {
		begin(columns)
		put_left_block(i)
		if (columns >= 80) { put("  "); put_right_block(i) }
		body[++bodies] = line
	}
	for (i = 0; columns < 80 && i <= right; i++) {
		begin(columns)
		put_right_block(i)
		body[++bodies] = line
	}
}

# ---- The rest, a row each

function say(source, what, text, number_known, style) {
	if (number_known == "") lacks(source, what)
	else piece(text, style)
}

# What is asked for, how often and how long it takes: "p99" of those that there were.
function flow(source, name, per_second, slow, limit,    late) {
	if (per_second == "" || (slow == "" && per_second > 0)) { lacks(source, name); return }
	late = slow != "" && slow > limit
	if (late) reason("note", name " are slow")
	piece(name " " rate(per_second) (slow == "" ? "" : " p99 " milliseconds(slow)), late ? "note" : "ok")
}

# Without lighttpd's counts Prometheus only has old ones.
function counted(what) {
	return sample("linkshrink_edge_counted") == 1 ? asked(what, "") : ""
}

function traffic_row(    source, errors) {
	source = sample("linkshrink_edge_counted") == "" ? "metrics" : "values"
	errors = counted("errors")
	if (errors > 0) reason("note", "requests fail")
	say(source, "errors", "errors " rate(errors), errors, errors > 0 ? "note" : "ok")
	flow(source, "redirects", counted("redirects"), asked("slow_redirect", ""), 0.025)
	flow(source, "creates", counted("creates"), asked("slow_create", ""), 0.25)
	return row("TRAFFIC")
}

function clicks_row(    pending, waiting, until, age, dropped) {
	pending = sample("linkshrink_spool_bytes{part=\"pending\"}")
	waiting = waiting_clicks()
	say("metrics", "how many wait", plural(waiting, "click") ", " bytes(pending) " wait", pending == "" ? "" : waiting)
	until = sample("linkshrink_clicks_committed_until_timestamp_seconds")
	if (until == 0 && until != "") until = sample("linkshrink_segment_created_timestamp_seconds")
	age = since("metrics", until)
	if (age != "" && age > late_clicks) reason("wrong", "clicks are " duration(age) " late")
	say("metrics", "how late", "in PostgreSQL up to " duration(age) " ago", age, age > late_clicks ? "wrong" : "ok")
	dropped = sum_of("linkshrink_clicks_dropped_total")
	if (dropped > 0) reason("note", plural(dropped, "click") " dropped since the counters began")
	say("metrics", "dropped", sprintf("%.0f dropped", dropped), dropped, dropped > 0 ? "note" : "ok")
	return row("CLICKS")
}

# Written less those that PostgreSQL has; the drift are those that are neither there nor waiting.
function waiting_clicks(    spooled, committed, drift, n) {
	spooled = sample("linkshrink_clicks_spooled_total")
	committed = sample("linkshrink_clicks_committed_total")
	drift = sample("linkshrink_click_drift")
	if (spooled == "" || committed == "" || drift == "") return ""
	n = spooled - committed - drift
	return n > 0 ? n : 0
}

# One of its states is 1; all else is none.
function replica_state(    list, n, i, name, set, found) {
	n = split("absent building following refusing", list, " ")
	for (i = 1; i <= n; i++) {
		set = sample("linkshrink_replica_state{state=\"" list[i] "\"}")
		if (set == "") return ""
		if (set == 1) { name = list[i]; found++ }
	}
	return found == 1 ? name : ""
}

function replica_row(    now_it_is, lag, links, lost) {
	now_it_is = replica_state()
	if (now_it_is ~ /^(absent|building)$/) reason("note", "local copy is " now_it_is)
	if (now_it_is == "refusing") reason("wrong", "local copy refuses PostgreSQL")
	say("metrics", "state", now_it_is, now_it_is, now_it_is == "refusing" ? "wrong" : now_it_is == "following" ? "ok" : "note")
	lag = sample("linkshrink_replica_lag_seconds")
	if (lag != "" && lag > stuck) reason("wrong", "local copy is " duration(lag) " behind")
	say("metrics", "lag", duration(lag) " behind", lag, lag > stuck ? "wrong" : "ok")
	links = sample("linkshrink_replica_entries")
	say("metrics", "links", plural(links, "link"), links)
	lost = sample("linkshrink_replica_differences")
	if (lost > 0) reason("note", "local copy differed")
	say("metrics", "differences", sprintf("%.0f differed", lost), lost, lost > 0 ? "note" : "ok")
	return row("REPLICA")
}

function circuits(    i, program, open) {
	if (sum_of("linkshrink_db_circuit_open") == "") { lacks("metrics", "circuits"); return }
	for (i = 1; i <= samples; i++) {
		if (index(page_names[i], "linkshrink_db_circuit_open{") != 1 || sample(page_names[i]) == 0) continue
		program = page_names[i]
		gsub(/^.*program="|".*$/, "", program)
		open = open " " program
	}
	if (open != "") reason("wrong", "circuit open:" open)
	piece(open == "" ? "circuits closed" : "circuit open:" open, open == "" ? "ok" : "wrong")
}

function database_row(    up, ours, busy) {
	up = asked("database", "postgres")
	if (check["database"] == "ok") piece("answers", "ok")
	else if (check["database"] != "") piece("does not answer", "wrong")
	else lacks("ready", "database")
	circuits()
	ours = sum_of("linkshrink_db_connections")
	busy = sum_of("linkshrink_db_connections", "state=\"busy\"")
	say("metrics", "connections of ours", "ours " ours ", " busy " busy", busy == "" ? "" : ours)
	if (good("values") && !(("asked", "postgres") in value)) piece("not watched itself", "dim")
	else if (up != "" && up != 1) { reason("wrong", "exporter gets no answer of PostgreSQL"); piece("exporter: down", "wrong") }
	else say("values", "all connections", "server " asked("taken", "") " of " asked("most", ""), asked("most", "") == "" ? "" : asked("taken", ""))
	return row("DATABASE")
}

function failing_check(name) {
	if (check[name] == "") { lacks("ready", name); return }
	reason("wrong", name ": " check[name])
	piece(name ": " check[name], "wrong")
}

# What fails comes first: its words may need the whole line.
function ready_row(    i, name) {
	if (!good("ready")) { lacks("ready", "readiness"); return row("READY") }
	for (i = 1; i <= count["check"]; i++) {
		name = names["check", i]
		if (check[name] != "ok") failing_check(name)
	}
	if (verdict != "ready" && worst == "ok") { reason("wrong", "not ready"); piece("not ready", "wrong") }
	for (i = 1; i <= count["check"]; i++) if (check[names["check", i]] == "ok") piece(names["check", i] " ok", "ok")
	return row("READY")
}

function heartbeat(    age) {
	age = since("inbox", number(beat))
	if (deadman == "elsewhere" && good("status")) piece("heartbeat goes elsewhere", "ok")
	else if (!good("inbox") || number(beat) == "" || age < -fresh) lacks("inbox", "heartbeat")
	else if (beat == 0) lacks("inbox", "none yet, heartbeat")
	else if (age > late_beat) { reason("wrong", "heartbeat is late"); piece("heartbeat LATE, " duration(age) " ago", "wrong") }
	else piece("heartbeat " duration(floor(age)) " ago", "ok")
}

function targets(    i, name, up, old) {
	for (i = 1; i <= count["target"]; i++) {
		name = names["target", i]
		if (asked("up", name) == 1) up++
		else if (asked("up", name) == "") { unknown("values", "target " name); old++ }
		else { reason("wrong", "target " name " does not answer"); piece(name " does not answer", "wrong") }
	}
	if (!good("values") || count["target"] == 0) lacks("values", "targets")
	else piece(up + 0 " of " count["target"] " targets" (old ? ", " old " UNKNOWN" : ""), old ? "unknown" : "ok")
}

function segment(    healthy) {
	healthy = sample("linkshrink_segment_healthy")
	if (healthy != "" && healthy != 1) { reason("wrong", "shared memory is unusable"); piece("shared memory UNUSABLE", "wrong") }
	else say("metrics", "shared memory", "memory shared", healthy)
}

# Each group on its own is judged with the alerts.
function rules(    i, last) {
	for (i = 1; i <= groups; i++) if (group_evaluated[i] > last) last = group_evaluated[i]
	say("rules", "rules", "rules " duration(floor(now - last)) " ago", good("rules") ? last : "")
}

function watch_row() {
	heartbeat()
	targets()
	rules()
	segment()
	return row("WATCHERS")
}

# How old the newest is that each has to say: what it answers is as old as that.
function source_age(name, source, t) {
	if (good(source) && t != "" && now - t < fresh) { piece(name " " short_age(floor(now - t)), "ok"); return }
	piece(name " UNKNOWN", "unknown") # why was said already
}

function sources_row() {
	source_age("metrics", "metrics", at["metrics"])
	source_age("ready", "ready", at["ready"])
	source_age("Prometheus", "values", asked("asked", "linkshrink"))
	source_age("Alertmanager", "alerts", told["Watchdog"])
	source_age("inbox", "inbox", at["inbox"])
	return row("SOURCES")
}
