# Samples of ALERTS, as Prometheus answers with them, to lines of `events`. Wants $from and $to (ms).
#
# An alert that is over has no more samples: it ended at the evaluation after its last one.

def field: gsub("[\\t\\r\\n]+"; " ") | if . == "" then "-" else . end;
def labels: del(.__name__, .alertname, .alertstate, .severity) | to_entries | map("\(.key)=\(.value)") | join(", ");
def event($kind; $ms; $alert; $state; $more): [($ms | tostring), $kind, ($alert.alertname | field), (($alert | labels) + $more | ltrimstr("; ") | field),
	"ALERTS{alertname=\"\($alert.alertname)\",alertstate=\"\($state)\"}"] | join("\t");
def became($sample; $alert; $more): event($sample.state; $sample.ms; $alert; $sample.state; $more);

# How far apart evaluations are: the least distance of two samples.
def interval: map(.ms) | [., .[1:]] | transpose | map(select(.[1] != null) | .[1] - .[0]) | map(select(. > 0)) | min // 5000;

def changes($alert): interval as $interval |
	def gone($sample): event("ended"; $sample.ms + $interval; $alert; $sample.state; "");
	foreach (.[], null) as $now ({last: null, say: []};
		if $now == null then
			.say = (if .last.ms + 1.6 * $interval < $to then [gone(.last)] else [] end)
		elif .last == null then
			.say = [became($now; $alert; if $now.ms - $from < 1.1 * $interval then "; already so when the journal begins" else "" end)]
		elif $now.ms - .last.ms > 1.6 * $interval then
			.say = [gone(.last), became($now; $alert; "")]
		elif $now.state != .last.state then .say = [became($now; $alert; "")]
		else .say = [] end
		| .last = $now;
		.say[]);

[.data.result[] | .metric as $metric | .values[] | {alert: ($metric | del(.alertstate)), state: $metric.alertstate, ms: (.[0] * 1000 | round)}]
| group_by(.alert)[] | .[0].alert as $alert | sort_by(.ms) | changes($alert)
