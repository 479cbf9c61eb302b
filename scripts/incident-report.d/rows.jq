# Counters on a grid, as Prometheus answers with them, to lines of `seconds`; a row that nothing is
# known of is "hole SECOND" instead. Input: good, bad, stale and probe, one after the other. Wants
# $start (ms), $count and $step (s): rows end at $start + n × $step, n from 1 to $count.

def column: reduce .data.result[] as $series ({};
	.[$series.metric.handler // $series.metric.probe // "all"] =
		($series.values | map({key: (.[0] * 1000 | round | tostring), value: (.[1] | tonumber)}) | from_entries));

# Since the last time that it was known. What is less than it was began anew.
def grown($now; $before): if $now == null or $before == null then null elif $now < $before then $now else $now - $before end;

# The probe speaks where the counters say nothing: nobody came, or nobody could be asked.
def or_probe($good; $bad; $probe): if ($good // 0) + ($bad // 0) > 0 or $probe == null then [$good // 0, $bad // 0] else [$probe, 1 - $probe] end;

[inputs] | map(column) as [$good, $bad, $stale, $probe]
| foreach range(0; $count + 1) as $n ({before: {}};
	(($start + $n * $step * 1000) | tostring) as $key
	| {gr: $good.redirect[$key], br: $bad.redirect[$key], gs: $good.shorten[$key], bs: $bad.shorten[$key], stale: $stale.all[$key]} as $now
	| .before as $before
	| (reduce ("gr", "br", "gs", "bs", "stale") as $k ({}; .[$k] = grown($now[$k]; $before[$k]))) as $grown
	| .row = (if $grown.gr == null and $probe.redirect[$key] == null and $probe.shorten[$key] == null then null else
		or_probe($grown.gr; [($grown.br // 0) - ($grown.stale // 0), 0] | max; $probe.redirect[$key])
		+ or_probe($grown.gs; $grown.bs; $probe.shorten[$key]) end)
	| .before = $before + ($now | with_entries(select(.value != null)))
	| .n = $n;
	select(.n > 0) | ((($start / 1000) | floor) + (.n - 1) * $step) as $second
	| if .row == null then "hole \($second)" else "\($second) \(.row | map(round | tostring) | join(" "))" end)
