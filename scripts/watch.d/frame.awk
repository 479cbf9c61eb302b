# A frame of scripts/watch: from what sources said to lines on the screen. Whatever is not said, or
# makes no sense, is unknown. Ends with 0, 1 or 3, as scripts/watch does. With known.awk, rows.awk
# and parts.awk.
#   began, now, stamp, columns, rows (0: as many as it takes), signs, colours, keys; and who, in its environment

BEGIN {
	FS = "\t"
	settle_looks()
	title["metrics"] = "metrics"; title["ready"] = "/ready"; title["inbox"] = "inbox"
	title["values"] = title["rules"] = "Prometheus"
	title["alerts"] = title["status"] = "Alertmanager"
	fresh = 30
	stuck = 10 # seconds, as in the rules: WorkerStalled, ReplicaStale
	late_clicks = 60
	late_beat = 90
	forget_pieces()
}

# ---- The whole

function put_reasons(kind, words,    i, text) {
	if (!total[kind]) return
	for (i = 1; i <= total[kind]; i++) text = text (i > 1 ? dot : "") reasons[kind, i]
	begin(columns)
	put_sign(kind)
	put(words " (" total[kind] "): ", kind)
	put(chars(text) <= room ? text : cut(text, room - chars(more)) more)
	head[++heads] = line
}

function make_head(    style, word, right) {
	style = total["wrong"] ? "wrong" : total["unknown"] ? "unknown" : "ok"
	word = style == "wrong" ? "TROUBLE" : style == "unknown" ? "UNKNOWN" : "OK"
	right = stamp
	if (keys == "yes" && columns >= 80) right = right "  q quits"
	begin(columns)
	put(" " sign[style] " " word " ", "head " style)
	put_left("  Link-Shrink  " clean(ENVIRON["who"]), columns - chars(word) - 5 - length(right), "bold")
	put(" " right, "dim")
	head[++heads] = line
	put_reasons("wrong", "wrong")
	put_reasons("unknown", "UNKNOWN")
	put_reasons("note", "worth a look")
	if (heads == 1) { begin(columns); put_sign("ok"); put("everything answers, and all of it is well"); head[++heads] = line }
	return style
}

function add(text) {
	screen[++lines] = text
}

# Alerts take the room that there is; then come lines that keep the parts apart.
function lay_out(    i, spare, shown) {
	spare = rows ? rows - heads - 1 - bodies - tails : alerts + 3
	shown = alerts <= spare ? alerts : spare > 1 ? spare - 1 : 0
	spare -= shown + (shown < alerts)
	for (i = 1; i <= heads; i++) add(head[i])
	if (spare > 2) add("")
	add(alert_summary)
	for (i = 1; i <= shown; i++) add(alert_line[i])
	if (shown < alerts && spare >= 0) add("  " more " and " alerts - shown " more")
	if (spare > 0) add("")
	for (i = 1; i <= bodies; i++) add(body[i])
	if (spare > 1) add("")
	for (i = 1; i <= tails; i++) add(tail[i])
}

function show(    i, last) {
	last = rows && lines > rows ? rows - 1 : lines
	for (i = 1; i <= last; i++) print screen[i]
	if (last < lines) print cut(more " " lines - last " more lines: the window is too small", columns)
}

END {
	judge_values()
	judge_sources()
	make_alerts()
	make_blocks()
	tail[++tails] = traffic_row()
	tail[++tails] = clicks_row()
	tail[++tails] = replica_row()
	tail[++tails] = database_row()
	tail[++tails] = ready_row()
	tail[++tails] = watch_row()
	tail[++tails] = sources_row()
	style = make_head()
	lay_out()
	show()
	exit style == "wrong" ? 1 : style == "unknown" ? 3 : 0
}
