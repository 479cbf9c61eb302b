# What sources answered, as lines of fields between tabs for frame.awk. Each source gives all of its
# lines or "bad": half of an answer is none. Times are seconds since 1970.

# RFC 3339, as Go writes it: parts of a second, and zones of the machine.
def seconds:
	capture("^(?<moment>[-0-9]{10}T[:0-9]{8})(?<part>[.][0-9]+)?(?<zone>Z|[-+][0-9]{2}:[0-9]{2})$")
	| (.moment + "Z" | fromdateiso8601) + ("0" + (.part // "") | tonumber)
		- (if .zone == "Z" then 0
			else (.zone[1:3] | tonumber) * 3600 + (.zone[4:6] | tonumber) * 60
			end) * (if .zone[0:1] == "-" then -1 else 1 end);

# What tells an alert from others, at Prometheus and at Alertmanager, which adds the node.
def identity: del(.node) | to_entries | map("\(.key)=\(.value)") | sort | join(",");
def told_apart:
	del(.alertname, .severity, .instance, .node) | if length > 1 then del(.job) else . end
	| to_entries | map("\(.key)=\(.value)") | join(" ");

def prometheus: fromjson | if .status == "success" then .data else error("no success") end;

def ready:
	fromjson
	| (if (.checks | type) == "object" and (.status | type) == "string" then . else error("no checks") end)
	| ["ready", .status],
	  (.checks | to_entries[] | ["check", .key, if .value.ok == true then "ok" else .value.error // "not ok" end]);

def values:
	prometheus
	| (if .resultType == "vector" then .result else error("no vector") end)
	| .[] | ["value", .metric.what, .metric.slo // .metric.probe // .metric.job // "", .value[1], .metric.job // ""];

def rules:
	prometheus.groups
	| (if type == "array" then .[] else error("no groups") end)
	| select(.rules | length > 0)
	| ["group", .name, .interval, (.lastEvaluation | try seconds catch 0),
		([.rules[] | select(.health != "ok") | .name] | join(" "))],
	  (.rules[] | .alerts[]?
		| ["alert", .state, .labels.severity // "", .labels.alertname, (.activeAt | seconds),
			(.labels | identity), (.labels | told_apart), .annotations.summary // ""]);

def alerts:
	fromjson
	| (if type == "array" then .[] else error("no list") end)
	| ["told", .labels.alertname, (.updatedAt | seconds)],
	  ["mark", (.labels | identity),
		if .status.silencedBy | length > 0 then "silenced"
		elif .status.inhibitedBy | length > 0 then "inhibited"
		else .status.state end];

# Where the heartbeat goes: to the local inbox, or to somebody whose address is nobody's business.
def status:
	fromjson.config.original
	| capture("- name: deadman\n(?<rest>(  .*(\n|$))+)").rest
	| capture("\n +url: *[\"']?(?<url>[^ \"'\n]+)").url
	| ["deadman", if test("^http://127[.]0[.]0[.]1:[0-9]+/heartbeat$") then "inbox"
		elif test("^https?://") then "elsewhere" else "unknown" end];

def inbox:
	if test("No heartbeat yet") then ["beat", 0]
	else capture("<p class=\"lead[^>]*>[^<]*<time datetime=\"(?<at>[^\"]+)\"").at | ["beat", seconds] end;

def lines($name; $text; f):
	(if $text == "" then [] else try ($text | [f]) catch [["bad", $name]] end) | .[] | @tsv;

lines("ready"; $ready; ready),
lines("values"; $values; values),
lines("rules"; $rules; rules),
lines("alerts"; $alerts; alerts),
lines("status"; $status; status),
lines("inbox"; $inbox; inbox)
